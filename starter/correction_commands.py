"""The commands that correct a set: one for each message of the table, and those that open and end a set."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from popcon.messages import (
    AddEmoji,
    Approve,
    ChooseTab,
    Close,
    DropEmoji,
    Edit,
    Point,
    RefineFrame,
    Reorder,
    RetryEmoji,
    RetryFailed,
    RetryFrame,
    SwapFrame,
    UseTake,
)
from popcon.settings import settings
from starter.arguments import EmojiArgument, FrameArgument, Json, SetIdArgument
from starter.asking import ask, show
from starter.candidate_files import write_doubts, write_pictures
from starter.client import Popcon
from starter.correcting import correct, ended
from starter.display import choose_display, headline
from starter.emoji_view import EmojiView, emoji_view
from starter.errors import NothingToDownload, UnusableArguments, UnusableOutput
from starter.tables import emoji_table, when
from starter.views import SetView

FAILED = 1
LONGEST_WINDOW_DAYS = 90

corrections = typer.Typer()
_command = corrections.command
_PANEL = "Correct a set"

Prompt = Annotated[str | None, typer.Option(help="What should be different, in words.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return as soon as the set has accepted it.")]
NewFiles = Annotated[Path | None, typer.Option("--out", "-o", help="Fetch the new files into this folder.")]
Points = Annotated[list[str] | None, typer.Option(metavar="X,Y", help="A pixel of the take; may be repeated.")]


@_command(name="show", rich_help_panel=_PANEL)
def show_emoji(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write there each candidate's picture, and its matte if it has one."),
    ] = None,
    doubts: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write there where keyer and network disagree: a map for each such matte."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show an emoji's takes, frames and candidates: what `swap`, `take` and `refine` choose from.

    Of a take: its seam (the jump back to the start, in usual steps), and of its mattes as they were chosen the flicker
    (the share of the character that comes or goes for a single frame) and the seam that is left.

    Example: popcon show set-cat-1f3a9c20 3

    Example: popcon show set-cat-1f3a9c20 3 --pictures look
    """

    async def look(popcon: Popcon) -> EmojiView:
        view = await popcon.status(set_id)
        try:
            manifest = await popcon.manifest(set_id)
        except NothingToDownload:  # it runs, and has delivered nothing yet
            manifest = None
        return emoji_view(view.state, emoji, manifest)

    found = ask(look)
    if pictures:
        write_pictures(found, pictures)
    if doubts:
        write_doubts(found, doubts)
    show(found.model_dump_json(indent=2) if as_json else emoji_table(found))


@_command(rich_help_panel=_PANEL)
def swap(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    frame: FrameArgument,
    candidate: Annotated[int, typer.Argument(metavar="CANDIDATE", help="The candidate's number (see `popcon show`).")],
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Show another candidate in a frame; swap back to undo.

    Example: popcon swap set-cat-1f3a9c20 3 5 2
    """
    send(set_id, SwapFrame(emoji=emoji, frame=frame, candidate=candidate), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def retry(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    frame: Annotated[int | None, typer.Option(help="Only this frame; without it the emoji gets a new take.")] = None,
    prompt: Prompt = None,
    matte: Annotated[str | None, typer.Option(help="With --frame: cut it out by this matte.")] = None,
    action: Annotated[str | None, typer.Option(help="Without --frame: another action for the emoji.")] = None,
    seed: Annotated[int | None, typer.Option(help="Without --frame: the seed of the new take.")] = None,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Render an emoji once more, or make one more candidate for a frame.

    Example: popcon retry set-cat-1f3a9c20 3 --prompt "faster, bounce"

    Example: popcon retry set-cat-1f3a9c20 3 --frame 5 --prompt "smaller, tilt left"
    """
    edit: Edit
    if frame is None:
        if matte is not None:
            raise UnusableArguments("--matte is for a single frame: say which with --frame")
        edit = RetryEmoji(emoji=emoji, prompt=prompt, action=action, seed=seed)
    else:
        if action is not None or seed is not None:
            raise UnusableArguments("--action and --seed are for the whole emoji: leave out --frame")
        edit = RetryFrame(emoji=emoji, frame=frame, prompt=prompt, matte=matte)
    send(set_id, edit, out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def take(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    number: Annotated[int, typer.Argument(metavar="TAKE", help="The take's number (see `popcon show`).")],
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Go back to an earlier take of an emoji, with all frames as they were.

    Example: popcon take set-cat-1f3a9c20 3 1
    """
    send(set_id, UseTake(emoji=emoji, take=number), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def refine(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    frame: FrameArgument,
    erase: Points = None,
    restore: Points = None,
    spare: Annotated[
        list[str] | None, typer.Option("--not", metavar="X,Y", help="A pixel that does not belong to it.")
    ] = None,
    all_frames: Annotated[
        bool, typer.Option("--all-frames", help="Follow it through all frames of the emoji, and change it there too.")
    ] = False,
    preview: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Only show what would change in the frame.")
    ] = None,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Erase what is under the points from a frame, or restore what the matte took away.

    Example: popcon refine set-cat-1f3a9c20 3 5 --erase 120,88 --not 140,90

    Example: popcon refine set-cat-1f3a9c20 3 5 --erase 120,88 --all-frames
    """
    if bool(erase) == bool(restore):
        raise UnusableArguments("say either --erase X,Y or --restore X,Y, as often as you like")
    points = (
        *(_point(each, label=1) for each in erase or restore or ()),
        *(_point(each, label=0) for each in spare or ()),
    )
    edit = RefineFrame(
        emoji=emoji, frame=frame, points=points, mode="erase" if erase else "restore", propagate=all_frames
    )
    if preview:
        if all_frames or out or no_wait:
            raise UnusableArguments("--preview shows one frame and changes nothing: leave out the options beside it")
        _show_preview(set_id, edit, preview)
        return
    send(set_id, edit, out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def add(
    set_id: SetIdArgument,
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="A preset (see `popcon presets`), or one of the set's own.")
    ],
    prompt: Prompt = None,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Add an emoji at the end.

    Example: popcon add set-cat-1f3a9c20 wave --prompt slower
    """
    send(set_id, AddEmoji(action=action, prompt=prompt), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def drop(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Leave an emoji out of the set; `reorder` with its number takes it back in.

    Example: popcon drop set-cat-1f3a9c20 3
    """
    send(set_id, DropEmoji(emoji=emoji), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def reorder(
    set_id: SetIdArgument,
    emojis: Annotated[str, typer.Argument(metavar="NUMBERS", help="All emojis by their numbers, like 2,1,3.")],
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Say the order of the emojis.

    Example: popcon reorder set-cat-1f3a9c20 2,1,3
    """
    send(
        set_id, Reorder.model_validate({"emojis": [_number(each) for each in emojis.split(",")]}), out, no_wait, as_json
    )


@_command(rich_help_panel=_PANEL)
def tab(
    set_id: SetIdArgument,
    emoji: EmojiArgument,
    out: NewFiles = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Choose the emoji that the tab picture shows.

    Example: popcon tab set-cat-1f3a9c20 2
    """
    send(set_id, ChooseTab(emoji=emoji), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def retry_failed(set_id: SetIdArgument, out: NewFiles = None, no_wait: NoWait = False, as_json: Json = False) -> None:
    """Render every failed emoji once more.

    Example: popcon retry-failed set-cat-1f3a9c20
    """
    send(set_id, RetryFailed(), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def approve(set_id: SetIdArgument, out: NewFiles = None, no_wait: NoWait = False, as_json: Json = False) -> None:
    """Finish what is pending, then end the set as approved.

    Example: popcon approve set-cat-1f3a9c20 -o out
    """
    send(set_id, Approve(), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def close(set_id: SetIdArgument, out: NewFiles = None, no_wait: NoWait = False, as_json: Json = False) -> None:
    """Finish what is pending, then end the set without a verdict.

    Example: popcon close set-cat-1f3a9c20
    """
    send(set_id, Close(), out, no_wait, as_json)


@_command(rich_help_panel=_PANEL)
def reopen(
    set_id: SetIdArgument,
    days: Annotated[
        float | None,
        typer.Option(min=0.01, max=LONGEST_WINDOW_DAYS, help="How long it stays open.", show_default="as at first"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Open an ended set for corrections again; nothing is done twice.

    Example: popcon reopen set-cat-1f3a9c20 --days 2
    """
    view = ask(lambda popcon: popcon.reopen(set_id, days))
    show(view.model_dump_json(indent=2) if as_json else f"{set_id} is open until {when(view.state.window_ends)}")


@_command(rich_help_panel=_PANEL)
def cancel(set_id: SetIdArgument, as_json: Json = False) -> None:
    """Stop all work on a set at once; what was made stays in S3.

    Example: popcon cancel set-cat-1f3a9c20
    """

    async def stop(popcon: Popcon) -> SetView:
        await popcon.cancel(set_id)
        return await ended(popcon, set_id)

    view = ask(stop)
    show(view.model_dump_json(indent=2) if as_json else f"{set_id}  {headline(view)}")


def send(set_id: str, edit: Edit, out: Path | None, no_wait: bool, as_json: bool) -> None:
    """Send a correction as its options say. Raises typer.Exit if it fails."""
    if no_wait and out:
        raise UnusableArguments("--no-wait has no new files to fetch yet: leave out -o, and `popcon download` later")
    if not correct(set_id, edit, settings(), choose_display(as_json), wait=not no_wait, out=out):
        raise typer.Exit(FAILED)


def _show_preview(set_id: str, edit: RefineFrame, file: Path) -> None:
    picture = ask(lambda popcon: popcon.preview(set_id, edit))
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise UnusableOutput(f"cannot write {file} ({error.strerror}): name another file with --preview") from error
    show(str(file))


def _point(text: str, label: int) -> Point:
    x, separator, y = text.partition(",")
    if not separator:
        raise UnusableArguments(f"{text!r} is no point: say X,Y in pixels of the take, like 120,88")
    return Point.model_validate({"x": _number(x), "y": _number(y), "label": label})


def _number(text: str) -> float | str:
    """The number that a text says; any other text stays what it is, for the message to refuse."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text

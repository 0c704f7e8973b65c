"""Pictures and takes whose true alpha is known, for bench/matting.py: drawn characters of many kinds, and the puppet.

Each stands on white, on grey, and on the plate that is chosen for it, with noise. Of each kind one drawing is there to
tune on; other drawings and all takes are not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from activities.character import square
from activities.pictures import read_rgb
from activities.puppet import Performance, cut_out
from gpu_worker.mattes.keyer import Keyer
from gpu_worker.plate import choose_plate
from popcon.presets import preset
from tests.drawn import BLACK, BLUE, GREEN, RED, SKIN, YELLOW, Canvas, Colour, Drawn, Floats, Pixels, picture
from tests.drawn import drawn as drawn_on
from tests.drawn import shadow as shadow_on

SIDE = 512
# Standard deviation of the noise, in levels.
NOISE = 2.0
GREY = "#808080"
TUNED, UNSEEN = "tuned on", "unseen"
# 2 to 7, 10 to 15, 20 to 29, 31 and 32 were looked at while the keyer was tuned, so they are neither.
SEEDS = {TUNED: (1,), UNSEEN: (51, 52)}
ROOT = Path(__file__).parent.parent
CHARACTERS = {
    "sample": ROOT / "popcon" / "data" / "sample.png",
    "round": ROOT / "tools" / "characters" / "round.png",
    "tall": ROOT / "tools" / "characters" / "tall.png",
}
# Of each character one take; between them tears, confetti, and feet that leave the ground.
ACTIONS = {"sample": "celebrate", "round": "cry", "tall": "run"}
PICTURES = 4

PAPER: Colour = (255, 255, 255)
NIGHT: Colour = (38, 34, 48)
COLOURS = (RED, BLUE, GREEN, YELLOW, SKIN, (120, 70, 160), (240, 130, 60))

# Kind and ground of what one picture does not tell: a pane looks as if it were paler and solid, to the pixel
# (tests/test_matting_scenes.py); a hole to white paper looks like a white shirt.
UNDECIDABLE = ("translucent *", "holes white")


@dataclass(frozen=True)
class Scene:
    """Frames (uint8 N x H x W x 3) on one ground, their true alpha (float32 N x H x W, 0…1), and the plate if chosen.

    Pictures from a folder have no `truths`. Of one that is not `decidable` a single picture does not tell the truth.
    """

    kind: str
    ground: str
    part: str
    plate: str | None
    frames: Pixels
    truths: Floats | None = None
    decidable: bool = True


def scenes(side: int = SIDE) -> Iterator[Scene]:
    """All of them: those to tune on first, then those that nobody tuned on, the takes last."""
    for part, seeds in SEEDS.items():
        for kind in KINDS:
            for seed in seeds:
                yield from drawn_scenes(kind, part, seed, side)
    for name in CHARACTERS:
        yield from take_scenes(name, side)


def drawn_scenes(kind: str, part: str, seed: int, side: int = SIDE) -> Iterator[Scene]:
    """One drawing of a kind on each ground."""
    subject = KINDS[kind](random.Random(f"{kind} {seed}"), side)
    light = shadow_on(side, 0.4, 12, middle=(0.5, 0.9))[..., None] if kind == SHADOWED else 1
    for ground, plate in _grounds(_straight(subject)):
        shown = picture(subject.over(_levels(ground) * light), NOISE, seed)
        name = "plate" if plate else ground
        decidable = not any(fnmatch(f"{kind} {name}", pattern) for pattern in UNDECIDABLE)
        yield Scene(kind, name, part, plate, shown[None], subject.alpha[None], decidable)


def take_scenes(name: str, side: int = SIDE) -> Iterator[Scene]:
    """A take of one of the project's characters on each ground."""
    for ground, plate in _grounds(character(name, side)):
        yield take_scene(name, ACTIONS[name], PICTURES, ground, plate, side)


def take_scene(name: str, action: str, pictures: int, ground: str, plate: str | None, side: int = SIDE) -> Scene:
    """A take of so many pictures of one of the project's characters; `ground` is white, grey or a colour (#rrggbb)."""
    chosen = preset(action)
    performance = Performance(chosen.puppet, pictures, effects=chosen.effects)
    red, green, blue = _levels(ground)
    seen = np.stack(list(cut_out(character(name, side), performance, (int(red), int(green), int(blue)))))
    truths = np.asarray(seen[..., 3] / 255, np.float32)
    shown = seen[..., :3].astype(np.float32) + (1 - truths[..., None]) * _levels(ground)
    frames = np.stack([picture(each, NOISE, seed) for seed, each in enumerate(shown)])
    return Scene(f"take of {name}", "plate" if plate else ground, UNSEEN, plate, frames, truths)


@cache
def character(name: str, side: int = SIDE) -> Pixels:
    """One of the project's characters on its square canvas (uint8 side x side x 4)."""
    shown = read_rgb(CHARACTERS[name].read_bytes())
    return square(Keyer().run(shown[None], [None])[0], side)


def laid(over: Drawn, under: Drawn) -> Drawn:
    """One drawing on another."""
    through = 1 - over.alpha
    return Drawn(over.alpha + through * under.alpha, over.premultiplied + through[..., None] * under.premultiplied)


def _grounds(subject: Pixels) -> tuple[tuple[str, str | None], ...]:
    """Each ground's colour, and the plate where it was chosen."""
    plate = choose_plate(subject)
    return ("white", None), ("grey", None), (plate, plate)


def _levels(ground: str) -> Floats:
    colour = {"white": "#ffffff", "grey": GREY}.get(ground, ground)
    return np.array(list(bytes.fromhex(colour[1:])), np.float32)


def _straight(subject: Drawn) -> Pixels:
    alpha = subject.alpha[..., None]
    colours = subject.premultiplied / np.maximum(alpha, 1 / 255)
    return np.concatenate([colours, 255 * alpha], axis=2).round().clip(0, 255).astype(np.uint8)


# --- the kinds ---------------------------------------------------------------------------------------------------

Dice = random.Random


def _figure(canvas: Canvas, dice: Dice, colours: tuple[Colour, Colour], outline: float = 0.0) -> None:
    """A head on a body, with a face, two arms and two feet; each a little elsewhere every time."""
    body, head = colours
    lean = dice.uniform(-0.03, 0.03)
    arm = dice.uniform(0.45, 0.75)
    limb = 0.05
    for across, down in ((0.5 - 0.31, arm), (0.5 + 0.31, 1.2 - arm)):
        canvas.line([(0.5, 0.6), (across, down)], limb + 2 * outline, BLACK if outline else head)
        canvas.line([(0.5, 0.6), (across, down)], limb, head)
    for across in (0.42, 0.58):
        canvas.ellipse((across, 0.87), (0.07, 0.03), dice.choice(COLOURS), outline)
    canvas.ellipse((0.5, 0.68), (dice.uniform(0.15, 0.2), 0.19), body, outline)
    canvas.ellipse((0.5 + lean, 0.34), (dice.uniform(0.18, 0.23), dice.uniform(0.17, 0.21)), head, outline)
    for across in (-0.08, 0.08):
        canvas.ellipse((0.5 + lean + across, 0.33), (0.02, 0.035), BLACK)
    canvas.line([(0.45 + lean, 0.43), (0.5 + lean, 0.45), (0.55 + lean, 0.43)], 0.012, BLACK)


def _two(dice: Dice) -> tuple[Colour, Colour]:
    body, head = dice.sample(COLOURS, 2)
    return body, head


def _crisp(dice: Dice, side: int) -> Drawn:
    colours = _two(dice)
    return drawn_on(side, lambda canvas: _figure(canvas, dice, colours))


def _outlined(dice: Dice, side: int) -> Drawn:
    colours = _two(dice)
    return drawn_on(side, lambda canvas: _figure(canvas, dice, colours, dice.uniform(0.01, 0.018)))


def _white_clothes(dice: Dice, side: int) -> Drawn:
    return drawn_on(side, lambda canvas: _figure(canvas, dice, (PAPER, dice.choice((SKIN, PAPER))), 0.012))


def _dark(dice: Dice, side: int) -> Drawn:
    return drawn_on(side, lambda canvas: _figure(canvas, dice, (NIGHT, dice.choice((NIGHT, BLACK, BLUE)))))


def _soft_outline(dice: Dice, side: int) -> Drawn:
    sharp = drawn_on(side, lambda canvas: _figure(canvas, dice, _two(dice), 0.014))
    return _blurred(sharp, dice.uniform(1.5, 2.5))


def _fur(dice: Dice, side: int) -> Drawn:
    """Hairs all around, each thinner than a pixel or two."""
    coat = dice.choice(COLOURS)

    def draw(canvas: Canvas) -> None:
        for _ in range(500):
            turn, length = dice.uniform(0, 2 * np.pi), dice.uniform(0.02, 0.07)
            x, y = np.cos(turn), np.sin(turn)
            bend = turn + dice.uniform(-0.4, 0.4)
            root = (0.5 + 0.26 * x, 0.52 + 0.3 * y)
            tip = (root[0] + length * np.cos(bend), root[1] + length * np.sin(bend))
            canvas.line([root, tip], dice.uniform(0.001, 0.004), coat)
        canvas.ellipse((0.5, 0.52), (0.27, 0.31), coat)
        for across in (0.4, 0.6):
            canvas.ellipse((across, 0.45), (0.025, 0.04), BLACK)

    return drawn_on(side, draw)


def glass(dice: Dice, side: int) -> tuple[Drawn, Drawn, float]:
    """A figure, the panes behind it (wings and a bubble) as if they were solid, and how opaque they are instead."""
    tint, opacity = dice.choice(COLOURS), dice.uniform(0.35, 0.65)

    def panes(canvas: Canvas) -> None:
        canvas.ellipse((0.22, 0.5), (0.14, 0.2), tint)
        canvas.ellipse((0.78, 0.5), (0.14, 0.2), tint)
        canvas.ellipse((0.84, 0.18), (0.07, 0.07), tint)

    figure = drawn_on(side, lambda canvas: _figure(canvas, dice, _two(dice), 0.012))
    return figure, drawn_on(side, panes), opacity


def _translucent(dice: Dice, side: int) -> Drawn:
    """An outlined figure with wings like glass and a bubble."""
    figure, panes, opacity = glass(dice, side)
    return laid(figure, _faded(panes, opacity))


def _motion_lines(dice: Dice, side: int) -> Drawn:
    colours = _two(dice)

    def draw(canvas: Canvas) -> None:
        _figure(canvas, dice, colours, 0.012)
        for number in range(8):
            turn = number * np.pi / 4 + dice.uniform(0.1, 0.5)
            near, far = 0.41, dice.uniform(0.44, 0.49)
            ends = [(0.5 + far_or_near * np.cos(turn), 0.5 + far_or_near * np.sin(turn)) for far_or_near in (near, far)]
            canvas.line(ends, dice.uniform(0.003, 0.008), dice.choice((BLACK, colours[0])))

    return drawn_on(side, draw)


def _holes(dice: Dice, side: int) -> Drawn:
    """Arms akimbo and a handle: pieces of the ground enclosed by the character."""
    body, head = _two(dice)

    def draw(canvas: Canvas) -> None:
        bend = dice.uniform(0.12, 0.2)
        for away in (-1, 1):
            elbow = [(0.5 + away * 0.12, 0.56), (0.5 + away * (0.16 + bend), 0.66), (0.5 + away * 0.12, 0.8)]
            canvas.line(elbow, 0.066, BLACK)
            canvas.line(elbow, 0.04, head)
        canvas.ellipse((0.5, 0.7), (0.15, 0.18), body, 0.013)
        canvas.ellipse((0.5, 0.34), (0.2, 0.18), head, 0.013)
        canvas.line([(0.44, 0.2), (0.46, 0.07), (0.56, 0.07), (0.58, 0.2)], 0.02, BLACK)
        canvas.ellipse((0.43, 0.34), (0.02, 0.035), BLACK)
        canvas.ellipse((0.57, 0.34), (0.02, 0.035), BLACK)

    return drawn_on(side, draw)


def _thin_limbs(dice: Dice, side: int) -> Drawn:
    head = dice.choice(COLOURS)

    def draw(canvas: Canvas) -> None:
        thickness = dice.uniform(0.004, 0.01)
        for across in (-1, 1):
            hand = (0.5 + across * dice.uniform(0.25, 0.4), dice.uniform(0.4, 0.75))
            canvas.line([(0.5, 0.55), (0.5 + across * 0.15, 0.62), hand], thickness, BLACK)
            canvas.line([(0.5, 0.75), (0.5 + across * dice.uniform(0.06, 0.2), 0.93)], thickness, BLACK)
        canvas.line([(0.5, 0.5), (0.5, 0.76)], thickness, BLACK)
        canvas.ellipse((0.5, 0.34), (0.19, 0.19), head, thickness)
        canvas.ellipse((0.43, 0.34), (0.015, 0.03), BLACK)
        canvas.ellipse((0.57, 0.34), (0.015, 0.03), BLACK)

    return drawn_on(side, draw)


def _shaded_body(dice: Dice, side: int) -> Drawn:
    """Every colour runs from light to dark across the figure."""
    figure = drawn_on(side, lambda canvas: _figure(canvas, dice, _two(dice), dice.choice((0.0, 0.012))))
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) / side
    turn = dice.uniform(0, 2 * np.pi)
    shade = 0.7 + 0.6 * (np.cos(turn) * (across - 0.5) + np.sin(turn) * (down - 0.5))
    return Drawn(figure.alpha, np.asarray(figure.premultiplied * shade[..., None].clip(0.35, 1), np.float32))


def _motion_blurred(dice: Dice, side: int) -> Drawn:
    """Limbs and head smeared along one direction, as a fast move is painted."""
    figure = drawn_on(side, lambda canvas: _figure(canvas, dice, _two(dice), 0.012))
    length = dice.randint(7, 11) * side // SIDE | 1
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (0, dice.randrange(length)), (length - 1, dice.randrange(length)), (1,), 1, cv2.LINE_AA)
    kernel /= kernel.sum()
    alpha, colours = (cv2.filter2D(each, -1, kernel) for each in (figure.alpha, figure.premultiplied))
    return Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))


def _sparkles(dice: Dice, side: int) -> Drawn:
    colours = _two(dice)

    def draw(canvas: Canvas) -> None:
        _figure(canvas, dice, colours, 0.012)
        for number in range(9):
            turn, size = number * 2 * np.pi / 9 + dice.uniform(0, 0.4), dice.uniform(0.015, 0.04)
            x, y = 0.5 + 0.43 * np.cos(turn), 0.5 + 0.43 * np.sin(turn)
            spikes = [
                (
                    x + (size if spike % 2 else size / 4) * np.cos(spike * np.pi / 4 + np.pi / 4),
                    y + (size if spike % 2 else size / 4) * np.sin(spike * np.pi / 4 + np.pi / 4),
                )
                for spike in range(8)
            ]
            canvas.polygon(spikes, dice.choice((YELLOW, RED, BLUE)))

    return drawn_on(side, draw)


def _faded(subject: Drawn, opacity: float) -> Drawn:
    return Drawn(subject.alpha * np.float32(opacity), subject.premultiplied * np.float32(opacity))


def _blurred(subject: Drawn, sigma: float) -> Drawn:
    """`sigma` is in pixels of a picture 512 wide."""
    spread = sigma * len(subject.alpha) / SIDE
    alpha, colours = (cv2.GaussianBlur(each, (0, 0), spread) for each in (subject.alpha, subject.premultiplied))
    return Drawn(np.asarray(alpha, np.float32), np.asarray(colours, np.float32))


SHADOWED = "shadow"
KINDS: dict[str, Callable[[Dice, int], Drawn]] = {
    "crisp": _crisp,
    "outlined": _outlined,
    "white clothes": _white_clothes,
    "dark": _dark,
    "soft outline": _soft_outline,
    "fur": _fur,
    "translucent": _translucent,
    "motion lines": _motion_lines,
    "holes": _holes,
    SHADOWED: _outlined,
    "thin limbs": _thin_limbs,
    "shaded body": _shaded_body,
    "motion blur": _motion_blurred,
    "sparkles": _sparkles,
}

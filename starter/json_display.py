"""How a set that is worked on shows to programs."""

import json
from dataclasses import asdict
from typing import Self

from popcon.models import Accepted, Export
from starter.downloads import Downloaded
from starter.outcome import Outcome
from starter.views import SetView


class JsonDisplay:
    """One JSON object a line: `said`, `started`, `progress`, and `finished` with the paths of the files.

    For a correction: `accepted` with the edit's number, `progress`, and `corrected` with what became of it. For an
    export: the same, and `exported` with the paths of its files.
    """

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def say(self, line: str) -> None:
        self._print({"event": "said", "text": line})

    def started(self, set_id: str, link: str | None) -> None:
        self._print({"event": "started", "set_id": set_id, "temporal_ui": link})

    def show(self, view: SetView) -> None:
        self._print(
            {
                "event": "progress",
                "status": view.status,
                "emojis": [
                    {
                        "number": emoji.number,
                        "action": emoji.action,
                        "status": emoji.status,
                        "frames_done": view.frames_done(emoji.number),
                        "failure": emoji.failure,
                    }
                    for emoji in view.state.ordered
                ],
                "exporting": view.exporting.model_dump() if view.exporting else None,
                "waiting": view.waiting,
            }
        )

    def finished(self, view: SetView, files: Downloaded) -> None:
        self._print(
            {
                "event": "finished",
                "set_id": view.set_id,
                "status": view.status,
                "note": view.note,
                **_paths(files),
            }
        )

    def accepted(self, before: SetView, accepted: Accepted) -> None:
        self._print({"event": "accepted", "set_id": before.set_id, **accepted.model_dump()})

    def corrected(self, outcome: Outcome, files: Downloaded | None) -> None:
        view = outcome.view
        self._print(
            {
                "event": "corrected",
                "set_id": view.set_id,
                "edit": outcome.accepted.edit,
                "failed": outcome.failed,
                "notices": [each.model_dump() for each in outcome.notices],
                "status": view.status,
                "note": view.note,
                "ending": view.state.ending,
                "revision": view.state.delivery.revision if view.state.delivery else None,
                **(_paths(files) if files else {}),
            }
        )

    def exported(self, outcome: Outcome, export: Export, files: Downloaded) -> None:
        self._print(
            {
                "event": "exported",
                "set_id": outcome.view.set_id,
                "edit": outcome.accepted.edit,
                "notices": [each.model_dump() for each in outcome.notices],
                **export.model_dump(include={"platform", "stroke"}),
                **export.delivery.model_dump(include={"revision", "status", "note", "attention"}),
                **_paths(files),
            }
        )

    def _print(self, event: dict[str, object]) -> None:
        line = json.dumps(event)
        if line != self._last:  # a view that tells nothing new is not worth a line
            print(line, flush=True)
        self._last = line


def _paths(files: Downloaded) -> dict[str, object]:
    return {name: str(path) for name, path in asdict(files).items() if path}

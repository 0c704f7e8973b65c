"""The form of a new set: what was filled in, right or wrong, and what is wrong with it, field by field."""

from typing import Any, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData

from popcon.errors import Misfit
from popcon.model import Model
from popcon.models import SetRequest, Upload
from popcon.platforms import Platform, platform, platforms
from popcon.presets import presets
from popcon.wording import printable

PROMPT = "prompt-"
CHOICES = ("upload", "platform", "frames", "seconds", "matte", "animator", "stroke", "seed", "edit_days")
_STROKES = {"yes": True, "no": False}
# Stands for a picture where only the rest is looked at.
_ANY_PICTURE = Upload(key="picture", width=1, height=1, transparent=False)


class Wanted(Model):
    """The fields as texts, by their names, and the actions that were picked, each perhaps with a prompt."""

    choices: dict[str, str]
    actions: tuple[str, ...]
    prompts: dict[str, str]

    @classmethod
    def at_first(cls) -> Self:
        """What a new form says: as many presets as the first platform asks for."""
        spec = platforms()[0]
        defaults = {name: field.default for name, field in SetRequest.model_fields.items() if name in CHOICES}
        picked = tuple(each.name for each in presets()[: spec.min_emojis])
        shown = {name: _shown(value) for name, value in defaults.items()}
        return cls(choices={"upload": "", **shown}, actions=picked, prompts={})

    @classmethod
    def of(cls, form: FormData) -> Self:
        """What was sent."""
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        told = dict(texts)
        return cls(
            choices={name: told.get(name, "").strip() for name in CHOICES},
            actions=tuple(value for name, value in texts if name == "action"),
            prompts={name.removeprefix(PROMPT): value for name, value in texts if name.startswith(PROMPT)},
        )

    @property
    def spec(self) -> Platform:
        """The platform. Raises UnknownName."""
        return platform(self.choices["platform"])

    def fields(self) -> dict[str, Any]:
        """The fields of a set's request; what was left empty has its default."""
        numbers = {name: _number(self.choices[name]) for name in ("frames", "seconds", "seed", "edit_days")}
        names = {name: self.choices[name] for name in ("platform", "matte", "animator")}
        told = {name: value for name, value in {**numbers, **names}.items() if value != ""}
        stroke = _STROKES.get(self.choices["stroke"])
        return {
            **told,
            **({} if stroke is None else {"stroke": stroke}),
            "emojis": [self._emoji(each) for each in self.actions],
        }

    def faults(self) -> dict[str, str]:
        """What is wrong, by the field that it stands beside; "" for what belongs to none."""
        try:
            SetRequest.model_validate({"set_id": "set-new", "character": _ANY_PICTURE, **self.fields()})
        except ValidationError as error:
            return dict(map(self._fault, reversed(error.errors())))
        return {}

    def _emoji(self, action: str) -> dict[str, str]:
        prompt = self.prompts.get(action, "").strip()
        return {"action": action, "prompt": prompt} if prompt else {"action": action}

    def _fault(self, error: ErrorDetails) -> tuple[str, str]:
        said = printable(error["msg"].removeprefix("Value error, "))
        match error["loc"]:
            case ("emojis",):
                return "emojis", "Pick one action at least."
            case ("emojis", int() as index, *_):
                return f"{PROMPT}{self.actions[index]}", said
            case (str() as name, *_):
                return name, said
            case _ if isinstance(error["ctx"]["error"], Misfit):
                return self._misfit(), said
            case _:
                return "", said

    def _misfit(self) -> str:
        """Which field the platform's limits are about."""
        try:
            self.spec.refuse_misfit(emojis=len(self.actions), frames=self.spec.min_frames, seconds=1)
        except Misfit:
            return "emojis"
        return "frames"


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(text: str) -> float | int | str:
    """A number where there is one; validation tells what is wrong with anything else."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text

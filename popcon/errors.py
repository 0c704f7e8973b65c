"""The errors of popcon, sorted by type into "try again" and "don't"."""


class PopconError(Exception):
    """The base of all errors that popcon raises on purpose. The message tells the person what to do."""


class Permanent(PopconError):
    """Trying again cannot help: the input or the configuration has to change."""


class UnknownName(Permanent, ValueError):
    """A name that is not in its catalogue. A ValueError too, so that pydantic reports it as a field's fault."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        there = "there is only" if len(known) == 1 else "there are"
        super().__init__(f"unknown {kind} {name!r}: {there} {', '.join(known)}")


class Misfit(Permanent, ValueError):
    """A request that the platform's limits exclude."""


class UnusablePicture(Permanent):
    """A picture that no set can be made from, and why."""


class UnusablePresets(Permanent):
    """A file of presets that cannot be read: which preset and field is wrong, and what exists."""


class UnusableSettings(Permanent):
    """Settings that cannot be meant: which variable is wrong, and what it may say."""


class ObjectMissing(Permanent):
    """Nothing is stored under a key that should hold something."""


class UnreadableVideo(Permanent):
    """A take whose video cannot be decoded, or that lacks a picture that it should have."""


class DoesNotFit(Permanent):
    """An emoji that no route of the encoder brings under the platform's limit of bytes."""


class BrokenFile(Permanent, ValueError):
    """Bytes that are no well-formed picture or animation, and what is wrong with them."""


class RuleBroken(Permanent):
    """A finished file that fails its platform's checks: a bug in the encoder, caught before it is delivered."""


class OutOfMemory(Permanent):
    """A single picture that does not fit the device's memory, although all that could give way has."""


class ModelMissing(Permanent):
    """A model that cannot run on this machine: its library or weights are missing or broken, and how to bring them."""


class Refused(Permanent):
    """A message to a set that cannot be done as things stand: what is wrong, and what exists."""


class NothingToChange(Permanent):
    """A click that would leave a matte as it is, and why."""


class ForbiddenAddress(Permanent):
    """An address that popcon does not call on behalf of a stranger, and who may allow it."""


class WebhookRefused(Permanent):
    """A webhook whose server wants to be told no more, and what it answered."""


class Unavailable(PopconError):
    """Something outside does not answer now. Trying again may help."""


def permanent_types() -> list[str]:
    """The names of all error types that must not be retried, as a retry policy wants them."""

    def below(kind: type[Permanent]) -> list[str]:
        return [kind.__name__, *(name for child in kind.__subclasses__() for name in below(child))]

    return sorted(below(Permanent))

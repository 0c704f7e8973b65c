"""What can go wrong for somebody who comes in: each with a message that says what to do."""

from popcon.errors import Permanent


class UnknownSet(Permanent):
    """No set of that id, neither running nor delivered."""


class SetExists(Permanent):
    """A set of that id was started before."""


class NothingToDownload(Permanent):
    """A set that has no files (yet)."""


class UnusableOutput(Permanent):
    """A folder that results cannot be written to."""


class UnusableDataFolder(Permanent):
    """A folder that the embedded stack cannot keep its data in."""


class UnusableArguments(Permanent):
    """Options of a command that do not go together, or that cannot be read."""

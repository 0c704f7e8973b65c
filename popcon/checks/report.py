"""What a check says: of a rule, of a file, of a whole ZIP."""

from fractions import Fraction

from popcon.model import Model
from popcon.platforms import Platform
from popcon.remark import Remark


class Check(Model):
    """One rule, with the value that was measured and the limit, in words."""

    rule: str
    passed: bool
    value: str
    limit: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.value}, must be {self.limit}"


class FileReport(Model):
    """A file of a ZIP and its checks. `remarks` is what a reviewer would say, if it was looked at by itself."""

    file: str
    checks: tuple[Check, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that it fails."""
        return tuple(check for check in self.checks if not check.passed)


class SetReport(Model):
    """A whole ZIP, judged: `note` says in one line whether it can be uploaded, and if not, why.

    `remarks` is what a reviewer would say, if the emojis were looked at, numbered by their place; worst first.
    """

    uploadable: bool
    note: str
    checks: tuple[Check, ...]
    emojis: tuple[FileReport, ...] = ()
    extras: tuple[FileReport, ...] = ()
    remarks: tuple[Remark, ...] = ()


def not_enough(emojis: int, platform: Platform) -> str:
    """The note of a draft that has too few emojis."""
    return f"not uploadable: {emojis} of {platform.numbers if platform.counts else platform.min_emojis}"


def well_formed(fault: str | None) -> Check:
    """Whether a file's own structure holds."""
    return Check(rule="file", passed=fault is None, value=fault or "well-formed", limit="well-formed")


def weight(rule: str, measured: int, most: int) -> Check:
    """Whether so many bytes are allowed."""
    return Check(rule=rule, passed=measured <= most, value=f"{measured:,}", limit=f"at most {most:,}")


def yes(rule: str, value: bool, wanted: bool) -> Check:
    """A rule that is kept or not."""
    words = {True: "yes", False: "no"}
    return Check(rule=rule, passed=value == wanted, value=words[value], limit=words[wanted])


def seconds(time: Fraction) -> str:
    """A time in words, exactly where a person can read that."""
    if time.denominator == 1 and time.numerator < READABLE:
        return f"{time} s"
    about = f"about {float(time):.4g} s"
    return f"{time} s ({about})" if max(time.numerator, time.denominator) < READABLE else about


# A sum of hostile delays has thousands of digits, more than Python would print.
READABLE = 1_000_000

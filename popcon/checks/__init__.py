"""Would the store accept it? A platform's rules, applied to finished files by readers independent of the encoder."""

from popcon.checks.emoji import check_emoji, check_extra, check_file
from popcon.checks.report import Check, FileReport, SetReport, not_enough
from popcon.checks.zips import check_set

__all__ = ["Check", "FileReport", "SetReport", "check_emoji", "check_extra", "check_file", "check_set", "not_enough"]

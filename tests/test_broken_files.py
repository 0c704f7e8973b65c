"""Each fault of a finished file is caught by the rule that is there for it."""

import pytest

from popcon.checks import Check, check_emoji
from popcon.platforms import platform, platforms
from tests.broken import BROKEN, GOOD


def failed(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.rule: str(check) for check in checks if not check.passed}


@pytest.mark.parametrize("name", [each.name for each in platforms()])
def test_a_right_file_of_each_platform_breaks_no_rule(name: str) -> None:
    assert failed(check_emoji(GOOD[name], platform(name))) == {}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_its_rule(fault: str) -> None:
    broken = BROKEN[fault]
    found = failed(check_emoji(broken.data, platform(broken.platform)))
    assert broken.says in found.get(broken.rule, f"passed; {found} failed")


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 40


def test_what_is_right_for_one_platform_is_refused_by_the_others() -> None:
    taken = {
        (name, other.name)
        for name, data in GOOD.items()
        for other in platforms()
        if other.name != name and not failed(check_emoji(data, other))
    }
    assert taken == {("slack", "discord-emoji")}  # which takes a GIF as well

"""Workers wait for what is away, and give up on what is broken."""

import dataclasses
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from gpu_worker.devices import VISIBLE, lane_slots
from gpu_worker.worker import ACTIVITIES_PER_PLACE
from popcon.errors import Unavailable, UnusablePicture
from popcon.patience import ATTEMPTS_AT_A_BUG, ReportBugs
from popcon.settings import Settings
from workflows.policies import GPU_ATTEMPT

# What the largest networks take for a picture on a slow processor.
SLOWEST = timedelta(seconds=60)


class Failing(ActivityInboundInterceptor):
    """An activity that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002
        raise self.error


async def failed(error: Exception, attempt: int) -> BaseException:
    """What the server is told of an activity that fails like that."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    attempted = ReportBugs().intercept_activity(Failing(error))
    nothing = ExecuteActivityInput(fn=failed, args=[], executor=None, headers={})
    with pytest.raises(Exception, match="why") as raised:
        await environment.run(attempted.execute_activity, nothing)
    return raised.value


async def test_a_bug_is_tried_again_and_then_reported() -> None:
    bug = KeyError("why")
    assert await failed(bug, 1) is bug
    assert await failed(bug, ATTEMPTS_AT_A_BUG - 1) is bug
    reported = await failed(bug, ATTEMPTS_AT_A_BUG)
    assert isinstance(reported, ApplicationError)
    assert (reported.type, reported.non_retryable) == ("KeyError", True)


async def test_what_is_away_is_waited_for_and_what_is_permanent_says_so_itself() -> None:
    for error in (Unavailable("why"), UnusablePicture("why"), ApplicationError("why")):
        assert await failed(error, 5 * ATTEMPTS_AT_A_BUG) is error


def test_all_that_a_worker_has_taken_is_done_in_time_where_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of each frame runs while those before it are on the device."""
    monkeypatch.setenv(VISIBLE, "")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    taken = ACTIVITIES_PER_PLACE * lane_slots(settings) * settings.gpu_batch
    assert taken * SLOWEST < GPU_ATTEMPT

"""Stored histories replay: workflow code may change only so that sets which already run can go on.

Until the first release they may be recorded anew (`make histories`), with a line on why in the commit.
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from popcon.converter import data_converter
from workflows.worker import WORKFLOWS, runner

HISTORIES = Path(__file__).parent / "histories"
# What must be among them: each begins or ends in another way.
EXPECTED = {
    "emoji-done",
    "emoji-failed",
    "set-approved-after-edits",
    "set-cancelled",
    "set-closed",
    "set-continued",
    "set-continued-second-run",
    "set-exported",
    "set-refused",
    "set-reopened",
    "set-with-a-webhook",
    "set-with-errors",
    "webhook-called",
    "webhook-given-up",
}


def test_every_kind_of_beginning_and_ending_is_stored() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} >= EXPECTED


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.json")), ids=lambda path: path.stem)
async def test_a_stored_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=runner(), data_converter=data_converter)

    await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8")))

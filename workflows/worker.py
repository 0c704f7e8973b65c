"""The workflow worker: which workflows it knows and what its sandbox lets through."""

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from popcon import queues
from workflows.emoji import EmojiWorkflow
from workflows.emoji_set import EmojiSetWorkflow

WORKFLOWS = [EmojiSetWorkflow, EmojiWorkflow]


def runner() -> SandboxedWorkflowRunner:
    """The sandbox. popcon's words are imported once for all workflows: they hold data and plain functions only."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("popcon"))


def workflow_worker(client: Client) -> Worker:
    """A worker that polls the workflow queue."""
    return Worker(client, task_queue=queues.WORKFLOW, workflows=WORKFLOWS, workflow_runner=runner())

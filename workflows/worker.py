"""The workflow worker: which workflows it knows and what its sandbox lets through."""

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from popcon import queues
from workflows.emoji import EmojiWorkflow
from workflows.emoji_set import EmojiSetWorkflow
from workflows.webhook import WebhookWorkflow

WORKFLOWS = [EmojiSetWorkflow, EmojiWorkflow, WebhookWorkflow]


def runner() -> SandboxedWorkflowRunner:
    """The sandbox. popcon's words are imported once for all workflows: they hold data and plain functions only."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("popcon"))


def workflow_worker(client: Client) -> Worker:
    """A worker that polls the workflow queue."""
    return Worker(
        client,
        task_queue=queues.WORKFLOW,
        workflows=WORKFLOWS,
        workflow_runner=runner(),
        # The server takes an update of up to 4 MB, and a refusal carries it back. The SDK would not send more than 2 MB
        # and fails the task, which holds up the set for half a minute; the server turns that refusal away at once, so
        # that the sender alone is told of a failure. What we send otherwise is small: see growth and converter.
        disable_payload_error_limit=True,
    )

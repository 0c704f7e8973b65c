"""WebhookWorkflow: tells a set's webhook of one event, for a day if need be, while the set goes on or has ended."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from popcon.addresses import one_set
from popcon.errors import Refused
from popcon.models import Delivery, Ending, SetRequest
from popcon.tasks import CalledWebhook, CallWebhook
from popcon.webhooks import WebhookData, WebhookEvent
from workflows import stubs
from workflows.inputs import decode
from workflows.perform import perform
from workflows.policies import CALLING
from workflows.wording import reason


@workflow.defn
class WebhookWorkflow:
    """One event for one webhook. The set that starts it neither waits for it nor learns what came of it."""

    @workflow.run
    async def run(self, *inputs: object) -> CalledWebhook:
        """Return what the webhook answered, or why it was given up: its set may have gone, and nobody else is there."""
        try:
            task = decode(CallWebhook, inputs, "the workflow of a webhook takes one input, a JSON object from its set")
        except Refused as error:
            raise ApplicationError(str(error), type="BadInput", non_retryable=True) from error
        try:
            return await perform(stubs.call_webhook, task, how=CALLING, summary=task.event.type)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            failure = reason(error)
            workflow.logger.warning("webhook given up: %s", failure)
            workflow.set_current_details(f"**given up** · `{failure.replace('`', '')}`")
            return CalledWebhook(failure=failure)


async def announce(request: SetRequest, delivery: Delivery, ending: Ending | None = None) -> None:
    """Have the set's webhook, if it has one, told of a delivery, or of the ending that this was the delivery of.

    Only its start is waited for, without which it would go under with the set.
    """
    if request.webhook_url is None:
        return
    task = CallWebhook(
        url=request.webhook_url,
        id=f"{request.set_id}/webhook-{delivery.revision:06d}",
        event=_event(request.set_id, delivery, ending),
    )
    with suppress(WorkflowAlreadyStartedError):  # the set was terminated after it, and opened again from before it
        await workflow.start_child_workflow(
            WebhookWorkflow.run,
            args=[task],
            id=task.id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            static_summary=f"{task.event.type} · revision {delivery.revision}",
        )


def _event(set_id: str, delivery: Delivery, ending: Ending | None) -> WebhookEvent:
    own = one_set(set_id)
    return WebhookEvent(
        type="set.ended" if ending else "set.delivered",
        timestamp=workflow.now().isoformat(timespec="seconds"),
        data=WebhookData(
            set_id=set_id,
            status=delivery.status,
            revision=delivery.revision,
            ended=ending,
            links={"set": own, **({"zip": f"{own}/zip"} if delivery.zip else {})},
        ),
    )

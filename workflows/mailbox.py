"""Gives the set's workflow a signal and an update for every message of the table.

A signal is what people send from Temporal's own pages and command line: whatever is wrong with it becomes a notice. An
update is what programs send: it is refused in words before it enters history. Both take any input at all, because one
that the SDK cannot bind to a handler's arguments would block the workflow task for good.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from popcon.errors import Refused
from popcon.messages import MESSAGES, Edit, MessageKind
from popcon.models import Accepted
from workflows.inputs import decode

# A message of megabytes can be wrong in as many places; an answer larger than Temporal takes would block the task.
LONGEST_REFUSAL = 1000
# Enough of a mistyped message name to recognise it.
LONGEST_NAME = 50


class Mailbox(Protocol):
    """What a workflow does with messages."""

    def weigh(self, name: str, edit: Edit, request_id: str | None) -> Accepted:
        """Say what accepting a message would answer, and change nothing. Raises Refused."""

    def accept(self, name: str, edit: Edit, request_id: str | None) -> Accepted:
        """Put a message among the pending ones. Raises Refused."""

    def notice(self, text: str) -> None:
        """Tell people what was wrong with a message."""


Workflow = TypeVar("Workflow", bound=Mailbox)


def receives_messages(workflow_class: type[Workflow]) -> type[Workflow]:
    """Class decorator, below `@workflow.defn`: adds the handlers."""
    handlers: dict[str, object] = {}
    for kind in MESSAGES.values():
        handlers |= {f"on_{kind.name}": _signal(kind), f"update_{kind.name}": _update(kind)}
    for name, handler in handlers.items():
        setattr(workflow_class, name, handler)
    return workflow_class


def unknown_name(name: str) -> Refused:
    """What people are told who use a name that the table does not have."""
    return Refused(f"there is no message {name[:LONGEST_NAME]!r}: there are {', '.join(MESSAGES)}")


def refusal(error: Refused) -> ApplicationError:
    """The refusal as the sender gets it: alone, as its causes say the same again, and no longer than one reads."""
    said = str(error)
    short = said if len(said) <= LONGEST_REFUSAL else f"{said[: LONGEST_REFUSAL - 1]}…"
    return ApplicationError(short, type="Refused", non_retryable=True)


def _signal(kind: MessageKind) -> Callable[..., None]:
    def handle(self: Mailbox, *inputs: object) -> None:
        try:
            self.accept(kind.name, decode(kind.model, inputs, kind.takes), None)
        except Refused as error:
            said = str(error)  # of an input that is no object, the message's name is told already
            self.notice(said if said.startswith(kind.takes) else f"{kind.name}: {said}")

    handle.__name__ = kind.name
    handle.__doc__ = kind.does
    return workflow.signal(name=kind.name, description=kind.description)(handle)


def _update(kind: MessageKind) -> object:
    async def handle(self: Mailbox, *inputs: object) -> Accepted:
        try:
            return self.accept(kind.name, decode(kind.model, inputs, kind.takes), _update_id())
        except Refused as error:  # between the validator and here only an earlier message can have come
            raise refusal(error) from None

    def validate(self: Mailbox, *inputs: object) -> None:
        try:
            self.weigh(kind.name, decode(kind.model, inputs, kind.takes), _update_id())
        except Refused as error:
            raise refusal(error) from None

    handle.__name__ = validate.__name__ = kind.name
    handle.__doc__ = kind.does
    update = workflow.update(name=kind.name, description=kind.description)(handle)
    update.validator(validate)
    return update


def _update_id() -> str | None:
    info = workflow.current_update_info()
    return info.id if info else None

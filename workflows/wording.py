"""Words for people about what went wrong inside Temporal."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError


def reason(error: FailureError) -> str:
    """The innermost cause in one line, and which activity it came from: `matte_frame: nothing is stored under …`."""
    where = error.activity_type if isinstance(error, ActivityError) else None
    cause: BaseException = error
    while isinstance(cause, ActivityError | ChildWorkflowError) and cause.cause is not None:
        cause = cause.cause
    said = cause.message if isinstance(cause, ApplicationError | FailureError) else str(cause)
    first = next(iter(said.strip().splitlines()), type(cause).__name__)
    return f"{where}: {first}" if where else first

"""Words for people about what went wrong inside Temporal."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError

# It is kept in the set's state.
LONGEST_REASON = 500


def reason(error: FailureError) -> str:
    """The innermost cause in one line, and which activity it came from: `matte_frame: nothing is stored under …`."""
    where = error.activity_type if isinstance(error, ActivityError) else None
    cause: BaseException = error
    while isinstance(cause, ActivityError | ChildWorkflowError) and cause.cause is not None:
        cause = cause.cause
    said = cause.message if isinstance(cause, ApplicationError | FailureError) else str(cause)
    first = next(iter(said.strip().splitlines()), type(cause).__name__)
    short = first if len(first) <= LONGEST_REASON else f"{first[: LONGEST_REASON - 1]}…"
    return f"{where}: {short}" if where else short

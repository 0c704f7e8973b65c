"""How long workers keep trying: an outage is waited out, a bug is reported soon."""

from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from popcon.errors import PopconError

# After so many attempts, about three minutes, what nobody foresaw will not go away by itself.
ATTEMPTS_AT_A_BUG = 10


class ReportBugs(Interceptor):
    """Ends an activity that keeps failing in a way that nobody foresaw, long before the retry policy would.

    Unavailable is no bug: S3 or Temporal may be away for longer than anybody should have to watch.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """See temporalio.worker.Interceptor."""
        return _Attempt(next)


class _Attempt(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002
        try:
            return await super().execute_activity(input)
        except (PopconError, FailureError):
            raise
        except Exception as error:
            if activity.info().attempt < ATTEMPTS_AT_A_BUG:
                raise
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error

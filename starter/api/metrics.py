"""What Prometheus may ask of an API process."""

import time
from http import HTTPMethod

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from starter.api.live import Live

# No route: somebody tries addresses. They are counted, but not one by one; nor are methods that nobody has heard of.
UNKNOWN = "none"
METHODS = frozenset(HTTPMethod)


class Metrics:
    """The numbers of one app."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "popcon_http_requests", "Answered requests", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "popcon_http_seconds", "Seconds until an answer began", ("route",), registry=self._registry
        )
        self._listeners = Gauge("popcon_event_listeners", "Open event streams", registry=self._registry)
        self._pollers = Gauge("popcon_event_pollers", "Sets that are polled for them", registry=self._registry)

    def watch(self, live: Live) -> None:
        """Tell how many listen."""
        self._listeners.set_function(lambda: live.listeners)
        self._pollers.set_function(lambda: live.pollers)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class Measured:
    """Counts and times answers, as ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", UNKNOWN)
                method = scope["method"] if scope["method"] in METHODS else UNKNOWN
                self._metrics.note(method, route, message["status"], time.monotonic() - started)
            await send(message)

        await self._app(scope, receive, send_measured)

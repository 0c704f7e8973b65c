"""What the lanes have done, as Prometheus reads it: http://HOST:POPCON_GPU_METRICS_PORT/metrics."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Protocol

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gpu_worker.counters import Counters, Tally
from popcon.errors import UnusableSettings

# A device's share of time that was used is rate(busy) / slots; while there was work, rate(busy) / slots / rate(wanted).
_FIGURES: Mapping[str, tuple[str, Callable[[Counters], float]]] = {
    "popcon_lane_frames": ("frames forwarded", lambda each: each.items),
    "popcon_lane_failures": ("forward passes that failed", lambda each: each.failures),
    "popcon_lane_out_of_memory": ("forward passes that ran out of memory", lambda each: each.out_of_memory),
    "popcon_lane_busy_seconds": ("time in forward passes, over all slots", lambda each: each.busy_seconds),
    "popcon_lane_wanted_seconds": ("time in which there was work", lambda each: each.wanted_seconds),
}


class Evicting(Protocol):
    """Something that gives up what it keeps when memory is short."""

    @property
    def evictions(self) -> int:
        """How often it did."""


class LaneCollector(Collector):
    """The counters of each device's lane, its slots, and what had to go for want of memory: read when somebody asks."""

    def __init__(self, lanes: Mapping[str, tuple[Counters, int]], mattes: Evicting, segmenter: Evicting) -> None:
        self._lanes = lanes
        self._mattes = mattes
        self._segmenter = segmenter

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client.registry.Collector."""
        for name, (meaning, value) in _FIGURES.items():
            family = CounterMetricFamily(name, meaning, labels=["device"])
            for device, (counters, _) in self._lanes.items():
                family.add_metric([device], value(counters))
            yield family
        slots = GaugeMetricFamily("popcon_lane_slots", "forward passes that may run at once", labels=["device"])
        batches = HistogramMetricFamily("popcon_lane_batch_frames", "frames in a forward pass", labels=["device"])
        waits = HistogramMetricFamily("popcon_lane_wait_seconds", "how long frames waited", labels=["device"])
        for device, (counters, most) in self._lanes.items():
            slots.add_metric([device], most)
            batches.add_metric([device], _buckets(counters.batches), counters.batches.total)
            waits.add_metric([device], _buckets(counters.waits), counters.waits.total)
        yield from (slots, batches, waits)
        for name, meaning, where in (
            ("popcon_models_evicted", "models given up for others", self._mattes),
            ("popcon_encodings_evicted", "pictures' encodings, kept for clicks, given up for others", self._segmenter),
        ):
            yield CounterMetricFamily(name, meaning, value=where.evictions)


def refuse_taken(port: int) -> None:
    """Raises UnusableSettings where nobody could be answered on that port, which is worth knowing beforehand."""
    with socket.socket() as probe:
        # As the server does it: what its predecessor left behind bothers nobody.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise UnusableSettings(
                f"POPCON_GPU_METRICS_PORT={port} cannot be had here ({error.strerror}): choose another port, or stop "
                "what answers there"
            ) from error


def serve(collector: Collector, port: int) -> Callable[[], None]:
    """Answer Prometheus on that port, in a thread of its own, until the returned function is called."""
    registry = CollectorRegistry()
    registry.register(collector)
    server, thread = start_http_server(port, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def _buckets(tally: Tally) -> list[tuple[str, float]]:
    bounds = [*map(str, map(float, tally.bounds)), "+Inf"]
    return list(zip(bounds, accumulate(map(float, tally.counts)), strict=True))

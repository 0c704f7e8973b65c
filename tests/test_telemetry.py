"""What Prometheus is told about the lanes."""

import time
import urllib.request

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from gpu_worker.counters import Counters
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.encodings import Encodings
from gpu_worker.telemetry import LaneCollector, serve
from starter.ports import free_ports


def test_prometheus_reads_what_the_lanes_have_done() -> None:
    counters = Counters()
    counters.forwarded(3)
    counters.forwarded(8)
    counters.failed()
    with counters.busy.running():
        time.sleep(0.01)
    counters.waits.add(0.02)
    (port,) = free_ports(1)
    mattes, encodings = Mattes(), Encodings[np.ndarray](budget=1)
    mattes.evictions = 4
    encodings.put(b"too large", np.zeros(2, np.uint8))
    stop = serve(LaneCollector({"cpu": (counters, 2)}, mattes, encodings), port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            told = {
                (sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(answer.read().decode())
                for sample in family.samples
            }
    finally:
        stop()
    assert told["popcon_lane_frames_total", "cpu"] == 11
    assert told["popcon_lane_failures_total", "cpu"] == 1
    assert told["popcon_lane_busy_seconds_total", "cpu"] == counters.busy_seconds >= 0.01
    assert told["popcon_lane_slots", "cpu"] == 2
    assert [told["popcon_lane_batch_frames_bucket", "cpu", each] for each in ("2.0", "4.0", "+Inf")] == [0, 1, 2]
    assert told["popcon_lane_wait_seconds_sum", "cpu"] == 0.02
    assert told["popcon_lane_wait_seconds_count", "cpu"] == 1
    assert told["popcon_models_evicted_total",] == 4
    assert told["popcon_encodings_evicted_total",] == 1

"""What the server counts, for `GET /metrics` in Prometheus' text form. One registry per server, none per process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lumi.engines.circuit import State
from lumi.engines.roster import UNAVAILABLE, Report

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGE_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)

STATES = (*State, UNAVAILABLE)
"""That an engine may be in."""


class Metrics:
    """Counters that any part of the server may turn; names are stable."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        count = partial(Counter, registry=registry)
        self.connections = count("lumi_connections", "Connections so far")
        self.closed = Counter("lumi_closed", "Connections closed, by close code", ["code"], registry=registry)
        self.refused = count("lumi_refused", "Connections refused, by reason", ["reason"])
        self.handshakes = count("lumi_tls_handshakes", "Connections to the TLS port, by outcome", ["outcome"])
        self.turns = Counter("lumi_turns", "Turns ended, spoken or written", ["kind"], registry=registry)
        self.stages = Histogram(
            "lumi_stage_seconds",
            "From the end of speech (or the text's arrival) to a stage's first result",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
            registry=registry,
        )
        self.errors = count("lumi_errors", "Errors told to clients, by name", ["error_code"])
        self.unwelcome = Counter(
            "lumi_unwelcome", "Frames refused because their sender sends too much", registry=registry
        )
        self.tools = Counter(
            "lumi_tool_calls", "Tools called by a model, by outcome", ["tool", "outcome"], registry=registry
        )
        self.engine_failures = Counter(
            "lumi_engine_failures",
            "Requests that an engine failed",
            ["kind", "engine", "trouble"],
            registry=registry,
        )
        self.engine_fallbacks = Counter(
            "lumi_engine_fallbacks",
            "Requests that went to an engine because those before it in its list failed",
            ["kind", "engine"],
            registry=registry,
        )
        self.engine_seconds = count("lumi_engine_seconds", "How long engines worked for devices", ["kind"])
        self.over_budget = count("lumi_over_engine_time", "Turns refused for want of engine time", [])
        self.frames_in = Counter("lumi_frames_in", "Audio frames received", registry=registry)

    def turn_ended(self, kind: str, stages_ms: dict[str, float]) -> None:
        """A turn is over. `stages_ms` as in `voice.events.TurnEnded`."""
        self.turns.labels(kind).inc()
        for stage, after_ms in stages_ms.items():
            self.stages.labels(stage).observe(after_ms / 1000)

    def tool_called(self, name: str, outcome: str) -> None:
        """A model called a tool; an empty name where it has made one up."""
        self.tools.labels(name or "unknown", str(outcome)).inc()

    def engine_worked(self, kind: str, seconds: float) -> None:
        """An engine of a kind has worked for a device's turn."""
        self.engine_seconds.labels(kind).inc(seconds)

    def watch(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Show a number that somebody else counts, read whenever it is asked for."""
        Gauge(f"lumi_{name}", what, registry=self._registry).set_function(read)

    def engines(self, reports: Callable[[], Iterable[Report]]) -> None:
        """Show how engines are, read whenever it is asked for."""
        self._registry.register(EnginesNow(reports))

    def text(self) -> bytes:
        """Everything, as `CONTENT_TYPE`."""
        return generate_latest(self._registry)


class EnginesNow(Collector):
    """How engines are: they come and go, so it is made anew each time it is read."""

    def __init__(self, reports: Callable[[], Iterable[Report]]) -> None:
        self._reports = reports

    def collect(self) -> Iterable[GaugeMetricFamily]:
        labels = ["kind", "engine"]
        up = GaugeMetricFamily("lumi_engine_up", "Whether an engine is asked (1) or not (0)", labels=labels)
        circuit = GaugeMetricFamily(
            "lumi_engine_circuit", "1 for the state that an engine's circuit is in", labels=[*labels, "state"]
        )
        for (kind, name), report in {(one.kind, one.name): one for one in self._reports()}.items():
            up.add_metric([kind, name], float(report.works))
            for state in STATES:
                circuit.add_metric([kind, name, state], float(report.state == state))
        yield from (up, circuit)

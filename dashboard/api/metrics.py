"""What ``/metrics`` says, made at the moment it is asked for from what the workers publish.

What the web processes count they count together (``dashboard.traffic``): whichever of them is asked
gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dashboard.api.about import ABOUT
from dashboard.api.held import held_now
from dashboard.api.sessions import client_named, session_names
from dashboard.traffic import RequestCounts
from t4dm.live.client import SessionClient

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SEVERITIES = ("note", "warning", "critical")


class Sessions(Collector):
    """Every session's run, as its worker published it last."""

    def collect(self) -> Iterator[Metric]:
        clients = [client_named(name) for name in session_names()]
        lines = [(client, client.status()) for client in clients]
        yield _gauge("up", "Whether the worker gives a sign of life.", lines, _alive)
        yield _gauge("running", "Whether the run is under way.", lines, _running)
        yield _counter("steps", "Steps simulated in this epoch.", lines, "step")
        yield _counter("params_rev", "Parameter changes applied.", lines, "params_rev")
        yield _gauge("real_time_ratio", "Simulated seconds a second.", lines, _number("ratio"))
        yield _gauge("finite", "0 once a value was NaN or Inf.", lines, _finite)
        yield _counter("restarts", "Restarts of the worker.", lines, "restarts", "worker")
        yield _gauge("held_seconds", "Simulated seconds of history held.", lines, _held_s)
        yield self._findings(lines)
        info = GaugeMetricFamily("t4dm_build_info", "The code.", labels=["version", "commit"])
        info.add_metric([str(ABOUT["version"]), str(ABOUT["commit"] or "")], 1)
        yield info

    def _findings(self, lines: list[tuple[SessionClient, dict[str, Any]]]) -> Metric:
        family = GaugeMetricFamily(
            "t4dm_findings", "Active health findings.", labels=["session", "severity"]
        )
        for client, status in lines:
            found = (status.get("health") or {}).get("findings", [])
            active = [f["severity"] for f in found if f.get("state") == "active"]
            for severity in SEVERITIES:
                family.add_metric([client.session, severity], active.count(severity))
        return family


def text(answered: RequestCounts | None) -> bytes:
    """The metrics in Prometheus's text format 0.0.4; ``answered`` are the server's own."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(Sessions()))
    if answered is not None:
        registry.register(_Once(answered))
    return generate_latest(registry)


class _Once(Collector):
    """Describes nothing: a registry asks for that before it collects."""

    def __init__(self, inner: Collector | RequestCounts) -> None:
        self.inner = inner

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        return iter(self.inner.collect())


def _gauge(name: str, words: str, lines: Any, value: Any) -> Metric:
    family = GaugeMetricFamily(f"t4dm_session_{name}", words, labels=["session"])
    for client, status in lines:
        number = value(client, status)
        if number is not None:
            family.add_metric([client.session], number)
    return family


def _counter(name: str, words: str, lines: Any, key: str, inside: str = "") -> Metric:
    family = CounterMetricFamily(f"t4dm_session_{name}", words, labels=["session"])
    for client, status in lines:
        number = (status.get(inside, {}) if inside else status).get(key)
        if number is not None:
            family.add_metric([client.session], number)
    return family


def _number(key: str) -> Any:
    return lambda _client, status: status.get(key)


def _alive(_client: SessionClient, status: dict[str, Any]) -> float:
    return float(status["worker"]["alive"])


def _running(_client: SessionClient, status: dict[str, Any]) -> float:
    return float(status["worker"]["alive"] and status.get("state") == "running")


def _finite(_client: SessionClient, status: dict[str, Any]) -> float | None:
    return None if status.get("finite") is None else float(status["finite"])


def _held_s(client: SessionClient, _status: dict[str, Any]) -> float:
    held = held_now(client)
    return 0.0 if held is None else (held.step1 - held.step0) * client.dt / 1000

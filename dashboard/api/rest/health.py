"""``/spiking/health``: what the session's worker finds wrong, with rule, cause and remedies."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import Field

from dashboard.api.errors import ApiError
from dashboard.api.models import PARTS, Answer, Parts
from dashboard.api.operations import operation
from dashboard.api.rest import live
from dashboard.api.rest.queries import SessionQuery
from t4dm.live.client import WorkerDown

UNITS = {
    "time": "ms", "rate": "spikes/neuron/ms", "u_high": "1", "u_low": "1", "theta": "1",
    "clamped": "1/step", "gate": "1", "level_swing": "1", "weights_moved": "1/s", "driven": "1",
}  # fmt: skip


class HealthReport(Answer):
    """The worker's newest report."""

    session_id: str
    epoch: int | None
    step: int
    t_ms: float
    params_rev: int | None
    units: dict[str, str] = Field(description="Unit of each kind of number; 1 is a pure number.")
    shown: Parts = Field(description=PARTS)
    severity: Literal["ok", "note", "warning", "critical", "waiting", "untold"] = Field(
        description="Of the gravest finding. Without one: waiting (rules wait for data), untold"
        " (not_firing or sparsity has not been able to tell for 2 s; cannot_tell says why), or ok."
    )
    findings: list[dict[str, Any]] = Field(
        description="id, severity, state, where, rule, cause, numbers, remedies, since_ms; held (its rule"
        " cannot tell now); returns (how often it came back since anything was changed), away_ms (for how"
        " long it has not been seen) and over_after_ms (how long it has to be away until it is over)."
    )
    waiting: str = Field(description="Why nothing is called yet; empty otherwise.")
    cannot_tell: list[dict[str, Any]] = Field(
        description="Rules that cannot tell now, or that a finding explains (explained_by):"
        " id, title, why, explained_by, since_ms."
    )
    evidence: dict[str, Any] = Field(description="The numbers that the rules looked at.")


@operation("GET", "/spiking/health", HealthReport, tag="spiking", query=SessionQuery)
def spiking_health(query: SessionQuery) -> Response:
    """What is wrong, by which rule, with which numbers, and the commands that mend it."""
    client = live.client_of(query)
    status = client.status()
    if not status["worker"]["alive"]:
        raise WorkerDown(status["worker"]["message"] or "this session's worker is not running")
    report = status.get("health")
    if report is None:
        starts = status.get("state") in (None, "starting")
        words = "this session is starting" if starts else "this session gives no health report"
        raise ApiError(503, "no_health", words, headers={"Retry-After": "1"})
    unsure = report.get("cannot_tell", [])
    body = {
        "severity": report["severity"],
        "session_id": client.session,
        "epoch": status.get("epoch"),
        "step": report["step"],
        "t_ms": report["t_ms"],
        "params_rev": status.get("params_rev"),
        "units": UNITS,
        "shown": {
            "findings": live.all_of(len(report["findings"])),
            "cannot_tell": live.all_of(len(unsure)),
            **({"rules": report["rules"]} if "rules" in report else {}),
        },
        "waiting": report.get("waiting", ""),
        "findings": report["findings"],
        "cannot_tell": unsure,
        "evidence": report.get("evidence", {}),
    }
    return live.answer(body)

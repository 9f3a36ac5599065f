"""The program itself: whether it runs."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g

from dashboard.api import metrics as prometheus
from dashboard.api.errors import json_response
from dashboard.api.openapi import document
from dashboard.api.operations import operation
from dashboard.api.rest.session_answers import Health, Open
from dashboard.api.sessions import client_named, session_names
from dashboard.traffic import counts_of

DOWN = "down"
LINE = ("state", "step", "params_rev", "t_ms", "speed", "ratio")


@operation("GET", "/healthz", Health, tag="program", any_query=True)
def healthz() -> Response:
    """One line a session: pid, state, step, params_rev, t_ms, speed, ratio; null where its worker is down.

    `ok` is false where no session's worker lives; without a key it says only that the program answers.
    The status is 200 in each case. A query is ignored here, and here alone: probes of load balancers
    may send one.
    """
    if g.get("access") is None:
        return json_response({"ok": True})
    sessions = {name: _line(client_named(name).status()) for name in session_names()}
    lives = any(line["state"] != DOWN for line in sessions.values())
    return json_response({"ok": lives, "sessions": sessions})


def _line(status: dict[str, Any]) -> dict[str, Any]:
    """What is told of a session; of one without a living worker nothing but that."""
    if not status["worker"]["alive"]:
        return dict.fromkeys(("pid", *LINE)) | {"state": DOWN}
    return {"pid": status["worker"]["pid"]} | {key: status.get(key) for key in LINE}


@operation("GET", "/metrics", None, tag="program", other_media=("text/plain",))
def metrics() -> Response:
    """Every session's run and the requests answered, in Prometheus's text format."""
    response = Response(
        prometheus.text(counts_of(current_app)), content_type=prometheus.CONTENT_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@operation("GET", "/openapi.json", Open, tag="program")
def openapi_json() -> Response:
    """This document: OpenAPI 3.1."""
    return json_response(document(current_app))  # type: ignore[arg-type]

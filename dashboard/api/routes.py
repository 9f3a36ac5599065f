"""The API's routes: every module named here declares its own on the blueprint ``api``."""

from __future__ import annotations

from flask import Flask, current_app, request

from dashboard.api.errors import ApiError
from dashboard.api.operations import api
from dashboard.api.rest import (
    attention,
    clinic,
    health,
    learning,
    neuromods,
    program,
    sessions,
    sets,
    spiking,
    traces,
    visualization,
    weights,
)
from dashboard.security import is_api

MODULES = (
    attention, clinic, health, learning, neuromods, program, sessions, sets, spiking, traces, visualization, weights,
)  # fmt: skip
__all__ = ["MODULES", "api", "guard_unknown"]


def guard_unknown(app: Flask) -> None:
    """Answer unknown API paths and methods before the page's catch-all route can take them."""

    @app.before_request
    def refuse_unknown() -> None:
        if not is_api(request.path):
            return
        rule = request.url_rule
        if rule is not None and rule.endpoint.startswith("api."):
            return
        allowed = _allowed_methods(request.path)
        if allowed:
            raise ApiError(
                405,
                "method_not_allowed",
                f"{request.method} is not answered here; use {', '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
        raise ApiError(404, "not_found", "there is nothing at this path")


def _allowed_methods(path: str) -> list[str]:
    adapter = current_app.url_map.bind("")
    allowed = []
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if adapter.test(path, method) and adapter.match(path, method)[0].startswith("api."):
            allowed.append(method)
    return allowed

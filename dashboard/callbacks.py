"""What Dash's callback route takes: a body of the right shape that names a callback there is.

Dash itself answers a malformed body with a failure inside (status 500).
"""

from __future__ import annotations

from typing import Any

from dash import Dash
from flask import request

from dashboard.api import strict_json
from dashboard.api.errors import ApiError

PATH = "/_dash-update-component"


def guard(app: Dash) -> None:
    """Refuse every body for ``app`` that no page of ours would send."""

    @app.server.before_request
    def refuse_malformed() -> None:
        if request.path == PATH and request.method == "POST":
            check(strict_json.loads(request.get_data()), app.callback_map)


def check(body: Any, known: dict[str, Any]) -> None:
    """Raises :class:`ApiError` 422 where ``body`` does not call one of the ``known`` callbacks."""
    if not isinstance(body, dict):
        raise _refused("body", "the body must be a JSON object")
    output = body.get("output")
    if not isinstance(output, str) or output not in known:
        raise _refused("output", "this page has no callback with that output")
    for name in ("inputs", "state", "changedPropIds"):
        if not isinstance(body.get(name, []), list):
            raise _refused(name, f"{name} must be a list")
    wanted = known[output]
    for name, rows in (("inputs", wanted["inputs"]), ("state", wanted["state"])):
        given = body.get(name, [])
        if len(given) != len(rows) or not all(map(_fits, given, rows)):
            raise _refused(name, f"{name} must name what the callback reads, in its order")


def _fits(given: Any, row: dict[str, Any]) -> bool:
    return isinstance(given, dict) and all(given.get(key) == row[key] for key in ("id", "property"))


def _refused(field: str, message: str) -> ApiError:
    return ApiError(422, "refused", message, field=field)

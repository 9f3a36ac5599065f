"""One JSON shape for every refusal: ``{"error": {code, message, field, lo, hi, unit, choices}}``."""

from __future__ import annotations

import errno
import logging
from typing import Any

from flask import Flask, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from t4dm.live.client import WorkerBusy, WorkerDown
from t4dm.live.frame import dumps
from t4dm.params import ParamError

log = logging.getLogger(__name__)
REFUSALS = "X-T4DM-Refusals"
KEPT = (403,)
AGAIN = {"Retry-After": "1"}
_OF_WORKER = {"busy": 429, "too_large": 413, "stale": 412}
_CODES = {
    400: "bad_request", 401: "key_missing", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 408: "timeout", 413: "too_large", 414: "too_long",
    415: "wrong_media_type", 416: "not_held", 422: "refused", 429: "too_many", 431: "too_large",
    500: "internal", 501: "not_available", 503: "worker_down",
}  # fmt: skip


class ApiError(Exception):
    """A refusal with its HTTP status; what it carries is all that the client learns."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}
        self.details = details


def error_body(code: str, message: str, **details: Any) -> dict[str, Any]:
    """The body of a refusal; fields that do not apply are null."""
    shape: dict[str, Any] = {"code": code, "message": message}
    shape |= {name: details.pop(name, None) for name in ("field", "lo", "hi", "unit", "choices")}
    return {"error": shape | details}


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Strict JSON (a non-finite float becomes null), never stored by a cache."""
    response = Response(dumps(body), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


def refusal(error: ParamError, status: int = 422) -> Response:
    """The answer to a refused value: field, message, range, unit, choices."""
    details = error.to_json()
    message = details.pop("message")
    return json_response(error_body(error.code, message, **details), status)


def refused_by_worker(error: dict[str, Any], **statuses: int) -> Response:
    """What a worker refused, as every refusal; ``statuses`` of codes that usually are 422."""
    details = dict(error)
    code, message = details.pop("code"), details.pop("message")
    status = (_OF_WORKER | statuses).get(code, 422)
    return json_response(
        error_body(code, message, **details), status, AGAIN if status == 429 else None
    )


def in_200(response: Response) -> Response:
    """A refusal as an answer of 200 with its ``status`` in the body, where the request asks for it.

    A browser notes every other status as an error in its console, also one that the page expects.
    What is forbidden keeps its status.
    """
    asked = request.headers.get(REFUSALS) == "200"
    if (
        not asked
        or response.status_code < 400
        or response.status_code in KEPT
        or not response.is_json
    ):
        return response
    body = response.get_json() | {"status": response.status_code}
    response.set_data(dumps(body))
    response.status_code = 200
    return response


def install(app: Flask) -> None:
    """Answer every failure of ``app`` in the one shape; nothing of the inside is shown."""
    app.after_request(in_200)

    @app.errorhandler(ApiError)
    def on_api_error(error: ApiError) -> Response:
        body = error_body(error.code, error.message, **error.details)
        return json_response(body, error.status, error.headers)

    @app.errorhandler(ParamError)
    def on_param_error(error: ParamError) -> Response:
        return refusal(error)

    @app.errorhandler(WorkerDown)
    def on_worker_down(error: WorkerDown) -> Response:
        return json_response(error_body("worker_down", str(error)), 503, AGAIN)

    @app.errorhandler(WorkerBusy)
    def on_worker_busy(error: WorkerBusy) -> Response:
        return json_response(error_body("busy", str(error)), 429, AGAIN)

    @app.errorhandler(HTTPException)
    def on_http_error(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        code = _CODES.get(status, "refused")
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return json_response(error_body(code, (error.name or "refused").lower()), status, headers)

    @app.errorhandler(ParseException)
    def on_no_http(error: ParseException) -> Response:
        log.warning("%s %s: %s", request.method, request.path, type(error).__name__)
        message = "the body is not sent as HTTP/1.1 says"
        return json_response(error_body("bad_request", message, field="body"), 400)

    @app.errorhandler(OSError)
    def on_os_error(error: OSError) -> Response:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return on_failure(error)
        log.error("%s %s: %s", request.method, request.path, error)
        message = (
            "the server's disk is full, so that nothing was kept; free some space, then try again"
        )
        return json_response(error_body("disk_full", message), 507)

    @app.errorhandler(Exception)
    def on_failure(error: Exception) -> Response:
        log.exception("%s %s failed", request.method, request.path)
        return json_response(error_body("internal", "the server failed; its log says why"), 500)

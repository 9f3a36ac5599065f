"""One gate for every route: host names, origins, the API key, and the headers of every answer."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, request

from dashboard.api.errors import ApiError
from dashboard.settings import LOOPBACK_NAMES, Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIXES = ("healthz", "sessions", "sets")
EXEMPT_FROM_KEY = frozenset({"healthz"})
KEY_NAMES = frozenset({"key", "api_key", "apikey", "api-key", "x-api-key", "token"})


def is_api(path: str) -> bool:
    """Whether a path belongs to the API, whose answers are always JSON."""
    return path.lstrip("/").split("/", 1)[0] in API_PREFIXES


def host_name(value: str) -> str:
    """The lower-case name in a Host header, without port and brackets; empty where it is malformed."""
    try:
        return (urlsplit(f"//{value}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def install(app: Flask, settings: Settings, script_hashes: list[str]) -> None:
    """Put the gate before, and the headers behind, every request of ``app``."""
    allowed = {*LOOPBACK_NAMES, settings.host.lower(), *(h.lower() for h in settings.extra_hosts)}
    allowed -= {"0.0.0.0", "::"}
    headers = _headers(script_hashes)

    @app.before_request
    def gate() -> None:
        if host_name(request.headers.get("Host", "")) not in allowed:
            raise ApiError(421, "unknown_host", "this server does not answer to that host name")
        _check_origin(settings)
        if settings.api_key and _needs_key(request.path):
            _check_key(settings.api_key)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response


def _check_origin(settings: Settings) -> None:
    """State may be changed from our own pages and from scripts without an Origin, only."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    own = (f"http://{request.host}", f"https://{request.host}")
    if origin is not None and origin not in own:
        raise ApiError(403, "foreign_origin", "requests that change state must come from this page")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ApiError(403, "foreign_origin", "requests that change state must come from this page")


def _needs_key(path: str) -> bool:
    return is_api(path) and path.strip("/") not in EXEMPT_FROM_KEY


def _check_key(key: str) -> None:
    if KEY_NAMES & {name.lower() for name in request.args}:
        raise ApiError(400, "key_in_query", "a key belongs in the header X-API-Key, never in a URL")
    given = request.headers.get("X-API-Key", "").encode("utf-8", "surrogateescape")
    if not given:
        raise ApiError(401, "key_missing", "send the key in the header X-API-Key")
    if not hmac.compare_digest(given, key.encode()):
        raise ApiError(403, "key_wrong", "the key in X-API-Key is not this server's")


def _headers(script_hashes: list[str]) -> dict[str, str]:
    scripts = " ".join(["'self'", *script_hashes])
    policy = {
        "default-src": "'self'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }

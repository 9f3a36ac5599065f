"""One gate for every route: host names, origins, keys, rates, and the headers of every answer.

A request passes in this order: no key stands in its URL; its host name is ours; its origin is ours; its
key or cookie opens the door, or its path and method are one of the few pairs that need none; it is not
one too many; and who may only look asks to change nothing.  Everything that is not named in :data:`OPEN`
is behind the door, Dash's own routes and routes added later included.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from flask import Flask, Response, g, redirect, request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from dashboard.api.errors import ApiError
from dashboard.counters import SharedCounters
from dashboard.keys import Access, Keys
from dashboard.settings import LOOPBACK_NAMES, Rates, Settings, is_loopback

READING = frozenset({"GET", "HEAD"})
API_PREFIXES = (
    "healthz", "sessions", "sets", "spiking", "learning", "visualization", "metrics", "openapi.json",
    "clinic",
)  # fmt: skip
LOGIN = "/login"
LOGOUT = "/logout"
OPEN = frozenset({
    *((path, method) for path in ("/healthz", LOGIN, "/assets/css/login.css") for method in READING),
    (LOGIN, "POST"), (LOGOUT, "POST"),
})  # fmt: skip
KEY_NAMES = frozenset({"key", "api_key", "apikey", "api-key", "x-api-key", "token"})
HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{0,5}))?")
VIEW_ONLY = "this key may look and change nothing; ask for the full key to do that"
FOREIGN = "only pages of this server may send requests to it"
ACCESS = "X-T4DM-Access"
UNTOLD_TLS = (
    "the page was loaded over https and this server is asked over http: a proxy that ends TLS sends "
    "X-Forwarded-Proto, and T4DM_PROXY_HOPS counts it"
)


def is_api(path: str) -> bool:
    """Whether a path belongs to the API, whose answers are always JSON."""
    return path.lstrip("/").split("/", 1)[0] in API_PREFIXES


def host_name(value: str) -> str:
    """The lower-case name in a Host header, without port and brackets; empty where it is malformed."""
    found = HOST.fullmatch(value)
    if found is None or int(found["port"] or 0) > 65_535:
        return ""
    return found["name"].strip("[]").removesuffix(".").lower()


class Gate:
    """What every request passes; ``g.access`` is then ``full``, ``view`` or None (only in OPEN)."""

    def __init__(self, settings: Settings) -> None:
        names = {*LOOPBACK_NAMES, settings.host, *settings.extra_hosts}
        self._hosts = {name.lower() for name in names} - {"0.0.0.0", "::"}
        self.keys = Keys(settings)
        self.rates = Limiter(settings.rates)

    def check(self) -> BaseResponse | None:
        """Raises :class:`ApiError` for a request that may not pass; a redirect to the login page."""
        if self.keys.wanted:
            self._refuse_key_in_url()
        if host_name(request.headers.get("Host", "")) not in self._hosts:
            raise ApiError(421, "unknown_host", "this server does not answer to that host name")
        _check_origin()
        g.access, g.by_cookie = self._access(), False
        if g.access is None and self.keys.wanted:
            g.access = self._access_by_cookie()
            g.by_cookie = g.access is not None
        is_open = (request.path, request.method) in OPEN
        if g.access is None and not is_open:
            return _turned_away()
        self.rates.count("reads" if request.method in READING else "changes")
        if g.access == "view" and request.method not in READING and not is_open:
            raise ApiError(403, "view_only", VIEW_ONLY)
        return None

    def _access(self) -> Access | None:
        """What the header opens; raises :class:`ApiError` for a wrong key."""
        if not self.keys.wanted:
            if not is_loopback(request.remote_addr or ""):
                raise ApiError(403, "loopback_only", "without a key only this machine is served")
            return "full"
        given = request.headers.get("X-API-Key")
        if given is None or given == "":
            return None
        access = self.try_key(given.encode("latin-1", "backslashreplace"))
        if access is None:
            raise ApiError(403, "key_wrong", "the key in X-API-Key is not this server's")
        return access

    def _refuse_key_in_url(self) -> None:
        """Raises :class:`ApiError` for a key in the URL, of which no log then learns."""
        environ = request.environ
        query = environ.get("QUERY_STRING", "").encode("latin-1")
        named = KEY_NAMES & {name.lower() for name in request.args}
        in_query = named or self.keys.stands_in(unquote_to_bytes(query))
        in_path = self.keys.stands_in(environ.get("PATH_INFO", "").encode("latin-1"))
        if not (in_query or in_path):
            return
        environ.update(dict.fromkeys(("QUERY_STRING", "RAW_URI", "REQUEST_URI"), ""))
        if in_path:
            environ["PATH_INFO"] = ""
        raise ApiError(
            400, "key_in_path" if in_path else "key_in_query",
            "a key belongs in the header X-API-Key, not in a URL",
        )  # fmt: skip

    def try_key(self, given: bytes) -> Access | None:
        """What a key opens; raises :class:`ApiError` 429 after too many wrong ones."""
        self.rates.refuse_spent("wrong_keys")
        access = self.keys.access_of_key(given)
        if access is None:
            self.rates.count("wrong_keys")
        return access

    def _access_by_cookie(self) -> Access | None:
        value = request.cookies.get(self.keys.cookie)
        return self.keys.access_of_cookie(value) if value else None


class Limiter:
    """Requests of one address in a window, counted by all web processes together."""

    def __init__(self, rates: Rates) -> None:
        self._counters = SharedCounters()
        self._windows = FixedWindowRateLimiter(self._counters)
        self._items: dict[str, RateLimitItem] = {
            "reads": RateLimitItemPerSecond(rates.reads, 10, "reads"),
            "changes": RateLimitItemPerSecond(rates.changes, 10, "changes"),
            "wrong_keys": RateLimitItemPerMinute(rates.wrong_keys, 1, "wrong_keys"),
        }

    def count(self, kind: str) -> None:
        """One more; raises :class:`ApiError` 429 where that is one too many."""
        if not self._windows.hit(self._items[kind], _address()):
            raise self._too_many(kind)

    def refuse_spent(self, kind: str) -> None:
        """Raises :class:`ApiError` 429 where no further one would be let through."""
        if not self._windows.test(self._items[kind], _address()):
            raise self._too_many(kind)

    def _too_many(self, kind: str) -> ApiError:
        item = self._items[kind]
        window = self._windows.get_window_stats(item, _address())
        wait = max(1, round(window.reset_time - self._counters.now() + 0.5))
        what = "wrong keys" if kind == "wrong_keys" else kind
        return ApiError(
            429, "too_many",
            f"more than {item.amount} {what} in {item.get_expiry()} s; try again in {wait} s",
            headers={"Retry-After": str(wait)}, hi=item.amount,
        )  # fmt: skip


def install(app: Flask, settings: Settings, script_hashes: list[str]) -> Gate:
    """Put the gate before, and the headers behind, every request of ``app``.

    ``X-T4DM-Access`` says what the request was let in with: ``full``, ``view`` or ``none``.
    """
    gate = Gate(settings)
    headers = _headers(script_hashes)
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(gate.check)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if "access" in g:
            response.headers[ACCESS] = g.access or "none"
        return response

    return gate


def _address() -> str:
    return request.remote_addr or "unknown"


def _check_origin() -> None:
    """Only our own pages and programs without an Origin are answered; others may link to a page."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        over_tls = request.scheme == "http" and origin == f"https://{request.host}"
        message = UNTOLD_TLS if over_tls else FOREIGN
        raise ApiError(403, "foreign_origin", message)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and not _is_link():
        raise ApiError(403, "foreign_origin", FOREIGN)


def _is_link() -> bool:
    """Whether the browser follows a link or an address that was typed."""
    return request.method in READING and request.headers.get("Sec-Fetch-Mode") == "navigate"


def _turned_away() -> BaseResponse:
    """To the login page for a browser that opens a page; raises :class:`ApiError` 401 for the rest."""
    opens_page = request.method in READING and "text/html" in request.headers.get("Accept", "")
    if opens_page and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
        here = request.full_path.rstrip("?")
        return redirect(f"{LOGIN}?next={quote(here, safe='')}", 303)
    message = "log in, or send the key in the header X-API-Key"
    raise ApiError(401, "key_missing", message, login=LOGIN)


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

"""gunicorn's worker and its log, for requests that are no HTTP: neither repeats what was sent.

What the parser cannot read comes before the door, and it may hold a key: a header without its colon,
a request line without a version.  The log gets the name of the fault and the answer has the shape of
every refusal.
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from dashboard.api.errors import error_body

_STATUS: dict[type[Exception], tuple[int, str, str, str]] = {
    errors.LimitRequestLine: (414, "URI Too Long", "too_long", "the request line is too long"),
    errors.LimitRequestHeaders: (
        431, "Request Header Fields Too Large", "too_large", "the headers are too many or too long",
    ),
    errors.ExpectationFailed: (
        417, "Expectation Failed", "bad_request", "Expect is 100-continue or nothing",
    ),
}  # fmt: skip
_NO_HTTP = (400, "Bad Request", "bad_request", "the request is no valid HTTP/1.1")
_INTERNAL = (500, "Internal Server Error", "internal", "the server failed; its log says why")
_OURS = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)


class QuietLog(Logger):
    """A fault of a request is named, and its text, which quotes the request, left out."""

    def debug(self, msg: str, *args: Any, **kwargs: Any) -> None:
        named = (type(a).__name__ if isinstance(a, BaseException) else a for a in args)
        super().debug(msg, *named, **kwargs)


class QuietWorker(GeventWorker):
    """A gevent worker that answers what it cannot parse without a word of it."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log the name of the fault, with the place in the code where it is the server's; answer."""
        name, sender = type(exc).__name__, addr[0] if addr else ""
        if isinstance(exc, errors.ParseException) and not isinstance(exc, _OURS):
            status, reason, code, message = _STATUS.get(type(exc), _NO_HTTP)
            self.log.warning("Invalid request from ip=%s: %s", sender, name)
        else:
            status, reason, code, message = _INTERNAL
            place = "".join(traceback.format_tb(exc.__traceback__))
            self.log.error("Error handling a request from ip=%s: %s\n%s", sender, name, place)
        body = json.dumps(error_body(code, message))
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nCache-Control: no-store\r\n"
            f"Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, (head + body).encode())
        except OSError:
            self.log.debug("Failed to send error message.")

"""Bodies whose length nobody named beforehand (chunked): wholly read, or refused.

werkzeug's own stream stops at the bound when everything is read at once, as if the body ended there:
what came before would be taken for the whole.
"""

from __future__ import annotations

from typing import IO, cast

from flask import Flask, Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream


class BoundedStream(LimitedStream):
    """A stream of at most ``limit`` bytes; raises :class:`RequestEntityTooLarge` for one byte more."""

    def on_exhausted(self) -> None:
        """At the bound: whether that was all; a body cut off there is a bad request."""
        try:
            more = self._stream.read(1)
        except (OSError, ValueError) as error:
            self.on_disconnect(error)
            return
        if more:
            raise RequestEntityTooLarge

    def readall(self) -> bytes:
        """The whole body."""
        body = super().readall()
        if body and self.is_exhausted:
            self.on_exhausted()
        return body


class BoundedRequest(Request):
    """A request whose every road to its body (data, JSON, form, files) goes through the bound."""

    @cached_property
    def stream(self) -> IO[bytes]:  # type: ignore[override]
        """The body; raises :class:`RequestEntityTooLarge` here where its named length is too much."""
        if self.content_length is not None or "wsgi.input_terminated" not in self.environ:
            return super().stream
        most = self.max_content_length or 0
        return cast(IO[bytes], BoundedStream(self.environ["wsgi.input"], most, is_max=True))


def install(app: Flask) -> None:
    """Have ``app`` read every body so."""
    app.request_class = BoundedRequest

"""The login page: it turns a key into a signed cookie.  Plain HTML that works without a script."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from dashboard.api.errors import ApiError
from dashboard.security import LOGIN, LOGOUT, Gate

MAX_NEXT = 2000
WRONG = "That is not this server's key. It is the value of T4DM_API_KEY or T4DM_VIEW_KEY."
_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Log in · t4dm</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/assets/css/login.css">{refresh}
  </head>
  <body>
    <main>
      <h1>t4dm</h1>
      <p>This dashboard is locked. The full key opens it; a view-only key lets you look.</p>
      <form method="post" action="/login">
        <input type="hidden" name="next" value="{next}">
        <label for="key">Key</label>
        <input id="key" name="key" type="password" autocomplete="current-password" required
          autofocus maxlength="200" spellcheck="false" autocapitalize="none"{described}>
        {error}
        <button type="submit">Log in</button>
      </form>
    </main>
  </body>
</html>
"""


def blueprint(gate: Gate) -> Blueprint:
    """The routes ``/login`` and ``/logout`` of the server behind ``gate``."""
    door = Blueprint("door", __name__)

    @door.get(LOGIN)
    def login_page() -> BaseResponse:
        wanted = safe_next(request.args.get("next", "/"))
        if g.access is not None:
            return redirect(wanted, 303)
        return _page(wanted, 200, again=request.headers.get("Sec-Fetch-Site") == "cross-site")

    @door.post(LOGIN)
    def log_in() -> BaseResponse:
        wanted = safe_next(request.form.get("next", "/"))
        if not gate.keys.wanted:
            return redirect(wanted, 303)
        try:
            access = gate.try_key(request.form.get("key", "").strip().encode("utf-8", "replace"))
        except ApiError as error:
            sentence = f"{error.message[0].upper()}{error.message[1:]}."
            return _page(wanted, error.status, sentence, error.headers)
        if access is None:
            return _page(wanted, 403, WRONG)
        answer = redirect(wanted, 303)
        keys = gate.keys
        answer.set_cookie(
            keys.cookie, keys.sign(access), max_age=keys.max_age_s, httponly=True,
            secure=request.is_secure, samesite="Strict", path="/",
        )  # fmt: skip
        return answer

    @door.post(LOGOUT)
    def log_out() -> BaseResponse:
        answer = redirect(LOGIN, 303)
        answer.delete_cookie(gate.keys.cookie, path="/", httponly=True, samesite="Strict")
        return answer

    return door


def safe_next(text: str) -> str:
    """``text`` where it is a path of this server, else ``/``: a login must lead to nobody else."""
    plain = len(text) <= MAX_NEXT and text.isascii() and text.isprintable() and "\\" not in text
    if not plain or not text.startswith("/") or text.startswith("//"):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    elsewhere = parts.scheme or parts.netloc or parts.path in (LOGIN, LOGOUT)
    return "/" if elsewhere else text


def _page(
    wanted: str, status: int, error: str = "", headers: dict[str, str] | None = None,
    again: bool = False,
) -> Response:  # fmt: skip
    """The page; ``again`` has the browser ask once more, with the cookie it kept back on a foreign link."""
    shown = f'<p id="error" class="error" role="alert">{escape(error)}</p>' if error else ""
    text = _PAGE.format(
        next=escape(wanted, quote=True),
        error=shown,
        described=' aria-invalid="true" aria-describedby="error"' if error else "",
        refresh='\n    <meta http-equiv="refresh" content="0">' if again else "",
    )
    response = Response(text, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response

"""The API's routes.  Each one checks its request, asks a module beside this one, and answers."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, request

from dashboard.api import commands, frames, panels, query, sets, strict_json
from dashboard.api.errors import ApiError, json_response
from dashboard.api.sessions import checking_tree, entries, session, session_names
from dashboard.security import is_api
from t4dm.live import paths
from t4dm.stimuli.file import load_stimulus_file
from t4dm.stimuli.tables import MAX_FILE_BYTES

api = Blueprint("api", __name__)
FORM_OVERHEAD = 64_000
OCTETS = "application/octet-stream"


@api.get("/healthz")
def healthz() -> Response:
    """One line a session: pid, state, step, params_rev, t_ms, speed, ratio."""
    keys = ("state", "step", "params_rev", "t_ms", "speed", "ratio")
    answer = {}
    for name in session_names():
        status = session(name).status()
        entry = {"pid": status["worker"]["pid"]} | {key: status.get(key) for key in keys}
        if not status["worker"]["alive"]:
            entry["state"] = "down"
        answer[name] = entry
    return json_response({"sessions": answer})


@api.get("/sessions")
def list_sessions() -> Response:
    """Names, and one line each: owner, state, and why it is not running."""
    return json_response({"sessions": session_names(), "entries": entries()})


@api.get("/sessions/<name>")
def manifest(name: str) -> Response:
    return json_response(session(name).manifest())


@api.post("/sessions/<name>/commands")
def post_commands(name: str) -> Response:
    """A command or a list, applied between two steps, answered with rev, step, old, new."""
    who = commands.who_is(request.headers.get("X-T4DM-Who"))
    body = strict_json.loads(_json_bytes(), keep_non_finite=True)
    return commands.send(session(name), body, who)


@api.get("/sessions/<name>/params")
def params(name: str) -> Response:
    return json_response(session(name).params())


@api.get("/sessions/<name>/frames")
def stream(name: str) -> Response:
    """One encoded Window, keyframe or status; waits at most 250 ms."""
    body = frames.next_frame(
        session(name),
        query.view(),
        query.integer("after", None, 0, 2**53),
        query.integer("epoch", None, 0, 2**53),
        query.number("span_ms", 2000.0, 10.0, frames.MAX_WINDOW_MS) or 2000.0,
    )
    return _octets(body)


@api.get("/sessions/<name>/window")
def window(name: str) -> Response:
    """An encoded Window of held history; 416 with the range held."""
    client, view = session(name), query.view()
    from_ms = query.number("from_ms", None, 0.0, 1e15)
    to_ms = query.number("to_ms", None, 0.0, 1e15)
    steps = frames.held_steps(client, from_ms, to_ms, 2000.0)
    return _octets(frames.encode_window(client, frames.picture(client, view, steps)))


@api.get("/sessions/<name>/panels/<file_name>")
def panel_file(name: str, file_name: str) -> Response:
    return panels.answer(session(name), file_name)


@api.post("/sessions/<name>/uploads")
def upload(name: str) -> Response:
    """A stimulus file as the form field ``file``; answers the id to select it by."""
    session(name)
    request.max_content_length = MAX_FILE_BYTES + FORM_OVERHEAD
    given = request.files.get("file")
    if given is None or not given.filename:
        raise ApiError(400, "no_file", "send one file in the form field 'file'", field="file")
    kept = load_stimulus_file(given.stream.read(), given.filename[:200])
    answer = {"file_id": kept.save(paths.data_dir()), "kind": kept.kind}
    return json_response(answer | {"rows": kept.rows, "width": kept.width}, 201)


@api.get("/sets")
def list_sets() -> Response:
    return json_response({"sets": sets.names()})


@api.get("/sets/<name>")
def get_set(name: str) -> Response:
    return json_response(sets.load(name))


@api.put("/sets/<name>")
def put_set(name: str) -> Response:
    """Keep ``{"values": {path: value}}`` under ``name``; each value is checked first."""
    values = sets.values_of(strict_json.loads(_json_bytes(), keep_non_finite=True))
    tree = checking_tree(session(paths.DEFAULT_SESSION))
    is_new = sets.save(name, commands.check_values(values, tree))
    return json_response({"name": name, "count": len(values)}, 201 if is_new else 200)


@api.delete("/sets/<name>")
def delete_set(name: str) -> Response:
    sets.delete(name)
    return json_response({"deleted": name})


def _json_bytes() -> bytes:
    if not request.is_json:
        raise ApiError(415, "wrong_media_type", "send JSON with Content-Type: application/json")
    return request.get_data(cache=False)


def _octets(body: bytes) -> Response:
    response = Response(body, mimetype=OCTETS)
    response.headers["Cache-Control"] = "no-store"
    return response


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
    for method in ("GET", "POST", "PUT", "DELETE"):
        if adapter.test(path, method) and adapter.match(path, method)[0].startswith("api."):
            allowed.append(method)
    return allowed

"""``/sessions/*``: the list, manifests, commands, parameters, frames, panels and uploads."""

from __future__ import annotations

from flask import Response, request

from dashboard.api import commands, creation, foreign, frames, panels, records
from dashboard.api.errors import ApiError, json_response
from dashboard.api.operations import operation
from dashboard.api.rest.session_answers import (
    Applied,
    Created,
    Deleted,
    Manifest,
    NewSession,
    OneOrMoreCommands,
    ParameterChanges,
    Parameters,
    SampleTexts,
    SessionList,
    Uploaded,
)
from dashboard.api.rest.window_queries import (
    FramesQuery,
    HistoryQuery,
    PanelQuery,
    PictureOfPanel,
    RecordsQuery,
    UploadForm,
)
from dashboard.api.sessions import (
    any_session,
    client_named,
    entries,
    run_session,
    session,
    session_names,
)
from t4dm.live import paths
from t4dm.live.samples import Samples
from t4dm.stimuli.file import load_stimulus_file
from t4dm.stimuli.tables import MAX_FILE_BYTES

FORM_OVERHEAD = 64_000
OCTETS = "application/octet-stream"


@operation("GET", "/sessions", SessionList, tag="sessions")
def list_sessions() -> Response:
    """Names, and one line each: owner, state, and why it is not running."""
    return json_response({"sessions": session_names(), "entries": entries()})


@operation("POST", "/sessions", Created, tag="sessions", body=NewSession, status=201)
def create_session(body: NewSession) -> Response:
    """A session of its own size, seed and parameters, in a worker of its own.

    Number and memory of all sessions are bounded; the bounds are in the refusal. Asked for again
    with the same ``Idempotency-Key``, as after an answer that was lost, it is the same session.
    """
    key = commands.idempotency_key(request.headers.get("Idempotency-Key"))
    spec = creation.create(body, session_names(), key)
    answer = creation.described(spec)
    return json_response(answer, 201, {"Location": f"/sessions/{spec.name}"})


@operation(
    "DELETE", "/sessions/<name>", Deleted, tag="sessions",
    also={409: "A session that was not created here."},
)  # fmt: skip
def delete_session(name: str) -> Response:
    """End a created session's worker and remove its files."""
    creation.delete(name, session_names())
    return json_response({"deleted": name})


@operation("GET", "/sessions/<name>", Manifest, tag="sessions")
def get_session(name: str) -> Response:
    """The session's manifest."""
    return json_response(any_session(name).manifest())


@operation(
    "POST", "/sessions/<name>/commands", Applied, tag="sessions", documented_body=OneOrMoreCommands,
    also=foreign.OTHER_KIND,
)  # fmt: skip
def post_commands(name: str) -> Response:
    """A command or a list, applied between two steps, answered with rev, step, old, new.

    The same ``Idempotency-Key`` is applied once, also across a kill of the worker; ``X-T4DM-Who`` names who asks in the event log.
    A session that trains answers within 50 ms: with the same where no step is in work, else with
    ``queued``; it is applied before the next step, and what became of it is told as an event.
    ``X-T4DM-Ack: applied`` waits for the step's end, ``queued`` never waits (run sessions alone).
    """
    who, key = commands.who_and_key()
    client = any_session(name)
    return commands.send(client, commands.json_body(), who, key, ack=commands.ack())


@operation("GET", "/sessions/<name>/params", Parameters, tag="sessions")
def get_params(name: str) -> Response:
    """Every parameter with its value and range; ``ETag`` is the revision."""
    told = any_session(name).params()
    return json_response(told, headers={"ETag": f'"{told["rev"]}"'})


@operation(
    "PATCH", "/sessions/<name>/params", Applied, tag="sessions", body=ParameterChanges,
    also=foreign.OTHER_KIND | {412: "The parameters are at another revision."},
)  # fmt: skip
def patch_params(name: str, body: ParameterChanges) -> Response:
    """Set and clear parameters, wholly or not at all; with ``If-Match: rev`` only at that revision.

    412 where another change was faster; the answer's ``ETag`` is the new revision.
    """
    if_rev = commands.if_match(request.headers.get("If-Match"))
    listed = [{"type": "set", "path": p, "value": v} for p, v in body.values.items()]
    listed += [{"type": "clear", "path": path} for path in body.clear]
    answer = commands.send(any_session(name), listed, *commands.who_and_key(), if_rev)
    if answer.status_code == 200:
        answer.headers["ETag"] = f'"{answer.get_json()["rev"]}"'
    return answer


@operation(
    "GET", "/sessions/<name>/frames", None, tag="sessions", query=FramesQuery,
    other_media=(OCTETS,),
)  # fmt: skip
def get_frames(name: str, query: FramesQuery) -> Response:
    """One encoded window, keyframe or status frame; waits at most 250 ms."""
    view = query.shown()
    return _octets(frames.next_frame(session(name), view, query.after, query.epoch, query.span_ms))


@operation(
    "GET", "/sessions/<name>/records", None, tag="sessions", query=RecordsQuery,
    other_media=(OCTETS,),
)  # fmt: skip
def get_records(name: str, query: RecordsQuery) -> Response:
    """Of a training session and its like: one encoded record, keyframe (the whole course) or status.

    Waits at most 250 ms.  The session `t` of the line is one made by `POST /sessions` with
    `{"kind": "training", "run": "tiny", "name": "t"}`.
    """
    return _octets(records.next_record(run_session(name), query.after, query.epoch))


@operation("GET", "/sessions/<name>/samples", SampleTexts, tag="sessions")
def get_samples(name: str) -> Response:
    """The texts that a training session wrote, by step."""
    run_session(name)
    run_id = client_named(name).status().get("run_id")
    folder = paths.session_data(paths.data_dir(), name)
    return json_response({"samples": Samples(folder).read(run_id)})


@operation(
    "GET", "/sessions/<name>/window", None, tag="sessions", query=HistoryQuery,
    also=frames.NOT_HELD, other_media=(OCTETS,),
)  # fmt: skip
def get_window(name: str, query: HistoryQuery) -> Response:
    """An encoded window of held history; 416 with the range held."""
    client, view = session(name), query.shown()
    steps = frames.held_steps(client, query.from_ms, query.to_ms, 2000.0)
    return _octets(frames.encode_window(client, frames.picture(client, view, steps)))


@operation(
    "GET", "/sessions/<name>/panels/<file_name>", None, tag="sessions",
    query=PanelQuery, also=frames.NOT_HELD | {501: "No Chromium on the server."},
    other_media=("application/json", "text/csv", OCTETS, "image/png", "image/svg+xml"),
)  # fmt: skip
def get_panel(name: str, file_name: str, query: PictureOfPanel) -> Response:
    """A panel as ``slug.json`` (figure), ``.csv``, ``.npz`` (numbers), ``.png`` or ``.svg``."""
    return panels.answer(session(name), file_name, query)


@operation(
    "POST", "/sessions/<name>/uploads", Uploaded, tag="sessions", form=UploadForm, status=201
)
def post_upload(name: str) -> Response:
    """A stimulus file as the form field ``file``; answers the id to select it by."""
    session(name)
    request.max_content_length = MAX_FILE_BYTES + FORM_OVERHEAD
    given = request.files.get("file")
    if given is None or not given.filename:
        raise ApiError(400, "no_file", "send one file in the form field 'file'", field="file")
    kept = load_stimulus_file(given.stream.read(), given.filename[:200])
    answer = {"file_id": kept.save(paths.data_dir()), "kind": kept.kind}
    return json_response(answer | {"rows": kept.rows, "width": kept.width}, 201)


def _octets(body: bytes) -> Response:
    response = Response(body, mimetype=OCTETS)
    response.headers["Cache-Control"] = "no-store"
    return response

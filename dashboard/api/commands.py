"""Commands on their way to the worker: the same models, checked here first, then passed on."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request

from dashboard.api import foreign, strict_json
from dashboard.api.errors import ApiError, json_response, refused_by_worker
from dashboard.api.sessions import checking_tree
from t4dm.commands import (
    COMMAND_TYPES,
    RUN_COMMAND_TYPES,
    Clear,
    Command,
    Replace,
    Set,
    parse_command,
)
from t4dm.live import kinds
from t4dm.live.client import SessionClient
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

MAX_COMMANDS = 256
MOST_SET = 192  # parameters set by one PATCH
MOST_CLEARED = MAX_COMMANDS - MOST_SET
ACKS = APPLIED, QUEUED = ("applied", "queued")
SOON = "soon"  # what came of it where that is known at once, else "queued"
REVISION = (
    '[0-9]{1,15}|"[0-9]{1,15}(:[a-z]+)?"'  # the ETag of an answer that came compressed has :br
)
_WHO = re.compile(r"[ -~]{1,64}")


def send(
    client: SessionClient,
    body: Any,
    who: str,
    key: str = "",
    if_rev: int | None = None,
    ack: str = APPLIED,
) -> Response:
    """Check ``body`` (a command or a list), send it, and answer what the worker answered.

    With ``ack`` "queued" a run session answers as soon as the request waits for its step's end; "" is
    what suits its kind: "soon" where steps are long, else "applied".

    A request with the same ``key`` is applied once, and answered as the first time; one with
    ``if_rev`` only at that revision, else 412.

    Raises :class:`ParamError` for a refused field, :class:`ApiError` otherwise,
    :class:`t4dm.live.client.WorkerDown` where nobody listens, and its ``WorkerBusy`` where it takes
    no more requests.
    """
    commands = body if isinstance(body, list) else [body]
    if not 1 <= len(commands) <= MAX_COMMANDS:
        raise ParamError("body", f"1 to {MAX_COMMANDS} commands a request", lo=1, hi=MAX_COMMANDS)
    tree = checking_tree(client)
    types, kind = types_of(client), client.manifest()["kind"]
    for index, item in enumerate(commands):
        try:
            foreign.check_command(item, types, kind)
            check(parse_command(item, types), tree)
        except ParamError as error:
            if len(commands) > 1:
                error.message = f"command {index}: {error.message}"
            raise
    ack = ack or usual_ack(client.manifest()["kind"])
    answer = client.command(body, who, key=key, if_rev=if_rev, ack=ack)
    return json_response(answer) if answer["ok"] else refused_by_worker(answer["error"])


def usual_ack(kind: str) -> str:
    """When a session of ``kind`` answers one who does not say."""
    known = kinds.kinds().get(kind)
    return SOON if known is not None and known.long_steps else APPLIED


def types_of(client: SessionClient) -> dict[str, Any]:
    """The commands that a session takes, by name."""
    manifest = client.manifest()
    if manifest["kind"] == kinds.SPIKING:
        return COMMAND_TYPES
    return {word: RUN_COMMAND_TYPES[word] for word in manifest["commands"]}


def check(command: Command, tree: ParamTree) -> None:
    """Paths and values against the session's parameters; raises :class:`ParamError`.

    What other sessions have and this one has not is an :class:`ApiError` 409.
    """
    if isinstance(command, Set):
        check_values({command.path: command.value}, tree)
    elif isinstance(command, Clear):
        foreign.check_path(command.path, tree)
        tree.spec(command.path)
    elif isinstance(command, Replace):
        check_values(dict(command.values), tree)


def check_values(values: dict[str, Any], tree: ParamTree) -> dict[str, Any]:
    """``values`` as a session of ``tree`` would store them; raises as :func:`check`, naming the path."""
    for path, value in values.items():
        foreign.check_path(path, tree, value)
    return {path: tree.check(path, value) for path, value in values.items()}


def who_is(header: str | None) -> str:
    """The name of the tab or script in the event log; raises :class:`ApiError` 400."""
    if not header:
        return "script"
    if not _WHO.fullmatch(header):
        message = "X-T4DM-Who is 1 to 64 printable ASCII characters"
        raise ApiError(400, "bad_header", message, field="X-T4DM-Who")
    return header


def ack() -> str:
    """When the request is answered, from the header, "" for none; raises :class:`ApiError` 400."""
    header = request.headers.get("X-T4DM-Ack")
    if header is None:
        return ""
    if header not in ACKS:
        message = f"X-T4DM-Ack is one of {', '.join(ACKS)}"
        raise ApiError(400, "bad_header", message, field="X-T4DM-Ack", choices=list(ACKS))
    return header


def who_and_key() -> tuple[str, str]:
    """Who asks, and the key under which the request is applied once, from the headers."""
    key = idempotency_key(request.headers.get("Idempotency-Key"))
    return who_is(request.headers.get("X-T4DM-Who")), key


def idempotency_key(header: str | None) -> str:
    """The key of a request that is to be applied once, empty for none; raises :class:`ApiError`."""
    if header is None or header == "":
        return ""
    if not _WHO.fullmatch(header):
        message = "Idempotency-Key is 1 to 64 printable ASCII characters"
        raise ApiError(400, "bad_header", message, field="Idempotency-Key")
    return header


def if_match(header: str | None) -> int | None:
    """The revision that a request is meant for, None for any; raises :class:`ApiError` 400.

    RFC 9110 13.1.1: compared strongly, so that a weak ETag is none; an empty header is none either.
    """
    if header is None or header.strip() == "*":
        return None
    found = re.fullmatch(REVISION, header.strip())
    if found is None:
        message = 'If-Match is a revision as in the ETag of GET ("7" or 7, not W/"7"), or *'
        raise ApiError(400, "bad_header", message, field="If-Match")
    return int(found.group().strip('"').partition(":")[0])


def json_body() -> Any:
    """The request's JSON, whatever its Content-Type says; raises :class:`ApiError` 400."""
    return strict_json.loads(request.get_data(cache=False), keep_non_finite=True)

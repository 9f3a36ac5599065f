"""Which parameters an answer over a window tells: those in force now, or those at the window's end.

A window that ends at the newest step is told with the parameters in force now.  One that ends where
``to_ms`` says is told with those of its last step: the present ones, with every change since undone
by the session's log, whose events hold the old value.  Where the log no longer reaches back so far,
the present ones stand there, and the answer says so.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from dashboard.api.rest.queries import WindowQuery
from dashboard.api.sessions import InForce, in_force
from t4dm.live.client import SessionClient
from t4dm.live.kept_session import NUMBERS_A_START
from t4dm.live.tree import ParamTree
from t4dm.live.window import Window
from t4dm.params import ParamError


@dataclass(frozen=True, slots=True)
class Told:
    """The parameters that an answer tells; ``head`` says of which revision they and it are.

    ``same``: the window's last step was computed with them.
    """

    tree: ParamTree
    head: dict[str, Any]
    same: bool


def told(client: SessionClient, query: WindowQuery, window: Window) -> Told:
    """The parameters for ``window``, which ``query`` asked for; raises as :func:`in_force`."""
    held, rev = in_force(client), window.meta.get("params_rev")
    if query.to_ms is None or rev is None or held.rev == rev:
        return Told(held.tree, _head(held.rev, held.rev, "now"), held.rev == rev)
    events = client.status().get("log", [])
    tree = undone(held, rev, events)
    if tree is None:
        return Told(held.tree, _head(rev, held.rev, "now"), False)
    return Told(tree, _head(rev, rev, "window"), True)


def _head(rev: int, applied: int, of: str) -> dict[str, Any]:
    return {"params_rev": rev, "applied_rev": applied, "params_of": of}


def undone(held: InForce, rev: int, events: list[dict[str, Any]]) -> ParamTree | None:
    """The parameters of revision ``rev``, from those of ``held`` and the events of a session's log.

    ``events`` are the newest there are, in order.  None where they do not tell of every change.
    """
    since = [e for e in events if e["type"] == "param" and rev < e.get("rev", 0) <= held.rev]
    complete = {e["rev"] for e in since} == set(range(rev + 1, held.rev + 1))
    if not complete or (since and not _whole(since[0], events)):
        return None
    tree = copy.deepcopy(held.tree)
    try:
        for event in reversed(since):
            if event.get("inherited"):
                tree.clear(event["path"])
            else:
                tree.set(event["path"], event["old"])
    except ParamError:
        return None
    return tree


def _whole(first: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    """Whether nothing of the revision of ``first`` was dropped before it: another event is, or none was."""
    return events[0]["n"] < first["n"] or first["n"] % NUMBERS_A_START == 1

"""``/sets/*``: named parameter sets."""

from __future__ import annotations

from flask import Response

from dashboard.api import commands, foreign, sets
from dashboard.api.errors import json_response
from dashboard.api.operations import operation
from dashboard.api.rest.queries import SessionQuery
from dashboard.api.rest.session_answers import Deleted, Kept, ParameterSet, SetNames, SetValues
from dashboard.api.sessions import checking_tree, session_asked


@operation("GET", "/sets", SetNames, tag="sets")
def list_sets() -> Response:
    """Names of the sets there are."""
    return json_response({"sets": sets.names()})


@operation("GET", "/sets/<name>", ParameterSet, tag="sets")
def get_set(name: str) -> Response:
    """The values of one set."""
    return json_response(sets.load(name))


@operation(
    "PUT",
    "/sets/<name>",
    Kept,
    tag="sets",
    query=SessionQuery,
    body=SetValues,
    created=True,
    also=foreign.OTHER_KIND,
)
def put_set(name: str, query: SessionQuery, body: SetValues) -> Response:
    """Keep ``{"values": {path: value}}`` under ``name``; each is checked as one of the session's first."""
    tree = checking_tree(session_asked(query.session_id))
    is_new = sets.save(name, commands.check_values(body.values, tree))
    return json_response({"name": name, "count": len(body.values)}, 201 if is_new else 200)


@operation("DELETE", "/sets/<name>", Deleted, tag="sets")
def delete_set(name: str) -> Response:
    """Forget a set."""
    sets.delete(name)
    return json_response({"deleted": name})

"""The OpenAPI 3.1 document, from the routes as Flask knows them and the models that check them."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

from flask import Flask

from dashboard.api import figure_head, parameter_schemas
from dashboard.api.about import ABOUT
from dashboard.api.commands import ACKS, REVISION
from dashboard.api.operations import TAGS, describe_all, media, spec
from dashboard.api.panels import file_names
from t4dm.live import paths

KEY = "ApiKey"
WORDS = (
    "A live debugger for spiking networks. Every answer is from the running session's own probes, "
    "and says of which step and parameter revision it is."
)
REFUSED = {
    "description": "A refusal: code, message, field, lo, hi, unit, choices.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}
ONCE = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": "^[ -~]{0,64}$"},
    "description": "A request with the same key is applied once and answered as the first time, also "
    "after the worker was killed, as long as it is among the newest 256 keys of the session; the key "
    "of another request (another body, another If-Match) is refused with 422 `key_reused`.",
}  # fmt: skip
ONE_SESSION = ONCE | {
    "description": "A request with the same key makes one session, also where a process was killed "
    "before it answered, as long as that session is there; with another body the key is refused with "
    "422 `key_reused`.",
}  # fmt: skip
WHO = {
    "name": "X-T4DM-Who", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": "^[ -~]{0,64}$", "default": "script"},
    "description": "Who asks, for the event log.",
}  # fmt: skip
IF_MATCH = {
    "name": "If-Match", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": rf"^({REVISION}|\*)$"},
    "description": "The revision that the change is meant for, as in the ETag of GET; 412 at another "
    "one, 400 for what is none (empty, or weak as W/).",
}  # fmt: skip
ACK = {
    "name": "X-T4DM-Ack", "in": "header", "required": False,
    "schema": {"type": "string", "enum": list(ACKS)},
    "description": "Of a run session: wait for the step's end, or never wait.",
}  # fmt: skip
IMAGE = "image/png"
FIGURE = {
    "type": "object", "required": ["data", "layout"],
    "properties": {
        "data": {"type": "array"},
        "layout": {
            "type": "object", "required": ["meta"],
            "properties": {
                "meta": {
                    "type": "object", "required": ["step", "t_ms", "params_rev", "units", "window"],
                    "description": "Where in the run it is from, as of every answer; the blocks "
                    "shown, and how much of all.",
                }
            },
        },
    },
    "description": "A Plotly figure.",
}  # fmt: skip
OF_PICTURES = {
    name: {"description": f"Of an image: its `{key}`.", "schema": {"type": "string"}}
    for name, key in (
        figure_head.IN_HEADERS
        | {figure_head.NEURONS: "neurons", figure_head.BLOCKS: "blocks", figure_head.SHOWN: "shown"}
    ).items()
}
IN_PATH: dict[str, dict[str, Any]] = {
    "name": {"pattern": f"^{paths.NAME.pattern}$"},
    "file_name": {"enum": file_names()},
}
HEADERS: dict[str, list[dict[str, Any]]] = {
    "create_session": [ONE_SESSION],
    "post_commands": [ONCE, WHO, ACK],
    "spiking_inject_neuromod": [ONCE, WHO],
    "patch_params": [IF_MATCH, ONCE, WHO],
}


def document(app: Flask) -> dict[str, Any]:
    """The document of ``app`` as plain JSON data, made once."""
    return _document(app)


@lru_cache(maxsize=4)
def _document(app: Flask) -> dict[str, Any]:
    describe_all()
    with app.app_context():
        made = copy.deepcopy(spec.spec)
    made["info"] = {"title": "t4dm", "version": ABOUT["version"], "description": WORDS}
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    parameter_schemas.complete(made["components"]["schemas"])
    made["components"]["securitySchemes"] = {
        KEY: {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    }
    made["security"] = [{KEY: []}, {}]
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation)
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _complete(operation: dict[str, Any]) -> None:
    """Refusals, other media types and headers, which the models do not say."""
    name = operation["operationId"]
    operation["responses"]["default"] = REFUSED
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["schema"] |= IN_PATH[parameter["name"]]
    operation["parameters"] += HEADERS.get(name, [])
    good = operation["responses"].get("200") or operation["responses"]["201"]
    table = good.get("content", {}).get("application/json")
    if IMAGE in media[name] and table:  # with format=figure the same route answers a Plotly figure
        table["schema"] = {"anyOf": [table["schema"], FIGURE]}
    if IMAGE in media[name]:
        good["headers"] = OF_PICTURES
    for kind in media[name]:
        schema = {} if kind == "application/json" else {"type": "string", "format": "binary"}
        good.setdefault("content", {})[kind] = {"schema": schema}
    if not operation["parameters"]:
        del operation["parameters"]

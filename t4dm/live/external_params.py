"""Declared parameters of an external session: one group of fields made from what a script declares.

The script declares them with :func:`t4dm.params.param`; the web process makes the same group again
from the specs in the manifest, so that both refuse the same values with the same sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import create_model
from pydantic.fields import FieldInfo

from t4dm.live.tree import ParamTree
from t4dm.params import Params, param

GROUP = "script"
TITLE = "Declared by the script"
MAX_PARAMS = 64
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
_KINDS: dict[str, type] = {"float": float, "int": int, "bool": bool, "text": str}


class DeclaredParams(Params):
    """What the parameters of a script share."""

    group: ClassVar[str] = GROUP
    title: ClassVar[str] = TITLE


def declared(fields: Mapping[str, FieldInfo]) -> type[Params]:
    """The group ``script`` with these fields, each from :func:`t4dm.params.param`.

    Raises ValueError for a name that is no (dotted) name, for a default that is no number, truth
    value or text, or that its own bounds refuse, and for more than 64 fields.
    """
    if len(fields) > MAX_PARAMS:
        raise ValueError(f"params: at most {MAX_PARAMS} parameters, got {len(fields)}")
    made: dict[str, Any] = {}
    for index, (name, field) in enumerate(fields.items()):
        if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > 100:
            raise ValueError(
                f"params: {str(name)[:40]!r} is no name; give 'v_thresh' or 'lif1.beta'"
            )
        kind = type(field.default)
        if kind not in _KINDS.values():
            raise ValueError(
                f"params: {name} needs a default that is a number, a truth value or text, "
                f"got {kind.__name__}"
            )
        made[f"p{index}"] = (kind, _renamed(field, name))
    group = create_model("ScriptParams", __base__=DeclaredParams, **made)
    for spec in group.specs():
        group.check(spec.name, spec.default)
    return group


def _renamed(field: FieldInfo, name: str) -> Any:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {
        side: getattr(item, side)
        for item in field.metadata
        for side in ("ge", "le")
        if hasattr(item, side)
    }
    return param(
        field.default, bounds.get("ge"), bounds.get("le"), unit=str(extra.get("unit") or "1"),
        help=field.description or "", label=_text(extra.get("label")), alias=name,
        step=_number(extra.get("step")), log=bool(extra.get("log")),
    )  # fmt: skip


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) else None


def tree_of(manifest: Mapping[str, Any]) -> ParamTree:
    """A tree that checks as the script of an external session does; its values mean nothing."""
    return _tree(json.dumps(manifest["specs"]))


@lru_cache(maxsize=16)
def _tree(specs: str) -> ParamTree:
    return ParamTree(0, (declared({s["name"]: field_of(s) for s in json.loads(specs)}),))


def field_of(spec: Mapping[str, Any]) -> Any:
    """The field that a spec of the manifest came from."""
    kind: Literal["float", "int", "bool", "text"] = spec["kind"]
    return param(
        _KINDS[kind](spec["default"]), spec["lo"], spec["hi"], unit=spec["unit"], help=spec["help"],
        label=spec["label"], step=spec["step"], log=spec["log"],
    )  # fmt: skip

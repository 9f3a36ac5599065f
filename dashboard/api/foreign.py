"""What a session of another kind takes, and this one does not: known names, in the wrong place (409).

What is not even of the form that the other kind takes is refused as such (422) first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dashboard.api.errors import ApiError
from t4dm.commands import COMMAND_TYPES, RUN_COMMAND_TYPES, parse_command
from t4dm.live import external_params, kinds
from t4dm.live.registry import MOST_BLOCKS
from t4dm.live.tree import SPIKING_GROUPS, ParamTree
from t4dm.params import ParamError, Params, did_you_mean

OTHER_KIND = {409: "What this session's kind does not have, though another kind has it."}
EVERY_TYPE = COMMAND_TYPES | RUN_COMMAND_TYPES
NO_VALUE: Any = object()


def groups_of_kinds() -> dict[str, tuple[type[Params], ...]]:
    """The groups of parameters that each kind of session has."""
    return {kinds.SPIKING: SPIKING_GROUPS} | {k.name: k.groups for k in kinds.kinds().values()}


def check_command(item: Any, types: Mapping[str, Any], kind: str) -> None:
    """Raises :class:`ApiError` 409 for a command that ``types`` lacks and other sessions take."""
    word = item.get("type") if isinstance(item, dict) else None
    if not isinstance(word, str) or word in types or word not in EVERY_TYPE:
        return
    parse_command(item, EVERY_TYPE)
    message = f"{word}: a session of kind {kind} does not take it; it takes {', '.join(types)}"
    raise ApiError(409, "other_kind", message, field="type", choices=list(types))


def check_path(path: str, tree: ParamTree, value: Any = NO_VALUE) -> None:
    """Raises :class:`ApiError` 409 for a parameter that ``tree`` lacks and other sessions have."""
    if _group(path) in tree.groups:
        return
    if path.startswith(f"{external_params.GROUP}."):
        _check_script(path, value)
        _refuse(path, "a parameter of a watched script", tree)
    for kind, other in _trees().items():
        if _group(path) not in other.groups:
            continue
        if value is NO_VALUE:
            other.spec(path)
        else:
            other.check(path, value)
        _refuse(path, f"a parameter of sessions of kind {kind}", tree)


def _group(path: str) -> str:
    """``lif`` of ``lif.v_thresh`` and of ``blocks.2.lif_in.v_thresh``."""
    parts = path.split(".")
    if parts[0] != "blocks" or len(parts) != 4:
        return parts[0]
    return parts[2].removesuffix("_in").removesuffix("_out")


@cache
def _trees() -> dict[str, ParamTree]:
    """One tree a kind, to check with."""
    blocks = {kinds.SPIKING: MOST_BLOCKS}
    return {kind: ParamTree(blocks.get(kind, 0), of) for kind, of in groups_of_kinds().items()}


def _check_script(path: str, value: Any) -> None:
    name = path.partition(".")[2]
    if not external_params.NAME.fullmatch(name):
        raise ParamError(path[:80], f"{path[:80]}: no name of a parameter of a script")
    if value is not NO_VALUE and not isinstance(value, (bool, int, float, str)):
        raise ParamError(path[:80], f"{path[:80]}: expected a number, a truth value or text")


def _refuse(path: str, what: str, tree: ParamTree) -> None:
    hint = did_you_mean(path[:80], [spec.path for spec in tree.specs()])
    message = f"{path[:80]}: {what}, which this session does not have{hint}"
    raise ApiError(409, "other_kind", message, field=path[:80])

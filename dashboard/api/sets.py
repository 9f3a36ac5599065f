"""Named parameter sets: one JSON file each, checked on the way in and on the way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboard.api.errors import ApiError
from t4dm.live import paths
from t4dm.params import ParamError
from t4dm.store.sealed import NewerFormat, SealError
from t4dm.store.sealed_json import read_json, write_json

FORMAT = 2
MAX_SETS = 1000


def folder() -> Path:
    """Where the sets lie, 0700."""
    path = paths.data_dir() / "sets"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def names() -> list[str]:
    """Every set's name, sorted."""
    return sorted(p.stem for p in folder().glob("*.json") if paths.NAME.fullmatch(p.stem))


def load(name: str) -> dict[str, Any]:
    """``{"name", "values"}``; raises :class:`ApiError` 404, or 422 for a damaged or newer file."""
    try:
        values = read_json(_path(name), FORMAT)
    except FileNotFoundError:
        raise _missing(name) from None
    except SealError:
        values = _of_first_version(_path(name))
    except NewerFormat as newer:
        raise ApiError(422, "newer", str(newer), field="name") from None
    if not isinstance(values, dict):
        raise ApiError(422, "damaged", f"the set '{name}' is damaged", field="name")
    return {"name": name, "values": values}


def _of_first_version(path: Path) -> Any:
    """The values of a file without a SHA-256, as the first version wrote them; None for no such file."""
    try:
        kept = json.loads(path.read_bytes())
        return (
            kept["values"] if kept.keys() == {"format", "values"} and kept["format"] == 1 else None
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def save(name: str, values: dict[str, Any]) -> bool:
    """Keep ``values`` (already checked) durably; True where the set is new.

    Raises :class:`ApiError` 422 where a newer version wrote the set there is, OSError.
    """
    path = _path(name)
    is_new = not path.exists()
    if is_new and len(names()) >= MAX_SETS:
        raise ApiError(422, "too_many_sets", f"there are {MAX_SETS} sets; delete one", hi=MAX_SETS)
    try:
        if not is_new:
            read_json(path, FORMAT)
    except NewerFormat as newer:
        raise ApiError(422, "newer", str(newer), field="name") from None
    except SealError:
        pass  # damaged or of the first version: replaced
    write_json(path, values, FORMAT)
    return is_new


def delete(name: str) -> None:
    """Forget a set; raises :class:`ApiError` 404."""
    try:
        _path(name).unlink()
    except FileNotFoundError:
        raise _missing(name) from None


def _path(name: str) -> Path:
    try:
        return folder() / f"{paths.checked_name(name)}.json"
    except ValueError as error:
        raise ParamError("name", str(error)) from None


def _missing(name: str) -> ApiError:
    known = names()[:50]
    return ApiError(404, "no_set", f"there is no set '{name}'", field="name", choices=known)

"""JSON as RFC 8259 has it: no NaN, no Infinity, no duplicate names, no bottomless nesting."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from dashboard.api.errors import ApiError

MAX_DEPTH = 32
MAX_DIGITS = 400
EXACT = 2**53  # up to which every integer is a float
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]')


class _Pairs(list):
    """The members of an object before duplicates are looked for."""


def loads(data: bytes, *, keep_non_finite: bool = False) -> Any:
    """Plain JSON data of ``data``; raises :class:`ApiError` 400 naming the field at fault.

    ``keep_non_finite`` lets NaN, Infinity and 1e999 through as floats, for bodies whose every
    number is checked against a range right after, so that the refusal can name that range.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError(400, "bad_json", "the body is not UTF-8 text", field="body") from None
    if not text.strip():
        raise ApiError(400, "bad_json", "the body is empty; JSON was expected", field="body")
    _check_depth(text)
    try:
        raw = json.loads(text, parse_int=_integer, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ApiError(400, "bad_json", f"the body is not JSON{where}", field="body") from None
    return _plain(raw, "body", keep_non_finite)


def _integer(text: str) -> int | float:
    if len(text) <= MAX_DIGITS:
        return int(text)
    return -math.inf if text.startswith("-") else math.inf


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            message = f"JSON nested deeper than {MAX_DEPTH}"
            raise ApiError(400, "bad_json", message, field="body")


def _plain(value: Any, path: str, keep: bool) -> Any:
    if isinstance(value, _Pairs):
        return _object(value, path, keep)
    if isinstance(value, list):
        return [_plain(item, f"{_below(path)}[{i}]", keep) for i, item in enumerate(value)]
    if isinstance(value, float):
        return _number(value, path, keep)
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        raise ApiError(400, "bad_json", f"{path} holds half a surrogate pair", field=path)
    return value


def _number(value: float, path: str, keep: bool) -> int | float:
    """``value``; a whole one is an integer, however it was written (5.0, 5e0), as JSON Schema has it."""
    if not math.isfinite(value) and not keep:
        raise ApiError(400, "bad_json", f"{path} must be a finite number", field=path)
    is_whole = value.is_integer() and abs(value) <= EXACT
    return int(value) if is_whole else value


def _object(pairs: _Pairs, path: str, keep: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, item in pairs:
        field = f"{_below(path)}.{name}".lstrip(".")
        if name in out:
            raise ApiError(400, "bad_json", f"{field[:80]} is given twice", field=field[:80])
        out[name] = _plain(item, field[:80], keep)
    return out


def _below(path: str) -> str:
    return "" if path == "body" else path

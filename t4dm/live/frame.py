"""The wire codec: named little-endian arrays behind one JSON header.  Knows bytes, not neurons.

Layout: ``b"T4F1"``, u32 length of the JSON header, the JSON ``{"meta": {...}, "arrays":
[[name, dtype, shape, offset], ...]}`` padded with spaces so that the data starts at a multiple of
8, then the arrays, each at a multiple of 8.  ``offset`` counts from the start of the data, that is
from byte ``8 + length``.  dtypes: ``u1 u2 u4 i4 f4 f8``.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson

MAGIC = b"T4F1"
DTYPES = {
    name: np.dtype("<" + name) if name != "u1" else np.dtype("u1")
    for name in ("u1", "u2", "u4", "i4", "f4", "f8")
}
_HEAD = struct.Struct("<4sI")
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS


class FrameError(ValueError):
    """Bytes that are no frame, or an array whose dtype the wire does not know."""


def encode(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """One frame of ``meta`` (plain JSON data; a non-finite float becomes null) and ``arrays``.

    Raises :class:`FrameError` for a dtype outside :data:`DTYPES`.
    """
    table: list[list[Any]] = []
    chunks: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        code = f"{array.dtype.kind}{array.dtype.itemsize}"
        if code not in DTYPES:
            raise FrameError(
                f"array {name!r} has dtype {array.dtype}; the wire knows {list(DTYPES)}"
            )
        data = array.astype(DTYPES[code], copy=False).tobytes()
        table.append([name, code, list(array.shape), offset])
        pad = -len(data) % 8
        chunks += (data, b"\0" * pad) if pad else (data,)
        offset += len(data) + pad
    text = dump({"meta": dict(meta), "arrays": table})
    text += b" " * (-len(text) % 8)
    return b"".join([_HEAD.pack(MAGIC, len(text)), text, *chunks])


def decode(data: bytes | memoryview) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """``(meta, arrays)`` of a frame; the arrays are read-only views of ``data``.

    Raises :class:`FrameError` where the bytes are no frame or an array lies outside them.
    """
    if len(data) < _HEAD.size:
        raise FrameError(f"{len(data)} bytes are no frame")
    magic, length = _HEAD.unpack_from(data, 0)
    start = _HEAD.size + length
    if magic != MAGIC or start > len(data):
        raise FrameError("not a T4F1 frame, or a truncated one")
    try:
        header = orjson.loads(data[_HEAD.size : start])
        arrays = {
            name: _view(data, DTYPES[code], tuple(shape), start + offset)
            for name, code, shape, offset in header["arrays"]
        }
        return header["meta"], arrays
    except (ValueError, KeyError, TypeError) as error:
        raise FrameError(f"damaged frame: {error}") from None


def _view(data: Any, dtype: np.dtype, shape: tuple[int, ...], offset: int) -> np.ndarray:
    return np.ndarray(shape, dtype, buffer=data, offset=offset)


def dumps(value: Any) -> str:
    """Compact JSON text; NaN and infinities become null, as JSON has no word for them.

    Numpy's numbers and arrays become numbers and lists.
    """
    return dump(value).decode()


def dump(value: Any) -> bytes:
    """:func:`dumps` as UTF-8."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # a number beyond 64 bits, half a character, a key that is no text
        text = json.dumps(finite(value), separators=(",", ":"), allow_nan=False)
        return text.encode()


def newest(events: Iterable[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """The newest of ``events``, in order, whose JSON text fits ``room`` bytes."""
    kept: list[dict[str, Any]] = []
    for event in reversed(list(events)):
        room -= len(dump(event)) + 1
        if room < 0:
            break
        kept.append(event)
    return kept[::-1]


def finite(value: Any) -> Any:
    """``value`` with every non-finite float replaced by None, in lists and dicts too."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value

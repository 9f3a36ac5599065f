"""Tensors and JSON in one durable safetensors file, sealed by a SHA-256 over every byte of it.

Any program that reads safetensors finds the tensors by name.  The header's ``__metadata__`` holds
``kind``, ``version``, ``meta`` (JSON) and ``sha256``: the digest of the whole file with its own 64
digits taken as zeros, since a library reads flipped bits as numbers like any others.
Format: 8 bytes of length (little endian), a JSON header of that length, then the numbers
(https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from t4dm.store.files import write_durable
from t4dm.store.sealed import SealError

VERSION = "1"
UNSEALED = "0" * 64


def write_tensors(
    path: Path, kind: str, meta: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Write both durably: the file is the old one or the new one, never half.  Raises OSError.

    Tensors of any dtype safetensors knows, on any device; no two may share their memory.
    """
    from safetensors.torch import save

    told = {"kind": kind, "version": VERSION, "meta": json.dumps(meta, allow_nan=False)}
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    data = save(whole, told | {"sha256": UNSEALED})
    seal = hashlib.sha256(data).hexdigest()
    end = _header_end(data)
    head = data[:end].replace(_digits(UNSEALED), _digits(seal), 1)
    write_durable(path, head + data[end:])


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """``(meta, tensors)``, on the CPU; raises SealError if one bit differs, OSError if unreadable."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    data = path.read_bytes()
    end = _header_end(data)
    try:
        told = json.loads(data[8:end])["__metadata__"]
        named, version, text, seal = (told[key] for key in ("kind", "version", "meta", "sha256"))
    except (ValueError, KeyError, TypeError):
        raise SealError(f"{path.name} has no readable header") from None
    digest = hashlib.sha256(data[:end].replace(_digits(str(seal)), _digits(UNSEALED), 1))
    digest.update(memoryview(data)[end:])
    if digest.hexdigest() != seal:
        raise SealError(f"{path.name} is damaged: its SHA-256 does not match")
    if (named, version) != (kind, VERSION):
        raise SealError(f"{path.name} is {named} version {version}, not {kind} {VERSION}")
    try:
        # of their own, aligned as torch aligns: libraries may round otherwise where memory lies otherwise
        return json.loads(text), {name: tensor.clone() for name, tensor in load(data).items()}
    except (ValueError, SafetensorError) as error:
        raise SealError(f"{path.name} is no file of ours: {error}") from None


def _header_end(data: bytes) -> int:
    return 8 + int.from_bytes(data[:8], "little")


def _digits(seal: str) -> bytes:
    return f'"sha256":"{seal}"'.encode()

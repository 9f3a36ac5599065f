"""What a figure holds, as NumPy and as plain text."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

THREE = [[0], [], [5, 14]]  # spikes of three steps: neuron ids


def values(array: Any) -> np.ndarray:
    """A typed array of a figure as NumPy."""
    if not isinstance(array, dict):
        return np.asarray(array)
    flat = np.frombuffer(base64.b64decode(array["bdata"]), np.dtype("<" + array["dtype"]))
    shape = array.get("shape")
    return flat.reshape([int(n) for n in shape.split(",")]) if shape else flat


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"]["annotations"])

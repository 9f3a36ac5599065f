"""What every example ends with: a figure becomes a PNG, with its numbers beside it as JSON."""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe-Ito
SIZE = {"width": 1100, "height": 520, "scale": 1.5}


def folder() -> Path:
    """Where the picture goes: the first argument, by default docs/img."""
    return Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES


def save(figure: go.Figure, name: str, where: Path) -> Path:
    """Write ``name.png`` and ``name.json``, the sums by which a changed picture is noticed."""
    figure.update_layout(template="plotly_white", font={"size": 14}, margin={"t": 70, "b": 60})
    where.mkdir(parents=True, exist_ok=True)
    (where / f"{name}.json").write_text(json.dumps(numbers(figure), indent=1) + "\n")
    path = where / f"{name}.png"
    figure.write_image(path, **SIZE)
    print(f"written: {path}")
    return path


def values(data: object) -> np.ndarray:
    """Numbers of a trace, of which the dashboard's are in base64."""
    if isinstance(data, dict):
        return np.frombuffer(base64.b64decode(data["bdata"]), data["dtype"]).astype(float)
    return np.asarray(data, dtype=float)


def numbers(figure: go.Figure) -> dict[str, list[float]]:
    """``{trace: [points, sum of x, sum of y]}``."""
    found = {}
    for k, trace in enumerate(figure.data):
        x, y = (values(trace[axis]) for axis in ("x", "y"))
        found[f"{k} {trace.name}"] = [
            len(x),
            round(float(np.nansum(x)), 4),
            round(float(np.nansum(y)), 4),
        ]
    return found

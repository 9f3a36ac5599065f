"""The current stimulus: its 64 values as an 8 x 8 image, and its label."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.window import DT_MS, Window

SLUG = "stimulus"
SIDE = 8
GREYS = {
    "light": [[0.0, "#FFFFFF"], [1.0, "#1A1B1E"]],
    "dark": [[0.0, "#141518"], [1.0, "#F2F3F5"]],
}


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """The image of the newest stimulus event; without one, the mean input over the window."""
    hidden = {"visible": False, "fixedrange": True, "showgrid": False}
    event = None if window is None else latest(window)
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Stimulus", describe(event), window),
            SLUG,
            xaxis=hidden | {"range": [-0.5, SIDE - 0.5], "constrain": "domain"},
            yaxis=hidden | {
                "range": [SIDE - 0.5, -0.5], "scaleanchor": "x", "constrain": "domain",
            },
        ),
    }  # fmt: skip
    if window is None:
        out["layout"]["annotations"].append(style.empty_note(theme, "waiting for the first frame"))
        return out
    image, caption = _image(window, event)
    out["data"] = [
        {
            "type": "heatmap", "z": style.typed(image.reshape(SIDE, SIDE)), "zmin": 0, "zmax": 1,
            "colorscale": GREYS[theme], "showscale": True, "xgap": 1, "ygap": 1,
            "colorbar": style.colour_bar(theme, "intensity (1)", tickvals=[0, 0.5, 1]),
            "hovertemplate": "pixel %{x}, %{y}: %{z:.2f}<extra></extra>",
        }
    ]  # fmt: skip
    out["layout"]["annotations"].append(
        style.note(theme, caption, 0.5, 0, xanchor="center", yanchor="top", yshift=-4)
    )
    return out


def latest(window: Window) -> dict[str, Any] | None:
    """The newest ``stimulus`` or ``rest`` event of the window."""
    kinds = ("stimulus", "rest")
    return next((e for e in reversed(window.events) if e.get("type") in kinds), None)


def describe(event: dict[str, Any] | None) -> str:
    """``digits "7" #1203``, ``rest`` or empty."""
    if event is None:
        return ""
    if event["type"] == "rest":
        return "rest"
    label = style.safe_text(str(event.get("label", "")), 24)
    index = f" #{event['index']}" if event.get("index") is not None else ""
    return f'{style.safe_text(str(event.get("kind", "")), 24)} "{label}"{index}'


def _image(window: Window, event: dict[str, Any] | None) -> tuple[np.ndarray, str]:
    image = None if event is None else event.get("image")
    if event is not None and image is not None and len(image) == SIDE * SIDE:
        values = np.asarray(image, dtype=np.float32)
        return values, f"{describe(event)}, shown from {event['step'] * DT_MS:g} ms"
    span = f"{window.n_steps * DT_MS:g} ms"
    return window.stim.mean(axis=0, dtype=np.float32) / 255, f"mean input over {span}"

"""Held-out accuracy over the whole run, chance drawn; below, the reward the answers earn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.window import Window

SLUG = "accuracy"
CHANCE = 0.1
UPPER, LOWER = [0.44, 1.0], [0.0, 0.34]  # shares of the height, as on the canvas
LINE, REWARD = "#0072B2", "#E69F00"
EMPTY = "no held-out digit was scored yet; every fifth one is held out"


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Above: share of the last 100 held-out digits; below: expected reward, and each delta in view."""
    course = np.empty((0, 3)) if window is None else points(window)
    top = nice_end(float(course[-1, 0]) if len(course) else 0.0)
    times = {"range": [0, top], "autorange": False}
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme, timeline.title("Held-out accuracy", told(window), window), SLUG,
            xaxis=style.axis(theme, "Simulated time (s)", anchor="y2", **times),
            yaxis=style.axis(
                theme, "Right (%)", range=[0, 100], autorange=False, domain=UPPER,
                tickvals=[0, 25, 50, 75, 100],
            ),
            yaxis2=style.axis(
                theme, "Reward (1)", range=[-2, 2], autorange=False, domain=LOWER,
                tickvals=[-2, 0, 2], anchor="x",
            ),
        ),
    }  # fmt: skip
    notes = out["layout"]["annotations"]
    if window is None or not len(course):
        text = "waiting for the first frame" if window is None else EMPTY
        notes.append(style.note(theme, text, 0.5, 0.72, xanchor="center"))
        out["data"] = [_line(np.empty(0), np.empty(0), axis, "", LINE) for axis in ("y", "y2")]
    else:
        out["data"] = _traces(course, window)
        words = "line: reward expected, diamonds: delta = r - expected"
        notes.append(style.note(theme, words, 1, LOWER[1], name=style.ASIDE))
    out["layout"]["shapes"].append({
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 100 * CHANCE, "y1": 100 * CHANCE,
        "line": {"width": 1.5, "color": style.alert(theme), "dash": "5px,3px"},
    })  # fmt: skip
    chance = style.note(theme, "chance 10 %", 1, 100 * CHANCE, yref="y", name="chance")
    notes.append(chance | {"font": {"size": style.FONT_SIZE, "color": style.alert(theme)}})
    return out


def points(window: Window) -> np.ndarray:
    """(points, 3): time in s, held-out accuracy, expected reward."""
    course = window.course.reshape(-1, 3).astype(np.float64)
    course = course[~np.isnan(course[:, 0])]
    return course * (window.dt / 1000.0, 1.0, 1.0)


def nice_end(seconds: float) -> float:
    """End of the time axis: 1, 2 or 5 times a power of ten, 10 s at least."""
    for power in range(1, 9):
        for lead in (1, 2, 5):
            if lead * 10.0**power >= seconds:
                return lead * 10.0**power
    return seconds


def interval(accuracy: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of ``n`` answers (Wilson 1927)."""
    z = 1.96
    middle = (accuracy + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(accuracy * (1 - accuracy) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def told(window: Window | None) -> str:
    """``91 % (84 to 95 %) of the last 100``; empty before the first held-out digit."""
    learned = {} if window is None else window.meta.get("learned", {})
    if learned.get("accuracy") is None:
        return ""
    n = min(learned["window"], learned["scored"])
    lo, hi = interval(learned["accuracy"], n)
    share = f"{100 * learned['accuracy']:.0f} % ({100 * lo:.0f} to {100 * hi:.0f} %)"
    return f"{share} of the last {n}, {learned['scored']} scored"


def rewards(window: Window) -> np.ndarray:
    """(answers, 2): time in s and delta of the rewarded answers of the window."""
    found = [
        (e["step"] * window.dt / 1000.0, e["delta"])
        for e in window.events
        if e.get("type") == "answer" and "delta" in e
    ]
    return np.array(found, np.float64).reshape(-1, 2)


def _traces(course: np.ndarray, window: Window) -> list[dict[str, Any]]:
    deltas = rewards(window)
    marks = _line(deltas[:, 0], deltas[:, 1], "y2", "delta = r - expected", REWARD)
    return [
        _line(course[:, 0], 100 * course[:, 1], "y", "held-out accuracy", LINE),
        _line(course[:, 0], course[:, 2], "y2", "expected reward", LINE),
        marks | {"mode": "markers", "marker": {"size": 5, "color": REWARD, "symbol": "diamond"}},
    ]


def _line(x: np.ndarray, y: np.ndarray, axis: str, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": style.typed(x),
        "y": style.typed(y), "yaxis": axis, "line": {"width": 1.5, "color": colour},
        "hovertemplate": f"{name} %{{y:.2f}} at %{{x:.1f}} s<extra></extra>",
    }  # fmt: skip

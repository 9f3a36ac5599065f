"""The stimulus: the image shown last, 8 x 8, beside the mean input of every step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.live.window import Window

SLUG = "stimulus"
HEADROOM, AROUND = 1.02, 1.04  # of an axis that begins at 0, and of one around it, beyond its ends
UNIT, HALVES = [0.0, HEADROOM], [0.0, 0.5, 1.0]
VANISHING, ROUNDING = 1e-3, 1e-6  # of the inputs; of float32 values that stand for round ones
CLIPPED = "clipped to 0 to 1"
SIDE = 8
CELL_PX = 14
RECENT_STEPS = 50  # that the image is the mean of where no event brought one
GAP_PX = 16  # between the image and the plot
LABEL_SHARE, END_SHARE = 0.025, 0.07  # of the span: from one label to the next, to the end
IMAGE = style.ASIDE  # name of the shapes and the caption that make up the image


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """Left of the axes the image of the newest stimulus event, or the mean input without one.

    On the axes the mean of the 64 inputs at each step; rests are shaded, onsets labelled.  The axis
    follows the inputs; the image is clipped to 0 to 1 and says so where they leave that.
    """
    lo, hi = timeline.span_ms(window, 300)
    limits, ticks = (UNIT, HALVES) if window is None else mean_axis(window)
    event = None if window is None else latest(window)
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Stimulus", describe(event), window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi),
            yaxis=style.axis(
                theme, "Mean (1)", range=limits, autorange=False, tickvals=ticks, side="right",
            ),
        ),
    }  # fmt: skip
    if window is None:
        out["layout"]["annotations"].append(style.empty_note(theme, "waiting for the first frame"))
        return out
    out["data"] = [_trace(window, theme)]
    _add_image(out, window, event, theme)
    _add_onsets(out, window, theme)
    return timeline.add_events(out, window, theme, first_lane=1)


def mean_axis(window: Window) -> tuple[list[float], list[float]]:
    """Ends and ticks of the axis of the means: 0 to 1, or to 1, 2 or 5 times a power of ten.

    From below 0 as far as above it where an input is negative, so that 0 stands in the middle; of
    means that vanish beside the inputs, as those of a sine, as far as the inputs.
    """
    smallest, largest = window.stim_reach
    if smallest >= 0 and largest <= 1:
        return UNIT, HALVES
    mean = float(np.abs(window.stim_mean).max())
    if smallest >= 0:
        top = _nice(mean) if mean > 1 else 1.0
        return [0.0, HEADROOM * top], [0.0, top / 2, top]
    widest = max(-smallest, largest)
    top = _nice(mean if mean > VANISHING * widest else widest)
    return [-AROUND * top, AROUND * top], [-top, 0.0, top]


def _nice(value: float) -> float:
    """1, 2 or 5 times a power of ten, the next from ``value`` on."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((m * power for m in (1, 2, 5) if m * power >= value * (1 - ROUNDING)), 10 * power)


def latest(window: Window) -> dict[str, Any] | None:
    """The newest ``stimulus`` or ``rest`` event of the window or of its lead."""
    return next(iter(reversed(_onsets(window))), None)


def describe(event: dict[str, Any] | None) -> str:
    """``digits "7" #1203``, ``constant``, ``rest`` or empty."""
    if event is None:
        return ""
    if event["type"] == "rest":
        return "rest"
    index = f" #{event['index']}" if event.get("index") is not None else ""
    return f"{_titled(event, 24)}{index}"


def _titled(event: dict[str, Any], longest: int) -> str:
    """``digits "7"``; an input that has but one thing to show is named once."""
    kind, label = (style.safe_text(str(event.get(k, "")), longest) for k in ("kind", "label"))
    return kind if label == kind else f'{kind} "{label}"'


def _onsets(window: Window) -> list[dict[str, Any]]:
    return [event for event in window.events if event.get("type") in ("stimulus", "rest")]


def _trace(window: Window, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "mean input",
        "x": style.typed(window.t_ms), "y": style.typed(window.stim_mean),
        "line": {"width": 1, "color": style.ink(theme), "shape": "hv"},
        "hovertemplate": "%{x} ms: mean input %{y:.3f}<extra></extra>",
    }  # fmt: skip


def _image(window: Window, event: dict[str, Any] | None) -> tuple[np.ndarray, str]:
    """64 values 0 to 1 and what they are."""
    if event is not None and event["type"] == "rest":
        return np.zeros(SIDE * SIDE, np.float32), "rest"
    image = None if event is None else event.get("image")
    if event is not None and image is not None and len(image) == SIDE * SIDE:
        return np.asarray(image, dtype=np.float32), _titled(event, 12)
    recent = window.stim[-RECENT_STEPS:]
    mean = recent.mean(axis=0, dtype=np.float32) / 255
    return mean, f"mean of {len(recent) * window.dt:g} ms"


def _add_image(
    out: style.Figure, window: Window, event: dict[str, Any] | None, theme: style.Theme
) -> None:
    """The image in the left margin, cells of fixed size in pixels, and its caption below."""
    values, caption = _image(window, event)
    if window.stim_clipped:
        caption = f"{caption}<br>{CLIPPED}"
    side = SIDE * CELL_PX
    left = -side - GAP_PX
    place: dict[str, Any] = {
        "xref": "paper",
        "yref": "paper",
        "xsizemode": "pixel",
        "ysizemode": "pixel",
    }
    place |= {"xanchor": 0, "yanchor": 1, "type": "rect", "name": IMAGE}
    frame = {"width": 1, "color": style.muted(theme)}
    for index, value in enumerate(values.tolist()):
        row, column = divmod(index, SIDE)
        x, y = left + column * CELL_PX, -row * CELL_PX
        out["layout"]["shapes"].append(
            place | {"x0": x, "x1": x + CELL_PX, "y0": y - CELL_PX, "y1": y}
            | {"fillcolor": grey(value, theme), "line": {"width": 0}}
        )  # fmt: skip
    out["layout"]["shapes"].append(
        place | {"x0": left, "x1": left + side, "y0": -side, "y1": 0, "line": frame}
    )
    out["layout"]["annotations"].append(
        style.note(
            theme, caption, 0, 1, name=IMAGE, xanchor="center", yanchor="top",
            xshift=left + side / 2, yshift=-side,
        )
    )  # fmt: skip


def grey(value: float, theme: style.Theme) -> str:
    """The grey of an input 0 to 1: bright on a dark ground, dark on a light one."""
    share = min(max(value, 0.0), 1.0)
    level = round(20 + share * 222 if theme == "dark" else 255 - share * 229)
    return f"#{level:02x}{level:02x}{level:02x}"


def _add_onsets(out: style.Figure, window: Window, theme: style.Theme) -> None:
    """A labelled line where each stimulus begins; rests are shaded."""
    onsets = _onsets(window)
    ends = [*(event["step"] for event in onsets), window.step1][1:]
    free = window.step0
    for event, end in zip(onsets, ends, strict=True):
        if end <= window.step0:
            continue
        first = max(event["step"], window.step0)
        at = first * window.dt
        upright = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "x0": at}
        if event["type"] == "rest":
            shading = {"fillcolor": style.ink(theme), "opacity": 0.13, "line": {"width": 0}}
            out["layout"]["shapes"].append(upright | {"x1": end * window.dt} | shading)
            continue
        line = {"width": 1, "color": style.muted(theme)}
        if first == event["step"]:
            out["layout"]["shapes"].append(upright | {"type": "line", "x1": at, "line": line})
        if first < free or first > window.step1 - END_SHARE * window.n_steps:
            continue
        free = first + LABEL_SHARE * window.n_steps
        label = style.safe_text(str(event.get("label", "")), 12)
        out["layout"]["annotations"].append(
            style.note(
                theme, f"“{label}”", at, 1, xref="x", xanchor="left", yanchor="middle", xshift=2, name="onset",
                yshift=-9, bgcolor=style.behind(theme), borderpad=0,
                font={"size": style.FONT_SIZE, "color": style.ink(theme)},
            )
        )  # fmt: skip

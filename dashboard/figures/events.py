"""What happened while a time plot ran: words, vertical lines, and labels that never overlap."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from dashboard.figures import style
from t4dm.live.window import Window
from t4dm.spiking.params import NEUROMODULATORS

MAX_LINES = 200
NAME = "event"  # name of the labels; that of a parameter change is followed by its path
LANES, LANE_PX, LANE_TOP_PX = 3, 15, 9
NEAR_SHARE = 0.05  # of the span: changes of one path that are nearer share the first one's label
LONGEST = 40
CHARACTERS_ACROSS = 150  # of a plot as wide as a page: what a label's length is estimated by
_LEVEL = re.compile(rf"^neuromod\.(?={'|'.join(NEUROMODULATORS)})")
_BLOCK = re.compile(r"^blocks\.(\d+)\.")


def text_of(event: dict[str, Any]) -> str:
    """The words for an event on a time axis; empty for those that get no line."""
    kind = event.get("type")
    words = {
        "param": lambda: f"{_path(event)} {_value(event.get('old'))} → {_value(event.get('new'))}",
        "inject": lambda: f"{_modulator(event)} {_signed(event.get('level'))}",
        "reward": lambda: f"reward {_signed(event.get('r'))}",
        "break": lambda: f"break: {event.get('reason', event.get('id'))}",
        "reset": lambda: f"reset, seed {event.get('seed')}",
        "note": lambda: str(event.get("text", "")),
        "finding": lambda: f"{_found(event)}: {_finding(event)}",
        "nan": lambda: f"NaN in {event.get('tensor', 'the model')}",
    }
    return words[kind]() if kind in words else ""


def add(
    figure: style.Figure,
    window: Window,
    theme: style.Theme,
    first_lane: int = 0,
    end_lane: int = LANES,
) -> None:
    """A line at each event of the window, at most 200, and labels where there is room for them.

    Lanes before ``first_lane`` are left free, and those from ``end_lane`` on.
    """
    inside = [e for e in window.events if window.step0 <= e["step"] < window.step1]
    told = [(event, text) for event in inside if (text := text_of(event))][-MAX_LINES:]
    figure["layout"]["shapes"] += [_line(event, window.dt, theme) for event, _ in told]
    lanes = lay_out(told, window, first_lane, end_lane)
    for (event, text), lane in zip(told, lanes, strict=True):
        figure["layout"]["annotations"].append(_label(event, text, lane, window, theme))


def lay_out(
    labelled: list[tuple[dict[str, Any], str]],
    window: Window,
    first_lane: int = 0,
    end_lane: int = LANES,
) -> list[int | None]:
    """The lane of each label, None where it would lie over another or repeat a drag's first one."""
    free = [-np.inf] * LANES
    out: list[int | None] = []
    last_path, last_at = None, -np.inf
    for event, text in labelled:
        at = (event["step"] - window.step0) / window.n_steps
        path = event.get("path")
        crowded = path is not None and path == last_path and at - last_at < NEAR_SHARE
        last_path, last_at = path, at
        width = (min(len(text), LONGEST) + 2) / CHARACTERS_ACROSS
        left = max(0.0, min(at, 1 - width))
        lanes = [lane for lane in range(first_lane, end_lane) if free[lane] < left]
        if crowded or not lanes:
            out.append(None)
            continue
        free[lanes[0]] = left + width
        out.append(lanes[0])
    return out


def _line(event: dict[str, Any], dt: float, theme: style.Theme) -> dict[str, Any]:
    kind, x = event["type"], event["step"] * dt
    stops = kind in ("break", "nan")
    alarming = stops or (kind == "finding" and _found(event) == "found")
    colour = style.alert(theme) if alarming else style.ink(theme)
    if kind == "inject" and event.get("nt") in NEUROMODULATORS:
        colour = style.OKABE_ITO[NEUROMODULATORS.index(event["nt"])]
    dash = {"param": "solid", "note": "2px,3px", "finding": "2px,3px"}.get(kind, "5px,3px")
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
        "line": {"color": colour, "width": 2 if stops else 1, "dash": dash}, "layer": "above",
    }  # fmt: skip


def _label(
    event: dict[str, Any], text: str, lane: int | None, window: Window, theme: style.Theme
) -> dict[str, Any]:
    """The label at its line; left of it where it would leave the plot.  Its hover text is whole."""
    at = (event["step"] - window.step0) / window.n_steps
    late = at + (min(len(text), LONGEST) + 2) / CHARACTERS_ACROSS > 1
    name = f"{NAME} {event['path']}" if event.get("path") else NAME
    return style.note(
        theme, style.safe_text(text, LONGEST), event["step"] * window.dt, 1.0, xref="x", name=name,
        xanchor="right" if late else "left", yanchor="middle", xshift=-2 if late else 2,
        yshift=-LANE_TOP_PX - LANE_PX * (lane or 0), visible=lane is not None,
        hovertext=style.safe_text(text, 400), bgcolor=style.behind(theme), borderpad=0,
        font={"size": style.FONT_SIZE, "color": style.ink(theme)},
    )  # fmt: skip


def _finding(event: dict[str, Any], field: str = "id") -> str:
    """``stdp_not_engaging`` as ``STDP not engaging``."""
    return re.sub("^stdp", "STDP", str(event.get(field, "")).replace("_", " "))


def _found(event: dict[str, Any]) -> str:
    if event.get("by"):
        return f"explained by {_finding(event, 'by')}"
    return "cleared" if event.get("state") == "cleared" else "found"


def _path(event: dict[str, Any]) -> str:
    path = _BLOCK.sub(r"b\1 ", str(event.get("path", "")))
    return _LEVEL.sub("", path.removeprefix("lif."))


def _modulator(event: dict[str, Any]) -> str:
    nt = str(event.get("nt"))
    return style.NEUROMODULATOR_NAMES[NEUROMODULATORS.index(nt)] if nt in NEUROMODULATORS else nt


def _signed(value: Any) -> str:
    number = float(value or 0)
    return f"{'+' if number >= 0 else '−'}{_value(abs(number))}"


def _value(value: Any) -> str:
    """Four digits, whole numbers whole; ``free`` for none, ``on`` and ``off``."""
    if value is None:
        return "free"
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, float):
        return str(value)
    short = value if value.is_integer() else float(f"{value:.4g}")
    if 1e-6 <= abs(short) < 1e15 or short == 0:
        return np.format_float_positional(short, trim="-")
    return re.sub(r"e([+-])0", r"e\1", f"{short:g}")

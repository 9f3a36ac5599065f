"""What every time plot shares: its span in ms, its title, and what happened while it ran."""

from __future__ import annotations

from typing import Any

from dashboard.figures import style
from t4dm.live.window import DT_MS, Window

MAX_MARKS = 24


def span_ms(window: Window | None, default: float) -> tuple[float, float]:
    """``(from, to)`` of the window in simulated ms; ``(0, default)`` where there is none."""
    if window is None:
        return 0.0, float(default)
    return window.step0 * DT_MS, window.step1 * DT_MS


def title(what: str, which: str, window: Window | None) -> str:
    """``Spike raster · block 2 · 12.0-12.5 s``; nothing before there is a window."""
    if window is None:
        return ""
    lo, hi = span_ms(window, 0)
    parts = [what, which, style.seconds(lo, hi)]
    return " · ".join(part for part in parts if part)


def change_steps(window: Window) -> list[int]:
    """Steps at which a parameter changed, ascending: averages never reach across one."""
    return sorted({int(e["step"]) for e in window.events if e.get("type") in ("param", "reset")})


def event_text(event: dict[str, Any]) -> str:
    """The label of an event on a time axis; empty for those that get no line."""
    kind = event.get("type")
    if kind == "param":
        name = str(event.get("path", "")).replace("blocks.", "block ")
        return style.safe_text(f"{name} {_value(event.get('old'))} → {_value(event.get('new'))}")
    if kind == "break":
        return style.safe_text(f"paused: {event.get('reason', 'breakpoint')}")
    if kind == "nan":
        return style.safe_text(f"NaN in {event.get('tensor', 'the model')}")
    if kind == "note":
        return style.safe_text(str(event.get("text", "")))
    return ""


def add_events(figure: style.Figure, window: Window | None, theme: style.Theme) -> style.Figure:
    """Labelled vertical lines for parameter changes, breakpoints and notes; at most 24, the newest."""
    if window is None:
        return figure
    marked = [(e, text) for e in window.events if (text := event_text(e))][-MAX_MARKS:]
    colour = style.alert(theme)
    for row, (event, text) in enumerate(marked):
        x = event["step"] * DT_MS
        figure["layout"]["shapes"].append(
            {
                "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
                "line": {"color": colour, "width": 1, "dash": "dot"}, "layer": "above",
            }
        )  # fmt: skip
        figure["layout"]["annotations"].append(
            style.note(
                theme, text, x, 1.0 - 0.12 * (row % 4), xref="x", xanchor="left", yanchor="top",
                xshift=3, font={"size": 12, "color": colour},
                bgcolor=style.behind(theme),
            )
        )  # fmt: skip
    return figure


def _value(value: Any) -> str:
    if value is None:
        return "free"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value)

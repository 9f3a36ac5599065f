"""What every time plot shares: its span in ms, its title, and what happened while it ran."""

from __future__ import annotations

from dashboard.figures import events, style
from t4dm.live.window import Window

MS_TITLE = "Time (ms)"
AXIS_TITLES = {"sim_ms": MS_TITLE, "step": "Step", "call": "Forward call"}


def span_ms(window: Window | None, default: float) -> tuple[float, float]:
    """``(from, to)`` of the window in simulated ms; ``(0, default)`` where there is none."""
    if window is None:
        return 0.0, float(default)
    return window.step0 * window.dt, window.step1 * window.dt


def title(what: str, which: str, window: Window | None) -> str:
    """``Spike raster · block 2 · 12.0-12.5 s``; nothing before there is a window."""
    if window is None:
        return ""
    lo, hi = span_ms(window, 0)
    when = style.seconds(lo, hi)
    if window.axis != "sim_ms":
        when = f"{window.axis}s {window.step0:,}-{window.step1:,}"
    parts = [what, which, when]
    return " · ".join(part for part in parts if part)


def rate_text(window: Window, per_step: float) -> str:
    """Spikes per neuron and step as text: ``83 Hz (8.3 %/ms)``, or ``8.3 %/step``."""
    if window.axis != "sim_ms":
        return f"{100 * per_step:.1f} %/{window.axis}"
    return f"{1000 * per_step / window.dt:.0f} Hz ({100 * per_step / window.dt:.1f} %/ms)"


def rate_unit(window: Window | None) -> str:
    """What a rate of 1 spike per 1,000 steps counts: Hz where a step is a ms."""
    if window is None or window.axis == "sim_ms":
        return "Hz per neuron"
    return f"spikes per neuron and 1,000 {window.axis}s"


def change_steps(window: Window) -> list[int]:
    """Steps at which a parameter changed, ascending: averages never reach across one."""
    return sorted({int(e["step"]) for e in window.events if e.get("type") in ("param", "reset")})


def add_events(
    figure: style.Figure,
    window: Window | None,
    theme: style.Theme,
    first_lane: int = 0,
    end_lane: int = events.LANES,
) -> style.Figure:
    """Labelled vertical lines for what happened, see :func:`dashboard.figures.events.add`."""
    if window is None:
        return figure
    _name_axis(figure, window)
    events.add(figure, window, theme, first_lane, end_lane)
    return figure


def _name_axis(figure: style.Figure, window: Window) -> None:
    """Where a step is no simulated ms, the time axes say what it is."""
    for name, axis in figure["layout"].items():
        if name.startswith("xaxis") and axis["title"]["text"] == MS_TITLE:
            axis["title"]["text"] = AXIS_TITLES.get(window.axis, window.axis)

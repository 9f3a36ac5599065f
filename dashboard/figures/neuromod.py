"""Neuromodulators: levels as a heatmap with every bolus marked, as lines, or the gains applied."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dashboard.figures import stdp, style, timeline
from t4dm.live.window import Window
from t4dm.spiking.params import GAINS, NEUROMODULATORS

SLUG = "neuromod"
View = Literal["levels", "gains", "lines"]
DASHES = ("solid", "dash", "dot", "dashdot")
ROWS = (
    "ACh → thalamic gate", "NE → LIF in, LIF out", "DA → LTP (LIF in rec.)", "DA → LTD (LIF in rec.)",
    "5-HT → RWKV decay",
)  # fmt: skip
BY_DOPAMINE = (2, 3)  # rows whose gain acts only while dopamine scales A+ and A-
STRIP = 0.17  # of the height, above the levels for the labels of events
LEVEL_RANGE, GAIN_RANGE = (0.0, 1.0), (0.0, 2.0)


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
    view: View = "levels",
) -> style.Figure:
    """Levels 0 to 1, white at each one's baseline, or gains 0 to 2, white at 1; both ends fixed.

    ``manifest["values"]`` holds the baselines; 0.5 where it is missing.
    """
    lo, hi = timeline.span_ms(window, 300)
    scaled = dopamine_scales(window, manifest)
    names = _row_names(window, view, scaled)
    what = {"levels": "levels", "gains": "gains applied", "lines": "levels"}[view]
    if view == "lines":
        y_axis = style.axis(theme, "Level (1)", range=[0, 1], autorange=False, dtick=0.25)
    else:
        y_axis = style.axis(
            theme, "", range=[len(names) - 0.5, -0.5], autorange=False, showgrid=False, ticks="",
            tickmode="array", tickvals=list(range(len(names))), ticktext=names,
        )  # fmt: skip
    y_axis["domain"] = [0, 1 - STRIP]
    out: style.Figure = {
        "data": [],
        "layout": style.layout(
            theme,
            timeline.title("Neuromodulators", what, window),
            SLUG,
            xaxis=style.time_axis(theme, lo, hi),
            yaxis=y_axis,
        ),
    }
    if window is None:
        out["layout"]["annotations"].append(style.note(theme, "waiting for the first frame"))
    elif view == "lines":
        _add_lines(out, window, theme)
    else:
        is_gain = view == "gains"
        values = applied_gains(window, scaled) if is_gain else window.levels
        neutral = [1.0] * len(GAINS) if is_gain else baselines(manifest)
        if is_gain:
            out["data"] += _idle(window, scaled, theme)
        limits = GAIN_RANGE if is_gain else LEVEL_RANGE
        out["data"].append(_heatmap(window, values, names, limits, neutral, theme))
    if window is not None and view == "levels":
        _add_injections(out, window)
    return timeline.add_events(out, window, theme, end_lane=1)


def _row_names(window: Window | None, view: View, scaled: np.ndarray) -> list[str]:
    """Each row's name with its newest value: ``DA 0.62``; a gain without effect says so."""
    names = list(ROWS) if view == "gains" else list(style.NEUROMODULATOR_NAMES)
    if window is None:
        return names
    newest = (window.gains if view == "gains" else window.levels)[-1].tolist()
    out = [f"{name}  {value:.2f}" for name, value in zip(names, newest, strict=True)]
    if view == "gains" and not scaled[-1]:
        for row in BY_DOPAMINE:
            out[row] = f"{names[row].partition(' (')[0]}: not applied"
    return out


def dopamine_scales(window: Window | None, manifest: dict[str, Any] | None) -> np.ndarray:
    """At which steps dopamine scales A+ and A-, bool (T,), by the parameters in force now."""
    params = stdp.parameters(manifest)
    levels = np.zeros(0) if window is None else window.levels[:, 0]
    on = params["enabled"] and params["learning_rate"] > 0 and params["mode"] == "modulated"
    return (levels >= params["da_gate"]) & bool(on)


def applied_gains(window: Window, scaled: np.ndarray) -> np.ndarray:
    """The gains, float32 (T, 5), NaN where one has no effect."""
    gains = window.gains.astype(np.float32)
    for row in BY_DOPAMINE:
        gains[~scaled, row] = np.nan
    return gains


def baselines(manifest: dict[str, Any] | None) -> list[float]:
    """The level each modulator decays to, in the order DA, ACh, NE, 5-HT."""
    values = (manifest or {}).get("values", {})
    return [float(values.get(f"neuromod.{name}_baseline", 0.5)) for name in NEUROMODULATORS]


def shade(values: np.ndarray, limits: tuple[float, float], neutral: list[float]) -> np.ndarray:
    """Place 0 to 1 on the colour scale, (T, rows): 0.5 (white) at each row's neutral value.

    Neutral values nearer than 5 % to an end stand 5 % away from it, as on the canvas.
    """
    lo, hi = limits
    share = np.clip((values.astype(np.float64) - lo) / (hi - lo), 0.0, 1.0)
    centre = np.clip((np.asarray(neutral) - lo) / (hi - lo), 0.05, 0.95)
    return np.where(share <= centre, 0.5 * share / centre, 1 - 0.5 * (1 - share) / (1 - centre))


def _heatmap(
    window: Window,
    values: np.ndarray,
    names: list[str],
    limits: tuple[float, float],
    neutral: list[float],
    theme: style.Theme,
) -> dict[str, Any]:
    is_gain = limits == GAIN_RANGE
    white = "1" if is_gain else "base" if len(set(neutral)) > 1 else f"{neutral[0]:g}"
    return {
        "type": "heatmap", "z": style.typed(shade(values, limits, neutral).T.astype(np.float32)),
        "customdata": style.typed(values.T.astype(np.float32)),
        "x0": (window.step0 + 0.5) * window.dt, "dx": window.dt, "y0": 0, "dy": 1, "ygap": 1,
        "zmin": 0.0, "zmax": 1.0, "colorscale": style.DIVERGING,
        "colorbar": style.colour_bar(
            theme, "gain (1)" if is_gain else "level (1)",
            tickvals=[0.0, 0.5, 1.0], ticktext=[f"{limits[0]:g}", white, f"{limits[1]:g}"],
        ),
        "text": [[name] for name in names],
        "hovertemplate": "%{x} ms: %{customdata:.3f}<extra></extra>",
    }  # fmt: skip


def _add_lines(out: style.Figure, window: Window, theme: style.Theme) -> None:
    times = style.typed(window.step0 * window.dt + np.arange(window.n_steps) * window.dt)
    for index, name in enumerate(style.NEUROMODULATOR_NAMES):
        out["data"].append(
            {
                "type": "scatter", "mode": "lines", "name": name, "x": times,
                "y": style.typed(window.levels[:, index].astype(np.float32)),
                "line": {
                    "width": 1.5, "color": style.block_colour(index, theme), "dash": DASHES[index]
                },
                "hovertemplate": f"{name} %{{y:.3f}} at %{{x}} ms<extra></extra>",
            }
        )  # fmt: skip
    out["layout"] |= {
        "showlegend": True,
        "legend": {"x": 1.005, "y": 1, "font": {"size": 11}, "bgcolor": "rgba(0,0,0,0)"},
    }


def _idle(window: Window, scaled: np.ndarray, theme: style.Theme) -> list[dict[str, Any]]:
    """Grey where dopamine's gains have no effect, as (rows, T); nothing where they always have."""
    if scaled.all():
        return []
    grey = style.grid_colour(theme)
    shown = np.full((len(ROWS), window.n_steps), np.nan, np.float32)
    shown[np.ix_(np.array(BY_DOPAMINE), ~scaled)] = 0
    return [
        {
            "type": "heatmap", "name": "not applied", "z": style.typed(shown), "showscale": False,
            "x0": (window.step0 + 0.5) * window.dt, "dx": window.dt, "y0": 0, "dy": 1, "ygap": 1,
            "zmin": 0, "zmax": 1, "colorscale": [[0, grey], [1, grey]], "hoverongaps": False,
            "hovertemplate": "%{x} ms: not applied<extra></extra>",
        }
    ]  # fmt: skip


def _add_injections(out: style.Figure, window: Window) -> None:
    """A triangle at each bolus, on its own row, upwards where it adds."""
    boluses = [
        (event, NEUROMODULATORS.index(event["nt"]))
        for event in window.events
        if event.get("type") == "inject" and event.get("nt") in NEUROMODULATORS
    ]
    if not boluses:
        return
    out["data"].append(
        {
            "type": "scatter", "mode": "markers", "name": "bolus",
            "x": [event["step"] * window.dt for event, _ in boluses],
            "y": [row for _, row in boluses],
            "text": [_signed(float(event["level"])) for event, _ in boluses],
            "marker": {
                "symbol": [f"triangle-{'up' if e['level'] >= 0 else 'down'}" for e, _ in boluses],
                "size": 13, "color": "#000000", "line": {"width": 1.5, "color": "#FFFFFF"},
            },
            "hovertemplate": "bolus %{text} at %{x} ms<extra></extra>", "showlegend": False,
        }
    )  # fmt: skip


def _signed(level: float) -> str:
    return f"{'+' if level >= 0 else '−'}{abs(level):.2f}"

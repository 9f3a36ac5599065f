"""STDP window: the change that is really applied over dt, with the pairs really seen behind it."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.figures import style, timeline
from t4dm.learning.params import STDPParams
from t4dm.live.window import Window

SLUG = "stdp"
REACH_MS = 100
POINTS_PER_MS = 2
TOPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0)
FALLBACK_TOP = 0.01
BARS_SHARE = 0.45  # of the height, that the highest bar has
WORDS_ACROSS = 36  # characters of a line in half the plot
NAMES = {spec.name: spec.default for spec in STDPParams.specs()}


@dataclass(frozen=True, slots=True)
class Applied:
    """What acts now: amplitudes at dt -> 0, (1), and the words for it where it is out of the usual.

    ``quantity`` is ``dw``, or ``de`` in three-factor mode, where a pair changes the eligibility.
    """

    plus: float
    minus: float
    quantity: str = "dw"
    words: tuple[str, ...] = ()
    flat: bool = False


def figure(
    window: Window | None,
    manifest: dict[str, Any] | None,
    theme: style.Theme = "light",
) -> style.Figure:
    """LTP right of 0. ``manifest["values"]`` holds the parameters; defaults where it is missing."""
    params = parameters(manifest)
    ltp, ltd = da_factors(window)
    now = applied(params, da_level(window), ltp, ltd)
    dt, dw = curve(params, now)
    reach, top = reach_ms(params), half_height(params)
    out: style.Figure = {
        "data": [_line(dt, dw, now, theme)],
        "layout": style.layout(
            theme,
            timeline.title("STDP window", _which(window), window),
            SLUG,
            xaxis=style.axis(
                theme, "dt = t_post - t_pre (ms)", range=[-reach, reach], autorange=False
            ),
            yaxis=style.axis(
                theme, f"{now.quantity} (1)", range=[-top, top], autorange=False, tickformat=".2~g"
            ),
            yaxis2=style.axis(
                theme, "Pairs in 1 s", overlaying="y", side="right", showgrid=False,
                rangemode="tozero",
            ),
            bargap=0.1,
        ),
    }  # fmt: skip
    _add_cross(out, theme)
    path = None if window is None else window.meta.get("stdp_path")
    out["layout"]["annotations"].append(style.caption(theme, caption(params, now, ltp, ltd, path)))
    if now.words:
        out["layout"]["annotations"].append(_state(now, theme))
    if window is not None and len(window.hist_steps):
        counts = window.pairs[-1, window.weights_block]
        top = max(1, int(counts.max(initial=0)))
        out["data"].insert(0, _pairs(counts, window.dt, theme))
        out["layout"]["yaxis2"] |= {
            "range": [0, top / BARS_SHARE], "autorange": False, "tickvals": [0, top / 2, top],
        }  # fmt: skip
    return out


def parameters(manifest: dict[str, Any] | None) -> dict[str, Any]:
    """The ``stdp`` group's values in force."""
    values = (manifest or {}).get("values", {})
    return {name: values.get(f"stdp.{name}", default) for name, default in NAMES.items()}


def da_factors(window: Window | None) -> tuple[float, float]:
    """Dopamine's factors on A+ and A- at the newest step, 1 without a window."""
    if window is None or not window.n_steps:
        return 1.0, 1.0
    return float(window.gains[-1, 2]), float(window.gains[-1, 3])


def da_level(window: Window | None) -> float:
    """Dopamine at the newest step, 0.5 without a window."""
    return 0.5 if window is None or not window.n_steps else float(window.levels[-1, 0])


def applied(params: dict[str, Any], da: float, ltp: float, ltd: float) -> Applied:
    """What a pair does now, after switch, gate, mode and weight dependence."""
    quantity = "de" if params["mode"] == "three_factor" else "dw"
    if not params["enabled"] or params["learning_rate"] == 0:
        return Applied(0.0, 0.0, quantity, ("STDP off",), flat=True)
    if da < params["da_gate"]:
        gated = f"gated off: DA {da:.2f} < gate {params['da_gate']:.2f}"
        return Applied(0.0, 0.0, quantity, (gated,), flat=True)
    plus, minus = (float(params[name]) * _mid_weight(params) for name in ("a_plus", "a_minus"))
    words = []
    if quantity == "de":
        words.append(f"three-factor: dw = rate * eligibility * (DA - 0.5), now {da - 0.5:+.2f}")
    else:
        rate = float(params["learning_rate"])
        plus, minus = plus * rate * ltp, minus * rate * ltd
    if params["mu"] > 0:
        words.append(f"at w = w_max/2 = {params['w_max'] / 2:.3g} (mu {params['mu']:.3g})")
    return Applied(plus, minus, quantity, tuple(words))


def _mid_weight(params: dict[str, Any]) -> float:
    """The weight dependence at w = w_max/2, alike for LTP and LTD; 1 for mu = 0."""
    return 0.5 ** float(params["mu"])


def reach_ms(params: dict[str, Any]) -> float:
    """End of the dt axis: 100 ms or the longer window."""
    return float(max(REACH_MS, params["window_pre_to_post"], params["window_post_to_pre"]))


def half_height(params: dict[str, Any]) -> float:
    """End of the dw axis: a round number above both amplitudes at full dopamine, also when off."""
    plus, minus = float(params["a_plus"]), float(params["a_minus"])
    if params["mode"] == "modulated":
        rate = float(params["learning_rate"]) or 1.0
        plus, minus = plus * rate * 1.5, minus * rate * 1.3
    most = max(plus, minus) * _mid_weight(params) * 1.02 or FALLBACK_TOP
    power = 10.0 ** math.floor(math.log10(most))
    return next(m * power for m in TOPS if m * power >= most)


def curve(params: dict[str, Any], now: Applied) -> tuple[np.ndarray, np.ndarray]:
    """(dt, change), float64 (points,); NaN at dt = 0, where the curve jumps, unless it is flat."""
    reach = reach_ms(params)
    dt = np.linspace(-reach, reach, int(2 * reach * POINTS_PER_MS) + 1)
    return dt, change_at(params, now, dt)


def change_at(params: dict[str, Any], now: Applied, dt: np.ndarray) -> np.ndarray:
    """The change by a pair ``dt`` ms apart, float64 of its shape; NaN at 0, unless it is flat."""
    plus = now.plus * np.exp(-np.abs(dt) / float(params["tau_plus"]))
    minus = now.minus * np.exp(-np.abs(dt) / float(params["tau_minus"]))
    dw = np.where(dt > 0, plus, -minus)
    dw[dt > params["window_pre_to_post"]] = 0
    dw[dt < -params["window_post_to_pre"]] = 0
    dw[dt == 0] = 0 if now.flat else np.nan
    return dw


def caption(
    params: dict[str, Any], now: Applied, ltp: float, ltd: float, path: str | None = None
) -> str:
    """``A+ 0.01 x 1.1 · tau+ 20 ms · …``: what a reader needs to draw it again, and how it is computed."""
    by_da = now.quantity == "dw"
    scheme = "all pairs" if params["pairing"] == "all_to_all" else "nearest pairs"
    parts = [
        f"A+ {params['a_plus']:.3g}" + (f" x {ltp:.2f}" if by_da else ""),
        f"A- {params['a_minus']:.3g}" + (f" x {ltd:.2f}" if by_da else ""),
        f"tau+ {params['tau_plus']:.3g} ms",
        f"tau- {params['tau_minus']:.3g} ms",
        scheme,
        f"w_max {params['w_max']:.3g}",
        *([f"path: {path}"] if path else []),
    ]
    return " · ".join(parts)


def _which(window: Window | None) -> str:
    return "" if window is None else f"block {window.weights_block}"


def _state(now: Applied, theme: style.Theme) -> dict[str, Any]:
    """The words of ``now`` in the upper left, where no curve runs, in lines of half the width."""
    lines = [line for words in now.words for line in textwrap.wrap(words, WORDS_ACROSS)]
    return style.note(
        theme, "<br>".join(style.safe_text(line) for line in lines), 0.01, 0.98, xanchor="left",
        yanchor="top", align="left", name=style.ASIDE, bgcolor=style.behind(theme),
        font={"size": style.FONT_SIZE, "color": style.alert(theme)},
    )  # fmt: skip


def _line(dt: np.ndarray, dw: np.ndarray, now: Applied, theme: style.Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": now.quantity, "x": style.typed(dt),
        "y": style.typed(dw), "connectgaps": False,
        "line": {"width": 2.5, "color": style.muted(theme) if now.flat else style.ink(theme)},
        "hovertemplate": f"dt %{{x:.1f}} ms: {now.quantity} %{{y:.2g}}<extra></extra>",
    }  # fmt: skip


def _pairs(counts: np.ndarray, dt: float, theme: style.Theme) -> dict[str, Any]:
    """Observed pairs of the last second as bars; blue depresses, orange potentiates."""
    half = len(counts) // 2
    colours = ["#0072B2"] * half + [style.muted(theme)] + ["#E69F00"] * half
    return {
        "type": "bar", "name": "observed pairs", "x0": -half * dt, "dx": dt, "yaxis": "y2",
        "y": style.typed(counts.astype(np.uint32)), "opacity": 0.45,
        "marker": {"color": colours, "line": {"width": 0}},
        "hovertemplate": "dt %{x} ms: %{y} pairs<extra></extra>",
    }  # fmt: skip


def _add_cross(out: style.Figure, theme: style.Theme) -> None:
    line = {"color": style.muted(theme), "width": 1}
    out["layout"]["shapes"] += [
        {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
         "line": line},
        {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
         "line": line},
    ]  # fmt: skip

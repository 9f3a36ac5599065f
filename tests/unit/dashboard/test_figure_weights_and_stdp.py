"""Weights and the STDP window: bounds, drift, and the change that is really applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.figures import stdp, weights
from tests.unit.dashboard.figure_values import THREE, texts, values

SAMPLED = ("hist_exc", "hist_inh", "bounds", "pairs")


def test_weights_keep_inhibitory_apart_and_print_bounds(window):
    figure = weights.figure(window(THREE), {})
    inhibitory, excitatory, drift = figure["data"]
    assert values(inhibitory["y"])[3] == 14
    assert values(excitatory["y"])[3] == 7
    assert excitatory["x0"] == pytest.approx(1 / 128)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert "25.0 % at 0, 25.0 % at w_max 1" in texts(figure)
    assert values(drift["z"]).shape == (1, 128)
    assert values(drift["customdata"])[0, [3, 64 + 3]].tolist() == [14, 7]
    edges = values(drift["x"])
    assert edges[[0, 64, 128]].tolist() == [-1.0, 0.0, 1.0]
    assert "drift: 0.000-0.000 s, 1 sample" in texts(figure)


def test_weights_drift_over_the_last_ten_seconds_whatever_the_window(window):
    long, short = window([[]] * 12_000), window([[]] * 300, step0=11_700)
    led = replace(short, hist_step0=long.step0, **{n: getattr(long, n) for n in SAMPLED})
    for given in (long, led):
        drift = weights.figure(given, {})["data"][2]
        assert values(drift["y"]).tolist() == list(range(2_000, 12_000, 250))
        assert values(drift["z"]).shape == (40, 128)


def test_weights_of_an_older_scale_are_drawn_where_they_were(window):
    given = window([[]] * 500)
    given.meta.update(w_hi=2.0, hist_w_hi=[1.0, 2.0])
    old, new = values(weights.figure(given, {})["data"][2]["customdata"])[:, 64:]
    # bin 3 of 64 is 3/64 to 4/64 of the end: of 2 now, of 1 then, which is the second half of bin 1
    assert np.flatnonzero(np.nan_to_num(new)).tolist() == [3]
    assert np.flatnonzero(np.nan_to_num(old)).tolist() == [1]
    assert np.isnan(old).tolist() == [False] * 32 + [True] * 32


def test_stdp_words_stand_where_no_curve_runs(window):
    """Left of 0 and above it; the curve there is below."""
    shown = {"stdp.mode": "three_factor", "stdp.mu": 1.0}
    figure = stdp.figure(window(THREE), {"values": shown})
    (note,) = [n for n in figure["layout"]["annotations"] if "three-factor" in n["text"]]
    lines = note["text"].split("<br>")
    assert (note["xanchor"], note["yanchor"]) == ("left", "top")
    assert max(map(len, lines)) <= stdp.WORDS_ACROSS and len(lines) <= 4


def test_weights_say_when_no_sample_falls_in_the_window(window):
    assert "none falls in this window" in texts(weights.figure(window(THREE, step0=1), {}))


def test_stdp_window_follows_the_parameters(window):
    shown = {"values": {"stdp.a_plus": 0.2, "stdp.tau_plus": 10.0, "stdp.window_pre_to_post": 50}}
    figure = stdp.figure(window(THREE), shown)
    bars, line = figure["data"]
    dt, dw = values(line["x"]), values(line["y"])
    assert dw[np.isclose(dt, 10.0)] == pytest.approx(0.2 * np.exp(-1.0))
    assert (dw[dt > 50] == 0).all()
    assert (dw[(dt < 0)] < 0).all()
    assert "A+ 0.2 x 1.00" in texts(figure)
    assert values(bars["y"])[110] == 5  # dt = +10 ms
    assert bars["x0"] == -100


def stdp_line(figure: dict[str, Any]) -> tuple[float, float]:
    """The curve's amplitudes just right and left of 0, scaled back to dt = 0."""
    line = figure["data"][-1]
    dt, dw = values(line["x"]), values(line["y"])
    right, left = (float(dw[np.isclose(dt, at)][0]) for at in (0.5, -0.5))
    return right * np.exp(0.5 / 20), left * np.exp(0.5 / 20)


@pytest.mark.parametrize("off", [{"stdp.enabled": False}, {"stdp.learning_rate": 0.0}])
def test_stdp_switched_off_is_flat_and_says_so(off):
    figure = stdp.figure(None, {"values": off})
    assert not values(figure["data"][0]["y"]).any()
    assert "STDP off" in texts(figure)
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([-0.02, 0.02])


def test_stdp_below_the_gate_is_flat_and_says_so(window):
    assert "gated off" not in texts(stdp.figure(window(THREE), {"values": {"stdp.da_gate": 0.5}}))
    figure = stdp.figure(window(THREE), {"values": {"stdp.da_gate": 0.9}})
    assert not values(figure["data"][-1]["y"]).any()
    assert "gated off: DA 0.50 &lt; gate 0.90" in texts(figure)


def test_stdp_with_weight_dependence_is_drawn_at_half_of_w_max(window):
    shown = {"stdp.mu": 1.0, "stdp.w_max": 3.0}
    figure = stdp.figure(window(THREE), {"values": shown})
    assert stdp_line(figure) == pytest.approx((0.005, -0.00525))
    assert "at w = w_max/2 = 1.5" in texts(figure)
    assert "w_max 3" in texts(figure)


def test_stdp_in_three_factor_mode_leaves_dopamine_to_the_second_rule(window):
    given = window(THREE)
    given.gains[:, 2:4], given.levels[:, 0] = (1.5, 0.7), 0.2
    modulated = stdp.figure(given, {"values": {}})
    assert stdp_line(modulated) == pytest.approx((0.015, -0.0105 * 0.7))
    shown = {"stdp.mode": "three_factor", "stdp.learning_rate": 7.0}
    figure = stdp.figure(given, {"values": shown})
    assert stdp_line(figure) == pytest.approx((0.01, -0.0105))
    assert "dw = rate * eligibility * (DA - 0.5), now -0.30" in texts(figure).replace("<br>", " ")
    assert figure["layout"]["yaxis"]["title"]["text"] == "de (1)"


@pytest.mark.parametrize(("rate", "windows", "reach"), [(1.0, 100, 100), (99.0, 500, 500)])
def test_stdp_axes_are_finite_and_hold_the_whole_curve(rate, windows, reach):
    shown = {"stdp.learning_rate": rate, "stdp.window_pre_to_post": windows, "stdp.a_plus": 0.99}
    layout = stdp.figure(None, {"values": shown})["layout"]
    assert layout["xaxis"]["range"] == [-reach, reach]
    assert 0.99 * rate * 1.5 <= layout["yaxis"]["range"][1] < 3 * 0.99 * rate * 1.5

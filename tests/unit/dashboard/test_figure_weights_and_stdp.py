"""Weights and the STDP window: bounds, drift, and the change that is really applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dashboard.figures import stdp, weights
from tests.unit.dashboard.figure_values import THREE, texts, values


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
    assert "gated off: DA 0.50 < gate 0.90" in texts(figure)


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
    assert "dw = rate * eligibility * (DA - 0.5), now -0.30" in texts(figure)
    assert figure["layout"]["yaxis"]["title"]["text"] == "de (1)"


@pytest.mark.parametrize(("rate", "windows", "reach"), [(1.0, 100, 100), (99.0, 500, 500)])
def test_stdp_axes_are_finite_and_hold_the_whole_curve(rate, windows, reach):
    shown = {"stdp.learning_rate": rate, "stdp.window_pre_to_post": windows, "stdp.a_plus": 0.99}
    layout = stdp.figure(None, {"values": shown})["layout"]
    assert layout["xaxis"]["range"] == [-reach, reach]
    assert 0.99 * rate * 1.5 <= layout["yaxis"]["range"][1] < 3 * 0.99 * rate * 1.5

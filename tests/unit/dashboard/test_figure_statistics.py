"""Intervals, regularity and synchrony against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.figures import isi, regularity, tables
from tests.unit.dashboard.figure_values import texts, values


def clock(period: int, steps: int, neuron: int = 0) -> list[list[int]]:
    """One neuron that fires every ``period`` steps."""
    return [[neuron] if t % period == 0 else [] for t in range(steps)]


def test_a_clock_has_one_interval_and_no_variation(window):
    given = window(clock(7, 100))
    figure = isi.figure(given, {})
    bars, chance = (values(trace["y"]) for trace in figure["data"])
    assert bars[6] == 14 == bars.sum()
    assert "n 14, mean 7.0 ms, CV 0.00 · 16 neurons in 100 ms" in texts(figure)
    assert chance[:2] == pytest.approx([14 / 7, 14 / 7 * 6 / 7])
    assert figure["layout"]["yaxis"]["range"] == [0, 20]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Interval (ms)"


def test_longer_intervals_are_counted_where_they_are_not_drawn(window):
    spikes = clock(5, 80) + [[]] * 200 + [[0]]
    figure = isi.figure(window(spikes), {})
    assert values(figure["data"][0]["y"]).sum() == 15 and "1 longer" in texts(figure)
    table = tables.isi(window(spikes))
    assert table["count"].sum() == 16 and table["count"][-1] == 1 and table["or_longer"][-1]
    assert table["by_chance"].sum() == pytest.approx(16)


def test_with_fewer_than_ten_it_says_so_and_draws_nothing(window):
    figure = isi.figure(window(clock(10, 81)), {})
    assert "8 intervals in 81 ms; 10 are needed" in texts(figure)
    assert all(trace["type"] != "bar" for trace in figure["data"])
    assert "waiting" in texts(isi.figure(None, None))


def test_intervals_are_of_one_neuron_each(window):
    """Two neurons in turn: neither has the interval between them."""
    spikes = [[0], [5], *[[]] * 8] * 12
    assert np.flatnonzero(values(isi.figure(window(spikes), {})["data"][0]["y"])).tolist() == [9]


def test_chance_gives_one_and_firing_together_gives_more(window):
    rng = np.random.default_rng(3)
    alone = rng.random((4000, 4)) < 0.05
    joint = np.repeat(rng.random((4000, 1)) < 0.05, 4, axis=1)
    spikes = [
        [*np.flatnonzero(a).tolist(), *(4 + np.flatnonzero(b)).tolist()]
        for a, b in zip(alone, joint, strict=True)
    ]
    cv, fano, n = regularity.measures(window(spikes))
    assert cv[:2] == pytest.approx(1, abs=0.1)
    assert fano[0] == pytest.approx(0.95, abs=0.1) and fano[1] == pytest.approx(3.8, abs=0.4)
    assert n.tolist() == [4, 4, 0, 0] and np.isnan(cv[2:]).all() and np.isnan(fano[2:]).all()
    figure = regularity.figure(window(spikes), {})
    dots, diamonds = figure["data"]
    assert values(dots["y"])[:2] == pytest.approx(cv[:2])
    assert values(diamonds["y"])[:2] == pytest.approx(fano[:2])
    assert figure["layout"]["yaxis"]["range"] == [-1, 2]
    (line,) = figure["layout"]["shapes"]
    assert line["y0"] == line["y1"] == 1 and "8 neurons" in texts(figure)
    assert tables.regularity(window(spikes))["neurons"].tolist() == [4, 4, 0, 0]


def test_a_clock_is_regular(window):
    cv, fano, _ = regularity.measures(window(clock(10, 300)))
    assert cv[0] == pytest.approx(0, abs=1e-9) and fano[0] == pytest.approx(0.9, abs=0.01)

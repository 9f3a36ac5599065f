"""Exports: the same numbers as the window, with units, and without pickle."""

import dataclasses
import io
import json

import numpy as np
import pandas as pd
import pytest

from t4dm.live import export
from t4dm.live.merge import merge
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.params import ParamError
from tests.toy_engine import ToyEngine


@pytest.fixture(scope="module")
def window():
    engine = ToyEngine(tree=ParamTree(6), seed=1)
    return merge([engine.advance(64) for _ in range(8)], View(gate_block=2), 200, 500)


def read(window, slug):
    return pd.read_csv(io.BytesIO(export.csv(window, slug)))


@pytest.mark.parametrize("slug", export.PANELS)
def test_every_panel_has_a_table_with_time_in_ms_and_arrays(window, slug):
    table = read(window, slug)
    assert table.columns[0] == "time (ms)" and len(table) > 0
    assert table["time (ms)"].between(200, 499).all()
    with np.load(io.BytesIO(export.npz(window, slug)), allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        assert (about["panel"], about["step0"], about["step1"]) == (slug, 200, 500)
        assert len(arrays["time_ms"]) > 0


def test_the_raster_lists_every_spike(window):
    table = read(window, "raster")
    assert len(table) == len(window.spk_row)
    np.testing.assert_array_equal(table["neuron"], window.rows[window.spk_row])
    np.testing.assert_array_equal(table["time (ms)"], 200 + window.spk_dt.astype(int))
    assert (table["block"] == table["neuron"] // 512).all()


def test_rates_are_hertz_a_neuron(window):
    table = read(window, "rate")
    np.testing.assert_allclose(table["block 1 lif_in rate (Hz)"], window.rates[:, 2] / 256 * 1000)


def test_weights_gate_and_pairs_keep_their_counts(window):
    weights = read(window, "weights")
    assert weights["count"].sum() == window.hist_exc.sum() + window.hist_inh.sum()
    assert weights[weights["sign"] == "inhibitory"]["bin from (1)"].min() == -1.0
    gate = read(window, "gate")
    np.testing.assert_allclose(gate["g channel 7 (1)"], window.gate[:, 7] * 1.5 / 255, atol=1e-6)
    pairs = read(window, "stdp")
    assert pairs["pairs in the last second"].sum() == window.pairs.sum()
    assert (pairs["dt (ms)"].min(), pairs["dt (ms)"].max()) == (-100, 100)


def test_the_stimulus_names_what_is_shown(window):
    table = read(window, "stimulus")
    assert table["label"].iloc[-1] == 1 and pd.isna(table["label"].iloc[0])


def test_the_stimulus_is_given_as_it_is_and_clipped(window):
    reach = np.tile(np.array([0.5, -2.0, -0.25], "f4"), (window.n_steps, 1))
    table = read(dataclasses.replace(window, stim_range=reach), "stimulus")
    assert (table["mean (1)"] == -0.25).all() and (table["smallest (1)"] == -2).all()
    values = table[[f"unit {k} clipped to 0..1 (1)" for k in range(64)]].to_numpy()
    np.testing.assert_allclose(values, window.stim / 255, atol=1e-6)
    means = read(window, "stimulus")["mean (1)"]
    np.testing.assert_allclose(means, window.stim.mean(axis=1) / 255, atol=1e-6)


def test_an_unknown_panel_is_named(window):
    with pytest.raises(ParamError, match="raster"):
        export.csv(window, "rasters")

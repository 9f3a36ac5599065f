"""A window of steps that are not 1 ms long: every time in figures, tables and files is in ms."""

import io
import json

import numpy as np
import pytest

from dashboard.figures import (
    accuracy,
    attention,
    attention_heads,
    gate,
    isi,
    membrane,
    neuromod,
    raster,
    rate,
    stdp,
    stimulus,
    tables,
    weights,
)
from t4dm.live import export

DT = 0.5
FIRST, STEPS = 10_000, 400  # 5,000 to 5,200 ms
TIMED = (raster, membrane, neuromod, gate, attention, rate, stimulus)


@pytest.fixture
def half(window):
    """Neuron 0 fires every 20 steps, so every 10 ms: 100 Hz."""
    spikes = [[0] if t % 20 == 0 else [] for t in range(STEPS)]
    return window(spikes, step0=FIRST, dt=DT)


@pytest.mark.parametrize("module", TIMED)
def test_time_axes_are_in_ms(half, module):
    axis = module.figure(half, None)["layout"]["xaxis"]
    assert axis["range"] == [5000.0, 5200.0] and axis["title"]["text"] == "Time (ms)"


def values(trace, name):
    """The numbers of an array of a trace, be it plain or packed."""
    given = trace[name]
    if isinstance(given, dict):
        import base64

        return np.frombuffer(base64.b64decode(given["bdata"]), given["dtype"])
    return np.asarray(given)


def test_traces_lie_at_their_ms(half):
    (heat, mean) = gate.figure(half, None)["data"]
    assert (heat["x0"], heat["dx"]) == (5001.0, 2.0)  # every 4 steps
    np.testing.assert_array_equal(values(mean, "x")[:3], [5000.0, 2.0 + 5000.0, 5004.0])
    assert (
        "sampled every 2 ms"
        in gate.figure(half_of_a_step(half), None)["layout"]["annotations"][0]["text"]
    )
    heat = neuromod.figure(half, None)["data"][0]
    assert (heat["x0"], heat["dx"]) == (5000.25, 0.5)
    ticks = raster.figure(half, None)["layout"]["shapes"]
    path = next(shape["path"] for shape in ticks if shape.get("name") == raster.TICKS)
    assert path.startswith("M5000,") and "M5010," in path and "M5005," not in path


def half_of_a_step(window):
    """The same with no sampled step in it."""
    from dataclasses import replace

    return replace(window, step0=FIRST + 1, step1=FIRST + 3)


def test_rates_are_a_second_not_two_thousand_steps(half):
    """One of four neurons at 100 Hz: 25 Hz, in bins of 5 steps (2.5 ms) and more."""
    made = rate.figure(half, None)
    y = values(made["data"][0], "y")
    x = values(made["data"][0], "x")
    assert (y[:-1] * np.diff(x)).sum() / 200 == pytest.approx(25.0, rel=1e-5)
    assert any("bin 2.5 ms" in a["text"] for a in made["layout"]["annotations"])


def test_intervals_are_in_ms(half):
    made = isi.figure(half, None)
    bars = made["data"][0]
    counts = values(bars, "y")
    assert (bars["x0"], bars["dx"]) == (0.5, 0.5) and len(counts) == 200
    assert counts.nonzero()[0].tolist() == [19]  # 20 steps, 10 ms
    assert "mean 10.0 ms" in made["layout"]["annotations"][0]["text"]
    told = tables.isi(half)
    assert told["interval_ms"][19] == 10.0 and told["count"][19] == counts[19]


def test_pairs_lie_at_their_lag_in_ms(half):
    bars = stdp.figure(half, None)["data"][0]
    assert (bars["x0"], bars["dx"]) == (-100.0, 0.5) and len(values(bars, "y")) == 401
    told = tables.stdp(half)
    assert told["dt_ms"][told["pairs"] > 0].tolist() == [5.0] * len(half.hist_steps)


def test_samples_and_events_are_dated_in_ms(window):
    told = {
        "type": "stimulus",
        "step": FIRST + 100,
        "t_ms": 5050.0,
        "label": "7",
        "image": [0] * 64,
    }
    made = window([[]] * STEPS, step0=FIRST, dt=DT, events=[told])
    lines = stimulus.figure(made, None)["layout"]["shapes"]
    assert 5050.0 in [s["x0"] for s in lines if s["type"] == "line"]
    assert weights.figure(made, None)["layout"]["yaxis2"]["range"] == [4937.5, 5062.5 + 125]
    assert made.header()["dt"] == 0.5 and made.header()["t_ms"] == 5200.0
    assert accuracy.points(made).shape == (0, 3)


def test_files_are_in_ms(half):
    table = export.table(half, "raster")
    assert table["time (ms)"].tolist() == [5000.0 + 10 * k for k in range(20)]
    kept = np.load(io.BytesIO(export.npz(half, "stdp")), allow_pickle=False)
    assert json.loads(str(kept["about"]))["dt_ms"] == 0.5
    assert kept["dt_ms"][[0, -1]].tolist() == [-100.0, 100.0]
    hz = np.load(io.BytesIO(export.npz(half, "rate")), allow_pickle=False)["rate_hz"]
    assert hz[:, 0].mean() == pytest.approx(25.0)


def test_heads_are_seen_over_the_ms_of_their_steps():
    """127 steps of keys, 64 queries, half a step around the last one."""
    across, down = attention_heads.ranges(attention_heads.Moment(1000, DT))
    assert across == [500.25 - 63.5, 500.25] and down == [500.25, 500.25 - 32]

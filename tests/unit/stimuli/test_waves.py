"""Constant, sine, pulse and noise against their closed forms."""

import numpy as np

from t4dm.live.tree import ParamTree
from t4dm.stimuli.registry import make_stimulus


def source_of(kind, **params):
    tree = ParamTree(1)
    tree.replace({"stimulus.kind": kind} | {f"stimulus.{k}": v for k, v in params.items()})
    return tree, make_stimulus(tree, 2, None)


def test_constant_follows_its_amplitude():
    tree, source = source_of("constant", amplitude=0.25)
    assert (source.rows(0, 10)[0] == np.float32(0.25)).all()
    tree.set("stimulus.amplitude", -1.5)
    source.params_changed(tree, 10)
    rows, events, rest = source.rows(10, 10)
    assert (rows == np.float32(-1.5)).all() and not rest.any() and events == []


def test_sine_travels_over_the_units():
    _, source = source_of("sine", amplitude=2.0, period_ms=128)
    rows, events, _ = source.rows(0, 256)
    t, unit = np.arange(256)[:, None], np.arange(64)
    assert np.allclose(rows, 2 * np.sin(2 * np.pi * (t / 128 - unit / 64)), atol=1e-5)
    assert [e["step"] for e in events] == [0]


def test_sine_keeps_its_phase_when_the_period_changes():
    tree, source = source_of("sine", amplitude=1.0, period_ms=100)
    before = source.rows(0, 26)[0]
    tree.set("stimulus.period_ms", 1000)
    source.params_changed(tree, 26)
    after = source.rows(26, 1)[0]
    assert abs(before[25, 0] - 1.0) < 1e-6
    assert np.abs(after[0] - before[25]).max() < 0.07


def test_pulse_is_on_then_rests():
    _, source = source_of("pulse", amplitude=0.5, period_ms=100, pulse_ms=30)
    rows, events, rest = source.rows(0, 250)
    on = (np.arange(250) % 100) < 30
    assert (rows[on] == 0.5).all() and not rows[~on].any()
    assert np.array_equal(rest, ~on)
    assert [(e["type"], e["step"]) for e in events] == [
        ("stimulus", 0), ("rest", 30), ("stimulus", 100), ("rest", 130), ("stimulus", 200),
        ("rest", 230),
    ]  # fmt: skip


def test_a_pulse_as_long_as_its_period_never_rests():
    _, source = source_of("pulse", period_ms=40, pulse_ms=500)
    rows, events, rest = source.rows(0, 100)
    assert rows.all() and not rest.any()
    assert [e["index"] for e in events] == [0, 1, 2]


def test_noise_has_its_mean_and_spread():
    _, source = source_of("noise", amplitude=0.4, noise_std=0.5)
    rows = source.rows(0, 4000)[0].astype(float)
    assert abs(rows.mean() - 0.4) < 5 * 0.5 / np.sqrt(rows.size)
    assert abs(rows.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * rows.size)
    assert abs(np.corrcoef(rows[:-1, 0], rows[1:, 0])[0, 1]) < 5 / np.sqrt(4000)
    assert len(np.unique(rows[::8].ravel())) > 0.99 * rows[::8].size

"""The engine is the torch stack: same spikes, same weights, with parameters changed in between."""

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from tests.engine_reference import (
    ALL_KINDS,
    FEW,
    Agreement,
    Reference,
    follow,
    rate_errors,
    segments,
)

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

SEEDS = range(8)
PATHS = {
    "lazy", "lazy, cut windows", "eager", "eager, nearest pairs", "three-factor",
    "three-factor, nearest pairs",
}  # fmt: skip


def _pair(config, seed, folder, dt=1.0):
    engine = Engine(config, ParamTree(config.n_blocks, dt=dt), seed, folder)
    return engine, Reference(config, seed, folder, dt)


def test_float64_every_probe_equal_over_2000_steps(calibrated):
    engine, reference = _pair(StackConfig(3, 64, 4, "float64"), 1, calibrated)
    agreement, watched = Agreement(engine, reference), engine.watch

    def same(segment, k, ids, probes):
        agreement.look(segment, k, ids, probes)
        assert agreement.first_flip is None
        np.testing.assert_allclose(segment.theta[k, :-1], probes["theta"], atol=1e-6)
        made = probes["sensory"]
        if made is not None:
            assert segment.theta[k, -1] == pytest.approx(float(made.theta.mean()), rel=1e-6)
        np.testing.assert_allclose(
            segment.u[k], probes["u_pre"].reshape(-1)[watched], atol=1e-5, rtol=1e-6
        )
        assert np.array_equal(segment.clamped[k], [*probes["clamped"], 0])
        if (segment.step0 + k) % 4 == 0:
            row = len([t for t in range(segment.step0, segment.step0 + k) if t % 4 == 0])
            wanted = probes["gate"] / 1.5 * 255
            assert np.abs(segment.gate[row] - wanted).max() <= 0.5001
            assert np.abs(segment.attention[row] - 255 * probes["attention"]).max() <= 0.5001
            assert (segment.attention_keys[row] == min(64, segment.step0 + k + 1)).all()

    assert follow(engine, reference, 2000, ALL_KINDS, same) == PATHS
    assert agreement.largest_weight_gap < 1e-9
    assert agreement.lowest_theta == np.float32(0.01), "the floor of theta was reached"


@pytest.mark.parametrize("dt", [0.25, 0.5, 2.0])
def test_float64_spikes_identical_and_weights_equal_at_other_steps(dt, calibrated):
    engine, reference = _pair(StackConfig(3, 64, 4, "float64"), 1, calibrated, dt)
    agreement = Agreement(engine, reference)
    assert follow(engine, reference, 2000, ALL_KINDS, agreement.look) == PATHS
    assert agreement.first_flip is None, f"step {agreement.first_flip}"
    assert agreement.largest_weight_gap < 1e-9
    assert agreement.spikes[0, :-1].min() > 0, "every stage fires"


def test_float64_default_size_spikes_identical_and_weights_equal(calibrated):
    engine, reference = _pair(StackConfig(dtype="float64"), 1, calibrated)
    agreement = Agreement(engine, reference)
    assert follow(engine, reference, 2000, ALL_KINDS, agreement.look) == PATHS
    assert agreement.first_flip is None, f"step {agreement.first_flip}"
    assert agreement.largest_weight_gap < 1e-9


def test_float32_default_size_same_spikes_until_rounding_flips_one(calibrated):
    engine, reference = _pair(StackConfig(), 0, calibrated)
    agreement = Agreement(engine, reference)
    follow(engine, reference, 2000, FEW, agreement.look)
    told = f"first flipped spike at step {agreement.first_flip}"
    assert agreement.first_flip is None or agreement.first_flip > 50, told
    assert agreement.largest_weight_gap < 1e-4, told


def test_float32_fires_at_the_rates_of_float64(calibrated):
    """After a flip a run goes its own way (docs/decisions/0021), so seeds are taken together.

    float64 stands for the modules, whose spikes it has.
    """
    spikes = sum(
        np.stack([_spikes(dtype, seed, calibrated) for dtype in ("float32", "float64")])
        for seed in SEEDS
    )
    assert rate_errors(*spikes)[0] < 0.01
    assert rate_errors(*spikes)[1].max() < 0.05


def _spikes(dtype, seed, folder):
    """Spikes of each stage and of the sensory layer in 2000 steps with a few changes."""
    engine = Engine(StackConfig(dtype=dtype), ParamTree(6), seed, folder)
    each = segments(engine, 2000, FEW, np.random.default_rng(5))
    return sum(segment.rates.sum(axis=0, dtype=np.int64) for segment in each)

"""The engine is the torch stack: same spikes, same weights, with parameters changed in between."""

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from tests.engine_reference import ALL_KINDS, FEW, Agreement, Reference, follow

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

PATHS = {
    "lazy", "lazy, cut windows", "eager", "eager, nearest pairs", "three-factor",
    "three-factor, nearest pairs",
}  # fmt: skip


def _pair(config, seed, folder):
    engine = Engine(config, ParamTree(config.n_blocks), seed, folder)
    return engine, Reference(config, seed, folder)


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


def test_float64_default_size_spikes_identical_and_weights_equal(calibrated):
    engine, reference = _pair(StackConfig(dtype="float64"), 1, calibrated)
    agreement = Agreement(engine, reference)
    assert follow(engine, reference, 2000, ALL_KINDS, agreement.look) == PATHS
    assert agreement.first_flip is None, f"step {agreement.first_flip}"
    assert agreement.largest_weight_gap < 1e-9


def test_float32_default_size_same_spikes_until_rounding_then_same_rates(calibrated):
    engine, reference = _pair(StackConfig(), 0, calibrated)
    agreement = Agreement(engine, reference)
    follow(engine, reference, 2000, FEW, agreement.look)
    told = f"first flipped spike at step {agreement.first_flip}"
    assert agreement.first_flip is None or agreement.first_flip > 50, told
    assert agreement.rate_error < 0.01, told
    assert agreement.stage_errors.max() < 0.05, told

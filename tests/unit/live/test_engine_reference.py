"""The engine is the torch stack: same spikes, same weights, with parameters changed in between."""

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from tests.engine_reference import Changes, Reference, segments

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

CHANGES: Changes = {
    100: [("lif.v_thresh", 1.05)],
    200: [("inject", ("DA", 0.4)), ("reward", -0.5)],
    300: [("stdp.tau_plus", 12.0), ("stdp.window_pre_to_post", 30)],
    400: [("stdp.w_max", 0.4)],
    500: [("stdp.mu", 0.4)],
    600: [("stdp.mu", 0.0), ("stdp.window_pre_to_post", 500)],
    700: [("neuromod.5HT", 0.9), ("stdp.pairing", "nearest")],
    800: [("stdp.mode", "three_factor"), ("neuromod.DA", 0.7), ("stdp.pairing", "all_to_all")],
    900: [("stdp.mode", "modulated"), ("stdp.learning_rate", 3.0)],
    950: [("stdp.window_post_to_pre", 25), ("homeostasis.learning_rate", 0.02)],
    1100: [("stdp.enabled", False)],
    1150: [("stdp.enabled", True), ("stdp.da_gate", 0.6), ("neuromod.DA", None)],
    1200: [("stdp.da_gate", 0.0), ("stdp.tau_minus", 33.0)],
    1300: [("blocks.1.lif_in.alpha", 0.8), ("gate.bias", 0.3), ("rwkv.decay", 2.0)],
    1400: [("attention.tau", 20.0), ("attention.sharpness", 2.0), ("apical.gain", 1.5)],
    1450: [("recurrent.gain", 1.5), ("input.gain", 1.3), ("lif.beta", 0.9), ("lif.u_max", 0.9)],
    1500: [("stdp.w_max", 2.0), ("stdp.a_plus", 0.02), ("stdp.a_minus", 0.012)],
    1600: [("stimulus.kind", "noise"), ("neuromod.update_freq", 7)],
    1700: [("stdp.mode", "three_factor"), ("stdp.mu", 1.0), ("stdp.pairing", "nearest")],
    1800: [("stdp.mode", "modulated"), ("stdp.mu", 0.0), ("stdp.pairing", "all_to_all")],
}
PATHS = {
    "lazy", "lazy, cut windows", "eager", "eager, nearest pairs", "three-factor",
    "three-factor, nearest pairs",
}  # fmt: skip


def _follow(engine: Engine, reference: Reference, steps: int, changes: Changes, step) -> set[str]:
    """Call ``step(segment, row, spikes of the engine, probes)`` for each step; the paths taken."""
    paths = set()
    for segment in segments(engine, steps, changes, np.random.default_rng(5)):
        paths.add(engine.stdp_path)
        ends = np.cumsum(np.concatenate(([0], segment.spk_n.astype(int))))
        for k in range(segment.step1 - segment.step0):
            for item in changes.get(reference.t, []):
                reference.change(*item)
            step(segment, k, segment.spk_id[ends[k] : ends[k + 1]], reference.step())
    return paths


def test_float64_spikes_identical_and_weights_equal_over_2000_steps(tmp_path):
    config = StackConfig(3, 64, 4, "float64")
    engine = Engine(config, ParamTree(3), 1, tmp_path)
    reference = Reference(config, 1, tmp_path)
    watched = engine.watch

    def same(segment, k, ids, probes):
        spikes = np.flatnonzero(probes["spikes"].reshape(-1))
        assert np.array_equal(ids, spikes), f"step {segment.step0 + k}"
        np.testing.assert_allclose(segment.theta[k], probes["theta"], atol=1e-6)
        np.testing.assert_allclose(
            segment.u[k], probes["u_pre"].reshape(-1)[watched], atol=1e-5, rtol=1e-6
        )
        assert np.array_equal(segment.clamped[k], probes["clamped"])
        if (segment.step0 + k) % 4 == 0:
            row = len([t for t in range(segment.step0, segment.step0 + k) if t % 4 == 0])
            wanted = probes["gate"] / 1.5 * 255
            assert np.abs(segment.gate[row] - wanted).max() <= 0.5001
        if k == segment.step1 - segment.step0 - 1:
            for block in range(3):
                gap = np.abs(engine.recurrent(block) - reference.recurrent(block)).max()
                assert gap < 1e-9, f"block {block} step {segment.step0 + k}: {gap}"

    assert _follow(engine, reference, 2000, CHANGES, same) == PATHS


@pytest.mark.parametrize(("config", "steps"), [
    (StackConfig(3, 64, 4, "float32"), 1000),
    (StackConfig(6, 256, 8, "float32"), 150),
])  # fmt: skip
def test_float32_same_spikes_until_rounding_then_same_rates(config, steps, tmp_path):
    engine = Engine(config, ParamTree(config.n_blocks), 2, tmp_path)
    reference = Reference(config, 2, tmp_path)
    counts = np.zeros((2, 2 * config.n_blocks))
    first_flip = []

    def count(segment, k, ids, probes):
        spikes = probes["spikes"]
        counts[0] += segment.rates[k]
        counts[1] += spikes.sum(1)
        if not first_flip and not np.array_equal(ids, np.flatnonzero(spikes.reshape(-1))):
            first_flip.append(segment.step0 + k)

    changes = {
        200: [("lif.v_thresh", 1.1)],
        400: [("stdp.w_max", 0.6)],
        600: [("neuromod.DA", 0.9)],
    }
    _follow(engine, reference, steps, changes, count)
    assert not first_flip or first_flip[0] > 50
    assert counts[0].sum() == pytest.approx(counts[1].sum(), rel=0.01)
    np.testing.assert_allclose(counts[0], counts[1], rtol=0.05)

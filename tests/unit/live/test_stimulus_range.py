"""What is published of the inputs: their true mean, whatever kind they are of and however large."""

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.frame import decode
from t4dm.live.merge import merge
from t4dm.live.tree import ParamTree
from t4dm.stimuli.file import StimulusFile
from t4dm.stimuli.registry import kinds, make_stimulus

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

FAR = {  # inputs that leave 0 to 1, where a kind has such
    "constant": {"amplitude": -0.5}, "sine": {"amplitude": 0.3}, "noise": {"amplitude": 0.0},
    "pulse": {"amplitude": 5.0, "period_ms": 20, "pulse_ms": 10}, "file": {"amplitude": 1.0},
    "digits": {}, "text": {},
}  # fmt: skip


def tree_of(kind, dt, data_dir):
    tree = ParamTree(2, dt=dt)
    for name, value in FAR[kind].items():
        tree.set(f"stimulus.{name}", value)
    if kind == "file":
        values = np.random.default_rng(0).normal(size=(30, 64)).astype(np.float32)
        tree.set("stimulus.file_id", StimulusFile("currents", "f", values).save(data_dir))
    tree.set("stimulus.kind", kind)
    return tree


@pytest.mark.parametrize("dt", [1.0, 0.5])
@pytest.mark.parametrize("kind", kinds())
def test_the_mean_of_the_inputs_is_the_true_one(kind, dt, tmp_path):
    """To 1e-6 of the largest input; the picture beside it is clipped where inputs leave 0 to 1."""
    tree = tree_of(kind, dt, tmp_path)
    engine = Engine(StackConfig(2, 32, 4), tree, 3, tmp_path)
    window = merge([engine.advance(n) for n in (5, 64, 31)])
    rows, *_ = make_stimulus(tree, 3, tmp_path).rows(0, 100)
    rows = rows.astype(np.float64)
    size = np.abs(rows).max()
    np.testing.assert_allclose(window.stim_mean, rows.mean(axis=1), atol=1e-6 * size)
    assert window.stim_reach == pytest.approx((rows.min(), rows.max()))
    assert window.stim_clipped == (kind not in ("digits", "text"))
    np.testing.assert_allclose(window.stim / 255, np.clip(rows, 0, 1), atol=0.5 / 255 + 1e-6)
    _, arrays = decode(window.encode())
    np.testing.assert_array_equal(arrays["stim_range"][:, 2], window.stim_mean)

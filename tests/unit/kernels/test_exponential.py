"""The vector exponential and sigmoid against numpy's."""

import numpy as np
import pytest

from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import exp, sigmoid


@jit()
def _each(x, out):
    for i in range(x.shape[0]):
        out[i] = exp(x[i])


@pytest.mark.parametrize(
    ("real", "lo", "hi", "error"), [("f4", -86, 87, 4e-7), ("f8", -700, 700, 5e-16)]
)
def test_exp_within_rounding(real, lo, hi, error):
    x = np.linspace(lo, hi, 20_001).astype(real)
    out = np.empty_like(x)
    _each(x, out)
    want = np.exp(x.astype(np.longdouble))
    assert np.max(np.abs(out - want) / want) < error


@pytest.mark.parametrize("real", ["f4", "f8"])
def test_edges(real):
    x = np.array([0.0, -np.inf, -1e30, np.inf, np.nan], real)
    out = np.empty_like(x)
    _each(x, out)
    assert out[0] == 1
    assert 0 <= out[1] == out[2] < 1e-30
    assert np.isfinite(out[3]) and out[3] > 1e30
    assert np.isnan(out[4])


def test_sigmoid():
    x = np.array([-1e4, -2.0, 0.0, 2.0, 1e4, np.nan])
    want = 1 / (1 + np.exp(np.clip(-x, -700, 700)))
    sigmoid(x)
    np.testing.assert_allclose(x, want, atol=1e-15)

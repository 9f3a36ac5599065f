"""Products of the live engine: right, and the same bits wherever a chunk is cut."""

import numpy as np
import pytest

from t4dm.kernels.products import add_rows, tile_matmul


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_tile_matmul_is_the_product(real):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((16, 64)).astype(real), rng.standard_normal((64, 48)).astype(real)
    out = np.full((16, 48), 7, real)
    tile_matmul(x, w, out)
    np.testing.assert_allclose(out, x.astype(float) @ w, rtol=0, atol=200 * np.finfo(real).eps)


def test_a_row_does_not_depend_on_the_rest_of_the_chunk():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((64, 64)).astype("f4"), rng.standard_normal((64, 64)).astype("f4")
    whole = np.empty((64, 64), np.float32)
    tile_matmul(x, w, whole)
    for row in range(64):
        tile = np.zeros((8, 64), np.float32)
        tile[row % 8] = x[row]
        out = np.empty((8, 64), np.float32)
        tile_matmul(tile, w, out)
        assert np.array_equal(out[row % 8], whole[row])


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 9])
def test_add_rows_is_the_product_with_spikes(n):
    rng = np.random.default_rng(n)
    w = rng.standard_normal((32, 24))
    ids = np.sort(rng.choice(32, n, replace=False)).astype(np.uint16)
    spikes = np.zeros(32)
    spikes[ids] = 1
    out = np.ones(24)
    add_rows(w, ids, n, out)
    np.testing.assert_allclose(out, 1 + spikes @ w, atol=1e-14)

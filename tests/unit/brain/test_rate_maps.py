"""Rate maps, autocorrelograms and what is read off them, against closed forms."""

import math

import numpy as np
import pytest
import torch

from t4dm.brain import rate_maps
from t4dm.brain.grid_cells import GridCells

SIDE = 25


def middles():
    at = (np.arange(SIDE) + 0.5) / SIDE
    return np.stack(np.meshgrid(at, at), -1)  # (row, column, xy)


def test_a_map_is_spikes_over_seconds_and_says_where_nobody_was():
    seconds = np.full((SIDE, SIDE), 2.0)
    seconds[0, 0] = 0.0
    spikes = np.full((1, SIDE, SIDE), 6, "i4")
    spikes[0, 0, 0] = 0
    (one,) = rate_maps.rate_maps(spikes, seconds)
    assert np.isnan(one[0, 0])
    np.testing.assert_allclose(one[np.isfinite(one)], 3.0, rtol=1e-6)


def test_smoothing_keeps_a_field_where_it_is():
    seconds = np.ones((SIDE, SIDE))
    spikes = np.zeros((1, SIDE, SIDE), "i4")
    spikes[0, 5, 18] = 40
    (one,) = rate_maps.rate_maps(spikes, seconds)
    assert np.unravel_index(one.argmax(), one.shape) == (5, 18)
    assert rate_maps.field_centre(one) == pytest.approx((5.5, 18.5), abs=0.01)
    assert all(math.isnan(v) for v in rate_maps.field_centre(np.zeros((SIDE, SIDE))))


def test_a_correlation_is_what_numpy_says_at_every_shift():
    draws = np.random.default_rng(3)
    one = draws.random((9, 9)).astype(np.float32)
    one[2, 3] = np.nan
    r = rate_maps.autocorrelogram(one)
    assert r.shape == (17, 17) and r[8, 8] == pytest.approx(1.0, abs=1e-6)
    for dy, dx in ((0, 2), (1, -3), (-2, 1)):
        a = one[max(0, dy) : 9 + min(0, dy), max(0, dx) : 9 + min(0, dx)]
        b = one[max(0, -dy) : 9 + min(0, -dy), max(0, -dx) : 9 + min(0, -dx)]
        both = np.isfinite(a) & np.isfinite(b)
        expected = np.corrcoef(a[both], b[both])[0, 1]
        assert r[8 + dy, 8 + dx] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(r[0, 0])  # one common bin


@pytest.mark.parametrize("module", [0, 1, 2])
def test_the_spacing_read_off_a_grid_map_is_the_declared_one(module):
    """Of the noiseless map, within 3 %; and the map is hexagonal."""
    cells = GridCells(3, 1, 0.3, generator=torch.Generator().manual_seed(5))
    places = torch.from_numpy(middles().reshape(-1, 2)).float()
    one = cells(places)[:, module, 0].reshape(SIDE, SIDE).numpy()
    r = rate_maps.autocorrelogram(one)
    assert rate_maps.spacing(r) / SIDE == pytest.approx(cells.spacing[module].item(), rel=0.03)
    assert rate_maps.gridness(r) > 0.5


def test_a_square_lattice_is_no_hexagonal_one():
    x, y = np.moveaxis(middles(), -1, 0)
    square = 2 + np.cos(2 * np.pi * x / 0.3) + np.cos(2 * np.pi * y / 0.3)
    r = rate_maps.autocorrelogram(square)
    assert rate_maps.spacing(r) / SIDE == pytest.approx(0.3, rel=0.2)
    assert rate_maps.gridness(r) < 0


def test_a_map_without_structure_has_no_spacing():
    flat = np.ones((SIDE, SIDE))
    assert math.isnan(rate_maps.spacing(rate_maps.autocorrelogram(flat)))


def test_information_is_nothing_for_an_even_map_and_log2_for_a_half():
    seconds = np.ones((4, 4))
    assert rate_maps.information(np.full((4, 4), 3.0), seconds) == pytest.approx(0.0)
    half = np.zeros((4, 4))
    half[:2] = 5.0
    assert rate_maps.information(half, seconds) == pytest.approx(1.0)
    assert math.isnan(rate_maps.information(np.zeros((4, 4)), seconds))


def test_tuning_over_time_is_normalised_by_time_spent():
    rates = rate_maps.tuning(np.array([[2, 8, 0]]), np.array([1.0, 4.0, 0.0]))
    assert rates[0, :2].tolist() == [2.0, 2.0] and np.isnan(rates[0, 2])

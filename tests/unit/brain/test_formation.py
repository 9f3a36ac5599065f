"""Place, grid and time cells, and episodes recalled by where and when."""

import math

import pytest
import torch

from t4dm.brain.grid_cells import GridCells
from t4dm.brain.hippocampal_formation import HippocampalFormation
from t4dm.brain.place_time_cells import PlaceCells, TimeCells, lattice


def square(n=60, side=1.0):
    axis = torch.linspace(0, side, n)
    return torch.cartesian_prod(axis, axis)


@pytest.fixture
def grid(draws):
    return GridCells(4, 5, 0.3, generator=draws).double()


def test_grid_cells_peak_at_the_declared_rate(grid):
    """25 Hz at every vertex, never more, and 0 Hz in between."""
    for module in range(4):
        for cell in range(5):
            at = grid(grid.phase[module, cell][None])[0, module, cell]
            assert at.item() == pytest.approx(25.0, abs=1e-6)
    everywhere = grid(square(150).double())
    assert everywhere.max() <= 25.0 + 1e-9 and everywhere.min() >= 0.0
    assert everywhere.amax(0).min() > 22.0 and everywhere.amin(0).max() < 0.3


def test_grid_cells_repeat_at_their_spacing_every_sixty_degrees(grid):
    """Vertices lie one spacing away, 30 degrees off the waves; half-way there is no peak."""
    spacing, wave = grid.spacing[0], grid.waves[0, 0]
    angle = math.atan2(wave[1], wave[0]) + math.pi / 6
    for i in range(6):
        turn = angle + i * math.pi / 3
        step = spacing * torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
        near = grid((grid.phase[0, 0] + step)[None])[0, 0, 0]
        between = grid((grid.phase[0, 0] + step / 2)[None])[0, 0, 0]
        assert near.item() == pytest.approx(25.0, abs=1e-4) and between < 10.0


def test_modules_grow_by_the_square_root_of_two(grid):
    ratios = grid.spacing[1:] / grid.spacing[:-1]
    torch.testing.assert_close(ratios, torch.full_like(ratios, math.sqrt(2)))
    assert grid.spacing[0].item() == pytest.approx(0.3)


def test_place_fields_peak_in_their_middle_and_cover_the_arena(draws):
    cells = PlaceCells(64, 1.0, 0.1, 20.0, generator=draws)
    own = cells(cells.centre)
    assert own.diagonal().tolist() == pytest.approx([20.0] * 64)
    assert own.argmax(1).tolist() == list(range(64))
    assert cells(square(40)).amax(1).min() > 5.0
    off = cells(cells.centre[:1] + torch.tensor([[0.1, 0.0]]))[0, 0].item()
    assert off == pytest.approx(20 * math.exp(-0.5), rel=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 17, 50, 64, 65, 99])
def test_any_number_of_place_cells_covers_the_whole_square(n):
    """No point is further from the nearest of n cells than 1.2 of their mean distance, arena/sqrt n."""
    points = lattice(n).float()
    away = torch.cdist(square(60), points).amin(1).max().item()
    assert points.shape == (n, 2) and len(points.unique(dim=0)) == n
    assert points.min() > 0 and points.max() < 1 and away < 1.2 * n**-0.5


def test_sixty_four_place_cells_stand_eight_by_eight():
    axis = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    assert torch.equal(lattice(64), torch.cartesian_prod(axis, axis))


def test_time_cells_fire_one_after_the_other_and_later_ones_longer():
    cells = TimeCells(12, 0.25, 8.0, 15.0)
    assert cells.preferred[0].item() == pytest.approx(0.25)
    assert cells.preferred[-1].item() == pytest.approx(8.0)
    times = torch.linspace(0.01, 12, 4000)
    rates = cells(times)
    assert (rates.argmax(0).diff() > 0).all() and rates.max().item() == pytest.approx(15, rel=1e-3)
    width = (rates > 7.5).sum(0)[1:-2]
    assert (width.diff() > 0).all()


def test_where_and_when_have_a_code_of_length_one():
    formation = HippocampalFormation()
    there = formation(square(5), torch.linspace(0.1, 8, 25))
    assert there.code.shape == (25, formation.code_size)
    torch.testing.assert_close(there.code.norm(dim=-1), torch.ones(25))
    assert there.grid.shape == (25, 4, 9)


def test_long_after_the_last_time_cell_the_code_has_no_time_in_it():
    code = HippocampalFormation()(torch.full((1, 2), 0.5), torch.tensor([300.0])).code
    assert code.norm().item() == pytest.approx((2 / 3) ** 0.5) and not code[0, -16:].any()


def test_an_episode_is_recalled_by_its_place_and_time():
    """Two hundred episodes; slightly off in place and time, the right one still comes first."""
    draws = torch.Generator().manual_seed(3)
    formation = HippocampalFormation()
    where, when = torch.rand(200, 2, generator=draws), torch.rand(200, generator=draws) * 8 + 0.2
    content = torch.randn(200, 7, generator=draws)
    memory = formation.remember(formation.empty_memory(256, 7), formation(where, when), content)
    told, found = formation.recall(memory, formation(where, when), 3)
    assert found.slot[:, 0].tolist() == list(range(200))
    assert torch.equal(told[:, 0], content)
    _, near = formation.recall(memory, formation(where + 0.005, when * 1.01), 1)
    assert (near.slot[:, 0] == torch.arange(200)).float().mean() > 0.97


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dtype_and_device_are_kept(dtype):
    formation = HippocampalFormation().to(dtype)
    here = formation(square(3).to(dtype), torch.ones(9, dtype=dtype))
    assert {part.dtype for part in here} == {dtype}
    away = formation.to("meta")(square(3).to("meta", dtype), torch.ones(9, device="meta"))
    assert away.code.device.type == "meta" and "grid.k" in formation.state_dict()

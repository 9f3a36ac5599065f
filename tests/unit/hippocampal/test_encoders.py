"""Place cells and theta-gamma positions."""

import math

import pytest
import torch

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.place_cells import PlaceCellEncoder, winners
from t4dm.hippocampal.theta_gamma import ThetaGammaEncoding, phases, position_code


def encoder(**more):
    return PlaceCellEncoder(500, 64, 256, generator=torch.Generator().manual_seed(0), **more)


def test_a_share_of_cells_wins_and_they_are_the_largest():
    drive = torch.randn(7, 100, generator=torch.Generator().manual_seed(1))
    place = winners(drive, 5)
    assert (place > 0).sum(-1).tolist() == [5] * 7
    for row, out in zip(drive, place, strict=True):
        largest = row.argsort(descending=True)[:5]
        torch.testing.assert_close(out[largest], torch.sigmoid(row[largest]))


def test_three_percent_of_256_cells_are_eight():
    _, place = encoder()(torch.arange(500))
    assert (place > 0).sum(-1).unique().tolist() == [8]


def test_output_is_the_embedding_plus_a_tenth_of_the_reconstruction():
    cells, ids = encoder(), torch.arange(20)
    out, place = cells(ids)
    expected = cells.token_embedding(ids) + 0.1 * cells.from_place(place)
    torch.testing.assert_close(out, expected)


def test_different_tokens_have_different_places():
    """Chance overlap of 8 winners among 256 is a quarter of a cell."""
    place = (encoder()(torch.arange(500))[1] > 0).float()
    shared = place @ place.T - torch.diag(place.sum(-1))
    assert shared.sum() / (500 * 499) < 1.0


def test_the_embedding_has_its_declared_spread():
    assert encoder().token_embedding.weight.std().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("span", [16, 64, 100, 512, 2048])
def test_no_two_positions_share_a_code(span, dtype):
    """Nearest neighbours stay 0.2 apart (float32 and bfloat16) for every length up to the longest."""
    code = ThetaGammaEncoding(8, span, generator=torch.Generator()).to(dtype).code.double()
    gaps = torch.cdist(code, code, compute_mode="donot_use_mm_for_euclid_dist")
    gaps.fill_diagonal_(math.inf)
    assert len(code) == span and gaps.min() > 0.2


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nor_do_any_two_in_the_longest_context_there_may_be(dtype):
    """The fast phases tell positions apart that differ modulo 16; of the rest each pair is looked at."""
    span = next(s.hi for s in HippocampalParams.specs() if s.path == "hippocampal.max_seq_len")
    code = ThetaGammaEncoding(8, span, generator=torch.Generator()).to(dtype).code.float()
    assert len(code) == span == 16384
    for part in [code[:16, 8:], *(code[first::16] for first in range(16))]:
        gaps = torch.cdist(part, part, compute_mode="donot_use_mm_for_euclid_dist")
        assert gaps.fill_diagonal_(math.inf).min() > 0.2


def test_theta_and_gamma_alone_would_repeat():
    """Why there is a slow phase: 8 and 40 Hz give 64 codes for 512 positions."""
    position = torch.arange(512, dtype=torch.float64)
    theta, gamma = phases(position, 512)
    torch.testing.assert_close(torch.cos(theta[:64]), torch.cos(theta[64:128]))
    torch.testing.assert_close(torch.cos(gamma[:64]), torch.cos(gamma[64:128]))


def test_eight_theta_and_forty_gamma_cycles_fit_the_span():
    theta, gamma = phases(torch.arange(4096, dtype=torch.float64), 4096)
    assert int((theta.diff() < 0).sum()) == 7 and int((gamma.diff() < 0).sum()) == 39
    at = position_code(torch.tensor([4096 / 16.0]), 4096)[0]  # half a theta cycle: no gamma
    torch.testing.assert_close(at[6:8], torch.zeros(2), atol=1e-6, rtol=0)


def test_a_position_keeps_its_code_as_the_text_grows():
    rhythm = ThetaGammaEncoding(16, 512, generator=torch.Generator().manual_seed(0))
    long = rhythm(torch.zeros(1, 40, 16))
    torch.testing.assert_close(rhythm(torch.zeros(1, 10, 16)), long[:, :10])
    torch.testing.assert_close(rhythm(torch.zeros(1, 10, 16), start=30), long[:, 30:])


def test_the_projected_code_is_as_wide_as_the_embedding():
    rhythm = ThetaGammaEncoding(256, 512, generator=torch.Generator().manual_seed(0))
    assert rhythm(torch.zeros(512, 256)).square().mean().sqrt().item() == pytest.approx(
        0.02, rel=0.2
    )


def test_positions_outside_the_context_are_refused():
    rhythm = ThetaGammaEncoding(16, 32, generator=torch.Generator())
    with pytest.raises(ValueError, match="position 32 lies outside the context of 32 tokens"):
        rhythm(torch.zeros(1, 33, 16))

"""Thalamus, basal ganglia and amygdala against what their equations say."""

import math

import pytest
import torch

from t4dm.brain.amygdala import REST, Amygdala
from t4dm.brain.basal_ganglia import BasalGanglia, release
from t4dm.brain.thalamus import Thalamus


def test_arousal_opens_the_gate_in_proportion(x, draws):
    thalamus = Thalamus(16, generator=draws)
    _, low = thalamus(x, 0.0)
    _, high = thalamus(x, 1.0)
    torch.testing.assert_close(high, 3.0 * low)
    assert low.min() > 0 and high.max() < 1.5
    _, each = thalamus(x, torch.rand(2, 6))
    assert each.shape == x.shape


def test_relay_is_the_gated_input(x, draws):
    thalamus = Thalamus(16, generator=draws)
    relay, g = thalamus(x, 0.3)
    torch.testing.assert_close(relay, thalamus.relay(g * x))


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([0.8, 0.3, 0.3], [1, 0, 0]),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_the_strongest_vote_is_released_and_equals_share(votes, expected):
    assert release(torch.tensor(votes)).tolist() == pytest.approx(expected, abs=1e-6)


def test_without_dopamine_nothing_acts_and_with_it_more_does():
    votes = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    shares = [release(votes, level).mean().item() for level in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert shares[0] == 0 and shares == sorted(shares) and shares[-1] > 0.5


def test_total_is_the_released_sum_and_zero_where_nothing_is(x):
    ganglia, votes = BasalGanglia(), torch.rand(2, 6, 3)
    outs = [x, 2 * x, -x]
    total, shares = ganglia(votes, outs)
    by_hand = sum(shares[..., i, None] * outs[i] for i in range(3))
    torch.testing.assert_close(total, by_hand)
    total, _ = ganglia(votes, outs, dopamine=0.0)
    assert total.shape == x.shape and total.abs().max() == 0
    with pytest.raises(ValueError, match="3 votes for 2 regions"):
        ganglia(votes, outs[:2])


def test_votes_learn_through_the_release(x):
    votes = torch.rand(2, 6, 3, requires_grad=True)
    total, _ = BasalGanglia()(votes, [x, 2 * x, -x])
    total.square().sum().backward()
    assert votes.grad.abs().max() > 0


def test_a_conditioned_input_gets_its_valence_and_others_do_not(draws):
    good, bad, other = torch.randn(3, 1, 64, generator=draws).unbind(0)
    amygdala = Amygdala(64)
    errors = [(amygdala.condition(good, 1.0), amygdala.condition(bad, -1.0)) for _ in range(40)]
    assert errors[0][0] == pytest.approx(1.0) and abs(errors[-1][0]) < 0.01
    said = amygdala(torch.stack([good, bad, other])).valence[:, 0]
    assert said[0] > 0.95 and said[1] < -0.95 and abs(said[2]) < 0.5
    with pytest.raises(ValueError, match="from -1 to 1, got 3"):
        amygdala.condition(good, 3.0)


def test_arousal_follows_emphasis_with_its_time_constant(draws):
    """The same token over and over is no news: arousal goes to the emphasis as 1 - exp(-t/tau)."""
    same = torch.randn(1, 1, 16, generator=draws).expand(1, 12, 16)
    arousal = Amygdala(16, tau=4.0)(same, torch.ones(1, 12)).arousal[0]
    expected = [1 - (1 - REST) * math.exp(-(t + 1) / 4) for t in range(12)]
    assert arousal.tolist() == pytest.approx(expected, abs=1e-5)


def test_news_stirs(draws):
    calm = torch.randn(1, 1, 16, generator=draws).expand(1, 8, 16).clone()
    news = calm.clone()
    news[:, 4] = -calm[:, 4]
    amygdala = Amygdala(16)
    before, after = amygdala(calm).arousal[0], amygdala(news).arousal[0]
    assert torch.equal(before[:4], after[:4]) and after[4] > before[4] + 0.05


def test_what_comes_again_and_again_is_no_news(draws):
    first, second = torch.randn(2, 1, 1, 16, generator=draws)
    text = torch.cat([first, second.expand(1, 60, 16)], dim=1)
    arousal = Amygdala(16)(text).arousal[0]
    assert arousal.max() > 0.15 and arousal[-1] < 0.02


def test_feelings_go_on_where_they_stopped(x):
    amygdala = Amygdala(16)
    whole = amygdala(x)
    first = amygdala(x[:, :2])
    second = amygdala(x[:, 2:], state=first.state)
    torch.testing.assert_close(torch.cat([first.arousal, second.arousal], 1), whole.arousal)

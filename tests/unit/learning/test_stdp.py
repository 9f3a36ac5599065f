"""STDP: the window, pair form against trace form, bounds, gating, three factors."""

import logging
import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from t4dm.learning.params import STDPParams
from t4dm.learning.stdp import STDPLearner, init_stdp_state, stdp_step
from t4dm.params import ParamError

STEPS, N = 220, 5


def trains(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(STEPS, N) pre and post spikes at about 15 %."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(STEPS, N, generator=generator) < 0.15 for _ in range(2))


def weights(seed: int = 1, w_max: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(N, N, generator=generator, dtype=torch.float64) * w_max


def by_trace(learner: STDPLearner, w, pre, post, **levels):
    state = init_stdp_state(N, N)
    for s_pre, s_post in zip(pre, post, strict=True):
        w, state = learner.step(w, s_pre, s_post, state, **levels)
    return w, state


@pytest.mark.parametrize("windows", [(20, 20), (7, 33), (1, 1), (100, 100)])
@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_pair_form_equals_trace_form_on_random_trains(windows, mu, pairing):
    learner = STDPLearner(
        *windows, tau_plus=15.0, tau_minus=25.0, a_plus=0.06, a_minus=0.05, mu=mu,
        pairing=pairing, w_max=0.8, learning_rate=0.7,
    )  # fmt: skip
    (pre, post), w = trains(), weights(w_max=0.8)
    traced, _ = by_trace(learner, w, pre, post)
    for i in range(N):
        for j in range(N):
            times = (pre[:, i].nonzero(), post[:, j].nonzero())
            paired = learner.update_weight(w[i, j].item(), *times)
            assert abs(paired - traced[i, j].item()) < 1e-9
    assert (traced - w).abs().max() > 0.01


def test_without_bounds_the_change_is_the_sum_of_the_window_over_all_pairs():
    learner = STDPLearner(a_plus=1e-4, a_minus=1.1e-4)
    pre, post = (train[:, 0].nonzero().squeeze(1) for train in trains())
    expected = learner.window_function(post[None, :] - pre[:, None]).sum().item()
    assert learner.compute_weight_change(pre, post, 0.5) == pytest.approx(expected, abs=1e-12)


def test_window_is_closed_at_its_ends_and_zero_at_dt_zero():
    learner = STDPLearner(window_pre_to_post=20, window_post_to_pre=10)
    assert learner.window_function(5) == pytest.approx(0.01 * math.exp(-5 / 20))
    assert learner.window_function(-5) == pytest.approx(-0.0105 * math.exp(-5 / 20))
    assert learner.window_function(20) > 0 and learner.window_function(21) == 0
    assert learner.window_function(-10) < 0 and learner.window_function(-11) == 0
    assert learner.window_function(0) == 0
    table = learner.window_function(torch.tensor([5, 0, -5]))
    assert table.shape == (3,) and table[1] == 0 and table[0] > 0 > table[2]


@pytest.mark.parametrize("mode", ["modulated", "three_factor"])
@pytest.mark.parametrize("mu", [0.0, 0.5, 1.0])
def test_bounds_are_never_crossed(mode, mu):
    learner = STDPLearner(a_plus=0.9, a_minus=0.9, mode=mode, mu=mu, w_max=0.6)
    (pre, post), w, state = trains(), weights(w_max=0.6), init_stdp_state(N, N)
    for s_pre, s_post in zip(pre, post, strict=True):
        w, state = learner.step(w, s_pre, s_post, state, da=0.9)
        assert w.min() >= 0 and w.max() <= 0.6


@pytest.mark.parametrize(
    ("da", "up", "down"), [(1.0, 1.5, 0.7), (0.0, 0.5, 1.3), (0.75, 1.25, 0.85)]
)
def test_dopamine_at_the_later_spike_scales_the_pair(da, up, down):
    def change(first: str, level: float) -> float:
        learner, w = STDPLearner(), torch.full((1, 1), 0.5, dtype=torch.float64)
        state, on, off = init_stdp_state(1, 1), torch.ones(1), torch.zeros(1)
        order = [(on, off), (off, on)] if first == "pre" else [(off, on), (on, off)]
        w, state = learner.step(w, *order[0], state, da=0.5)
        return learner.step(w, *order[1], state, da=level)[0].item() - 0.5

    assert change("pre", da) == pytest.approx(up * change("pre", 0.5))
    assert change("post", da) == pytest.approx(down * change("post", 0.5))


def test_three_factor_changes_by_rate_times_eligibility_times_dopamine():
    params = STDPParams(mode="three_factor", tau_e=50.0, learning_rate=2.0)
    w, on, off = torch.full((1, 1), 0.5, dtype=torch.float64), torch.ones(1), torch.zeros(1)
    state = init_stdp_state(1, 1)
    w, state = stdp_step(w, on, off, state, params)
    w, state = stdp_step(w, off, on, state, params)
    e = 0.01 * math.exp(-1 / 20)
    assert w.item() == 0.5
    assert state.eligibility.item() == pytest.approx(e)
    w, state = stdp_step(w, off, off, state, params, da=0.8, ht5=1.0)
    e *= math.exp(-1 / (50 * 1.5))
    assert w.item() == pytest.approx(0.5 + 2.0 * e * 0.3)
    w_low, _ = stdp_step(w, off, off, state, params, da=0.2)
    assert w_low < w


@pytest.mark.parametrize("blocked", [{"enabled": False}, {"da_gate": 0.6}])
@pytest.mark.parametrize("mode", ["modulated", "three_factor"])
def test_gated_learning_changes_nothing_but_the_traces_go_on(blocked, mode):
    (pre, post), w = trains(), weights()
    held, state = by_trace(STDPLearner(mode=mode, **blocked), w, pre, post, da=0.55)
    _, free = by_trace(STDPLearner(mode=mode), w, pre, post, da=0.55)
    assert torch.equal(held, w)
    assert torch.equal(state.pre, free.pre) and torch.equal(state.post, free.post)


def test_fixed_entries_stay_fixed_and_nothing_is_changed_in_place():
    (pre, _), w = trains(), weights().fill_diagonal_(0)
    plastic = ~torch.eye(N, dtype=torch.bool)
    plastic[4:] = False
    before = w.clone()
    new, _ = by_trace(STDPLearner(), w, pre, pre, plastic=plastic)
    assert torch.equal(w, before)
    assert torch.equal(new[~plastic], w[~plastic])
    assert (new[plastic] != w[plastic]).any()


def test_a_changed_tau_acts_on_the_next_pair_at_once():
    learner, w = STDPLearner(tau_plus=5.0), torch.full((1, 1), 0.5, dtype=torch.float64)
    state, on, off = init_stdp_state(1, 1), torch.ones(1), torch.zeros(1)
    w, state = learner.step(w, on, off, state)
    later = STDPLearner(tau_plus=100.0)
    w, _ = later.step(w, off, on, state)
    assert w.item() == pytest.approx(0.5 + 0.01 * math.exp(-1 / 100))


def test_disabled_and_zero_rate_learners_leave_a_weight_alone():
    learner, times = STDPLearner(), (torch.tensor([10, 50]), torch.tensor([15, 55]))
    assert learner.enabled and learner.update_weight(0.5, *times) > 0.5
    learner.enabled = False
    assert learner.update_weight(0.5, *times) == 0.5
    learner.enabled, learner.learning_rate = True, 0.0
    assert learner.update_weight(0.5, *times) == 0.5


def test_learning_rate_multiplies():
    times = (torch.tensor([10, 50]), torch.tensor([15, 55]))
    slow = STDPLearner(learning_rate=0.001).compute_weight_change(*times, 0.5)
    assert slow == pytest.approx(0.001 * STDPLearner().compute_weight_change(*times, 0.5))


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match="tau_plus"):
        STDPLearner(tau_plus=-1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        STDPLearner().learning_rate = float("nan")


@pytest.mark.parametrize("w_max", [0.3, 1.0, 7.7])
def test_bounds_hold_in_float32_after_a_million_updates(w_max):
    n, steps = 400, 90
    learner = STDPLearner(a_plus=0.37, a_minus=0.41, w_max=w_max)
    generator = torch.Generator().manual_seed(4)
    w = torch.rand(n, n, generator=generator) * w_max
    highest = torch.tensor(w_max, dtype=torch.float32)
    state, updates = init_stdp_state(n, n), 0
    for row in torch.rand(steps, n, generator=generator) < 0.1:
        before = w
        w, state = learner.step(w, row, row, state)
        updates += int((w != before).sum())
        assert w.min() >= 0 and w.max() <= highest
    assert w.dtype == torch.float32 and updates > 1_000_000
    assert (w == 0).any() and (w == w.max()).any()


TRAINS = st.lists(st.integers(0, 60), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    w=st.floats(0, 1), pre=TRAINS, post=TRAINS, mu=st.sampled_from([0.0, 0.3, 1.0]),
    size=st.floats(0, 1),
)  # fmt: skip
def test_one_weight_never_leaves_its_bounds(w, pre, post, mu, size):
    learner = STDPLearner(a_plus=size, a_minus=size, mu=mu)
    assert 0 <= learner.update_weight(w, torch.tensor(pre), torch.tensor(post)) <= 1


def test_skipped_updates_are_logged_with_their_reason_once_in_a_thousand_calls(caplog):
    caplog.set_level(logging.INFO)
    learner, times = STDPLearner(), (torch.tensor([10, 50]), torch.tensor([15, 55]))
    assert caplog.messages == ["STDP enabled: mode modulated, learning_rate 1 in call 0"]
    learner.update_weight(0.5, *times)
    learner.update_weight(0.5, times[0], times[0] + 30)
    assert "no pair of spikes lies within the windows" not in caplog.messages[-1]
    learner.update_weight(0.5, torch.tensor([10]), torch.tensor([40]))
    assert "STDP update skipped: no pair of spikes lies within" in caplog.messages[-1]
    learner.learning_rate = 0.0
    assert caplog.messages[-1] == "learning_rate changed: stdp.learning_rate 1 -> 0 in call 3"
    learner.update_weight(0.5, *times)
    assert "STDP update skipped: stdp.learning_rate is 0 in call 4" in caplog.messages
    learner.enabled = False
    for _ in range(1500):
        learner.update_weight(0.5, *times)
    skipped = [m for m in caplog.messages if "skipped: stdp.enabled is off" in m]
    assert len(skipped) == 2 and skipped[1].endswith("(999 more since 5)")


def test_gated_steps_of_the_trace_form_are_logged(caplog):
    caplog.set_level(logging.INFO)
    (pre, post), w = trains(), weights()
    by_trace(STDPLearner(da_gate=0.6), w, pre, post, da=0.55)
    skipped = [m for m in caplog.messages if "STDP update skipped" in m]
    assert skipped == ["STDP update skipped: dopamine is below stdp.da_gate 0.6 in call 1"]


def test_a_misspelt_keyword_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'stdp.learning_rate'"):
        STDPLearner(learning_rat=0.1)


def test_the_pair_form_refuses_the_mode_that_has_none():
    learner, train = STDPLearner(mode="three_factor"), torch.tensor([10.0])
    for act in (
        lambda: learner.compute_weight_change(train, train + 5, 0.5),
        lambda: learner.update_weight(0.5, train, train + 5),
    ):
        with pytest.raises(ParamError, match="mode must be 'modulated' for a pair"):
            act()

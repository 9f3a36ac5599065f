"""Neuromodulators: decay, boluses, holding, reward, and that every one does what its row says."""

import math

import pytest

from t4dm.spiking.neuromod_bus import NeuromodBus, gains
from t4dm.spiking.params import NEUROMODULATORS, NeuromodParams


def test_a_bolus_waits_for_the_update_then_decays_to_baseline():
    bus = NeuromodBus()
    bus.inject("DA", 0.4)
    assert bus.advance(0)["DA"] == pytest.approx(0.9)
    for step in range(1, 101):
        level = bus.advance(step)["DA"]
    assert level == pytest.approx(0.5 + 0.4 * math.exp(-100 / 200))


def test_levels_move_on_the_update_grid_only_and_by_all_its_steps():
    bus = NeuromodBus(NeuromodParams(update_freq=10))
    bus.inject("NE", 0.4)
    first = bus.advance(0)["NE"]
    assert [bus.advance(step)["NE"] for step in range(1, 10)] == [first] * 9
    assert bus.advance(10)["NE"] == pytest.approx(0.5 + 0.4 * math.exp(-10 / 300))


def test_levels_are_clipped_and_a_held_level_is_the_held_value():
    bus = NeuromodBus()
    bus.inject("ACh", 1.0)
    assert bus.advance(0)["ACh"] == 1.0
    bus.inject("ACh", -1.0)
    bus.inject("ACh", -1.0)
    assert bus.advance(1)["ACh"] == 0.0
    bus.inject("ACh", 0.7, hold=True)
    assert bus.get_state()["ACh"] == 0.7
    assert [bus.advance(step)["ACh"] for step in (2, 3)] == [0.7, 0.7]


def test_a_stimulus_onset_releases_acetylcholine_and_noradrenaline_at_once():
    bus = NeuromodBus()
    levels = bus.advance(0, onset=True)
    assert levels == {"DA": 0.5, "ACh": 0.6, "NE": 0.55, "5HT": 0.5}


def test_disabled_rests_at_neutral():
    bus = NeuromodBus(NeuromodParams(enabled=False, DA=0.9))
    bus.inject("NE", 0.4)
    assert bus.advance(0, onset=True) == dict.fromkeys(NEUROMODULATORS, 0.5)
    assert bus.gains() == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("nt", "expected"),
    [
        ("da", (1, 1, 1.5, 0.7, 1)),
        ("ach", (1.5, 1, 1, 1, 1)),
        ("ne", (1, 1.5, 1, 1, 1)),
        ("ht5", (1, 1, 1, 1, 1 / 1.5)),
    ],
)
def test_each_modulator_moves_its_own_gains(nt, expected):
    levels = dict.fromkeys(("da", "ach", "ne", "ht5"), 0.5)
    assert gains(**levels) == (1, 1, 1, 1, 1)
    assert gains(**levels | {nt: 1.0}) == pytest.approx(expected)


def test_observed_rewards_are_learnt_and_the_manual_one_bypasses_the_expectation():
    bus = NeuromodBus()
    assert bus.observe_reward(1.0) == pytest.approx({"r": 1.0, "r_hat": 0.1, "delta": 1.0})
    assert bus.advance(0)["DA"] == pytest.approx(0.8)
    for _ in range(100):
        bus.observe_reward(1.0)
        bus.advance(0)
    assert abs(bus.delta) < 0.01
    before = bus.advance(0)["DA"]
    bus.inject_reward(reward=1.0)
    after = bus.advance(0)["DA"]
    keep = math.exp(-1 / 200)
    assert after == pytest.approx(min(1.0, 0.5 + (before - 0.5) * keep + 0.3))
    assert bus.r_hat > 0.99


def test_a_reward_is_seen_in_the_state_before_the_next_step():
    bus = NeuromodBus()
    before = bus.get_state()
    bus.inject_reward(reward=1.0)
    assert bus.get_state()["DA"] == pytest.approx(before["DA"] + 0.3)


def test_the_schedule_lists_targets_holds_and_pending_boluses():
    bus = NeuromodBus()
    assert [event["nt"] for event in bus.get_injection_schedule()] == list(NEUROMODULATORS)
    bus.inject("DA", 0.2, at_step=5)
    bus.inject("NE", 0.9, hold=True)
    extra = bus.get_injection_schedule()[4:]
    assert extra == [{"nt": "NE", "held": 0.9}, {"nt": "DA", "level": 0.2, "from_step": 5}]
    assert bus.advance(4)["DA"] == 0.5
    assert bus.advance(5)["DA"] == pytest.approx(0.7)
    assert len(bus.get_injection_schedule()) == 5


@pytest.mark.parametrize(("nt", "level"), [("DAA", 0.1), ("DA", 2.0), ("DA", float("nan"))])
def test_bad_injections_are_refused_and_change_nothing(nt, level):
    bus = NeuromodBus()
    with pytest.raises(ValueError):
        bus.inject(nt, level)
    assert bus.get_state() == NeuromodBus().get_state()


def test_state_survives_a_round_trip_bit_for_bit():
    bus = NeuromodBus()
    bus.observe_reward(0.7)
    for step in range(5):
        bus.advance(step, onset=step == 2)
    bus.inject("5HT", 0.3, at_step=8)
    other = NeuromodBus()
    other.load_json(bus.to_json())
    assert [bus.advance(t) for t in range(5, 12)] == [other.advance(t) for t in range(5, 12)]
    assert bus.reward_state() == other.reward_state()

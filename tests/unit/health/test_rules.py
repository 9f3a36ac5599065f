"""Every rule on evidence made by hand: what it calls, why, and when it keeps still."""

import re
from pathlib import Path

import numpy as np
import pytest

from t4dm.commands import parse_command
from t4dm.health.beyond import beyond
from t4dm.health.finding import rules
from t4dm.live.tree import ParamTree
from tests.unit.health.conftest import BINS, GROUPS, evidence

RULES = {rule.id: rule for rule in rules()}
OFF = {"homeostasis.enabled": False}
QUIET = [0.0, 0.0, 0.0, 0.0, 0.0]


def look(rule, ev, active=False):
    return RULES[rule].look(ev, active)


def test_there_is_one_file_for_each_rule():
    folder = Path(__file__).parents[3] / "t4dm" / "health" / "symptoms"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_healthy_evidence_is_no_symptom(rule):
    assert look(rule, evidence()) is None


@pytest.mark.parametrize(
    ("values", "u_mean", "u_high", "more", "cause"),
    [
        (OFF | {"lif.v_thresh": 8.0}, 1.2, 7.0, {}, "threshold"),
        (OFF | {"input.gain": 0.1}, 0.12, 0.6, {}, "input"),
        (OFF | {"lif.alpha": 0.5}, 0.23, 5.2, {}, "leak"),
        ({"gate.bias": -10.0}, 0.0, 0.0, {"gate": 0.0}, "gate"),
        (OFF, 1.2, 1.3, {"theta": 1.5}, "state"),
        ({"homeostasis.target_rate": 0.002}, 1.2, 3.0, {"theta": 3.5}, "target"),
        (OFF | {"neuromod.NE": 0.0}, 0.5, 0.9, {}, "modulator"),
    ],
)
def test_why_a_network_does_not_fire(values, u_mean, u_high, more, cause):
    ev = evidence(values, fired=QUIET, u_mean=u_mean, u_high=u_high, **more)
    found = look("not_firing", ev)
    assert found.cause == cause
    assert found.remedies and found.place.block == 0 and found.groups == (0, 1, 2, 3)
    assert look("sparsity", evidence(values, fired=0.004, u_mean=u_mean, u_high=u_high, **more))


def test_the_threshold_put_back_is_the_override_that_holds():
    values = OFF | {"blocks.1.lif.v_thresh": 9.0}
    ev = evidence(values, fired=[0.08, 0.08, 0.0, 0.0, 0.0], u_mean=1.2)
    found = look("not_firing", ev)
    assert found.place.block == 1 and found.groups == (2, 3)
    paths = [command["path"] for command in found.remedies[0].commands]
    assert paths == ["blocks.1.lif.v_thresh", "homeostasis.enabled"]


def test_a_threshold_that_homeostasis_left_is_no_excuse_for_one_that_is_set_too_high():
    silent = {"fired": QUIET, "u_mean": 1.2, "u_high": 7.0}
    high = evidence(OFF | {"lif.v_thresh": 8.0}, theta=8.5, **silent)
    assert look("not_firing", high).cause == "threshold"
    for u_mean, u_high in ((0.12, 0.6), (0.8, 2.4)):
        ev = evidence(
            OFF | {"input.gain": 0.5}, fired=QUIET, u_mean=u_mean, u_high=u_high, theta=1.5
        )
        assert look("not_firing", ev).cause == "input"


def test_a_block_behind_a_sparse_one_is_the_sparse_ones_fault():
    fired = [0.012, 0.003, 0.0, 0.0, 0.0]
    assert look("not_firing", evidence(OFF, fired=fired)) is None
    assert look("sparsity", evidence(OFF, fired=fired)).place.index == 0


def test_a_quiet_lif_out_behind_a_starved_lif_in_lacks_input_not_threshold():
    """The LIF in stands just above its floor, so that the LIF out is the first that is quiet."""
    fired = [0.021, 0.012, 0.001, 0.0, 0.0]
    starved, fed = (
        evidence(OFF | {"input.gain": 0.52}, fired=fired, u_mean=[u, -0.2, 0.1, -0.1, np.nan])
        for u in (0.2, 0.8)
    )
    assert look("sparsity", starved).place.index == look("sparsity", fed).place.index == 1
    assert look("sparsity", starved).cause == "input"
    assert look("sparsity", fed).cause == "threshold"


def test_a_pause_of_the_stimulus_is_no_silence():
    ev = evidence(fired=QUIET, driven=0.0, paused_ms=2000.0)
    assert look("not_firing", ev) is None and look("sparsity", ev) is None
    assert look("not_firing", evidence(fired=QUIET, driven=0.0, paused_ms=50.0))


@pytest.mark.parametrize(
    ("values", "more", "cause"),
    [
        (OFF | {"lif.beta": 0.0}, {}, "reset"),
        (OFF | {"lif.v_thresh": 0.2}, {}, "threshold"),
        (OFF | {"recurrent.gain": 6.0}, {"weights": {"mean": np.full(2, 0.3)}}, "feedback"),
        (OFF | {"neuromod.NE": 1.0}, {"level_high": 1.0, "level_low": 1.0}, "modulator"),
        (OFF | {"gate.bias": 10.0}, {"gate": 1.0}, "gate"),
        (OFF | {"input.gain": 15.0}, {"u_mean": 12.0}, "input"),
        (OFF | {"lif.alpha": 0.99}, {}, "leak"),
    ],
)
def test_why_a_network_runs_away(values, more, cause):
    found = look("runaway", evidence(values, fired=0.7, **{"u_mean": 3.0} | more))
    assert found.cause == cause and found.groups == (0, 1, 2, 3) and found.remedies


@pytest.mark.parametrize(
    ("values", "weights", "bins", "cause"),
    [
        ({"stdp.enabled": False}, {}, {}, "disabled"),
        ({"stdp.learning_rate": 0.0}, {}, {}, "rate"),
        ({"stdp.a_plus": 0.0, "stdp.a_minus": 0.0}, {}, {}, "amplitude"),
        ({"stdp.da_gate": 0.9}, {}, {}, "gated"),
        ({"stdp.mode": "three_factor"}, {}, {"level_low": 0.5, "level_high": 0.5}, "neutral"),
        ({}, {"pairs": np.zeros(201)}, {}, "pairs"),
        ({"stdp.w_max": 0.01}, {"at_bounds": np.full((2, 2), 0.5)}, {}, "bounds"),
    ],
)
def test_why_weights_stand_still(values, weights, bins, cause):
    ev = evidence(values, weights={"moved": np.zeros(2)} | weights, **bins)
    assert look("stdp_not_engaging", ev).cause == cause


def test_narrow_windows_are_called_by_the_pairs_they_leave_out():
    narrow = {"stdp.window_pre_to_post": 1, "stdp.window_post_to_pre": 1}
    found = look("stdp_not_engaging", evidence(narrow))
    dt = np.arange(1, 101)
    assert found.cause == "window"
    assert found.numbers["paired"] == pytest.approx(
        np.exp(-1 / 20) / np.exp(-dt / 20).sum(), abs=1e-4
    )
    one_side = evidence({"stdp.window_pre_to_post": 1})
    assert look("stdp_not_engaging", one_side) is None


def test_weights_of_silent_blocks_may_stand_still():
    ev = evidence(fired=QUIET, weights={"moved": np.zeros(2)})
    assert look("stdp_not_engaging", ev) is None


@pytest.mark.parametrize(
    ("values", "level", "cause"),
    [
        ({"neuromod.enabled": False}, 0.5, "disabled"),
        ({"neuromod.DA": 0.6, "neuromod.ACh": 0.6, "neuromod.NE": 0.6}, 0.6, "held"),
        (
            {"neuromod.onset_ACh": 0.0, "neuromod.onset_NE": 0.0, "neuromod.reward_gain": 0.0},
            0.5, "unconnected",
        ),
        ({"neuromod.ACh_tau": 60000.0}, 1.0, "bound"),
        ({"neuromod.update_freq": 1000}, 0.5, "update"),
    ],
)  # fmt: skip
def test_why_levels_are_frozen(values, level, cause):
    found = look("neuromodulators_frozen", evidence(values, level_low=level, level_high=level))
    assert found.cause == cause


def test_levels_that_nothing_should_move_are_not_frozen():
    flat = {"level_low": 0.5, "level_high": 0.5}
    assert look("neuromodulators_frozen", evidence(onsets=0, rewards=0.0, **flat)) is None
    unsurprising = evidence(onsets=0, rewards=0.001, **flat)
    assert look("neuromodulators_frozen", unsurprising) is None
    one_held = evidence({"neuromod.DA": 0.5}, level_low=[0.5, 0.5, 0.5, 0.5],
                        level_high=[0.5, 0.6, 0.55, 0.5])  # fmt: skip
    assert look("neuromodulators_frozen", one_held) is None


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"lif.alpha": 0.999, "lif.u_max": 1000.0}, "leak"),
        ({"lif.u_max": 1000.0, "input.gain": 20.0}, "drive"),
        ({"lif.u_max": 1000.0, "stdp.w_max": 10.0}, "weights"),
        ({"lif.u_max": 1000.0}, "clip"),
    ],
)
def test_why_membranes_diverge(values, cause):
    low = [-1.0, -300.0, -1.0, -1.0, np.nan]
    assert look("membranes_diverging", evidence(u_low=low)) is None  # u_max 10 holds them
    ev = evidence(values, u_low=low)
    found = look("membranes_diverging", ev)
    assert found.cause == cause and found.groups == (1,) and found.numbers["min_u"] == -300.0


@pytest.mark.parametrize("openness", [0.001, 0.999])
def test_a_stuck_gate_is_called_by_its_end(openness):
    found = look("gate_stuck", evidence({"gate.bias": 9.0}, gate=[0.5, openness]))
    assert found.cause == ("shut" if openness < 0.5 else "open")
    assert found.place.block == 1 and found.remedies[0].commands[0]["path"] == "gate.bias"


def test_attention_is_judged_where_enough_queries_ask():
    assert look("attention_collapse", evidence(entropy=0.999)).cause == "traces"
    assert look("winner_takes_all", evidence(top=0.99)).cause == "scores"
    seldom = np.full((BINS, 2), np.nan)
    seldom[::5] = 0.999
    assert look("attention_collapse", evidence(entropy=seldom)).groups == (0, 2)
    seldom[-10:-5] = np.where(np.isnan(seldom[-10:-5]), np.nan, 0.9)
    assert look("attention_collapse", evidence(entropy=seldom)) is None
    none = np.full((BINS, 2), np.nan)
    assert look("attention_collapse", evidence(entropy=none)) is None
    assert look("attention_collapse", evidence(entropy=0.999, fired=0.01)) is None
    sharp = evidence({"attention.sharpness": 20.0}, top=0.99)
    assert look("winner_takes_all", sharp).cause == "sharpness"


def test_saturated_weights_tell_one_bound_from_both():
    far = {"stdp.learning_rate": 100.0}
    both = evidence(far, weights={"at_bounds": np.full((2, 2), 0.48)})
    assert look("saturated_weights", both).cause == "rate"
    one = evidence(weights={"at_bounds": np.array([[0.02, 0.02], [0.95, 0.01]])})
    found = look("saturated_weights", one)
    assert found.cause == "balance" and found.place.block == 1
    assert {"type": "reset", "seed": None} in found.remedies[0].commands


def test_single_stages_are_held_to_their_own_bands():
    fired = np.tile([0.08, 0.08, 0.08, 0.003, 0.0], (BINS, 1))
    assert look("silent_stage", evidence(fired=fired)).place.index == 3
    fired[:, 3], fired[:, 4] = 0.08, 0.03
    found = look("saturated_stage", evidence(fired=fired))
    assert found.place.index == 4 and found.cause == "competition" and found.severity is None
    fired[:, 4], fired[:, 1] = 0.0, 0.25
    assert look("saturated_stage", evidence(fired=fired)).severity == "note"


@pytest.mark.parametrize(
    ("rule", "enter", "stay", "leave"),
    [
        ("not_firing", {"fired": 0.0009}, {"fired": 0.0009}, {"fired": 0.0031}),
        ("sparsity", {"fired": 0.009}, {"fired": 0.013}, {"fired": 0.016}),
        ("runaway", {"fired": 0.51}, {"fired": 0.35}, {"fired": 0.29}),
        ("membranes_diverging", {"u_high": 101}, {"u_high": 75}, {"u_high": 69}),
        ("gate_stuck", {"gate": 0.019}, {"gate": 0.035}, {"gate": 0.041}),
        ("attention_collapse", {"entropy": 0.998}, {"entropy": 0.95}, {"entropy": 0.94}),
        ("winner_takes_all", {"top": 0.985}, {"top": 0.955}, {"top": 0.945}),
    ],
)
def test_what_stands_is_left_at_another_threshold_than_it_is_entered(rule, enter, stay, leave):
    free = OFF | {"lif.u_max": 1000.0}
    assert look(rule, evidence(free, **enter))
    standing = look(rule, evidence(free, **stay), active=True)
    assert standing
    if rule != "not_firing":  # which names rates, and no limit
        assert "not yet" not in look(rule, evidence(free, **enter), active=True).rule
        assert "not yet" in standing.rule and "(called" in standing.rule
    if stay != enter:
        assert look(rule, evidence(free, **stay)) is None
    assert look(rule, evidence(free, **leave), active=True) is None


@pytest.mark.parametrize(
    ("value", "enter", "leave", "words"),
    [
        (0.7, 0.5, 0.3, "above 50%"),
        (0.4, 0.5, 0.3, "not yet below 30% (called above 50%)"),
        (0.01, 0.05, 0.1, "below 5%"),
        (0.07, 0.05, 0.1, "not yet above 10% (called below 5%)"),
    ],
)
def test_a_rule_says_on_which_side_of_its_limits_a_value_stands(value, enter, leave, words):
    assert beyond(value, enter, leave, ".0%") == words


@pytest.mark.parametrize("rule", RULES)
def test_thresholds_named_in_a_rule_are_parameters(rule):
    named = re.findall(r"`(health\.\w+)`", RULES[rule].text)
    known = {spec.path for spec in ParamTree(1).specs()}
    assert set(named) <= known
    assert f"health.{RULES[rule].window}" in known


def test_every_remedy_is_a_list_of_valid_commands_and_every_cause_is_declared():
    cases = [
        ("not_finite", evidence({"input.gain": 20.0}, bad="blocks.0.w_rec")),
        ("not_firing", evidence(OFF | {"lif.v_thresh": 8.0}, fired=QUIET, u_mean=1.2)),
        ("sparsity", evidence(OFF | {"input.gain": 0.4}, fired=0.004, u_mean=0.3)),
        ("runaway", evidence(OFF | {"recurrent.gain": 6.0}, fired=0.7)),
        ("stdp_not_engaging", evidence({"stdp.da_gate": 1.0}, weights={"moved": np.zeros(2)})),
        ("neuromodulators_frozen", evidence({"neuromod.enabled": False}, level_low=0.5,
                                            level_high=0.5)),
        ("membranes_diverging", evidence({"lif.u_max": 1000.0}, u_high=200.0)),
        ("saturated_weights", evidence(weights={"at_bounds": np.full((2, 2), 0.48)})),
    ]  # fmt: skip
    tree = ParamTree(2)
    for rule, ev in cases:
        found = look(rule, ev)
        assert found.cause in RULES[rule].causes and found.rule and found.remedies, rule
        for remedy in found.remedies:
            assert remedy.label and remedy.expect
            for command in remedy.commands:
                parsed = parse_command(command)
                if parsed.type == "set":
                    tree.check(parsed.path, parsed.value)


def test_evidence_of_a_session_without_membranes_says_nan():
    ev = evidence(u_high=np.nan)
    assert not np.isfinite(ev.last("u_high", 500)).any() and ev.rate(500).shape == (GROUPS,)

"""Every rule on evidence made by hand: what it calls, why, and when it keeps still."""

import re
from pathlib import Path

import numpy as np
import pytest

from t4dm.commands import parse_command
from t4dm.health.beyond import beyond
from t4dm.health.finding import UNSURE, rules
from t4dm.live.tree import ParamTree
from tests.unit.health.conftest import BINS, GROUPS, evidence

RULES = {rule.id: rule for rule in rules()}
OFF = {"homeostasis.enabled": False}
QUIET = [0.0, 0.0, 0.0, 0.0, 0.0]


def look(rule, ev, active=None):
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
    found = look("sparsity", evidence(OFF, fired=fired))
    assert found.place.index == 1 and "quiet from block 0 LIF in on, 1.2%" in found.rule


def test_a_pause_of_the_stimulus_is_no_silence():
    rests = np.arange(BINS) < BINS - 15
    ev = evidence(fired=QUIET, driven=rests, paused_ms=2000.0)
    for rule in ("not_firing", "sparsity", "silent_stage"):
        assert look(rule, ev) is look(rule, ev, RULES[rule].severity) is UNSURE
    assert look("not_firing", evidence(fired=QUIET, driven=0.0, paused_ms=50.0))
    gone = evidence(fired=QUIET, driven=0.0, paused_ms=2000.0)  # for longer than it pauses
    assert look("not_firing", gone)


def test_a_weak_image_makes_no_silence_of_sparsity():
    """Below the limit over one window only, or by less than a third of it: what stands stays."""
    sparse = {"standing": {"sparsity": {"network_rate": 0.004}}}
    weak = np.tile([[0.004]], (BINS, GROUPS))
    weak[-5:] = 0.0
    assert look("not_firing", evidence(OFF, fired=weak))
    assert look("not_firing", evidence(OFF, fired=weak, **sparse)) is None
    assert look("not_firing", evidence(OFF, fired=0.0008))
    assert look("not_firing", evidence(OFF, fired=0.0008, **sparse)) is None
    assert look("not_firing", evidence(OFF, fired=0.0003, **sparse))


def cycles(rate, lit=3, dark=12):
    """Evidence of a network that fires at ``rate`` while the stimulus is there, and never else."""
    on = np.arange(BINS)[::-1] % (lit + dark) < lit
    fired = np.outer(on, [rate] * 4 + [0.0])
    return {"fired": fired, "driven": on, "u_high": 6.0 * on[:, None]}


@pytest.mark.parametrize("ago", range(15))
def test_rates_are_those_of_the_stimulus_wherever_its_pauses_lie(ago):
    """Three bins of stimulus in fifteen: the whole of a window fires at a fifth of its rate."""
    rests = {"paused_ms": 1200.0}
    healthy, ill = ({k: np.roll(v, ago, 0) for k, v in cycles(r).items()} for r in (0.03, 0.004))
    for rule in ("not_firing", "sparsity", "silent_stage"):
        assert look(rule, evidence(**healthy, **rests)) in (None, UNSURE)
    assert look("sparsity", evidence(**ill, **rests)) is not None


def test_a_window_reaches_back_over_pauses_for_stimulus_enough():
    sparse, short = evidence(**cycles(0.008), paused_ms=1200.0), {"paused_ms": 2900.0}
    found = look("sparsity", sparse)
    assert found.numbers["network_rate"] == 0.008
    assert "network rate 0.80% over 400 ms of stimulus in 1600 ms, below 1.0%" in found.rule
    assert look("sparsity", evidence(**cycles(0.008, 3, 29), **short)) is UNSURE
    plain = look("sparsity", evidence(**cycles(0.008), paused_ms=50.0))  # no pause that counts
    assert (
        plain.numbers["network_rate"] == pytest.approx(0.0024) and "of stimulus" not in plain.rule
    )


@pytest.mark.parametrize(
    ("rule", "values", "bins"),
    [
        ("runaway", OFF, {"fired": QUIET}),
        ("saturated_stage", OFF, {"fired": QUIET}),
        ("membranes_diverging", {"lif.u_max": 1000.0}, {"u_high": 5.0}),
    ],
)
def test_what_a_pause_cannot_show_is_not_over_in_it(rule, values, bins):
    rests = {"driven": np.arange(BINS) < BINS - 15, "paused_ms": 2000.0}
    assert look(rule, evidence(values, **bins, **rests), RULES[rule].severity) is UNSURE
    assert look(rule, evidence(values, **bins), RULES[rule].severity) is None


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
    assert look("stdp_not_engaging", ev) is look("stdp_not_engaging", ev, "warning") is UNSURE


def test_weights_are_held_against_the_spikes_of_their_own_time():
    """The newest sample was taken 200 ms ago, at the end of a pause; blocks have fired since."""
    begins = np.outer(np.arange(BINS) >= BINS - 2, [0.08] * 5)
    weights = {"moved": np.zeros(2), "pairs": np.zeros(201), "end_ms": 4800.0}
    assert look("stdp_not_engaging", evidence(fired=begins, weights=weights)) is UNSURE
    later = evidence(fired=begins, weights=weights | {"end_ms": 5000.0})
    assert look("stdp_not_engaging", later).cause == "pairs"


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
    for surprise in (0.0, 0.001):
        ev = evidence(onsets=0, rewards=surprise, **flat)
        assert look("neuromodulators_frozen", ev) is UNSURE
    one_held = evidence({"neuromod.DA": 0.5}, level_low=[0.5, 0.5, 0.5, 0.5],
                        level_high=[0.5, 0.6, 0.55, 0.5])  # fmt: skip
    assert look("neuromodulators_frozen", one_held) is None


NO_ONSETS = {"neuromod.onset_ACh": 0.0, "neuromod.onset_NE": 0.0}
STILL = {"level_low": [0.45, 0.5, 0.5, 0.5], "level_high": [0.7, 0.5, 0.5, 0.5]}  # all but DA


@pytest.mark.parametrize("rewards", [0.0, 0.2])
def test_a_level_that_moves_hides_none_that_stands_still(rewards):
    found = look("neuromodulators_frozen", evidence(NO_ONSETS, rewards=rewards, **STILL))
    assert found.cause == "unconnected" and found.numbers["still"] == ["ACh", "NE"]
    paths = [command["path"] for command in found.remedies[0].commands]
    assert paths == ["neuromod.onset_ACh", "neuromod.onset_NE"]
    assert "ACh, NE moved by 0.0000 over 1000 ms, below 0.002" in found.rule


def test_a_level_found_still_stays_so_until_it_moves_or_is_called_for_again():
    stood = {"neuromodulators_frozen": {"still": ["DA"]}}
    none = {"rewards": 0.0, "standing": stood}
    flat = {"level_low": [0.5, 0.5, 0.5, 0.5], "level_high": [0.5, 0.6, 0.55, 0.5]}

    def again(**more):
        return look("neuromodulators_frozen", evidence(**more), "warning")

    assert again(**none, **flat) is UNSURE
    assert again(**none) is None  # it moved
    assert again(standing=stood) is None  # rewards came, and it moved
    assert again(standing=stood, **flat).numbers["still"] == ["DA"]
    assert again(rewards=0.0, **flat) is None  # it was never found still
    more = again(**none, level_low=0.5, level_high=0.5)
    assert more.numbers["still"] == ["DA", "ACh", "NE"] and more.rule.startswith("ACh, NE moved")


@pytest.mark.parametrize(
    ("held", "answer"), [((), "update"), (("DA",), "update"), (("DA", "ACh", "NE"), "held")]
)
def test_a_level_held_by_hand_is_asked_where_none_is_left_free(held, answer):
    values = {f"neuromod.{name}": 0.5 for name in held}
    found = look("neuromodulators_frozen", evidence(values, level_low=0.5, level_high=0.5))
    assert found.cause == answer
    asked = set(found.numbers["still"])
    assert asked == {"DA", "ACh", "NE"} - (set() if answer == "held" else set(held))


def test_two_held_levels_leave_the_third_to_be_asked():
    values = {"neuromod.ACh": 0.5, "neuromod.NE": 0.5}
    for rewards, answer in ((0.0, UNSURE), (0.2, None)):
        assert look("neuromodulators_frozen", evidence(values, rewards=rewards, **STILL)) is answer


def test_what_is_injected_has_to_move_its_own_level():
    into_5ht = np.tile([0.0, 0.0, 0.0, 0.05], (BINS, 1))
    found = look("neuromodulators_frozen", evidence(injected=into_5ht))
    assert found.numbers["still"] == ["5HT"] and found.cause == "update"
    assert "5.00 was injected" not in found.rule and "0.50 was injected" in found.rule
    assert look("neuromodulators_frozen", evidence(injected=into_5ht / 10)) is None  # too little


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
    assert look("attention_collapse", evidence(entropy=none)) is UNSURE
    assert look("attention_collapse", evidence(entropy=0.999, fired=0.01)) is UNSURE
    assert look("winner_takes_all", evidence(top=0.99, fired=0.01)) is UNSURE
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


def test_a_saturated_stage_is_grave_until_it_is_well_below_what_made_it_so():
    """Grave above 2.7 times the ceiling of 0.15, until below 0.85 times that."""
    for rate, entering, standing in (
        (0.41, None, None),
        (0.39, "note", None),
        (0.34, "note", "note"),
    ):
        ev = evidence(fired=[rate] * 4 + [0.0])
        assert look("saturated_stage", ev).severity == entering
        assert look("saturated_stage", ev, "note").severity == entering
        assert look("saturated_stage", ev, "warning").severity == standing


@pytest.mark.parametrize(
    ("rule", "enter", "stay", "leave"),
    [
        ("not_firing", {"fired": 0.0009}, {"fired": 0.0025}, {"fired": 0.0031}),
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
    grave = RULES[rule].severity
    standing = look(rule, evidence(free, **stay), active=grave)
    assert standing
    assert "not yet" not in look(rule, evidence(free, **enter), active=grave).rule
    assert "not yet" in standing.rule and "(called" in standing.rule
    assert look(rule, evidence(free, **stay)) is None
    assert look(rule, evidence(free, **leave), active=grave) is None


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


def test_a_runaway_lasts_between_the_bursts_of_membranes_that_diverge():
    calm = {"fired": 0.15}
    assert look("runaway", evidence(OFF, **calm), active="critical") is None
    diverging = {"membranes_diverging": {}}
    found = look("runaway", evidence(OFF, standing=diverging, **calm), active="critical")
    assert "not yet below 10% (called above 50%)" in found.rule
    assert look("runaway", evidence(OFF, standing=diverging, fired=0.09), active="critical") is None
    assert look("runaway", evidence(OFF, standing=diverging, **calm)) is None


def test_a_rate_that_homeostasis_steers_to_is_put_down_to_its_target():
    high = {"homeostasis.target_rate": 0.44}

    def cause(values, rate):
        return look("saturated_stage", evidence(values, fired=[rate] * 4 + [0.002])).cause

    assert cause(high, 0.46) == "target"
    assert cause(high, 0.6) == "target" and cause(high | OFF, 0.46) != "target"

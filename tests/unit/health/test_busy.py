"""Too much of it: whose fault it is told to be, and that following the first remedy ends it."""

import numpy as np
import pytest

from t4dm.health.finding import rules
from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.unit.health.conftest import BINS, evidence

RULES = {rule.id: rule for rule in rules()}
OFF = {"homeostasis.enabled": False}
FOUND_MS, WELL_MS, MOST_CLICKS = 6000, 4000, 4


def look(rule, ev, active=None):
    return RULES[rule].look(ev, active)


def cleared(remedy):
    return [command["path"] for command in remedy.commands if command["type"] == "clear"]


def wild(values, rate=0.6, **bins):
    """A runaway of both blocks whose input by the evidence is far too large."""
    return look("runaway", evidence(values, fired=rate, **{"u_mean": 6.0} | bins))


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"lif.v_thresh": 0.6}, "threshold"),
        ({"stdp.w_max": 5.0}, "feedback"),
        ({"recurrent.gain": 4.0}, "feedback"),
        ({"lif.beta": 0.6}, "reset"),
        ({"lif.alpha": 0.95}, "leak"),
        ({"stimulus.rate_hz": 900.0}, "input"),
        ({"stimulus.kind": "noise", "stimulus.noise_std": 8.0}, "input"),
        ({"lif.v_thresh": 0.8, "input.gain": 6.0}, "input"),
        ({"lif.v_thresh": 0.2, "input.gain": 2.0}, "threshold"),
        ({"blocks.0.lif_out.v_thresh": 0.1}, "threshold"),
    ],
)
def test_the_cause_is_what_stands_off_its_default_most(values, cause):
    found = wild(values)
    assert found.cause == cause
    assert set(values) - {"stimulus.kind"} <= set(cleared(found.remedies[0]))


def test_what_is_changed_to_the_other_side_drives_nothing_and_stays():
    kept = {"input.gain": 0.5, "lif.alpha": 0.8, "blocks.1.lif.v_thresh": 3.0}
    found = wild(kept | {"lif.v_thresh": 0.3})
    assert found.cause == "threshold"
    assert cleared(found.remedies[0]) == ["lif.v_thresh"]


def test_a_stimulus_that_is_not_played_is_no_cause():
    idle = {"stimulus.amplitude": 5.0, "stimulus.noise_std": 5.0}  # of digits, the default
    assert cleared(wild(idle | {"lif.beta": 0.5}).remedies[0]) == ["lif.beta"]


def test_a_target_explains_only_what_homeostasis_steers_to():
    """Its threshold stands as high as homeostasis may raise it, and the rate above the target."""
    values = {"lif.v_thresh": 0.4, "homeostasis.target_rate": 0.3, "neuromod.DA": 0.0}
    fired = [0.2, 0.2, 0.41, 0.3, 0.0]
    found = look("saturated_stage", evidence(values, fired=fired, theta=0.9, u_mean=1.5))
    assert (found.cause, found.place.index) == ("threshold", 2)
    every, only = found.remedies
    assert set(cleared(every)) == {"lif.v_thresh", "homeostasis.target_rate"}
    assert cleared(only) == ["lif.v_thresh"] and only.label == "Put only the threshold back"
    steered = look("saturated_stage", evidence(values, fired=[0.31] * 4 + [0.0], theta=0.9))
    assert steered.cause == "target"


@pytest.mark.parametrize(
    ("bins", "weights", "cause"),
    [
        ({"u_mean": 6.0}, {}, "input"),
        ({"u_mean": [0.5, 0.5, 6.0, 6.0, np.nan], "fired": [0.1, 0.1, 0.6, 0.6, 0]}, 0.6, "feedback"),
        ({"level_low": 0.95, "level_high": 0.95}, {}, "modulator"),
        ({"gate": 0.95}, {}, "gate"),
    ],
)  # fmt: skip
def test_where_nothing_is_changed_the_evidence_decides_and_something_can_be_done(
    bins, weights, cause
):
    held = {"mean": np.full(2, weights)} if weights else {}
    found = look("runaway", evidence(weights=held, **{"fired": 0.6} | bins))
    assert found.cause == cause and found.remedies


def test_an_input_that_nothing_explains_is_lowered_to_what_a_healthy_block_gets():
    (lower,) = wild({}).remedies
    (command,) = lower.commands
    assert command["path"] == "input.gain" and 0.05 < command["value"] < 0.2
    assert "block 0" in lower.expect


def test_the_worst_stage_is_named():
    fired, far = [0.15, 0.2, 0.68, 0.72, 0.0], {"membranes_diverging": {}}
    found = look("runaway", evidence(OFF, fired=fired, standing=far), "critical")
    assert found.place.index == 3 and found.groups == (0, 1, 2, 3)
    assert found.rule.startswith("block 1 LIF out 72% over 500 ms, above 50%")
    entropy = look("attention_collapse", evidence(entropy=[0.998, 0.9999]))
    assert entropy.place.block == 1 and entropy.groups == (0, 2)


@pytest.mark.parametrize("clamped", [0.0, 0.2])
def test_a_part_of_the_drive_is_never_told_larger_than_the_whole(clamped):
    """At the clamp the drive by the membranes is too small."""
    fired = [0.3, 0.3, 0.76, 0.3, 0.0]
    grown = {"mean": np.full(2, 2.6)}
    ev = evidence({"recurrent.gain": 1.2}, fired=fired, u_mean=9.0, weights=grown, clamped=clamped)
    found = look("runaway", ev)
    assert found.place.index == 2
    assert found.numbers["recurrent_drive"] <= found.numbers["drive"]
    whole = found.numbers["drive"]
    assert f"drive at least {whole:.1f} of what fires by itself, {whole:.1f} of it" in found.rule
    calm = look("runaway", evidence(fired=fired, u_mean=9.0, clamped=clamped))
    assert ("at least" in calm.rule) is (clamped > 0)


def test_the_drive_of_a_lif_out_is_not_told():
    found = look("runaway", evidence(fired=[0.1, 0.7, 0.1, 0.1, 0.0]))
    assert found.place.stage == "lif_out"
    assert "drive" not in found.rule and found.rule.endswith("theta 1.00, max u 3.0")


# -- learning ------------------------------------------------------------------------------------


def gated(values, **bins):
    return look("stdp_not_engaging", evidence(values, weights={"moved": np.zeros(2)}, **bins))


@pytest.mark.parametrize(
    ("values", "offered"),
    [
        ({"stdp.da_gate": 1.0}, False),
        ({"stdp.da_gate": 0.76}, False),
        ({"stdp.da_gate": 0.72}, True),
        ({"stdp.da_gate": 0.72, "neuromod.DA": 0.6}, False),
        ({"stdp.da_gate": 0.72, "neuromod.enabled": False}, False),
    ],
)
def test_a_bolus_is_offered_only_where_it_opens_the_gate(values, offered):
    """From 0.45, the lowest that was seen, by 0.3."""
    remedies = gated(values).remedies
    assert cleared(remedies[0])[0] == "stdp.da_gate"
    assert [remedy.id for remedy in remedies[1:]] == ["bolus"] * offered
    if offered:  # 200 ms * ln(0.25 / 0.22)
        assert remedies[1].expect == (
            "Dopamine rises to about 0.75 and is back below its gate of 0.72 after about 26 ms;"
            " learning is open so long."
        )


def test_all_that_holds_learning_back_is_put_back_at_once():
    values = {"stdp.enabled": False, "stdp.learning_rate": 0.0, "stdp.da_gate": 1.0}
    found = gated(values)
    assert found.cause == "disabled" and len(found.remedies) == 1
    assert cleared(found.remedies[0]) == ["stdp.enabled", "stdp.learning_rate", "stdp.da_gate"]


def test_what_two_causes_share_is_put_back_once():
    values = {"stdp.da_gate": 0.9, "stdp.mode": "three_factor", "neuromod.DA": 0.5}
    found = gated(values, level_low=0.5, level_high=0.5)
    assert sorted(cleared(found.remedies[0])) == sorted(values)


def test_weights_at_their_bounds_by_no_parameter_begin_anew():
    (again,) = gated({}).remedies
    assert again.commands == ({"type": "reset", "seed": None},)


# -- attention, membranes ------------------------------------------------------------------------


def test_looks_at_a_block_that_hardly_fires_say_nothing_of_its_attention():
    """Attention is looked at in two bins of ten; the block fires well, but not in those."""
    seldom = np.full((BINS, 2), np.nan)
    seldom[4::5] = [0.6, 0.999]
    fired = np.full((BINS, 5), 0.06)
    assert look("attention_collapse", evidence(entropy=seldom, fired=fired)).place.block == 1
    fired[4::5, 2] = 0.005
    assert look("attention_collapse", evidence(entropy=seldom, fired=fired)) is None


@pytest.mark.parametrize(
    ("values", "cause", "command"),
    [
        ({}, "traces", {"type": "set", "path": "attention.sharpness", "value": 5.0}),
        ({"attention.tau": 1.0}, "traces", {"type": "clear", "path": "attention.tau"}),
        ({"attention.sharpness": 0.4}, "sharpness", {"type": "clear", "path": "attention.sharpness"}),
    ],
)  # fmt: skip
def test_collapsed_attention_has_a_remedy_whatever_its_cause(values, cause, command):
    found = look("attention_collapse", evidence(values, entropy=0.999))
    assert found.cause == cause and found.remedies[0].commands == (command,)


def test_a_flood_by_any_input_is_the_drive_and_comes_back_with_the_clamp():
    flood = {"lif.u_max": 1000.0, "stimulus.rate_hz": 1000.0, "lif.v_thresh": 0.5}
    found = look("membranes_diverging", evidence(flood, u_high=300.0))
    assert found.cause == "drive"
    assert set(cleared(found.remedies[0])) == set(flood)


# -- why it cannot tell --------------------------------------------------------------------------


def test_the_rest_is_told_of_the_window_that_has_too_little():
    lit = {"driven": np.arange(BINS) < BINS - 6, "paused_ms": 10000.0}  # dark for 600 ms
    ev = evidence(**lit)
    assert ev.idle(500) and ev.rested(500) == "the stimulus rested for 0.5 of the last 0.5 s"
    hardly = evidence(driven=np.arange(BINS) == 3, paused_ms=10000.0)
    assert hardly.rested(1500) == "the stimulus rested for 2.9 of the last 3.0 s"


# -- live ----------------------------------------------------------------------------------------


def new_session(folder, config):
    return Session("t", Engine(config, ParamTree(config.n_blocks), 0, folder))


def run(session, ms):
    end = session.engine.step + ms
    while session.engine.step < end:
        session.advance(min(50, end - session.engine.step))


def do(session, *body):
    commands = handlers.parse(list(body))
    handlers.validate(session, commands)
    handlers.apply(session, commands, "tab")


@pytest.mark.timeout(900)  # the first run compiles the kernels
@pytest.mark.parametrize(
    ("values", "left"),
    [
        (
            {"lif.v_thresh": 0.4, "homeostasis.target_rate": 0.3, "neuromod.DA": 0.0},
            {"neuromod.DA": 0.0},
        ),
        ({"stdp.w_max": 5.0, "homeostasis.enabled": False}, {}),
    ],
)
def test_following_the_first_remedy_ends_it(calibrated, values, left):
    session = new_session(calibrated, StackConfig())
    do(session, *({"type": "set", "path": path, "value": value} for path, value in values.items()))
    while not ill(session):
        assert session.t_ms < FOUND_MS
        run(session, 100)
    run(session, 500)  # a person reads it
    clicks = 0
    while ill(session):
        clicks += 1
        assert clicks <= MOST_CLICKS, ill(session)
        do(session, *ill(session)[0]["remedies"][0]["commands"])
        run(session, WELL_MS)
    assert clicks and session.doctor.status()["severity"] in ("ok", "note")
    assert session.tree.non_default() == left


def ill(session):
    return [f for f in session.doctor.findings if f["severity"] != "note"]


def test_rules_wait_since_they_began_to_look(calibrated):
    session = new_session(calibrated, StackConfig(2, 32, 4))
    run(session, 2500)
    for on in (False, True):
        do(session, {"type": "set", "path": "health.enabled", "value": on})
        run(session, 100)
    assert session.doctor.waiting.endswith("100 of 2000 ms seen since they began to look")


def test_a_raised_target_stays_the_cause_while_the_rate_swings_past_it():
    """An input below its default is never told as too large."""
    values = {"homeostasis.target_rate": 0.25, "input.gain": 0.5}
    for rate in (0.28, 0.4, 0.6):
        assert look("saturated_stage", evidence(values, fired=[rate] * 4 + [0.0])).cause == "target"


def test_a_cause_that_stands_is_left_only_for_one_half_as_strong_again():
    values = {"lif.v_thresh": 0.4, "homeostasis.target_rate": 0.15}
    told = {rule: {"cause": "target"} for rule in ("runaway", "saturated_stage")}
    high = {"fired": [0.46] * 4 + [0.0], "theta": 0.3}
    for standing, cause in (({}, "threshold"), (told, "target")):
        ev = evidence(values, standing=standing, **high)
        assert look("saturated_stage", ev).cause == cause
    far = values | {"lif.v_thresh": 0.2}
    ev = evidence(far, standing=told, **high | {"theta": 0.1})
    assert look("saturated_stage", ev).cause == "threshold"


def test_thresholds_that_fell_in_a_silence_are_told_when_it_ends():
    ev = evidence(fired=[0.4] * 4 + [0.0], theta=0.3, u_mean=6.0)
    assert look("saturated_stage", ev).cause == "threshold"


def test_a_winner_has_a_remedy_where_nothing_of_attention_is_changed():
    found = look("winner_takes_all", evidence({"stdp.w_max": 5.0}, top=[0.96, 0.99]))
    assert found.place.block == 1
    told = [(c["path"], c["value"]) for remedy in found.remedies for c in remedy.commands]
    assert told == [("attention.sharpness", 0.2)]

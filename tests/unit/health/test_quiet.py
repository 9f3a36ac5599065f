"""Why a stage is quiet: which cause is told, of which place, with which remedies, and for how long."""

import numpy as np
import pytest

from t4dm.health import quiet
from t4dm.health.finding import rules
from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.unit.health.conftest import evidence

RULES = {rule.id: rule for rule in rules()}
OFF = {"homeostasis.enabled": False}
QUIET = [0.0, 0.0, 0.0, 0.0, 0.0]
NAN = np.nan


def look(rule, ev, active=None):
    return RULES[rule].look(ev, active)


def paths(remedy):
    return [command.get("path", command["type"]) for command in remedy.commands]


# -- the cause ------------------------------------------------------------------------------------


def test_what_is_changed_explains_before_what_the_membranes_look_like():
    """The LIF in stands just above its floor and lacks drive, as it does behind a high threshold."""
    fired = [0.021, 0.012, 0.001, 0.0, 0.0]
    for drive in (0.2, 0.8, 1.3):
        weak = {"fired": fired, "u_mean": [drive, -0.2, 0.1, -0.1, NAN], "u_high": 2.91}
        raised = look("sparsity", evidence({"lif.v_thresh": 2.0}, theta=1.5, **weak))
        starved = look("sparsity", evidence(OFF | {"input.gain": 0.52}, **weak))
        assert (raised.cause, starved.cause) == ("threshold", "input")
        assert [remedy.id for remedy in raised.remedies] == ["threshold"]


@pytest.mark.parametrize(
    ("values", "more", "cause"),
    [
        ({"lif.v_thresh": 2.0, "input.gain": 0.55}, {}, "threshold"),
        ({"lif.v_thresh": 1.5, "input.gain": 0.55}, {}, "input"),
        ({"lif.v_thresh": 2.0, "neuromod.NE": 1.0}, {}, "threshold"),
        ({"lif.v_thresh": 1.2, "neuromod.NE_baseline": 0.0}, {}, "modulator"),
        ({"lif.alpha": 0.3, "lif.v_thresh": 2.0}, {}, "leak"),
        ({"gate.bias": -2.0, "lif.v_thresh": 2.0}, {"gate": 0.12}, "gate"),
        ({"gate.slope": 1.1, "lif.v_thresh": 2.0}, {"gate": 0.48}, "threshold"),
        ({"input.gain": 2.0, "stimulus.rate_hz": 40.0}, {}, "input"),
        ({"stimulus.kind": "noise", "stimulus.rate_hz": 1.0, "lif.v_thresh": 1.5}, {}, "threshold"),
        ({"stimulus.kind": "sine", "stimulus.amplitude": -0.1}, {}, "input"),
        ({"stimulus.kind": "sine", "lif.v_thresh": 1.5}, {"u_mean": 0.2}, "threshold"),
        ({"stimulus.kind": "file", "lif.v_thresh": 1.5}, {"u_mean": 0.2}, "input"),
        ({"stimulus.kind": "file", "lif.v_thresh": 1.5}, {"u_mean": 1.2}, "threshold"),
        ({"lif.v_thresh": 1.05}, {"u_mean": 0.2}, "input"),
        ({"lif.v_thresh": 1.05}, {"u_mean": 1.2, "theta": 0.69, "u_high": 0.91}, "other"),
        ({"recurrent.gain": 20.0}, {"u_mean": 0.2}, "other"),
        ({"recurrent.gain": 20.0, "input.gain": 1.01}, {"u_mean": 0.2}, "other"),
        ({}, {"gate": 0.05}, "gate"),
    ],
)
def test_the_parameter_that_makes_it_hardest_to_fire_is_the_cause(values, more, cause):
    bins = {"fired": 0.0005, "u_mean": 0.5} | more
    for rule in quiet.RULES:
        assert look(rule, evidence(OFF | values, **bins)).cause == cause


def test_a_threshold_counts_where_what_is_quiet_begins():
    """Of a stage before that fires above twice its floor, or of one after, it explains nothing."""
    silent = {"fired": [0.07, 0.07, 0.0, 0.0, 0.0], "u_mean": 0.2, "gate": [0.5, 0.05]}
    for path in ("blocks.0.lif.v_thresh", "blocks.1.lif_out.v_thresh"):
        assert look("not_firing", evidence(OFF | {path: 3.0}, **silent)).cause == "gate"
    faint = silent | {"fired": [0.03, 0.021, 0.0, 0.0, 0.0]}
    found = look("not_firing", evidence(OFF | {"blocks.0.lif_in.v_thresh": 3.0}, **faint))
    assert found.cause == "threshold" and "blocks.0.lif_in.v_thresh" in paths(found.remedies[0])


def test_the_cause_that_is_told_gives_way_only_to_one_that_is_clearly_stronger():
    def cause(gain, told=None):
        stands = {} if told is None else {"sparsity": {"cause": told}}
        values = OFF | {"lif.v_thresh": 2.0, "input.gain": gain}
        return look("sparsity", evidence(values, fired=0.004, standing=stands)).cause

    assert [cause(0.55), cause(0.45)] == ["threshold", "input"]
    assert [cause(0.45, "threshold"), cause(0.3, "threshold")] == ["threshold", "input"]
    assert cause(0.55, "input") == "input" and cause(1.0, "input") == "threshold"


# -- what is said of the place --------------------------------------------------------------------


def test_the_place_told_fulfils_the_rule_and_the_numbers_are_its_own():
    fired = [0.012, 0.004, 0.0, 0.0, 0.0]
    seen = {"u_high": [2.91, 1.4, 0.3, 0.2, NAN], "u_mean": [0.4, -0.1, 0.05, 0.0, NAN]}
    silent = {"fired": [0.0012, 0.0004, 0.0, 0.0, 0.0]} | seen
    found = look("not_firing", evidence(OFF | {"input.gain": 0.4}, **silent))
    assert found.place.name == "block 1 LIF in"
    assert found.numbers["rate"] == 0.0 < found.numbers["limit"] and found.numbers["max_u"] == 0.3
    assert found.rule == (
        "block 1 LIF in 0.00% over 500 ms, below 0.10%; max u 0.30, theta 1.00 (v_thresh 1.00),"
        " drive 0.05 of what fires by itself; quiet from block 0 LIF in on, 0.1%"
    )
    sparse = look("sparsity", evidence(OFF | {"input.gain": 0.4}, fired=fired, **seen))
    assert sparse.place.name == "block 0 LIF out" and sparse.numbers["rate"] == 0.004
    assert sparse.numbers["network_rate"] == 0.004 and sparse.groups == (1, 2, 3)
    assert "block 0 LIF out 0.40%, max u 1.40" in sparse.rule
    single = look("silent_stage", evidence(OFF, fired=[0.08, 0.019, 0.08, 0.003, 0.0], **seen))
    assert single.place.index == 3 and single.numbers["max_u"] == 0.2
    assert single.rule.endswith("quiet from block 0 LIF out on, 1.9%")


def test_a_drive_is_told_only_where_current_comes_in():
    for fired, place in (([0.08, 0.003, 0.08, 0.08, 0.0], 1), ([0.003, 0.08, 0.08, 0.08, 0.0], 0)):
        found = look("silent_stage", evidence(fired=fired))
        assert found.place.index == place
        assert ("drive" in found.rule) == ("drive" in found.numbers) == (place == 0)


# -- remedies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", quiet.RULES)
@pytest.mark.parametrize("v_thresh", [2.0, 3.3, 8.0])
@pytest.mark.parametrize("u_high", [0.9, 7.4])
def test_a_remedy_for_a_threshold_lowers_it(rule, v_thresh, u_high):
    ev = evidence(OFF | {"lif.v_thresh": v_thresh}, fired=0.0009, u_high=u_high)
    found = look(rule, ev)
    assert found.cause == "threshold" and found.remedies
    for remedy in found.remedies:
        for command in remedy.commands:
            assert command["type"] == "clear" or command["value"] < v_thresh


@pytest.mark.parametrize(
    ("values", "more", "cause", "mends"),
    [
        ({"stimulus.kind": "sine"}, {"u_mean": 0.25}, "input", ["raise", "input"]),
        ({}, {"u_mean": 0.25}, "input", ["raise"]),
        ({"input.gain": 0.4}, {"u_mean": 0.25}, "input", ["input"]),
        ({"input.gain": 20.0}, {"u_mean": 0.25}, "input", ["input"]),
        ({}, {"u_mean": 0.0}, "input", ["reset"]),
        ({}, {"gate": 0.05}, "gate", ["reset"]),
        ({"attention.sharpness": 0.0}, {"u_mean": 1.2}, "other", ["other", "reset"]),
        ({"lif.u_max": 0.5}, {"u_mean": 1.2}, "other", ["other", "reset"]),
        ({}, {"u_mean": 1.2}, "other", ["reset"]),
    ],
)
def test_there_is_always_a_remedy_that_can_work(values, more, cause, mends):
    ev = evidence(values | OFF, fired=0.0009, **{"u_mean": 0.5} | more)
    for rule in quiet.RULES:
        found = look(rule, ev)
        assert (found.cause, [remedy.id for remedy in found.remedies]) == (cause, mends)
    for remedy in found.remedies:
        assert remedy.id == "raise" or "homeostasis.enabled" in paths(remedy)
        assert all(c["value"] > ev.get(c["path"]) for c in remedy.commands if c["type"] == "set")


# -- in time --------------------------------------------------------------------------------------


def run(seed, values, ms, calibrated):
    """The default network of ``seed`` with ``values`` from the first step on; the (cause, remedies)
    by finding of every look, and the events of findings."""
    config = StackConfig()
    session = Session("t", Engine(config, ParamTree(config.n_blocks), seed, calibrated))
    sets = [{"type": "set", "path": path, "value": value} for path, value in values.items()]
    handlers.apply(session, handlers.parse(sets), "tab")
    told = []
    for _ in range(ms // 50):
        session.advance(50)
        if session.engine.step % 100 == 0:
            told.append({
                f["id"]: (f["cause"]["code"], [remedy["id"] for remedy in f["remedies"]])
                for f in session.doctor.findings if f["severity"] != "note"
            })  # fmt: skip
    return told, [event for event in session.log if event["type"] == "finding"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_ill_stage_is_one_finding_or_hands_over_to_another(seed, calibrated):
    told, events = run(seed, {"blocks.3.lif_in.v_thresh": 5.0}, 15000, calibrated)
    begun = next(k for k, found in enumerate(told) if found)
    assert begun <= 25 and all(told[begun:])
    assert {cause for found in told for cause, _ in found.values()} == {"threshold"}
    assert {mends[0] for found in told for _, mends in found.values()} == {"threshold"}
    assert {id for found in told for id in found} <= {"not_firing", "silent_stage"}
    assert len(events) <= 3, events


@pytest.mark.timeout(900)
@pytest.mark.parametrize("gain", [1.0, 0.55])
def test_cause_and_remedies_stay_while_nothing_is_changed(gain, calibrated):
    told, _ = run(0, {"lif.v_thresh": 2.0, "input.gain": gain}, 7000, calibrated)
    causes = [found[id] for found in told for id in ("not_firing", "sparsity") if id in found]
    assert len(causes) > 40 and all(one == ("threshold", ["threshold"]) for one in causes)


@pytest.mark.parametrize("target", [0.02, 0.04])
def test_a_target_below_its_default_is_the_cause_before_any_other_parameter(target):
    """Also where homeostasis has raised the threshold by next to nothing."""
    quiet_out = {"fired": [0.04, 0.02, 0.02, 0.001, 0.002], "theta": 1.02}
    found = look("silent_stage", evidence({"homeostasis.target_rate": target}, **quiet_out))
    assert found.cause == "target" and paths(found.remedies[0]) == ["homeostasis.target_rate"]
    raised = {"homeostasis.target_rate": target, "lif.v_thresh": 2.0}
    assert (
        look("silent_stage", evidence(raised, **quiet_out | {"theta": 2.02})).cause == "threshold"
    )

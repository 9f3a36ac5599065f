"""What keeps still while nothing is done: the place named, a burst that begins again, a way back."""

import numpy as np

from t4dm.health.finding import rules
from tests.unit.health.conftest import BINS, GROUPS, evidence

RULES = {rule.id: rule for rule in rules()}
OFF = {"homeostasis.enabled": False}
NAMED = {"cause": "feedback", "group": "block 0 LIF in"}


def look(rule, ev, active=None):
    return RULES[rule].look(ev, active)


def course(last):
    """(BINS, GROUPS) healthy rates but for the ``last`` bins of block 1 LIF in."""
    fired = np.full((BINS, GROUPS), 0.08)
    fired[-len(last) :, 2] = last
    return fired


def test_a_runaway_is_not_over_while_its_newest_bins_burst_again():
    calm, again = course([0.1] * 5), course([0.05, 0.05, 0.05, 0.4, 0.5])
    assert look("runaway", evidence(OFF, fired=calm), "critical") is None
    assert look("runaway", evidence(OFF, fired=again)) is None  # enters by its window alone
    found = look("runaway", evidence(OFF, fired=again), "critical")
    assert found.place.name == "block 1 LIF in"
    assert found.rule.startswith("block 1 LIF in 45% over 200 ms, not yet below 30%")


def test_the_stage_that_is_named_stays_until_another_is_half_as_bad_again():
    def named(first, second, standing):
        ev = evidence(OFF, fired=[first, 0.08, second, 0.08, 0.0], standing=standing)
        return look("runaway", ev, "critical").place.name

    stands = {"runaway": NAMED}
    assert named(0.5, 0.6, {}) == "block 1 LIF in"
    assert named(0.5, 0.6, stands) == "block 0 LIF in"
    assert named(0.5, 0.8, stands) == "block 1 LIF in"
    assert named(0.2, 0.6, stands) == "block 1 LIF in"


def test_a_quiet_stage_that_is_named_stays_while_it_is_quiet():
    def named(first, standing):
        ev = evidence(OFF, fired=[first, 0.08, 0.003, 0.08, 0.0], standing=standing)
        return look("silent_stage", ev, "warning").place.name

    stands = {"silent_stage": {"group": "block 1 LIF in"}}
    assert named(0.003, {}) == "block 0 LIF in" and named(0.003, stands) == "block 1 LIF in"
    assert named(0.003, {"silent_stage": {"group": "sensory layer"}}) == "block 0 LIF in"


def test_a_stage_that_homeostasis_brings_back_is_a_note():
    falling = np.full((BINS, GROUPS), 1.0)
    falling[-15:, 2] = np.linspace(1.3, 1.1, 15)
    quiet = {"fired": [0.08, 0.08, 0.003, 0.08, 0.0], "u_mean": 1.2}
    back = look("silent_stage", evidence(theta=falling, **quiet))
    assert back.severity == "note" and back.cause == "other"
    assert back.rule.endswith("it recovers: homeostasis lowered theta from 1.30 to 1.10")
    held = [
        evidence(OFF, theta=falling, **quiet),  # nothing lowers it
        evidence(**quiet),  # it does not fall
        evidence({"blocks.1.lif_in.v_thresh": 2.0}, theta=falling + 1.0, **quiet),  # set too high
        evidence({"recurrent.gain": 9.0}, theta=falling, **quiet),  # that may keep it quiet
    ]
    assert [look("silent_stage", ev).severity for ev in held] == [None] * 4


def test_a_runaway_that_nothing_drives_is_put_down_to_homeostasis_where_that_is_off():
    fired = [0.08, 0.08, 0.7, 0.7, 0.0]
    found = look("runaway", evidence(OFF, fired=fired))
    assert found.cause == "unheld"
    assert [remedy.label for remedy in found.remedies] == ["Put homeostasis back"]
    assert found.remedies[0].commands == ({"type": "clear", "path": "homeostasis.enabled"},)
    assert look("runaway", evidence(fired=fired)).cause != "unheld"
    driven = evidence(OFF | {"recurrent.gain": 6.0}, fired=fired)
    assert look("runaway", driven).cause == "feedback"

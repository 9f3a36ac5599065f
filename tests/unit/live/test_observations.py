"""The worker's log lines: said when true, with their reason, and not again at once."""

import dataclasses
import logging

import numpy as np
import pytest

from t4dm.live import handlers
from t4dm.live.observations import STATE_MS, Observer
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.observations import Notices
from tests.toy_engine import ToyEngine


class Watched:
    """A session on the toy engine whose segments go through an observer."""

    def __init__(self, caplog):
        caplog.set_level(logging.INFO)
        self.session = Session("t", ToyEngine(tree=ParamTree(6)))
        self.observer, self.caplog = Observer(self.session), caplog

    def do(self, *commands):
        handlers.apply(self.session, handlers.parse(list(commands)), "tab")

    def run(self, steps=64, **arrays):
        """Advance, with ``arrays`` of the segments replaced by ``f(array)``."""
        until = self.session.engine.step + steps
        while self.session.engine.step < until:
            segment = self.session.advance(min(64, until - self.session.engine.step))
            changed = {name: f(getattr(segment, name)) for name, f in arrays.items()}
            self.observer.take(dataclasses.replace(segment, **changed))
        return self

    def lines(self, what):
        return [m for m in self.caplog.messages if what in m]


@pytest.fixture
def watched(caplog):
    return Watched(caplog)


def set_to(path, value):
    return {"type": "set", "path": path, "value": value}


def test_a_healthy_run_says_only_that_stdp_is_enabled(watched):
    watched.run(1500)
    assert watched.caplog.messages == [
        "STDP enabled: mode modulated, learning_rate 1.0, a_plus 0.01, a_minus 0.0105 at 64 ms"
    ]


def silencing(*groups):
    return lambda rates: rates * ~np.isin(np.arange(rates.shape[1]), groups)


def test_a_silent_block_is_said_after_half_a_second(watched):
    watched.run(448, rates=silencing(2, 3))
    assert not watched.lines("No spikes detected")
    watched.run(64, rates=silencing(2, 3))
    assert watched.lines("No spikes detected") == [
        f"No spikes detected in block 1 LIF {stage} for 500 ms or more, effective threshold 1 at 512 ms"
        for stage in ("in", "out")
    ]


def test_a_single_silent_stage_is_said_after_a_second_and_a_half(watched):
    watched.run(1472, rates=silencing(3))
    assert not watched.lines("No spikes detected")
    watched.run(64, rates=silencing(3))
    assert watched.lines("No spikes detected") == [
        "No spikes detected in block 1 LIF out for 1500 ms or more, effective threshold 1 at 1536 ms"
    ]


def test_an_explosion_is_said_once_it_has_lasted(watched):
    watched.run(64, rates=lambda r: np.full_like(r, 200))
    watched.run(64)
    assert not watched.lines("Spike explosion")
    watched.run(300, rates=lambda r: np.full_like(r, 200))
    lines = watched.lines("Spike explosion")
    assert len(lines) == 12 and "block 0 LIF in: " in lines[0]


def test_clamped_membranes_are_counted(watched):
    watched.do(set_to("blocks.2.lif_in.u_max", 3.5))

    def clamped(counts):
        counts = counts.copy()
        counts[:, 4] = 64
        return counts

    watched.run(8, clamped=clamped)
    assert watched.lines("Membrane overflow") == [
        "Membrane overflow in block 2 LIF in: 512 values clamped at u_max 3.5 at 8 ms"
    ]


def test_a_few_clamped_membranes_are_no_overflow(watched):
    watched.run(64, clamped=lambda c: np.full_like(c, 12))
    assert not watched.lines("Membrane overflow")


def test_states_come_again_after_ten_simulated_seconds_with_what_was_held_back(watched):
    watched.run(64 * 160, clamped=lambda c: np.where(np.arange(12) == 0, 70, c).astype("u2"))
    lines = watched.lines("Membrane overflow")
    assert len(lines) == 2 and lines[1].endswith("(156 more since 64)")
    assert STATE_MS == 10_000


def test_injections_and_rewards_are_said(watched):
    watched.do({"type": "inject", "nt": "DA", "level": 0.3}, {"type": "reward", "value": -0.5})
    watched.run(8)
    assert watched.lines("NT injection") == [
        "NT injection: DA +0.3 by tab at 0 ms",
        "NT injection: DA by a reward, r -0.5, r_hat 0, delta -0.5 by tab at 0 ms",
    ]


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ([set_to("stdp.enabled", False)], "stdp.enabled is off"),
        ([set_to("stdp.learning_rate", 0.0)], "stdp.learning_rate is 0"),
        (
            [set_to("stdp.a_plus", 0.0), set_to("stdp.a_minus", 0.0)],
            "a_plus and stdp.a_minus are 0",
        ),
        ([set_to("stdp.da_gate", 0.9)], "dopamine 0.500 is below stdp.da_gate 0.9"),
        ([set_to("stdp.mode", "three_factor")], "dopamine rests at 0.5"),
    ],
)
def test_a_skipped_update_has_its_reason(watched, commands, reason):
    watched.run(64)
    assert not watched.lines("STDP update skipped")
    watched.do(*commands)
    watched.run(256)
    lines = watched.lines("STDP update skipped")
    assert len(lines) == 1 and reason in lines[0]


def test_a_silent_network_learns_nothing_and_says_so(watched):
    watched.run(600, rates=lambda r: r * 0)
    assert "no neuron fires" in watched.lines("STDP update skipped")[0]


def test_learning_rates_and_the_switch_are_said_with_their_last_value(watched):
    watched.run(64)
    for value in (0.5, 0.2, 0.1):
        watched.do(set_to("homeostasis.learning_rate", value))
        watched.run(64)
    watched.do(set_to("stdp.enabled", False))
    watched.run(1200)
    assert watched.lines("learning_rate changed") == [
        "learning_rate changed: homeostasis.learning_rate 0.005 -> 0.5 at 128 ms",
        "learning_rate changed: homeostasis.learning_rate 0.5 -> 0.1 at 1152 ms",
    ]
    assert watched.lines("STDP disabled") == ["STDP disabled at 1088 ms"]


def test_a_value_that_is_not_finite_is_an_error(watched):
    segment = watched.session.advance(8)
    event = {"type": "nan", "step": 5, "t_ms": 5.0, "tensor": "blocks.1.recurrent.weight"}
    meta = {**segment.meta, "events": [event]}
    watched.observer.take(dataclasses.replace(segment, meta=meta))
    (record,) = [r for r in watched.caplog.records if "Numerical instability" in r.message]
    assert record.levelno == logging.ERROR and "blocks.1.recurrent.weight" in record.message


def test_a_reset_begins_anew(watched):
    watched.run(448, rates=lambda r: r * 0)
    watched.do({"type": "reset", "seed": 1})
    watched.run(448, rates=lambda r: r * 0)
    assert not watched.lines("No spikes detected")


def test_notices_speak_again_when_time_goes_back(caplog):
    caplog.set_level(logging.INFO)
    notices = Notices(logging.getLogger("t"))
    said = [notices.say(logging.INFO, "a", t, "x") for t in (0, 999, 1000, 1500, 20, 30)]
    assert said == [True, False, True, False, True, False]
    assert notices.say(logging.INFO, "b", 30, "y")

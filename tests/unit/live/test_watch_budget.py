"""What watching may cost: kept whatever the script, by recording fewer calls, and told."""

from __future__ import annotations

import pytest
import torch

from t4dm.live import watch_recorder
from t4dm.live.client import SessionClient
from t4dm.live.watch_budget import CAP_S, MARGIN, START_S, Budget, shares
from tests.waiting import eventually
from tests.watched import B, Ours, T, window


class Script:
    """A script on a clock of its own: each call takes ``call_s``, and recording it ``cost_s`` more."""

    def __init__(self, share: float | None) -> None:
        self.now = 0.0
        self.budget = Budget(share, lambda: self.now)

    def run(self, calls: int, call_s: float, cost_s: float, publisher_s: float = 0.0) -> int:
        """How many of ``calls`` were recorded."""
        before = self.budget.recorded
        for _ in range(calls):
            if self.budget.allows():
                self.now += cost_s
                self.budget.spend(cost_s)
                self.budget.publisher_s += publisher_s
            self.now += call_s
        return self.budget.recorded - before


@pytest.mark.parametrize("call_s", [0.0005, 0.014, 0.2, 3.0])
@pytest.mark.parametrize("cost_s", [0.0001, 0.002, 0.05, 1.0])
def test_the_share_holds_for_any_script(call_s, cost_s):
    script = Script(0.05)
    script.run(3000, call_s, 0.6 * cost_s, 0.4 * cost_s)
    assert script.budget.spent_s <= 0.05 * script.now + START_S + cost_s
    assert script.budget.recorded >= 1


def test_what_is_cheap_enough_is_recorded_whole():
    assert Script(0.05).run(1000, call_s=0.18, cost_s=0.005) == 1000
    assert Script(None).run(1000, call_s=0.001, cost_s=0.1) == 1000


def test_after_the_start_the_part_recorded_is_what_can_be_paid_for():
    script = Script(0.05)
    script.run(1000, call_s=0.01, cost_s=0.002)
    part = MARGIN * 0.05 * 0.01 / (0.002 * (1 - MARGIN * 0.05))
    assert script.run(10_000, call_s=0.01, cost_s=0.002) == pytest.approx(10_000 * part, rel=0.05)


def test_a_pause_of_the_script_is_followed_by_no_burst():
    script = Script(0.05)
    script.run(1000, call_s=0.01, cost_s=0.002)
    script.now += 3600
    assert script.run(20, call_s=0.0001, cost_s=0.002) <= CAP_S / 0.002 + 1


def test_a_call_asked_for_is_recorded_and_paid_for_later():
    script = Script(0.05)
    script.budget.spend(START_S + 1)
    assert not script.budget.allows() and script.budget.allows(exact=True)
    assert script.budget.thins_out
    assert Script(0.05).budget.thins_out is False


def test_the_report_has_shares_since_the_last_one():
    script = Script(0.05)
    script.run(1000, call_s=0.01, cost_s=0.002)
    since = script.budget.sums()
    script.run(1000, call_s=0.01, cost_s=0.002)
    told = shares(since, script.budget.sums())
    assert 0.02 < told["cost"] < 0.05 and 0.1 < told["part"] < 0.25
    assert shares(since, since) == {"part": None, "cost": None}


@pytest.fixture
def dear(monkeypatch):
    """Recording is held to cost a second a step."""
    monkeypatch.setattr(watch_recorder, "step_cost", lambda: 1.0)


def counted(client, calls):
    """What the status says of recording, once it knows of so many calls."""
    told = client.status().get("recording", {})
    return told if told.get("calls") == calls else None


def test_a_call_that_cannot_be_paid_for_is_left_out_and_the_page_is_told(run, watched, dear):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, budget=0.05)
    for _ in range(6):
        net(x)
    found = window(run, steps=T)
    client = SessionClient(run, "w")
    told = eventually(lambda: counted(client, 6), "the count")
    assert (told["recorded"], told["budget"]) == (1, 0.05)
    assert found.n_steps == T
    notes = eventually(lambda: [e for e in client.status()["log"] if e["type"] == "note"])
    assert len(notes) == 1 and "fewer calls are recorded" in notes[0]["text"]
    assert client.manifest()["budget"] == 0.05


def test_without_a_budget_every_call_is_recorded(run, watched, dear):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, budget=None)
    for _ in range(6):
        net(x)
    assert window(run, steps=6 * T).n_steps == 6 * T
    told = eventually(lambda: counted(SessionClient(run, "w"), 6), "the count")
    assert told["budget"] is None and told["recorded"] == 6


def test_a_breakpoint_of_a_held_script_sees_every_call(run, watched, dear):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, budget=0.05, hold=True)
    net(x)
    window(run, steps=T)
    command = {"type": "break_on", "kind": "rate", "group": 0, "op": "below", "bound": 0}
    assert SessionClient(run, "w").command(command)["ok"]
    for _ in range(3):
        net(x)
    assert window(run, steps=4 * T).n_steps == 4 * T


def test_layers_have_hooks_in_recorded_calls_only(run, watched, dear):
    net, x, hooks = Ours(), torch.rand(B, 6), []
    net.lif2.forward = net.lif2.forward  # replaced, so it is seen by a hook
    net.fc1.register_forward_hook(
        lambda *_: hooks.append((net.lif1.tap is not None, len(net.lif2._forward_hooks)))
    )
    watched(net, budget=0.05)
    for _ in range(2):
        net(x)
    assert hooks == T * [(True, 1)] + T * [(False, 0)]
    assert net.lif1.tap is None and not net.lif1._forward_hooks and not net.lif2._forward_hooks

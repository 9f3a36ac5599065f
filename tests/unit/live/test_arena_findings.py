"""Each finding of an arena is provoked by a control, and goes when its remedy is applied."""

import json

import pytest

from t4dm.commands import RUN_COMMAND_TYPES, parse_command
from t4dm.live import arena_engine
from t4dm.live.arena_engine import ArenaEngine
from t4dm.live.arena_findings import RULES
from t4dm.live.kinds import kind_of

LEAST, LOOK = 150, 50  # of these tests: six seconds of the agent's time


@pytest.fixture(autouse=True)
def short_looks(monkeypatch):
    monkeypatch.setattr(arena_engine, "LEAST", LEAST)
    monkeypatch.setattr(arena_engine, "LOOK_STEPS", LOOK)


def engine(values):
    tree = kind_of("arena").tree({})
    tree.replace(values)
    return ArenaEngine({}, tree, 0, None)


def found(one, steps=LEAST + LOOK):
    for _ in range(steps):
        one.advance()
    return {each["id"]: each for each in one.findings()}


def apply(one, remedy):
    """As a page does: every command is one that the session takes."""
    for body in remedy["commands"]:
        command = parse_command(body, RUN_COMMAND_TYPES)
        one.tree.set(command.path, command.value)
        one.params_changed([command.path])


def test_a_sound_arena_is_healthy_once_it_was_looked_at():
    one = engine({})
    assert one.waiting() == "the rules look after 6 s of the agent's time"
    assert found(one) == {} and one.waiting() == ""


PROVOKED = [
    ("arena_stands", {"agent.speed": 0.01}),
    ("arena_silent", {"cells.blur": 0.4}),
    ("arena_noise", {"cells.background": 8.0}),
    ("arena_familiar", {"recall.threshold": 0.05}),
    ("arena_copies", {"recall.threshold": 1.0, "agent.speed": 0.8}),
    ("arena_empty", {"recall.objects": 0}),
]


@pytest.mark.parametrize(("name", "values"), PROVOKED, ids=[name for name, _ in PROVOKED])
def test_it_is_found_and_its_remedy_clears_it(name, values):
    one = engine(values)
    finding = found(one, 600 if name == "arena_copies" else LEAST + LOOK)[name]
    assert finding["title"] == RULES[name][0] and finding["cause"]["text"] and finding["rule"]
    assert finding["where"]["stage"] == "arena" and finding["remedies"]
    json.dumps(finding, allow_nan=False)
    apply(one, finding["remedies"][0])
    assert name in {each["id"] for each in one.findings()}, (
        "not cleared before it was looked at anew"
    )
    assert name not in found(one, 1200 if name == "arena_empty" else LEAST + LOOK)


def test_every_rule_is_provoked():
    assert {name for name, _ in PROVOKED} == set(RULES)


def test_a_reset_begins_with_nothing_found():
    one = engine({"recall.objects": 0})
    assert "arena_empty" in found(one)
    one.reset(1)
    assert one.findings() == [] and one.waiting()

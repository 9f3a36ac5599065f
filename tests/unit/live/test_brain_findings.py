"""Each finding of a brain that reads is provoked by a control, and goes when its remedy is applied."""

import json

import pytest

from t4dm.commands import RUN_COMMAND_TYPES, parse_command
from t4dm.live.brain_engine import BrainEngine
from t4dm.live.brain_findings import RULES
from t4dm.live.kinds import kind_of


def engine(values):
    tree = kind_of("brain").tree({})
    tree.replace(values)
    return BrainEngine({}, tree, 0, None)


def read_once(one):
    """The text to its end; what is found then."""
    one.advance()
    while one.at < len(one.tokens):
        one.advance()
    return {each["id"]: each for each in one.findings()}


def apply(one, remedy):
    for body in remedy["commands"]:
        command = parse_command(body, RUN_COMMAND_TYPES)
        one.tree.set(command.path, command.value)
        one.params_changed([command.path])


def test_the_example_is_healthy_once_it_was_looked_at():
    one = engine({})
    assert one.waiting() == "the rules look after 12 words"
    assert read_once(one) == {} and one.waiting() == ""


PROVOKED = [
    ("brain_nobody", {"feelings.dopamine": 0.0}),
    ("brain_everybody", {"feelings.dopamine": 1.0}),
    ("brain_numb", {"feelings.gain": 0.0}),
    ("brain_strange", {"reading.text": "zxqv blorp 🙂 wug fnord qwop snark jubjub bandersnatch frumious"}),
    ("brain_cut", {"reading.text": "a b, " * 119}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values"), PROVOKED, ids=[name for name, _ in PROVOKED])
def test_it_is_found_and_its_remedy_clears_it(name, values):
    one = engine(values)
    finding = read_once(one)[name]
    assert finding["title"] == RULES[name][0] and finding["cause"]["text"] and finding["rule"]
    assert finding["where"]["stage"] == "brain" and finding["remedies"]
    json.dumps(finding, allow_nan=False)
    apply(one, finding["remedies"][0])
    assert name in {each["id"] for each in one.findings()}, (
        "not cleared before it was looked at anew"
    )
    assert name not in read_once(one)


def test_every_rule_is_provoked():
    assert {name for name, _ in PROVOKED} == set(RULES)


def test_a_short_text_is_judged_at_its_end():
    one = engine({"reading.text": "peace"})
    assert read_once(one) == {} and one.waiting() == ""

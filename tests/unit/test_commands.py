"""Commands: the same checks at every door, each refusal with its field and range."""

import pytest

from t4dm.commands import COMMAND_TYPES, RUN_COMMAND_TYPES, Set, Speed, parse_command
from t4dm.params import ParamError

GOOD = [
    {"type": "set", "path": "lif.v_thresh", "value": 1.1},
    {"type": "set", "path": "neuromod.DA", "value": None},
    {"type": "clear", "path": "lif.v_thresh"},
    {"type": "replace", "values": {"lif.alpha": 0.5}, "label": "undo"},
    {"type": "preset", "name": "healthy"},
    {"type": "run"},
    {"type": "pause"},
    {"type": "step", "n": 100},
    {"type": "reset"},
    {"type": "reset", "seed": 7},
    {"type": "speed", "value": "max"},
    {"type": "speed", "value": 0.1},
    {"type": "inject", "nt": "5HT", "level": -1.0},
    {"type": "reward", "value": 1.0},
    {"type": "break_on", "kind": "rate", "group": 3, "bound": 50.0},
    {"type": "break_on", "kind": "finding", "finding": "runaway", "severity": "critical"},
    {"type": "break_off"},
    {"type": "break_off", "id": 2},
    {"type": "watch", "neurons": [1, 2]},
    {"type": "note", "text": "look here"},
]


RUNS = [
    {"type": "pause", "reason": "to look"},
    {"type": "checkpoint", "name": "before-it-rises"},
    {"type": "forget", "checkpoint": "a_1"},
    {"type": "branch", "checkpoint": "a_1", "name": None},
    {"type": "sample", "prompt": "And", "temperature": 0.5},
]


@pytest.mark.parametrize("body", RUNS, ids=lambda body: body["type"])
def test_commands_of_a_training_run_are_no_commands_of_a_network(body):
    command = parse_command(body, RUN_COMMAND_TYPES)
    assert all(getattr(command, field) == value for field, value in body.items())
    if body["type"] != "pause":
        with pytest.raises(ParamError, match="unknown command type"):
            parse_command(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "checkpoint"}, "name"),
        ({"type": "checkpoint", "name": "a b"}, "name"),
        ({"type": "checkpoint", "name": "x" * 65}, "name"),
        ({"type": "branch", "checkpoint": "a", "name": "../b"}, "name"),
        ({"type": "sample", "prompt": "x" * 501}, "prompt"),
        ({"type": "sample", "temperature": 6}, "temperature"),
        ({"type": "inject", "nt": "DA"}, "type"),
    ],
)
def test_a_bad_command_of_a_training_run_names_its_field(body, field):
    with pytest.raises(ParamError) as refused:
        parse_command(body, RUN_COMMAND_TYPES)
    assert refused.value.field == field


@pytest.mark.parametrize("body", GOOD, ids=lambda body: body["type"])
def test_good_commands_keep_their_fields(body):
    command = parse_command(body)
    assert isinstance(command, COMMAND_TYPES[body["type"]])
    for field, value in body.items():
        assert getattr(command, field) == value


def test_every_type_is_tried_here():
    assert {body["type"] for body in GOOD} == set(COMMAND_TYPES)


def test_a_command_is_what_was_sent():
    assert parse_command({"type": "set", "path": "a.b", "value": True}) == Set(
        path="a.b", value=True
    )
    assert parse_command({"type": "speed"}) == Speed(value=1.0)


@pytest.mark.parametrize(
    ("body", "field", "lo", "hi"),
    [
        (None, "body", None, None),
        ([], "body", None, None),
        ("pause", "body", None, None),
        ({}, "type", None, None),
        ({"type": 3}, "type", None, None),
        ({"type": "stop"}, "type", None, None),
        ({"type": "x" * 10_000}, "type", None, None),
        ({"type": "pause", "now": 1}, "now", None, None),
        ({"type": "set", "path": "a.b"}, "value", None, None),
        ({"type": "set", "value": 1}, "path", None, None),
        ({"type": "set", "path": 3, "value": 1}, "path", None, None),
        ({"type": "set", "path": "a.b", "value": [1] * 10_001}, "value", None, None),
        ({"type": "set", "path": "a.b", "value": "x" * 10_001}, "value", None, None),
        ({"type": "set", "path": "a" * 200, "value": 1}, "path", None, None),
        ({"type": "step", "n": 0}, "n", 1, 10_000),
        ({"type": "step", "n": 10_001}, "n", 1, 10_000),
        ({"type": "step", "n": 1.5}, "n", 1, 10_000),
        ({"type": "step", "n": "1"}, "n", 1, 10_000),
        ({"type": "step", "n": True}, "n", 1, 10_000),
        ({"type": "step", "n": None}, "n", 1, 10_000),
        ({"type": "reset", "seed": -1}, "seed", 0, 2**31 - 1),
        ({"type": "reset", "seed": 2**31}, "seed", 0, 2**31 - 1),
        ({"type": "speed", "value": 0.0}, "value", 0.1, 100),
        ({"type": "speed", "value": 101.0}, "value", 0.1, 100),
        ({"type": "speed", "value": float("nan")}, "value", 0.1, 100),
        ({"type": "speed", "value": "fast"}, "value", 0.1, 100),
        ({"type": "inject", "nt": "GABA"}, "nt", None, None),
        ({"type": "inject", "nt": "DA", "level": 1.01}, "level", -1, 1),
        ({"type": "inject", "nt": "DA", "level": float("inf")}, "level", -1, 1),
        ({"type": "reward", "value": float("nan")}, "value", -1, 1),
        ({"type": "break_on", "kind": "mood"}, "kind", None, None),
        ({"type": "break_on", "kind": "rate", "window_ms": 0}, "window_ms", 1, 10_000),
        ({"type": "break_on", "kind": "rate", "bound": 1000.5}, "bound", 0, 1000),
        ({"type": "break_on", "kind": "rate", "bound": -1.0}, "bound", 0, 1000),
        ({"type": "break_on", "kind": "rate", "bound": float("nan")}, "bound", 0, 1000),
        ({"type": "break_on", "kind": "weight"}, "bound", 0, 1),
        ({"type": "break_on", "kind": "weight", "bound": 1.5}, "bound", 0, 1),
        ({"type": "break_on", "kind": "membrane", "bound": 1001}, "bound", -1000, 1000),
        ({"type": "break_on", "kind": [], "bound": "x"}, "kind", None, None),
        ({"type": "watch", "neurons": list(range(65))}, "neurons", None, None),
        ({"type": "watch", "neurons": [-1]}, "neurons", 0, 65_534),
        ({"type": "note", "text": "x" * 501}, "text", None, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_commands_are_refused_with_field_and_range(body, field, lo, hi):
    with pytest.raises(ParamError) as refused:
        parse_command(body)
    assert (refused.value.field, refused.value.lo, refused.value.hi) == (field, lo, hi)
    assert len(refused.value.message) < 400


@pytest.mark.parametrize("value", [[], [1], {}, {"a": [2]}, None, "x", 1, 1.5, False])
def test_any_json_value_goes_on_to_its_parameter(value):
    command = parse_command({"type": "set", "path": "a.b", "value": value})
    assert command.value == value and type(command.value) is type(value)
    whole = parse_command({"type": "replace", "values": {"a.b": value}})
    assert whole.values == {"a.b": value}


def test_large_whole_numbers_are_written_in_full():
    with pytest.raises(ParamError, match=r"valid: 0 to 2147483647\)"):
        parse_command({"type": "reset", "seed": -1})


def test_an_unknown_type_gets_the_nearest():
    with pytest.raises(ParamError, match="did you mean 'inject'"):
        parse_command({"type": "injekt"})

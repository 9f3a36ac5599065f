"""Parameters: declared once; every door refuses the same values in the same words."""

from typing import ClassVar, Literal

import pytest

from t4dm.live.tree import SPIKING_GROUPS
from t4dm.params import ParamError, Params, did_you_mean, param


class Sample(Params):
    group: ClassVar[str] = "sample"

    level: float = param(0.5, 0.0, 2.0, unit="mV", help="A level.", step=0.1)
    count: int = param(3, 1, 9, help="A count.", log=True, label="Number")
    on: bool = param(True, help="A switch.")
    mode: Literal["fast", "slow"] = param("fast", help="A choice.")
    word: str = param("hi", max_length=5, unit="", help="A word.")
    held: float | None = param(None, 0.0, 1.0, help="Free or held.", alias="5HT")


SPECS = {spec.name: spec for spec in Sample.specs()}


def test_a_spec_says_what_the_declaration_said():
    level = SPECS["level"]
    assert (level.path, level.kind, level.default) == ("sample.level", "float", 0.5)
    assert (level.lo, level.hi, level.unit, level.step, level.help) == (0, 2, "mV", 0.1, "A level.")
    assert (SPECS["count"].label, SPECS["count"].log, SPECS["count"].kind) == (
        "Number",
        True,
        "int",
    )
    assert SPECS["mode"].choices == ("fast", "slow")
    assert SPECS["5HT"].nullable and SPECS["5HT"].path == "sample.5HT"
    assert SPECS["on"].kind == "bool" and SPECS["word"].kind == "text"


def test_a_spec_is_json_data():
    import json

    assert json.loads(json.dumps(SPECS["mode"].to_json()))["choices"] == ["fast", "slow"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("level", 0.0), ("level", 2.0), ("count", 9), ("on", False), ("mode", "slow"), ("word", ""),
     ("5HT", None), ("5HT", 1.0)],
)  # fmt: skip
def test_valid_values_pass(name, value):
    assert Sample.check(name, value) == value


NAN, INF = float("nan"), float("inf")
HOSTILE = [NAN, INF, -INF, -0.001, 2.001, 1e308, "", "1", "NaN", None, True, [], {}, [1.0], 10**400]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_a_number_refuses_what_is_none(value):
    with pytest.raises(ParamError) as refused:
        Sample.check("level", value)
    error = refused.value
    assert (error.field, error.lo, error.hi, error.unit) == ("sample.level", 0, 2, "mV")
    assert "expected a number from 0 to 2 mV" in error.message
    assert len(error.message) < 150


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("count", 0, "expected an integer from 1 to 9"),
        ("count", 2.5, "expected an integer from 1 to 9"),
        ("count", True, "expected an integer from 1 to 9"),
        ("on", 1, "expected true or false"),
        ("on", "true", "expected true or false"),
        ("mode", "FAST", "expected one of fast, slow"),
        ("word", "toolong", "within the length limit"),
        ("word", 5, "within the length limit"),
        ("5HT", 1.5, "from 0 to 1 or null (free)"),
    ],
)
def test_refusals_say_what_was_expected(name, value, words):
    with pytest.raises(ParamError, match=f"sample.{name}") as refused:
        Sample.check(name, value)
    assert words in refused.value.message


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ParamError, match="unknown parameter 'sample.levl'; did you mean"):
        Sample.check("levl", 1.0)


def test_nothing_near_lists_the_valid_names():
    assert did_you_mean("zzz", ["a", "b"]) == "; valid names: a, b"
    assert did_you_mean("zzz", [f"n{i}" for i in range(40)]).endswith("n11 …")


@pytest.mark.parametrize("group", SPIKING_GROUPS, ids=lambda group: group.group)
def test_every_default_is_valid_and_every_number_bounded(group):
    assert group.group and group.title
    for spec in group.specs():
        assert group.check(spec.name, spec.default) == spec.default
        assert spec.help.endswith("."), spec.path
        if spec.kind in ("float", "int"):
            assert spec.lo is not None and spec.hi is not None and spec.lo < spec.hi, spec.path
            for bound in (spec.lo, spec.hi):
                value = int(bound) if spec.kind == "int" else float(bound)
                assert group.check(spec.name, value) == bound

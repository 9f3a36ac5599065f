"""Every number that the command road takes, with everything that is none or lies outside its range."""

import json
import math

import pytest

from dashboard.server import create_app
from dashboard.settings import Rates, Settings
from tests.api.conftest import HOST, healthz

NO_NUMBERS = [
    '""', '" "', '"text"', '"NaN"', '"1e999"', '"1.0"', "true", "[]", "[1]", "{}", '{"a": 1}',
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "-1e308", "9" * 400, "-" + "9" * 400,
]  # fmt: skip
NULL = ["null"]
LEVEL = (-1.0, 1.0)
GROUPS, BLOCKS, NEURONS = (0, 11), (0, 5), (0, 3071)
ANY_ID = (0, 65_534)
BREAK = {"type": "break_on"}
NUMBERS = [  # command, the field that gets the value, its range, whether whole; null is none
    ({"type": "step"}, "n", (1, 10_000), True),
    ({"type": "speed"}, "value", (0.1, 100), False),
    ({"type": "inject", "nt": "ACh"}, "level", LEVEL, False),
    ({"type": "reward"}, "value", LEVEL, False),
    ({"type": "reset"}, "seed", (0, 2**31 - 1), True),
    ({**BREAK, "kind": "rate", "group": 1}, "bound", (0, 1000), False),
    ({**BREAK, "kind": "membrane", "neuron": 1}, "bound", (-1000, 1000), False),
    ({**BREAK, "kind": "weight", "group": 1}, "bound", (0, 1), False),
    ({**BREAK, "kind": "rate", "group": 1, "bound": 9}, "window_ms", (1, 10_000), True),
    ({**BREAK, "kind": "rate", "bound": 9}, "group", GROUPS, True),
    ({**BREAK, "kind": "weight", "bound": 0.5}, "group", BLOCKS, True),
    ({**BREAK, "kind": "spike"}, "neuron", NEURONS, True),
    ({**BREAK, "kind": "membrane", "bound": 1}, "neuron", NEURONS, True),
    ({"type": "break_off"}, "id", (1, 2**31 - 1), True),
]
MAY_BE_NULL = {"seed", "id"}


def beyond(lo, hi, whole):
    """The numbers next to a range, as JSON; a broken one where whole ones are asked for."""
    if whole:
        return [str(int(lo) - 1), str(int(hi) + 1), "2.5"]
    return [repr(math.nextafter(lo, -math.inf)), repr(math.nextafter(hi, math.inf))]


def ask(client, text):
    answer = client.post(
        "/sessions/default/commands", data=text, content_type="application/json", headers=HOST
    )
    return answer.status_code, answer.get_json().get("error", {})


@pytest.fixture(scope="module")
def unhurried(folders):
    """The server with no limit on requests a second."""
    return create_app(Settings(rates=Rates(10**9, 10**9, 10**9))).server.test_client()


@pytest.fixture
def untouched(client, unhurried):
    """A client of the running session; afterwards it runs on with the parameters it had."""
    client = unhurried
    params = lambda: client.get("/sessions/default/params", headers=HOST).get_json()
    before, step = params(), healthz(client)["step"]
    yield client
    now = params()
    assert (now["rev"], now["values"]) == (before["rev"], before["values"])
    line = healthz(client)
    assert line["state"] == "running" and line["step"] > step


def test_every_numeric_parameter_refuses_them_with_its_range(untouched):
    told = untouched.get("/sessions/default/params", headers=HOST).get_json()["specs"]
    specs = [spec for spec in told if spec["kind"] in ("float", "int")]
    assert len(specs) > 40
    for spec in specs:
        path, lo, hi, whole = spec["path"], spec["lo"], spec["hi"], spec["kind"] == "int"
        for value in NO_NUMBERS + beyond(lo, hi, whole) + NULL * (not spec["nullable"]):
            status, error = ask(untouched, f'{{"type":"set","path":"{path}","value":{value}}}')
            assert status == 422, (path, value)
            assert (error["field"], error["lo"], error["hi"]) == (path, lo, hi), (path, value)
            assert error["message"].startswith(f"{path}: expected a"), (path, value)


@pytest.mark.parametrize(
    ("command", "field", "span", "whole"), NUMBERS, ids=[f"{c['type']}-{f}" for c, f, *_ in NUMBERS]
)
def test_every_number_of_a_command_refuses_them_with_its_range(
    untouched, command, field, span, whole
):
    nulls = [] if field in MAY_BE_NULL else NULL
    for value in NO_NUMBERS + beyond(*span, whole) + nulls:
        text = f'{json.dumps(command)[:-1]}, "{field}": {value}}}'
        status, error = ask(untouched, text)
        assert status == 422, (value, error)
        assert error["field"] == field, (value, error)
        ranges = [span, ANY_ID] if field in ("group", "neuron") else [span]
        assert (error["lo"], error["hi"]) in ranges, (value, error)
        assert field in error["message"], (value, error)


@pytest.mark.parametrize("value", [*NO_NUMBERS, *NULL, "-1", "3072", "2.5"])
def test_a_neuron_to_watch_is_refused_with_the_range(untouched, value):
    status, error = ask(untouched, f'{{"type": "watch", "neurons": [{value}]}}')
    assert status == 422 and error["field"] == "neurons", error
    assert error["lo"] == 0 and error["hi"] > 0, error

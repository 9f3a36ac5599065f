"""schemathesis on what needs the whole program: pictures, which a browser draws, and traces."""

from __future__ import annotations

import json
import urllib.request

import pytest
import schemathesis
from schemathesis import GenerationMode

from tests.api.schema_cases import IMAGES, Run, ask, configuration
from tests.waiting import eventually

PICTURES, TRACES = 4, 20  # requests of either shape
DRAWN = ("/visualization/", "/sessions/{name}/panels/")
MODES = pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@pytest.fixture(scope="module")
def operations(live_app):
    """Every operation of the running program by its label."""
    url = f"{live_app.url}/openapi.json"
    document = schemathesis.openapi.from_url(url, config=configuration())
    return {one.ok().label: one.ok() for one in document.get_all_operations()}


@pytest.fixture
def run(live_app):
    """The running session, once it has enough steps to ask for."""

    def step():
        with urllib.request.urlopen(f"{live_app.url}/healthz", timeout=30) as answer:
            return json.load(answer)["sessions"]["default"]["step"]

    eventually(lambda: step() > 600, "600 steps")
    return Run(step())


@MODES
def test_an_input_of_the_right_shape_is_run_and_no_other(operations, run, mode):
    for label in ("POST /spiking/trace", "POST /spiking/trace-membrane"):
        ask(operations[label], mode, run, examples=TRACES)


def small(case):
    """An image, and not a large one."""
    query = dict(case.query or {})
    query |= {"width": 200 + int(query.get("width", 0)) % 200, "scale": 0.5}
    query |= {"height": 120 + int(query.get("height", 0)) % 200}
    if "file_name" in (case.path_parameters or {}):
        slug, _, kind = case.path_parameters["file_name"].partition(".")
        case.path_parameters["file_name"] = f"{slug}.{kind if kind in IMAGES else 'png'}"
    else:
        query["format"] = "svg" if query.get("format") == "svg" else "png"
    case.query = query


@MODES
def test_a_picture_of_the_right_shape_is_drawn_and_no_other(operations, run, mode):
    drawn = [one for one in operations.values() if one.path.startswith(DRAWN)]
    assert len(drawn) == 5
    for operation in drawn:
        ask(operation, mode, run, examples=PICTURES, prepare=small)

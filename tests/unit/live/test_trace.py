"""An input on a copy of the model: the live run does not notice, and the copy is the model."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.server import Request
from t4dm.live.trace import Asked, Tracer, Twin, run
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

CONFIG = StackConfig(n_blocks=2, n_neurons=32, n_sensory=16)
ROW = np.linspace(0, 1, 64).tolist()


def engine(**values):
    tree = ParamTree(CONFIG.n_blocks)
    tree.replace({path.replace("__", "."): value for path, value in values.items()})
    return Engine(CONFIG, tree, 3, None)


@pytest.fixture(scope="module")
def twin():
    return Twin(CONFIG, ParamTree(CONFIG.n_blocks), 0, None)


def traced(live, twin, **body):
    asked = Asked.parse(body, CONFIG.n_neurons, CONFIG.n_total)
    twin.take(live.state(), live.tree.non_default(), asked)
    return run(twin, asked)


def ask(tracer, live, body):
    request = Request("trace", body)
    refused = tracer.ask(live, request, {"rev": 0, "step": live.step, "t_ms": float(live.step)})
    return refused or request.wait()


def same(a, b):
    return all(np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f") for name in a)


def test_the_live_run_is_the_one_that_nobody_asked():
    live, alone, tracer = engine(), engine(), Tracer()
    for n in (64, 40, 64):
        live.advance(n)
        alone.advance(n)
        before = live.state()
        answer = ask(tracer, live, {"input": ROW, "steps": 100, "verbose": True})
        assert answer["ok"] and answer["steps"] == 100
        assert same(before, live.state())
    for _ in range(4):
        live.advance(64)
        alone.advance(64)
    assert live.spike_hash() == alone.spike_hash() and same(live.state(), alone.state())


def test_the_copy_does_what_the_model_does_with_the_same_input(twin):
    live = engine(stimulus__kind="constant", stimulus__amplitude=0.7, lif__v_thresh=0.8)
    live.advance(50)
    row = np.full(64, 0.7, np.float32).tolist()
    answer = traced(live, twin, input=row, steps=100, neurons=[0, 33, 70], verbose=True)
    live.watch = [0, 33, 70]
    parts = [live.advance(n) for n in (6, 64, 30)]
    spikes = np.concatenate([part.rates for part in parts])
    assert answer["from_step"] == 50 and spikes.sum() > 0
    for g, stage in enumerate(answer["stages"]):
        assert stage["spikes"] == spikes[:, g].tolist()
    membranes = np.concatenate([part.u for part in parts])
    for k, shown in enumerate(answer["membranes"]):
        assert shown["u_pre"] == pytest.approx(membranes[:, k].tolist(), abs=1e-6)
    ids = np.concatenate([part.spk_id for part in parts])
    assert [i for step in answer["spike_ids"] for i in step] == ids.tolist()


def test_currents_reach_block_0_as_the_encoded_stimulus_does(twin):
    live = engine(sensory__enabled=False, input__gain=2.0)
    live.advance(20)
    network, row = live.network, np.array(ROW, np.float32)
    current = 2.0 * float(network.weights.c_in[0]) * (row @ network.weights.encoder)
    ours = traced(live, twin, input=ROW, neurons=list(range(8)))
    theirs = traced(live, twin, input=current.tolist(), neurons=list(range(8)))
    assert (ours["input"], theirs["input"]) == ("stimulus", "current")
    for a, b in zip(ours["membranes"], theirs["membranes"], strict=True):
        assert a["u_pre"] == pytest.approx(b["u_pre"], abs=1e-4)


def test_nothing_of_a_trace_reaches_the_next_one(twin):
    live = engine()
    live.advance(32)
    first = traced(live, twin, input=ROW, steps=60, verbose=True)
    traced(live, twin, input=[[50.0] * 32] * 60, neurons=[1])
    assert traced(live, twin, input=ROW, steps=60, verbose=True) == first


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": [0.0] * 63}, "input"),
        ({"input": [[0.0] * 64, [0.0] * 32]}, "input"),
        ({"input": [[0.0] * 64] * 513}, "input"),
        ({"input": [0.0] * 64, "steps": 513}, "input"),
        ({"input": [2000.0] * 64}, "input"),
        ({"input": [float("nan")] * 64}, "input"),
        ({"input": [[0.0] * 64] * 3, "steps": 4}, "steps"),
        ({"input": [0.0] * 64, "neurons": [144]}, "neurons"),
    ],
)
def test_what_is_refused(body, field):
    with pytest.raises(ParamError) as refused:
        Asked.parse(body, CONFIG.n_neurons, CONFIG.n_total)
    assert refused.value.field == field


def test_a_third_trace_must_wait(monkeypatch):
    live, tracer = engine(), Tracer()
    held = threading.Event()
    monkeypatch.setattr("t4dm.live.trace.run", lambda twin, asked: held.wait() and {})
    where = {"rev": 0, "step": 0, "t_ms": 0.0}
    requests = [Request("trace", {"input": ROW}) for _ in range(3)]
    assert tracer.ask(live, requests[0], where) is None
    while not tracer._jobs.empty():
        pass
    assert [tracer.ask(live, r, where) for r in requests[1:]] == [None, None]
    assert tracer.ask(live, Request("trace", {"input": ROW}), where)["error"]["code"] == "busy"
    held.set()
    assert all(request.wait()["ok"] for request in requests)


def test_a_session_without_an_engine_of_ours_says_so():
    refused = Tracer().ask(object(), Request("trace", {"input": ROW}), {})
    assert refused["error"]["message"] == "this session's model is not copied"


def test_what_the_rows_are_is_said_by_the_caller_or_by_their_width():
    def kind(width, n, **more):
        return Asked.parse({"input": [0.5] * width, **more}, n, 500).kind

    assert [kind(64, 32), kind(32, 32), kind(64, 64)] == ["stimulus", "current", "stimulus"]
    assert kind(64, 64, **{"as": "current"}) == "current"
    assert kind(64, 64, **{"as": "stimulus"}) == "stimulus"
    wrong = {("stimulus", 32): ["64"], ("current", 64): ["32"], (None, 16): ["64", "32"]}
    for (asked, width), choices in wrong.items():
        with pytest.raises(ParamError) as refused:
            kind(width, 32, **{"as": asked})
        assert refused.value.field == "input" and refused.value.choices == choices
        assert all(choice in refused.value.message for choice in choices)


def test_64_currents_into_64_neurons_are_not_a_stimulus():
    config = StackConfig(n_blocks=1, n_neurons=64, n_sensory=16)
    twin, tree = Twin(config, ParamTree(1), 0, None), ParamTree(1)
    tree.replace({"sensory.enabled": False})
    live = Engine(config, tree, 3, None)
    network = live.network
    current = float(network.weights.c_in[0]) * (np.array(ROW, np.float32) @ network.weights.encoder)

    def membranes(row, kind, **more):
        asked = Asked.parse({"input": row, "steps": 5, "neurons": [0, 1], **more}, 64, 144)
        twin.take(live.state(), live.tree.non_default(), asked)
        answer = run(twin, asked)
        assert answer["input"] == kind
        return np.array([one["u_pre"] for one in answer["membranes"]])

    ours = membranes(ROW, "stimulus")
    assert membranes(current.tolist(), "current", **{"as": "current"}) == pytest.approx(
        ours, abs=1e-4
    )
    assert np.abs(membranes(current.tolist(), "stimulus") - ours).max() > 0.01

"""Breakpoints: the exact step, once an edge, whatever the chunks."""

import numpy as np
import pytest

from t4dm.commands import BreakOn
from t4dm.live.breakpoints import Breakpoints, nan_hit
from t4dm.live.groups import Layout
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from tests.toy_engine import ToyEngine


@pytest.fixture
def session():
    return Session("t", ToyEngine(tree=ParamTree(6), seed=4))


def reference(seed=4, steps=600):
    """Spike counts (T, G), fired (T, N) and u_pre of neuron 128, from an undisturbed run."""
    engine = ToyEngine(tree=ParamTree(6), seed=seed)
    segments = [engine.advance(1) for _ in range(steps)]
    fired = np.zeros((steps, 3072), bool)
    for t, segment in enumerate(segments):
        fired[t, segment.spk_id] = True
    return (
        np.concatenate([s.rates for s in segments]),
        fired,
        np.concatenate([s.u[:, 0] for s in segments]),
    )


def run_to_break(session, chunk=64, limit=600):
    while session.state == "running" and session.engine.step < limit:
        session.advance(chunk)
    return session.engine.step - 1


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_a_spike_stops_at_its_step_and_the_next_one_at_its(session, chunk):
    _, fired, _ = reference()
    first, second = np.flatnonzero(fired[:, 77])[:2]
    session.breakpoints.add(BreakOn(kind="spike", neuron=77))
    assert run_to_break(session, chunk) == first
    assert session.state == "paused" and f"neuron 77 fired at step {first}" in session.reason
    session.run()
    assert run_to_break(session, chunk) == second


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_a_membrane_stops_on_the_rising_edge_only(session, chunk):
    _, _, u = reference()
    true = u > 1.2
    edges = np.flatnonzero(true & ~np.concatenate(([True], true[:-1])))
    session.breakpoints.add(BreakOn(kind="membrane", neuron=128, bound=1.2))
    session.refresh_watch()
    assert run_to_break(session, chunk) == edges[0]
    session.run()
    assert run_to_break(session, chunk) == edges[1]


@pytest.mark.parametrize("op", ["above", "below"])
@pytest.mark.parametrize("chunk", [1, 64])
def test_a_rate_stops_where_its_window_crosses(session, op, chunk):
    counts, _, _ = reference()
    hz = np.convolve(counts[:, 3], np.ones(20), "valid") / (20 * 256) * 1000
    bound = float(np.median(hz))
    true = hz > bound if op == "above" else hz < bound
    edges = 19 + np.flatnonzero(true & ~np.concatenate(([True], true[:-1])))
    session.breakpoints.add(BreakOn(kind="rate", group=3, op=op, bound=bound, window_ms=20))
    for edge in edges[:3]:
        session.run()
        assert run_to_break(session, chunk) == edge
    assert "block 1 LIF out" in session.reason and "Hz" in session.reason


@pytest.mark.parametrize("chunk", [1, 64])
def test_what_is_true_already_is_no_crossing(session, chunk):
    session.advance(30)
    session.breakpoints.add(BreakOn(kind="rate", group=3, op="below", bound=1000, window_ms=20))
    assert run_to_break(session, chunk, limit=200) >= 199 and session.state == "running"


@pytest.mark.parametrize("op", ["above", "below"])
def test_a_condition_that_is_true_already_says_so_until_it_is_false(session, op):
    bound = {"above": 0, "below": 1000}[op]
    session.breakpoints.add(BreakOn(kind="rate", group=3, op=op, bound=bound, window_ms=20))
    session.breakpoints.add(BreakOn(kind="spike", neuron=3))
    assert [told["armed"] for told in session.breakpoints.status()] == [None, True]
    session.advance(10)
    assert session.breakpoints.status()[0]["armed"] is None, "its window is not full yet"
    session.advance(30)
    assert session.breakpoints.status()[0]["armed"] is False
    assert all("armed" not in told for told in session.breakpoints.to_json())
    other = {"above": "below", "below": "above"}[op]
    session.breakpoints.remove(None)
    session.breakpoints.add(BreakOn(kind="rate", group=3, op=other, bound=bound, window_ms=20))
    session.advance(40)
    assert session.breakpoints.status()[0]["armed"] is True


def test_a_condition_that_is_set_is_refused_by_the_number_of_the_one_there(session):
    points = session.breakpoints
    kinds = [
        BreakOn(kind="rate", group=3, bound=10), BreakOn(kind="spike", neuron=3),
        BreakOn(kind="membrane", neuron=3, bound=1), BreakOn(kind="weight", group=3, bound=0.5),
        BreakOn(kind="nan"),
    ]  # fmt: skip
    ids = [points.add(command) for command in kinds]
    for id, command in zip(ids, kinds, strict=True):
        with pytest.raises(ParamError, match=f"breakpoint {id} is set for this very condition"):
            points.check(command.model_copy(update={"severity": "note"}))
    points.check(BreakOn(kind="rate", group=3, bound=10, window_ms=50))
    points.remove(ids[0])
    points.check(kinds[0])


def shares(session, monkeypatch, at_zero, at_max):
    """Have the samples at steps 0, 250, 500 ... show these shares of the weights of every block."""
    plain = session.engine.advance

    def shown(n):
        segment = plain(n)
        for row, step in enumerate(segment.meta["hist_steps"]):
            segment.bounds[row] = at_zero, at_max[step // 250]
        return segment

    monkeypatch.setattr(session.engine, "advance", shown)


def test_a_share_of_weights_at_w_max_stops_at_its_sample(session, monkeypatch):
    shares(session, monkeypatch, 0.0, [0.1, 0.2, 0.3, 0.3])
    session.breakpoints.add(BreakOn(kind="weight", group=2, bound=0.15))
    assert run_to_break(session) == 250
    assert "at w_max in block 2: 0.2 is above 0.15" in session.reason
    session.run()
    assert run_to_break(session, limit=900) > 800, "the share stays above: no second edge"


def test_weights_at_zero_are_not_saturated(session, monkeypatch):
    shares(session, monkeypatch, 0.9, [0.0, 0.1, 0.1])
    session.breakpoints.add(BreakOn(kind="weight", group=2, bound=0.5))
    assert run_to_break(session, limit=600) > 500 and session.state == "running"


def test_the_break_event_lies_in_the_last_step(session):
    session.breakpoints.add(BreakOn(kind="spike", neuron=77))
    while session.state == "running":
        segment = session.advance(64)
    event = segment.meta["events"][-1]
    assert (event["type"], event["step"]) == ("break", segment.step1 - 1)
    assert event["reason"] == session.reason


def test_nan_is_always_watched_and_names_tensor_and_step(session, monkeypatch):
    plain = session.engine.advance

    def spoiled(n):
        segment = plain(n)
        if segment.step0 <= 40 < segment.step1:
            segment.u[40 - segment.step0, 2] = np.nan
        return segment

    monkeypatch.setattr(session.engine, "advance", spoiled)
    run_to_break(session)
    assert session.state == "paused" and not session.finite
    assert session.reason == "u is not finite at step 40"


def test_a_nan_is_not_missed_when_another_condition_ends_the_chunk_early(session, monkeypatch):
    plain = session.engine.advance

    def found_at_the_end_of_a_chunk(n):
        segment = plain(n)
        step = segment.step1 - 1
        segment.meta["events"].append(
            {"type": "nan", "step": step, "t_ms": float(step), "tensor": "blocks.0.u"}
        )
        return segment

    monkeypatch.setattr(session.engine, "advance", found_at_the_end_of_a_chunk)
    session.breakpoints.add(BreakOn(kind="spike", neuron=77))
    segment = session.advance(64)
    assert segment.step1 < 64 and not session.finite
    assert session.reason == f"blocks.0.u is not finite at step {segment.step1 - 1}"


def test_a_nan_event_of_the_engine_wins(session):
    segment = session.engine.advance(8)
    assert nan_hit(segment) is None
    segment.meta["events"].append({"type": "nan", "step": 3, "t_ms": 3.0, "tensor": "blocks.0.w"})
    assert nan_hit(segment).reason == "blocks.0.w is not finite at step 3"


@pytest.mark.parametrize(
    "command",
    [
        BreakOn(kind="rate"), BreakOn(kind="rate", group=12), BreakOn(kind="weight", group=6),
        BreakOn(kind="spike"), BreakOn(kind="spike", neuron=3072), BreakOn(kind="membrane", neuron=3072),
        BreakOn(kind="rate", group=-1), BreakOn(kind="spike", neuron=10**20),
    ],
)  # fmt: skip
def test_a_condition_on_nothing_is_refused(command):
    points = Breakpoints(Layout.stack(12, 256))
    with pytest.raises(ParamError) as error:
        points.check(command)
    needs = {"rate": ("group", 11), "weight": ("group", 5)}.get(command.kind, ("neuron", 3071))
    assert (error.value.field, error.value.hi) == needs and error.value.lo == 0
    assert f"from 0 to {error.value.hi}" in error.value.message


def test_conditions_are_kept_and_removed():
    points = Breakpoints(Layout.stack(12, 256))
    first = points.add(BreakOn(kind="spike", neuron=1))
    second = points.add(BreakOn(kind="nan"))
    again = Breakpoints(Layout.stack(12, 256))
    again.load(points.to_json())
    assert again.to_json() == points.to_json()
    assert again.add(BreakOn(kind="nan")) == second + 1
    points.remove(first)
    assert not points.armed and len(points.to_json()) == 1
    with pytest.raises(ParamError):
        points.check_off(first)
    points.remove(None)
    assert points.to_json() == []

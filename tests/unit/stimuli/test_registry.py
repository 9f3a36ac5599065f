"""Every stimulus: the same rows and events however the steps are cut, stopped or resumed."""

import json

import numpy as np
import pytest

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.stimuli.params import StimulusParams
from t4dm.stimuli.registry import Stimulus, kinds, make_stimulus
from t4dm.stimuli.source import stimulus

STEPS = 700
CHANGES = {
    120: ("stimulus.image_ms", 40),
    121: ("stimulus.rest_ms", 7),
    200: ("stimulus.rate_hz", 600.0),
    300: ("stimulus.period_ms", 33),
    333: ("stimulus.amplitude", 0.7),
    410: ("stimulus.noise_std", 1.5),
    450: ("stimulus.text", "ab"),
    500: ("stimulus.image_ms", 3000),
}


def tree_of(kind):
    tree = ParamTree(2)
    tree.set("stimulus.kind", kind)
    return tree


def play(kind, cuts, resume_at=(), seed=5):
    """Rows, events and rests of STEPS steps asked for in pieces that end at ``cuts``."""
    tree = tree_of(kind)
    source = make_stimulus(tree, seed, None)
    rows, events, rests = [], [], []
    stops = sorted({*cuts, *CHANGES, *resume_at, STEPS})
    for stop in stops:
        if source.step in CHANGES:
            tree.set(*CHANGES[source.step])
            source.params_changed(tree, source.step)
        if source.step in resume_at:
            kept = json.loads(json.dumps(source.state()))
            source = make_stimulus(tree_of("constant"), seed, None)
            source.load_state(kept)
        row, event, rest = source.rows(source.step, stop - source.step)
        rows.append(row)
        events += event
        rests.append(rest)
    return np.concatenate(rows), events, np.concatenate(rests)


def test_each_kind_of_the_parameter_has_a_file():
    choices = next(s for s in StimulusParams.specs() if s.name == "kind").choices
    assert sorted(choices) == kinds()


@pytest.mark.parametrize("kind", kinds())
def test_rows_do_not_depend_on_the_cuts(kind):
    whole = play(kind, [])
    for cuts in (range(1, STEPS), range(8, STEPS, 8), [3, 11, 64, 77, 299, 301, 640]):
        rows, events, rest = play(kind, cuts)
        assert np.array_equal(rows, whole[0])
        assert events == whole[1]
        assert np.array_equal(rest, whole[2])


@pytest.mark.parametrize("kind", kinds())
def test_a_resumed_stimulus_goes_on_exactly(kind):
    whole = play(kind, [])
    resumed = play(kind, [], resume_at=(1, 77, 260, 445, 501, 650))
    assert np.array_equal(resumed[0], whole[0])
    assert resumed[1] == whole[1]


@pytest.mark.parametrize("kind", kinds())
def test_shapes_types_and_events(kind):
    rows, events, rest = play(kind, [])
    assert rows.shape == (STEPS, 64) and rows.dtype == np.float32
    assert rest.dtype == bool and not rows[rest].any()
    assert events[0]["step"] == 0
    for event in events:
        assert event["kind"] == kind and event["t_ms"] == event["step"]
        if event["type"] == "stimulus":
            assert len(event["image"]) == 64
            assert all(0.0 <= level <= 1.0 for level in event["image"])
    json.dumps(events, allow_nan=False)


@pytest.mark.parametrize("kind", ["digits", "noise"])
def test_the_seed_decides(kind):
    assert np.array_equal(play(kind, [], seed=5)[0], play(kind, [], seed=5)[0])
    assert not np.array_equal(play(kind, [], seed=5)[0], play(kind, [], seed=6)[0])


def test_calls_must_follow_each_other():
    source = make_stimulus(tree_of("sine"), 0, None)
    source.rows(0, 8)
    with pytest.raises(ValueError, match="stands at step 8"):
        source.rows(0, 8)
    with pytest.raises(ValueError, match="stands at step 8"):
        source.params_changed(tree_of("sine"), 4)


def test_a_new_kind_starts_at_its_step():
    tree = tree_of("constant")
    source = make_stimulus(tree, 0, None)
    source.rows(0, 100)
    tree.set("stimulus.kind", "digits")
    source.params_changed(tree, 100)
    _, events, _ = source.rows(100, 8)
    assert [(e["type"], e["step"], e["kind"]) for e in events] == [("stimulus", 100, "digits")]


def test_a_parameter_of_another_group_changes_nothing():
    tree = tree_of("digits")
    source = make_stimulus(tree, 0, None)
    source.rows(0, 30)
    tree.set("lif.v_thresh", 2.0)
    source.params_changed(tree, 30)
    assert source.rows(30, 8)[1] == []


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match="registered twice"):
        stimulus("sine")(object)


def test_an_unknown_kind_is_named():
    unknown = StimulusParams().model_copy(update={"kind": "sin"})
    with pytest.raises(ParamError, match="did you mean 'sine'") as refused:
        Stimulus(unknown, 0, None)
    assert refused.value.field == "stimulus.kind"

"""The sensory layer inside the engine: what it learns from, what it scores, what it shows."""

from itertools import pairwise

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.merge import merge
from t4dm.live.segment import NO_LABEL
from t4dm.live.tree import ParamTree

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

CONFIG = StackConfig(1, 32, 4, n_sensory=48)
FIRST = 2 * 32  # id of the first sensory neuron


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def engine(data_dir):
    return Engine(CONFIG, ParamTree(1), 3, data_dir)


def run(engine, steps):
    end, made = engine.step + steps, []
    while engine.step < end:
        made.append(engine.advance(min(64, end - engine.step)))
    return made


def change(engine, path, value):
    engine.tree.set(path, value)
    engine.params_changed([path])


def events(segments, kind):
    return [e for s in segments for e in s.meta["events"] if e["type"] == kind]


def test_its_spikes_are_a_group_of_their_own(engine):
    window = merge(run(engine, 1200))
    assert engine.describe()["groups"][-1]["name"] == "sensory layer"
    assert window.rates.shape[1] == 3 and window.n_total == FIRST + 48
    assert window.rates[:, 2].max() == 1, "one neuron at most fires in a step"
    ids = window.rows[window.spk_row]
    assert (ids >= FIRST).sum() == window.rates[:, 2].sum() > 10


def test_digits_are_marked_and_held_out_ones_teach_nothing(engine):
    weights, thresholds, split = [], [], []
    shown = None
    while engine.step < 12_000:
        for event in engine.advance(50).meta["events"]:
            if event["type"] == "stimulus":
                shown = event["split"]
        split.append(shown)
        weights.append(engine.sensory.arrays.weight.copy())
        thresholds.append(engine.sensory.arrays.theta_a.copy())
    assert set(split) == {"train", "held_out"}
    pairs = [k for k in range(1, len(split)) if split[k - 1] == split[k] == "held_out"]
    moved = [k for k in range(1, len(split)) if (weights[k] != weights[k - 1]).any()]
    still = [k for k in pairs if k not in moved and (thresholds[k] == thresholds[k - 1]).all()]
    assert len(pairs) > 8 and still == pairs
    assert len(moved) > 20


def test_answers_reward_dopamine_by_the_error_of_its_expectation(engine):
    told = [e for e in events(run(engine, 9000), "answer") if e["split"] == "train"]
    gain, rate = 0.3, engine.tree.get("neuromod.reward_rate")
    assert len(told) > 15 and {e["right"] for e in told} == {True, False}
    for before, after in pairwise(told):
        assert after["r_hat"] == pytest.approx(before["r_hat"] + rate * before["delta"])
        assert after["delta"] == pytest.approx(after["r"] - after["r_hat"])
        assert after["step"] % 8 == 0
        if after["answer"] is not None:
            worth = 0.5 + 0.5 * after["share"]
            assert after["r"] == pytest.approx(worth if after["right"] else -worth, abs=1e-4)
    assert engine.tree.get("neuromod.reward_gain") == gain


def test_a_reward_acts_from_the_step_of_its_answer_on(engine):
    while True:
        segment = engine.advance(64)
        told = [e for e in events([segment], "answer") if e.get("delta")]
        if told and told[0]["step"] - segment.step0 > 2 and told[0]["delta"] > 0:
            break
    at = told[0]["step"] - segment.step0
    levels = segment.levels[:, 0]
    assert levels[at] - levels[at - 1] > 0.2 * told[0]["delta"]
    assert abs(levels[at - 1] - levels[at - 2]) < 0.02


def test_switched_off_rewards_and_plasticity(engine):
    change(engine, "sensory.reward", False)
    change(engine, "sensory.stdp", False)
    before = engine.sensory.arrays.weight.copy()
    segments = run(engine, 3000)
    assert all("delta" not in e for e in events(segments, "answer"))
    assert max(float(np.abs(s.levels[:, 0] - 0.5).max()) for s in segments) < 1e-6
    assert np.array_equal(engine.sensory.arrays.weight, before)
    assert engine.sensory.arrays.theta_a.any(), "thresholds still adapt"


def test_the_global_switch_of_stdp_holds_here_too(engine):
    change(engine, "stdp.enabled", False)
    before = engine.sensory.arrays.weight.copy()
    run(engine, 1500)
    assert np.array_equal(engine.sensory.arrays.weight, before)


def test_disabled_it_is_silent_and_feeds_nothing(data_dir):
    tree = ParamTree(1)
    tree.set("sensory.enabled", False)
    alone = Engine(CONFIG, tree, 3, data_dir)
    silent = merge(run(alone, 1500))
    assert silent.rates[:, 2].sum() == 0 and silent.rates[:, :2].sum() > 0
    tree = ParamTree(1)
    tree.set("sensory.feed", 0.0)
    tree.set("sensory.reward", False)
    unfed = merge(run(Engine(CONFIG, tree, 3, data_dir), 1500))
    assert np.array_equal(silent.rates[:, :2], unfed.rates[:, :2])


def test_feeding_changes_the_stack(engine, data_dir):
    tree = ParamTree(1)
    tree.set("sensory.feed", 0.0)
    tree.set("sensory.reward", False)
    change(engine, "sensory.reward", False)
    unfed = Engine(CONFIG, tree, 3, data_dir)
    fed, bare = merge(run(engine, 1500)), merge(run(unfed, 1500))
    assert fed.rates[:, :2].sum() != bare.rates[:, :2].sum()


def test_samples_show_the_weights_and_labels_of_their_step(engine):
    segments = run(engine, 750)
    weights = engine.sensory.arrays.weight.copy()
    labels = engine.sensory.readout.labels()
    segments.append(engine.advance(1))
    assert sum(len(s.receptive) for s in segments) == 4
    window = merge(segments)
    assert window.receptive.shape == (1, 64, 48)
    shown = window.receptive[0] / 255 * window.meta["w_shown"]
    assert np.abs(shown - np.clip(weights, 0, window.meta["w_shown"])).max() < 0.002 + 1e-6
    assert np.array_equal(window.neuron_labels[0], np.where(labels < 0, NO_LABEL, labels))


def test_the_course_and_the_score_agree(engine):
    segments = run(engine, 15_001)
    told = [e for e in events(segments, "answer") if e["split"] == "held_out"]
    window = merge(segments[-8:])
    course = window.course[0]
    course = course[~np.isnan(course[:, 0])]
    kept = [e for e in told if e["step"] < 15_000]
    assert course[:, 0].tolist() == [e["step"] for e in kept]
    assert course[:, 1] == pytest.approx([e["accuracy"] for e in kept], abs=1e-3)
    assert window.meta["learned"]["scored"] == len(told) == told[-1]["scored"]


def test_another_stimulus_is_neither_labelled_nor_scored(engine):
    run(engine, 400)
    change(engine, "stimulus.kind", "noise")
    seen = engine.sensory.readout.seen.copy()
    segments = run(engine, 1200)
    assert not events(segments, "answer")
    assert np.array_equal(engine.sensory.readout.seen, seen)
    assert engine.sensory.plastic


def test_a_weight_that_is_not_finite_is_named(engine):
    engine.advance(8)
    engine.sensory.arrays.weight[0, 0] = np.nan
    run(engine, 300)
    assert engine.bad is not None and engine.bad[0] == "sensory.weight"


def test_watched_sensory_membranes_are_recorded(engine):
    engine.watch = [3, FIRST + 7]
    u = np.concatenate([s.u for s in run(engine, 300)])
    assert u.shape[1] == 2 and np.isfinite(u).all() and u[:, 1].max() > 0.5
    with pytest.raises(ValueError, match="0 to 111"):
        engine.watch = [FIRST + 48]

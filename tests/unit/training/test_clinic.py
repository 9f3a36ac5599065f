"""The clinic: each fault shows in its trial, what is kept is not made twice, rows are what they say."""

import json
import math
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from t4dm.ablations import FAULTS, NONE, Ablation
from t4dm.params import ParamError
from t4dm.training import checkpoint, clinic, clinic_child
from t4dm.training.clinic import Job, jobs, rows, table, train
from t4dm.training.clinic_measures import MEASURES
from t4dm.training.clinic_rows import beside, curve, numbers
from t4dm.training.clinic_trials import TRIALS, trial_of
from t4dm.training.runs import RUNS
from t4dm.training.trainer import Trainer
from t4dm.training.wake import on_device

torch.set_num_threads(1)
RAISED_IN = {
    Ablation.MEMORY_GATE_TRANSPOSED: "t4dm.hippocampal.attention, HippocampalAttention.forward",
    Ablation.LIQUID_STATE_DTYPE: "t4dm.brain.liquid, LiquidCell.forward",
    Ablation.ROUTER_TOP_K_UNCLAMPED: "t4dm.brain.liquid_moe, LiquidMoERouter.forward",
    Ablation.BRIDGE_FIXED_TIMESTEPS: "t4dm.brain.language_zone, fold",
    Ablation.GIF_STATE_DTYPE: "t4dm.spiking.spike_bridge, SpikeToContinuousBridge.forward",
    Ablation.BRIDGE_DTYPE: "t4dm.spiking.gif, GIFNeuron.forward",
    Ablation.THALAMUS_GAIN_DTYPE: "t4dm.brain.thalamus, Thalamus.forward",
    Ablation.BASAL_GANGLIA_FLOAT_SUM: "t4dm.brain.basal_ganglia, BasalGanglia.forward",
    Ablation.GRID_CONSTANT_UNREGISTERED: "t4dm.brain.natural_brain, NaturalBrain.forward",
}
ERRORS = [one.ablation for one in FAULTS if one.kind == "error"]


@pytest.fixture(scope="module")
def material():
    return RUNS["clinic"].material()


@pytest.mark.parametrize("fault", ERRORS)
def test_an_error_fault_stops_its_own_run(fault, material):
    row = train(Job(fault.value, trial_of(fault), fault, 0), material, 0, 3)
    assert row["error"].endswith(f" (raised in {RAISED_IN[fault]})")
    assert row["steps_done"] == 0 and row["held_out"] is None
    assert row["telling"] == {"name": "steps done", "goal": "3", "sound": 3, "faulty": 0}


@pytest.mark.parametrize("trial", TRIALS, ids=[one.name for one in TRIALS])
def test_the_sound_model_of_every_trial_learns(trial, material):
    row = train(Job("sound", trial, None, 0), material, 0, 4)
    assert row["error"] == "" and row["steps_done"] == 4 and row["telling"] is None
    assert row["curve"][-1][1] < row["first"] == pytest.approx(math.log(1024), abs=0.15)


@pytest.mark.parametrize("fault", list(MEASURES))
def test_a_curve_fault_shows_in_its_measure(fault, material):
    told = clinic.telling(Job(fault.value, trial_of(fault), fault, 0), material, 0, 1, 1)
    sound, faulty = told["sound"], told["faulty"]
    assert abs(sound - faulty) > 0.05 * max(abs(sound), abs(faulty)), told


def test_the_share_of_the_brain_is_of_what_the_last_layer_gave_it(material):
    """Not of the embedding: both are measured at the brain itself, 1e-2 for bfloat16."""
    run, trial = RUNS["clinic"], trial_of(Ablation.BRAIN_RESIDUAL_FULL)
    model = trial.model(run, 0, NONE).eval()
    batch = on_device(material.train.batch(0, 0, 2, 16), model)
    given = []
    hook = model.brain.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    model(batch.ids, batch.prosody)
    hook.remove()
    added = model.brain(given[0], batch.prosody).out.float() - given[0].float()
    expected = (added.norm() / given[0].float().norm()).item()
    found = MEASURES[Ablation.BRAIN_RESIDUAL_FULL].of(model, batch, 0)
    assert found == pytest.approx(expected, rel=1e-2) and 0 < found < 1


def test_a_long_error_keeps_where_it_was_raised():
    with pytest.raises(ParamError) as raised:
        RUNS["tiny"].model.model_copy(update={"n_heads": 5}).checked()
    text = clinic.error_text(raised.value, at_most=90)
    assert len(text) == 90 and text.startswith("ParamError: ")
    assert text.endswith(" (raised in t4dm.hippocampal.params, HippocampalParams.checked)")


def test_every_fault_is_measured_or_raises():
    assert set(MEASURES) | set(ERRORS) == set(Ablation)
    assert not set(MEASURES) & set(ERRORS)


def test_a_bug_of_the_sound_model_is_no_row(material, monkeypatch):
    def broken(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(RuntimeError, match="ours"):
        train(Job("sound", TRIALS[0], None, 0), material, 0, 1)


def row_of(job, *_):
    base = {"name": job.name, "trial": job.trial.name, "seed": job.seed, "error": ""}
    base |= {"held_out": 5.0, "telling": None}
    return base | numbers([SimpleNamespace(step=0, phase="wake", loss=6.0, grad_norm=1.0)])


def test_a_table_goes_on_after_its_last_run(tmp_path, monkeypatch):
    trained, told = [], []

    def trains(job, *_):
        trained.append(job.name)
        if len(trained) == 4:
            raise KeyboardInterrupt
        return row_of(job)

    monkeypatch.setattr(clinic, "train", trains)
    with pytest.raises(KeyboardInterrupt):
        table(tmp_path, 0, 5)
    made = table(tmp_path, 0, 5, lambda *one: told.append(one))
    names = [job.name for job in jobs()]
    assert trained == names[:4] + names[3:]
    assert [row["number"] for row in made["rows"]] == list(range(18))
    assert told[0] == (names[0], 0, 0) and told[-1] == ("", len(names), 0)


def child(folder, monkeypatch, parent):
    """The program that makes a table, in this process."""
    words = ["--folder", str(folder), "--seed", "2", "--steps", "5", "--parent", str(parent)]
    monkeypatch.setattr(sys, "argv", ["clinic_child", *words])
    monkeypatch.setattr(clinic, "train", lambda job, *_: row_of(job))
    clinic_child.main()


def test_the_child_leaves_the_table_and_what_it_told_and_no_runs(tmp_path, monkeypatch):
    (tmp_path / "runs-of-other-code").mkdir()
    child(tmp_path, monkeypatch, os.getppid())
    made = json.loads((tmp_path / "table.json").read_text())
    assert made["seed"] == 2 and made["steps"] == 5 and len(made["rows"]) == 18
    assert json.loads((tmp_path / "rows.json").read_text()) == made["rows"]
    told = json.loads((tmp_path / "progress.json").read_text())
    assert told["share"] == 1 and told["done"] == told["total"] == len(jobs())
    assert list(tmp_path.glob("runs-*")) == []


def test_the_child_ends_where_its_parent_is_gone(tmp_path, monkeypatch):
    with pytest.raises(SystemExit) as ended:
        child(tmp_path, monkeypatch, os.getppid() + 1)
    assert ended.value.code == clinic_child.ALONE and not (tmp_path / "table.json").exists()


def test_rows_come_as_soon_as_their_sound_runs_are_there(tmp_path):
    for n, job in enumerate(jobs()[:4]):
        (tmp_path / f"{job.name}.json").write_text(json.dumps(row_of(job)))
        found = [row["name"] for row in rows(tmp_path)]
        assert found == (["sound", "duplicate_norm_dropout"] if n == 3 else ["sound"])


def test_numbers_are_of_wake_steps_and_of_what_is_steady():
    losses = np.linspace(7.0, 4.0, 100)
    steps = [
        SimpleNamespace(step=i, phase="sleep" if i % 10 == 9 else "wake", loss=float(x),
                        grad_norm=99.0 if i < 20 else 1.0 + i / 100)
        for i, x in enumerate(losses)
    ]  # fmt: skip
    made = numbers(steps)
    awake = [(i + 1, x) for i, x in enumerate(losses) if i % 10 != 9]
    means = [np.mean([x for _, x in awake[n - 25 : n]]) for n in range(25, 91)]
    first = next(n for n, mean in enumerate(means) if mean < 5)
    assert made["steps_to_5"] == awake[first + 24][0]
    assert made["final"] == pytest.approx(np.mean([x for _, x in awake[-50:]]))
    assert made["norm_max"] == pytest.approx(1.99) and made["steps_done"] == 100
    assert len(made["curve"]) == 60 and made["curve"][-1][0] == awake[-1][0]
    assert curve([]) == [] and numbers([])["final"] is None


@pytest.mark.parametrize(
    ("final", "error", "tells"), [(4.0, "", False), (4.5, "", True), (None, "", True), (None, "X: y", None)]
)  # fmt: skip
def test_a_curve_tells_when_it_leaves_what_other_seeds_make(final, error, tells):
    shown = {"steps_to_5": 9, "norm_median": 1.0, "norm_max": 2.0, "curve": []}
    sound = [shown | {"final": f, "held_out": 4.2} for f in (4.0, 4.1, 4.05)]
    faulty = shown | {"final": final, "held_out": 4.2, "error": error}
    assert beside(faulty, sound)["curve_tells"] is tells


def test_a_run_with_a_brain_goes_on_from_its_checkpoint_bit_for_bit(tmp_path, material):
    run, trial = RUNS["clinic"], TRIALS[1]
    params = run.train.model_copy(update={"batch": 2, "context": 8})
    whole = Trainer(trial.model(run, 3, NONE), material.train, params, 3)
    whole.step()
    checkpoint.save(tmp_path / "run.ckpt", whole)
    again = checkpoint.load(tmp_path / "run.ckpt", material.train)
    assert [whole.step() for _ in range(2)] == [again.step() for _ in range(2)]

"""Training as a session's engine: rows, scoring between steps, texts, parameters, faults, resuming."""

import logging
import math
from dataclasses import replace

import numpy as np
import pytest

from t4dm.ablations import Ablation
from t4dm.commands import Sample
from t4dm.live import kinds
from t4dm.live.run_session import RunSession
from t4dm.live.training_engine import TrainingEngine
from t4dm.live.training_side import SCALARS
from t4dm.params import ParamError
from t4dm.training.corpus import american_standard_version
from t4dm.training.data import TokenText
from t4dm.training.findings import Step
from t4dm.training.runs import RUNS, Material
from t4dm.training.tokenizer import ByteTokenizer

KIND = kinds.kind_of("training")
EXACT = [i for i, name in enumerate(SCALARS) if name != "seconds"]
LOOK = {"train.held_out_every": 3, "train.held_out_windows": 6, "train.probe_every": 2}


def engine(fault=None, seed=0, **values):
    options = KIND.checked({"run": "tiny", "fault": fault})
    made = TrainingEngine(options, KIND.tree(options), seed)
    for path, value in ({"sample.every": 0} | LOOK | values).items():
        made.tree.set(path, value)
    made.params_changed([])
    return made


def session_of(made):
    return RunSession("t", "training", made)


def to(session, step):
    while session.engine.step < step:
        session.advance()


def column(session, name, run=0):
    return session.whole().arrays["scalars"][:, run, SCALARS.index(name)]


def exact(session, first=0):
    return session.whole().arrays["scalars"][first:, :, EXACT].tobytes()


def test_a_step_is_a_row_and_the_loss_falls():
    session = session_of(engine())
    to(session, 30)
    whole = session.whole()
    assert whole.arrays["scalars"].shape == (30, 1, len(SCALARS))
    loss = column(session, "loss")
    assert abs(loss[0] - math.log(256)) < 0.3 and loss[-5:].mean() < loss[0] - 1
    assert column(session, "tokens").tolist() == [128.0 * k for k in range(1, 31)]
    asleep = np.flatnonzero(column(session, "phase"))
    assert asleep.tolist() == [12, 13, 14, 27, 28, 29]
    scored = np.flatnonzero(np.isfinite(column(session, "held_out")))
    assert scored.tolist() == list(range(0, 30, 3))


def test_gradient_norms_and_changed_rates_are_logged_now_and_then(caplog):
    caplog.set_level(logging.INFO)
    session = session_of(engine())
    to(session, 5)
    norm, rate = (
        [m for m in caplog.messages if what in m]
        for what in ("gradient norm of sound", "learning_rate changed of sound")
    )
    first = column(session, "grad_norm")[0]
    assert len(norm) == len(rate) == 1 and f"gradient norm of sound {first:.3g}" in norm[0]
    assert norm[0].endswith("in step 0") and " -> " in rate[0]


def test_the_arrays_are_those_the_manifest_names():
    session = session_of(engine("liquid_state_dtype"))
    to(session, 2)
    series, arrays = session.describe["series"], session.whole().arrays
    assert set(arrays) == {*series, "steps"}
    for name, row in series.items():
        shape = arrays[name].shape[1:] if row["per_step"] else arrays[name].shape
        assert list(shape) == row["shape"] and arrays[name].dtype == np.float32
    assert len(session.describe["constants"]["shown_tokens"]) == series["prosody"]["shape"][0]
    assert arrays["router_load"][0].sum() == pytest.approx(1, abs=0.02)
    assert "router_load" not in session_of(engine()).describe["series"]


def test_looking_scoring_and_writing_change_nothing():
    plain, watched = engine(), engine(**{"sample.every": 2, "sample.tokens": 20})
    for path in ("train.held_out_every", "train.probe_every"):
        plain.tree.set(path, 0)
    plain.params_changed([])
    one, other = session_of(plain), session_of(watched)
    to(one, 10)
    to(other, 10)
    assert column(one, "loss").tobytes() == column(other, "loss").tobytes()
    assert [e["step"] for e in other.log if e["type"] == "sample"] == [
        2,
        4,
        6,
        8,
    ]


def test_a_run_that_is_put_back_goes_on_the_same():
    session = session_of(engine("untied_head", **{"train.dropout": 0.2}))
    to(session, 13)  # asleep
    kept = session.checkpoint()
    assert kept.finite
    to(session, 20)
    again = session_of(engine("untied_head", seed=9))
    again.take(kept)
    assert again.engine.seed == 0 and again.tree.get("train.dropout") == 0.2
    to(again, 20)
    assert exact(again) == exact(session)


def test_a_checkpoint_does_not_change_while_the_run_goes_on():
    session = session_of(engine())
    to(session, 4)
    kept = session.checkpoint()
    before = {name: array.tobytes() for name, array in kept.arrays.items()}
    to(session, 8)
    assert {name: array.tobytes() for name, array in kept.arrays.items()} == before


def test_a_checkpoint_of_another_fault_is_refused():
    session, other = session_of(engine("untied_head")), session_of(engine("embedding_n01"))
    with pytest.raises(ValueError, match="another fault"):
        other.take(session.checkpoint())


@pytest.mark.parametrize(
    "fault", [a for a in Ablation if a not in ("router_top_k_unclamped",)][::4]
)
def test_the_sound_run_beside_a_fault_is_not_touched_by_it(fault):
    session = session_of(engine(fault.value))
    to(session, 4)
    alone = session_of(engine(fault.value))
    alone.engine.sides.pop()
    to(alone, 4)
    assert column(session, "loss").tobytes() == column(alone, "loss").tobytes()


def test_a_fault_that_raises_ends_its_run_with_its_text():
    session = session_of(engine("memory_gate_transposed"))
    to(session, 6)
    text = session.engine.progress()["errors"]["faulty"]
    assert text.startswith("RuntimeError: The size of tensor")
    told = [e for e in session.whole().meta["events"] if e["type"] == "error"]
    assert [(e["run"], e["text"]) for e in told] == [("faulty", text)]
    assert np.isfinite(column(session, "loss")).all()
    assert np.isnan(column(session, "loss", run=1)).all()
    again = session_of(engine("memory_gate_transposed"))
    again.take(session.checkpoint())
    to(again, 8)
    assert again.engine.progress()["errors"]["faulty"] == text
    assert len([e for e in again.whole().meta["events"] if e["type"] == "error"]) == 1


def test_an_error_of_the_sound_run_is_not_hidden(monkeypatch):
    made = engine()

    def broken():
        raise RuntimeError("a mistake")

    monkeypatch.setattr(made.sides[0].trainer, "step", broken)
    with pytest.raises(RuntimeError, match="a mistake"):
        to(session_of(made), 1)


def test_values_are_in_force_from_the_next_step():
    session = session_of(engine())
    to(session, 20)
    before = session.tree.non_default()
    changes = {}
    for path, value in (
        ("train.learning_rate", 0.0), ("train.dropout", 0.5), ("train.use_memory", False),
        ("train.clip", 0.25), ("train.sleep_every", 0),
    ):  # fmt: skip
        changes[path] = session.tree.set(path, value)
    session.change(changes, before, "test")
    trainer = session.engine.sides[0].trainer
    weights = [p.detach().clone() for p in trainer.model.parameters()]
    used = trainer.memory.used
    to(session, 22)
    assert trainer.model.dropout == 0.5 and trainer.memory.used == used
    assert column(session, "learning_rate")[20:].tolist() == [0.0, 0.0]
    assert all(
        bool((a == b).all()) for a, b in zip(weights, trainer.model.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [("train.context", 33), ("train.batch", 33), ("sample.prompt", "")],
)
def test_what_a_step_could_not_be_done_with_is_refused(path, value):
    session = session_of(engine())
    before = session.tree.non_default()
    with pytest.raises(ParamError) as refused:
        session.change({path: session.tree.set(path, value)}, before, "test")
    assert refused.value.field == path
    assert session.tree.non_default() == before
    to(session, 1)


def test_a_change_between_scoring_and_step_scores_again():
    """Else a run that is resumed, where the change comes first, would tell another number."""

    def run(split):
        session = session_of(engine())
        if split:
            session.advance()  # scoring begins
            assert not math.isnan(session.engine.sides[0].held_out) or session.engine._scoring
        before = session.tree.non_default()
        path = "train.held_out_windows"
        session.change({path: session.tree.set(path, 2)}, before, "test")
        to(session, 1)
        return exact(session)

    assert run(split=True) == run(split=False)


def test_a_text_is_written_on_demand_also_while_paused():
    session = session_of(engine(**{"sample.tokens": 10}))
    to(session, 3)
    session.pause()
    for _ in range(2):
        assert session.engine.command(Sample(prompt="And", temperature=0.0))[1]["prompt"] == "And"
    while session.advance(paused=True) is not None:
        pass
    told = [e for e in session.log if e["type"] == "sample"]
    assert session.engine.step == 3 and len(told) == 2
    assert told[0]["text"] == told[1]["text"] and told[0]["text"].startswith("And")
    assert (told[0]["run"], told[0]["asked"], told[0]["temperature"]) == ("sound", True, 0.0)


def test_texts_that_wait_are_bounded():
    made = engine()
    with pytest.raises(ParamError, match="wait already"):
        for _ in range(100):
            made.command(Sample())


def test_a_text_needs_a_beginning():
    with pytest.raises(ParamError, match="at least one character"):
        engine().command(Sample(prompt=""))


def test_the_end_of_the_schedule_pauses():
    session = session_of(engine(**{"train.total_steps": 5}))
    to(session, 5)
    assert session.state == "paused" and "5 steps are done" in session.reason
    progress = session.engine.progress()
    assert (progress["done"], progress["total"], progress["left_s"]) == (5, 5, 0.0)
    session.run()
    to(session, 6)
    assert session.state == "running"


def test_a_sound_run_with_a_brain_has_a_router_and_goes_on_from_its_state():
    options = KIND.checked({"run": "tiny", "brain": True})
    made, again = (TrainingEngine(options, KIND.tree(options), 0) for _ in range(2))
    session = session_of(made)
    to(session, 2)
    load = made.probe.look()["router_load"]
    assert load.shape == (1, 4) and abs(load.sum() - 1) < 1e-4
    assert made.describe()["reasons"] == {} and made.describe()["constants"]["fault"] is None
    again.load_state(made.state())
    after = [one.sides[0].row()[EXACT[0]] for one in (made, again)]
    assert after[0] == after[1]


@pytest.fixture
def few_words(monkeypatch):
    """The run ``tiny`` on 300 characters of its text: what is learnt there is learnt by heart."""

    def material():
        tokenizer, text = ByteTokenizer(), american_standard_version()
        seen, kept = (TokenText.read(t, tokenizer) for t in (text[:300], text[36_000:38_000]))
        return Material(tokenizer, seen, kept, (text[:300], text[36_000:38_000]))

    short = replace(RUNS["tiny"], material=material)
    monkeypatch.setattr("t4dm.live.training_engine.RUNS", {**RUNS, "tiny": short})


def test_learning_by_heart_is_found_and_beginning_again_clears_it(few_words):
    """Held-out loss leaves its lowest by far more than 0.1 nat within 300 steps of a large rate."""
    values = {
        "train.learning_rate": 0.01, "train.dropout": 0.0, "train.weight_decay": 0.0,
        "train.total_steps": 100_000, "train.sleep_every": 0, "train.held_out_every": 25, "train.probe_every": 0,
    }  # fmt: skip
    session = session_of(engine(**values))
    to(session, 320)
    (found,) = session.health.status()["findings"]
    assert found["id"] == "training_over_fit" and found["since_step"] < 200
    again = next(one for one in found["remedies"] if one["id"] == "again")
    assert {c["path"] for c in again["commands"][:-1]} == {"train.weight_decay", "train.dropout"}
    for command in again["commands"][:-1]:
        session.tree.set(command["path"], command["value"])
    session.engine.params_changed([])
    session.reset(None, "tab")
    to(session, 60)
    assert session.health.status()["findings"] == []


def test_findings_say_which_run():
    session = session_of(engine("embedding_n01"))
    to(session, 3)
    session.engine.sides[1].steps.append(Step(3, math.nan, math.nan, applied=False))
    to(session, 5)
    found = session.health.status()["findings"]
    assert [(one["id"], one["where"]["group"]) for one in found] == [("training_nan", "faulty")]
    assert {"title", "groups", "cause", "remedies", "since_step"} <= set(found[0])
    events = [e for e in session.whole().meta["events"] if e["type"] == "finding"]
    assert [(e["state"], e["where"]["group"]) for e in events] == [("found", "faulty")]


def test_a_reset_is_a_new_run():
    session, fresh = session_of(engine()), session_of(engine(seed=5))
    to(session, 6)
    session.reset(5, "test")
    to(session, 6)
    to(fresh, 6)
    assert exact(session) == exact(fresh) and session.engine.seed == 5

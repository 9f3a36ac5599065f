"""Kinds of session: options and defaults, what is kept of them, what older versions read."""

import pytest

from t4dm.live import kinds, registry
from t4dm.live.registry import Registry, SessionSpec
from t4dm.live.training_kind import RUN_NAMES
from t4dm.params import ParamError
from t4dm.store.sealed_json import read_json, write_json
from t4dm.training.runs import RUNS

TRAINING = SessionSpec("t", kind="training", options={"run": "tiny"}, seed=4)


@pytest.fixture
def kept(tmp_path):
    return Registry(tmp_path)


def test_every_named_run_can_be_asked_for():
    assert set(RUN_NAMES.__args__) == set(RUNS)


@pytest.mark.parametrize("run", RUNS)
def test_the_defaults_are_those_of_the_run(run):
    tree = kinds.kind_of("training").tree({"run": run})
    assert tree.get("train.learning_rate") == RUNS[run].train.learning_rate
    assert tree.get("train.total_steps") == RUNS[run].train.total_steps
    assert tree.get("sample.prompt") == RUNS[run].prompts[0]
    assert tree.get("sample.every") == RUNS[run].sample_every <= RUNS[run].train.total_steps / 6
    assert tree.non_default() == {}
    for path, value in tree.to_json()["values"].items():
        assert tree.check(path, value) == value, f"{path} of {run} is outside its own bounds"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"run": "huge"}, "run"),
        ({"run": 3}, "run"),
        ({"fault": "none"}, "fault"),
        ({"threads": 0}, "threads"),
        ({"threads": 17}, "threads"),
        ({"threads": "2"}, "threads"),
        ({"size": 3}, "size"),
    ],
)
def test_options_are_checked(kept, options, field):
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("t", kind="training", options=options), [])
    assert refused.value.field == field and kept.names() == []


def test_an_unknown_kind_names_the_known(kept):
    with pytest.raises(ParamError) as refused:
        kept.create(SessionSpec("t", kind="dream"), [])
    assert {"spiking", "training"} <= set(refused.value.choices)


def test_a_training_session_is_kept_whole(kept):
    assert kept.create(TRAINING, []) == TRAINING
    assert Registry(kept.folder.parent).load("t") == TRAINING
    assert kept.create(SessionSpec("", kind="training"), []).kind == "training"


def test_sessions_of_the_first_version_still_load(kept):
    folder = kept.folder / "old"
    folder.mkdir(parents=True)
    data = {"name": "old", "blocks": 2, "n": 64, "seed": 1, "params": {}}
    write_json(folder / registry.SPEC, data, 1)
    assert kept.load("old") == SessionSpec("old", 2, 64, 1)


def test_the_first_version_reads_the_spiking_ones(kept):
    kept.create(SessionSpec("s", 2, 64), [])
    known = {"name", "blocks", "n", "seed", "params"}
    assert set(read_json(kept.folder / "s" / registry.SPEC, 1)) == known


def test_memory_of_all_kinds_is_counted_together(kept):
    with pytest.raises(ParamError) as refused:
        for number in range(20):
            kept.create(SessionSpec(f"t{number}", kind="training", options={"run": "memorise"}), [])
    assert refused.value.field in ("kind", "sessions")


def test_files_of_a_new_session_are_there_first_and_go_with_a_failure(kept):
    seen = []
    kept.create(TRAINING, [], place=lambda folder: seen.append((folder / registry.SPEC).exists()))
    assert seen == [False]

    def refuses(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        kept.create(SessionSpec("u", kind="training"), [], place=refuses)
    assert kept.names() == ["t"] and not (kept.folder / "u").exists()

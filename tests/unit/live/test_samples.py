"""The texts that a run wrote: kept, read back, and told once after a kill."""

from t4dm.live import samples
from t4dm.live.samples import Samples


def text(step, words="a b", run="sound", prompt="p"):
    return {
        "type": "sample",
        "n": 1,
        "step": step,
        "run": run,
        "prompt": prompt,
        "temperature": 0.8,
        "text": words,
    }


def test_texts_come_back_by_step(tmp_path):
    kept = Samples(tmp_path)
    kept.take([text(20), {"type": "param", "step": 3}, text(10)], 0)
    kept.take([text(10, run="faulty")], 0)
    assert [(one["step"], one["run"]) for one in kept.read(0)] == [
        (10, "faulty"), (10, "sound"), (20, "sound"),
    ]  # fmt: skip
    assert set(kept.read(0)[0]) == {"step", "run", "prompt", "temperature", "text"}


def test_of_two_with_the_same_step_the_later_counts(tmp_path):
    kept = Samples(tmp_path)
    kept.take([text(10, "first")], 0)
    with kept.path.open("a") as file:
        file.write('{"run_id": 0, "step": 1')  # torn by a kill
    kept.take([text(10, "again"), text(10, "other", prompt="q")], 0)
    assert [one["text"] for one in kept.read(0)] == ["again", "other"]


def test_a_reset_begins_anew(tmp_path):
    kept = Samples(tmp_path)
    kept.take([text(10)], 0)
    kept.take([text(5)], 1)
    assert [one["step"] for one in kept.read()] == [5]
    assert kept.read(2) == [] and len(kept.read(0)) == 1


def test_nothing_is_nothing(tmp_path):
    kept = Samples(tmp_path / "missing")
    assert kept.read() == []
    kept.take([text(1)], 0)  # the disk refuses; the run goes on
    assert kept.read() == []


def test_the_file_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MAX_BYTES", 2000)
    monkeypatch.setattr(samples, "MOST", 10)
    kept = Samples(tmp_path)
    for step in range(100):
        kept.take([text(step)], 0)
    assert kept.path.stat().st_size < 4000
    found = [one["step"] for one in kept.read(0)]
    assert len(found) <= 10 and found[-1] == 99

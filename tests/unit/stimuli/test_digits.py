"""Digits: real images, every one once a pass, spikes at the stated rate."""

import subprocess
import sys

import numpy as np
import pytest

from t4dm.live.tree import ParamTree
from t4dm.stimuli import digits
from t4dm.stimuli.digits import digit_images, keep_images, load_images, read_images
from t4dm.stimuli.registry import make_stimulus


def play(steps, seed=1, **params):
    tree = ParamTree(1)
    for name, value in params.items():
        tree.set(f"stimulus.{name}", value)
    return make_stimulus(tree, seed, None).rows(0, steps)


def test_onsets_and_rests_keep_the_times():
    _, events, rest = play(900)
    onsets = [e["step"] for e in events if e["type"] == "stimulus"]
    rests = [e["step"] for e in events if e["type"] == "rest"]
    assert onsets == [0, 300, 600] and rests == [250, 550, 850]
    assert rest.sum() == 150 and rest[250:300].all()


def test_an_event_shows_the_image_of_its_label():
    images, labels = digit_images()
    _, events, _ = play(600)
    shown = [e for e in events if e["type"] == "stimulus"]
    assert len(shown) == 2
    for event in shown:
        assert np.allclose(event["image"], images[event["index"]], atol=1e-4)
        assert event["label"] == str(labels[event["index"]])


def test_every_image_once_a_pass_and_another_order_next():
    n = len(digit_images()[0])
    _, events, _ = play(5 * 2 * n, image_ms=5, rest_ms=0)
    order = [e["index"] for e in events]
    assert sorted(order[:n]) == list(range(n)) == sorted(order[n:])
    assert order[:n] != order[n:]


def test_spikes_come_at_intensity_times_rate():
    images, _ = digit_images()
    rows, events, _ = play(10_000, image_ms=10_000, rate_hz=400.0)
    assert set(np.unique(rows)) == {0.0, 1.0}
    chance = images[events[0]["index"]] * 0.4
    spread = np.sqrt(chance * (1 - chance) / len(rows))
    assert (np.abs(rows.mean(0) - chance) <= 5 * spread).all()
    assert chance.max() == np.float32(0.4)


def test_a_longer_image_goes_on_without_restart():
    tree = ParamTree(1)
    source = make_stimulus(tree, 1, None)
    source.rows(0, 200)
    tree.set("stimulus.image_ms", 400)
    source.params_changed(tree, 200)
    _, events, _ = source.rows(200, 300)
    assert [(e["type"], e["step"]) for e in events] == [("rest", 400), ("stimulus", 450)]


def test_a_shorter_image_ends_at_once():
    tree = ParamTree(1)
    source = make_stimulus(tree, 1, None)
    source.rows(0, 200)
    tree.set("stimulus.image_ms", 100)
    source.params_changed(tree, 200)
    _, events, _ = source.rows(200, 60)
    assert [(e["type"], e["step"]) for e in events] == [("rest", 200), ("stimulus", 250)]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setattr(digits, "cache_path", lambda: tmp_path / "cache" / "digits.npz")
    digit_images.cache_clear()
    yield tmp_path / "cache" / "digits.npz"
    digit_images.cache_clear()


def test_the_kept_images_are_those_of_the_library(path):
    first = digit_images()
    digit_images.cache_clear()
    again, library = digit_images(), load_images()
    for mine, kept, theirs in zip(first, again, library, strict=True):
        assert mine.dtype == kept.dtype == theirs.dtype
        assert np.array_equal(mine, theirs) and np.array_equal(kept, theirs)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", "half", "flipped", "other"])
def test_a_damaged_file_is_replaced(path, content):
    keep_images(path, load_images())
    whole = path.read_bytes()
    if content == "half":
        content = whole[: len(whole) // 2]
    elif content == "flipped":
        content = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
    elif content == "other":
        keep_images(path, (np.zeros((3, 64), np.float32), np.zeros(3, np.int64)))
        content = path.read_bytes()
    path.write_bytes(content)
    assert read_images(path) is None
    assert np.array_equal(digit_images()[0], load_images()[0])
    assert path.read_bytes() == whole


def test_without_a_cache_folder_the_images_come_all_the_same(path):
    path.parent.write_text("a file where the folder should be")
    assert digit_images()[0].shape == (1797, 64) and read_images(path) is None


def test_a_kept_file_spares_the_library(path):
    digit_images()
    code = (
        "import sys; from pathlib import Path; from t4dm.stimuli import digits;"
        f"digits.cache_path = lambda: Path({str(path)!r});"
        "print(digits.digit_images()[0].shape, 'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1797,", "64)", "False"]

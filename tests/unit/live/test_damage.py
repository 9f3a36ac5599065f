"""Bit flips, truncations and newer versions of every file that is kept: never silently another value."""

import json
import random

import numpy as np
import pytest

from t4dm.live.checkpoint import Checkpoint, CheckpointStore
from t4dm.live.command_log import CommandLog, Line
from t4dm.live.registry import SPEC, Registry, SessionSpec
from t4dm.params import ParamError
from t4dm.stimuli.file import StimulusFile
from t4dm.store import sealed, sealed_json
from t4dm.store.sealed import NewerFormat, SealError
from t4dm.store.sealed_json import read_json, write_json

FLIPS = 150


def keep_checkpoint(folder):
    arrays = {"w": np.arange(60, dtype="f4"), "n": np.array(7)}
    return CheckpointStore(folder).save(Checkpoint({"step": 3, "values": {"a": 1.5}}, arrays))


def read_checkpoint(folder, path):
    meta, arrays = sealed.read_sealed(path, "t4dm-checkpoint")
    return meta, {name: array.tolist() for name, array in arrays.items()}


def keep_log(folder):
    log = CommandLog(folder)
    log.append(Line({"rev": 1}, 10, 1, ({"n": 1, "step": 4, "commands": []},)))
    log.append(Line({"rev": 2}, 20, 2, ({"n": 2, "step": 14, "commands": []},)))
    return log.path


def read_log(folder, path):
    return CommandLog(folder).load()


def keep_session(folder):
    Registry(folder).create(SessionSpec("one", 2, 64, 7, {"lif.beta": 0.5}), [])
    return folder / "sessions" / "one" / SPEC


def read_session(folder, path):
    return Registry(folder).load("one")


def keep_set(folder):
    write_json(folder / "a.json", {"lif.beta": 0.125}, 2)
    return folder / "a.json"


def read_set(folder, path):
    return read_json(path, 2)


def keep_upload(folder):
    values = np.random.default_rng(0).random((30, 64), np.float32)
    return folder / "uploads" / f"{StimulusFile('currents', 'a', values).save(folder)}.npz"


def read_upload(folder, path):
    kept = StimulusFile.open(folder, path.stem)
    return kept.kind, kept.name, kept.values.tolist()


KINDS = {
    "checkpoint": (keep_checkpoint, read_checkpoint), "log": (keep_log, read_log),
    "session": (keep_session, read_session), "set": (keep_set, read_set),
    "upload": (keep_upload, read_upload),
}  # fmt: skip


def outcome(read, folder, path):
    """What is read, or None where the damage is noticed; any other failure is one."""
    try:
        return read(folder, path)
    except (SealError, ParamError):
        return None


def acceptable(kind, found, whole):
    """The whole, nothing, or of a log the lines that are left."""
    if kind != "log" or found is None:
        return found in (None, whole)
    lines = {n: whole.requests[n] for n in found.requests}
    return found.requests == lines and found.newest.settings in ({"rev": 1}, {"rev": 2})


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_is_taken_for_another_value(tmp_path, kind):
    keep, read = KINDS[kind]
    path = keep(tmp_path)
    data, whole = path.read_bytes(), read(tmp_path, path)
    rng, noticed = random.Random(3), 0
    for _ in range(FLIPS):
        at, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        found = outcome(read, tmp_path, path)
        assert acceptable(kind, found, whole), (at, bit)
        noticed += found != whole
    for _ in range(FLIPS // 3):
        path.write_bytes(data[: rng.randrange(len(data))])
        found = outcome(read, tmp_path, path)
        assert acceptable(kind, found, whole)
        noticed += found != whole
    assert noticed > FLIPS // 2
    path.write_bytes(data)
    assert read(tmp_path, path) == whole


def test_a_newer_version_s_files_are_refused_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "FORMAT_VERSION", 7)
    newer = keep_checkpoint(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("t4dm.live.command_log.FORMAT", 9)
    log = keep_log(tmp_path)
    monkeypatch.undo()
    write_json(tmp_path / "a.json", {"x": 1}, 5)
    before = {path: path.read_bytes() for path in (newer, log, tmp_path / "a.json")}
    with pytest.raises(NewerFormat, match="newer version and is left untouched"):
        CheckpointStore(tmp_path).load(lambda c: None)
    with pytest.raises(NewerFormat, match="format 9"):
        CommandLog(tmp_path).load()
    with pytest.raises(NewerFormat, match="format 5"):
        read_json(tmp_path / "a.json", 2)
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("gone", [(), ("sha256",), ("meta", "size", "data")])
def test_a_newer_version_may_have_changed_the_seal_itself(tmp_path, gone):
    """Of its files only the kind and the number of the format are known."""
    path = keep_checkpoint(tmp_path)
    head, _, arrays = path.read_bytes().partition(b"\n")
    fields = json.loads(head) | {"format_version": 2, "sha256": "of another formula"}
    kept = {name: value for name, value in fields.items() if name not in gone}
    path.write_bytes(json.dumps(kept).encode() + b"\n" + arrays)
    small = keep_set(tmp_path)
    kept = json.loads(small.read_text()) | {"format": 3, "sha256": "of another formula"}
    small.write_text(json.dumps({name: kept[name] for name in kept if name not in gone}))
    before = [path.read_bytes(), small.read_bytes()]
    with pytest.raises(NewerFormat, match="format 2"):
        CheckpointStore(tmp_path).load(lambda c: None)
    with pytest.raises(NewerFormat, match="format 3"):
        read_json(small, 2)
    assert [path.read_bytes(), small.read_bytes()] == before


def test_a_digit_that_flipped_is_damage_and_no_newer_version(tmp_path):
    path = keep_checkpoint(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"format_version": 1', b'"format_version": 3', 1))
    store = CheckpointStore(tmp_path)
    assert store.load(lambda c: None) is None and path.name in store.refused[0]
    data = json.loads(keep_set(tmp_path).read_text())
    (tmp_path / "a.json").write_text(json.dumps(data | {"format": 3}))
    with pytest.raises(SealError):
        sealed_json.read_json(tmp_path / "a.json", 2)

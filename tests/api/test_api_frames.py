"""The frame stream and held history, through the real ring of a real worker."""

from __future__ import annotations

import math

import numpy as np
import pytest

from t4dm.live import paths
from t4dm.live.frame import decode
from t4dm.live.ring_writer import RingWriter

HOST = {"Host": "localhost"}
FRAMES = "/sessions/default/frames"


def get(client, path, **query):
    return client.get(path, query_string=query, headers=HOST)


def frame(client, **query):
    answer = get(client, FRAMES, **query)
    assert answer.status_code == 200, answer.data
    assert answer.mimetype == "application/octet-stream"
    return decode(answer.data)


def command(client, *commands):
    answer = client.post("/sessions/default/commands", json=list(commands), headers=HOST)
    assert answer.status_code == 200
    return answer.get_json()


def test_the_first_frame_is_a_keyframe_of_the_span(client):
    meta, arrays = frame(client, span_ms=300)
    assert meta["kind"] == "keyframe"
    assert meta["step1"] - meta["step0"] == 300
    assert arrays["rates"].shape == (300, 12)
    assert len(meta["rows"]) == 200
    assert meta["worker"]["alive"] is True
    assert meta["state"] == "running"
    assert 0 < meta["mono_ns"] <= meta["now_ns"]
    assert meta["held"][0] <= meta["step0"] <= meta["held"][1]


def test_the_next_frames_join_without_a_hole(client):
    meta, _ = frame(client)
    step1, seq = meta["step1"], meta["seq"]
    seen = 0
    for _ in range(30):
        meta, arrays = frame(client, after=seq, epoch=meta["epoch"])
        if meta["kind"] == "status":
            continue
        assert meta["kind"] == "frame"
        assert meta["step0"] == step1
        assert arrays["levels"].shape == (meta["step1"] - step1, 4)
        step1, seq, seen = meta["step1"], meta["seq"], seen + 1
    assert seen >= 5


def test_what_is_merged_later_is_what_was_streamed(client):
    meta, arrays = frame(client, rows="all")
    answer = get(
        client, "/sessions/default/window", from_ms=meta["step0"], to_ms=meta["step1"], rows="all"
    )
    again, same = decode(answer.data)
    assert again["kind"] == "window"
    for name, array in arrays.items():
        assert np.array_equal(array, same[name], equal_nan=array.dtype.kind == "f"), name


def test_a_reader_too_far_behind_gets_a_keyframe(client):
    meta, _ = frame(client)
    held_from = max(1, meta["seq"] - 200)
    behind, _ = frame(client, after=held_from, epoch=meta["epoch"], span_ms=100)
    assert behind["kind"] == "keyframe"
    assert behind["step1"] - behind["step0"] == 100


def test_a_reset_makes_a_new_epoch_and_a_keyframe(client):
    meta, _ = frame(client)
    command(client, {"type": "reset", "seed": 5})
    for _ in range(40):
        after, _ = frame(client, after=meta["seq"], epoch=meta["epoch"])
        if after["epoch"] != meta["epoch"]:
            break
    assert after["kind"] == "keyframe"
    assert after["epoch"] == meta["epoch"] + 1
    assert after["seed"] == 5


def test_a_paused_session_answers_with_a_status_frame(client):
    command(client, {"type": "pause"})
    for _ in range(10):
        meta, _ = frame(client)
        status, arrays = frame(client, after=meta["seq"], epoch=meta["epoch"])
        if status["kind"] == "status":
            break
    assert status["kind"] == "status"
    assert status["state"] == "paused"
    assert arrays == {}


def test_a_dead_worker_is_a_status_and_no_error(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("T4DM_RUN_DIR", str(tmp_path))
    meta, arrays = frame(bare)
    assert (meta["kind"], meta["state"]) == ("status", "starting")
    assert meta["worker"]["alive"] is False
    assert arrays == {}


def test_a_worker_that_has_no_manifest_yet_is_starting(bare, monkeypatch, tmp_path):
    """As the worker leaves it while it compiles and calibrates: a ring, a first status, no more."""
    monkeypatch.setenv("T4DM_RUN_DIR", str(tmp_path))
    path = paths.private_parent(paths.ring_path(tmp_path, "default"))
    ring = RingWriter(path, bytes=1 << 20, retain_steps=1000)
    try:
        ring.status({"session": "default", "pid": 7, "state": "starting", "step": 0})
        ring.heartbeat()
        meta, arrays = frame(bare)
        assert (meta["kind"], meta["state"], meta["worker"]["alive"]) == (
            "status",
            "starting",
            True,
        )
        assert arrays == {}
    finally:
        ring.close(unlink=True)


def test_the_view_cuts_rows_and_membranes(client):
    meta, arrays = frame(client, rows="stage:4", membrane="1025,3", gate_block=2)
    assert meta["rows"] == list(range(1024, 1280))
    assert meta["membrane"] == [1025, 3]
    assert arrays["u"].shape[1] == 2
    assert meta["gate_block"] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "abc"),
        ("after", "-1"),
        ("after", "1e3"),
        ("after", "9" * 30),
        ("epoch", "x"),
        ("span_ms", "NaN"),
        ("span_ms", "1e999"),
        ("span_ms", "0"),
        ("span_ms", "1_000"),
        ("rows", "nothing"),
        ("rows", "spread:0"),
        ("rows", "stage:99"),
        ("rows", "1,1,x"),
        ("rows", "1,,2"),
        ("rows", "spread:007"),
        ("membrane", "--ring-bytes"),
        ("rows", "99999"),
        ("membrane", "-1"),
        ("membrane", "1,x"),
        ("gate_block", "6"),
        ("weights_block", "²"),
    ],
)
def test_a_wrong_query_value_is_named_and_never_replaced(client, name, value):
    answer = get(client, FRAMES, **{name: value})
    assert answer.status_code == 422
    assert answer.get_json()["error"]["field"] == name


def test_a_query_value_given_twice_is_refused(client):
    answer = client.get(f"{FRAMES}?after=1&after=2", headers=HOST)
    assert answer.status_code == 422


def test_history_outside_the_ring_is_416_with_the_range_held(client):
    answer = get(client, "/sessions/default/window", from_ms=1e9, to_ms=1e9 + 100)
    assert answer.status_code == 416
    error = answer.get_json()["error"]
    assert error["unit"] == "ms"
    assert error["lo"] < error["hi"] < 1e9


@pytest.mark.parametrize("name", ["from_ms", "to_ms"])
@pytest.mark.parametrize("value", ["x", "nan", "-1", "inf"])
def test_wrong_times_are_named(client, name, value):
    answer = get(client, "/sessions/default/window", **{name: value})
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert error["field"] == name
    assert error["message"].endswith("(valid: 0 to 1000000000000000)")


def test_healthz_tells_the_run(client):
    line = get(client, "/healthz").get_json()["sessions"]["default"]
    assert set(line) == {"pid", "state", "step", "params_rev", "t_ms", "speed", "ratio"}
    assert line["state"] == "running"
    assert line["pid"] > 1
    assert math.isclose(line["t_ms"], line["step"])

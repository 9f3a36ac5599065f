"""Sessions of kind arena and brain over HTTP: asked for, refused in words, run by a real worker."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from t4dm.live import frame
from tests.api.conftest import HOST, ROOT
from tests.waiting import eventually

FAST = {"agent.pace": 20.0}


def ask(client, body):
    return client.post("/sessions", json=body, headers=HOST)


class Started:
    """A session with its own worker process."""

    def __init__(self, client, **body):
        answer = ask(client, body)
        assert answer.status_code == 201, answer.text
        self.client, self.name = client, answer.get_json()["name"]
        self.process = None
        self.start()

    def start(self):
        command = [sys.executable, "-m", "t4dm.live.worker", "--session", self.name]
        self.process = subprocess.Popen(
            [*command, "--ring-bytes", str(96 << 20)], cwd=ROOT, env=dict(os.environ),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        eventually(self.answers, "the session's worker")

    def answers(self):
        assert self.process.poll() is None, "the worker ended"
        return self.get("/params").status_code == 200

    def get(self, path):
        return self.client.get(f"/sessions/{self.name}{path}", headers=HOST)

    def send(self, *commands):
        return self.client.post(
            f"/sessions/{self.name}/commands", json=list(commands), headers=HOST
        )

    def step_to(self, step):
        """Pause and go on to ``step``; everything held then."""
        now = self.send({"type": "pause"}).get_json()["step"]
        if step > now:
            assert self.send({"type": "step", "n": step - now}).status_code == 200
        return self.records()

    def records(self):
        return frame.decode(self.get("/records").data)

    def end(self):
        self.client.delete(f"/sessions/{self.name}", headers=HOST)
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def arena(app):
    started = Started(app.test_client(), kind="arena", seed=3, params=FAST)
    yield started
    started.end()


@pytest.fixture(scope="module")
def brain(app):
    text = {"reading.text": "joy and sword", "reading.pace": 50.0}
    started = Started(app.test_client(), kind="brain", params=text)
    yield started
    started.end()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "arena", "params": {"agent.pace": 21}}, "agent.pace"),
        ({"kind": "arena", "params": {"recall.cue": "who"}}, "recall.cue"),
        ({"kind": "arena", "options": {"side": 2}}, "side"),
        ({"kind": "arena", "blocks": 2}, "blocks"),
        ({"kind": "brain", "params": {"reading.text": "a" * 601}}, "reading.text"),
        ({"kind": "brain", "seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(bare, body, field):
    answer = ask(bare, body)
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["error"]["field"] == field


def test_an_arena_publishes_its_course_and_what_it_declares(arena):
    meta, arrays = arena.step_to(60)
    assert meta["kind"] == "keyframe" and meta["session_kind"] == "arena"
    n = len(arrays["steps"])
    assert n == arrays["path"].shape[0] == meta["step1"] >= 60
    assert arrays["maps"].shape == (100, 25, 25) and arrays["declared"].shape == (116, 4)
    manifest = arena.get("").get_json()
    assert {"put", "recall"} <= set(manifest["commands"])
    assert set(manifest["series"]) >= set(arrays) - {"steps"}


def test_put_and_recall_are_answered(arena):
    arena.step_to(0)
    outside = arena.send({"type": "put", "x": 3, "y": 0.5})
    assert outside.status_code == 422
    error = outside.get_json()["error"]
    assert (error["field"], error["lo"], error["hi"], error["unit"]) == ("x", 0, 1.0, "m")
    lamp = arena.records()[1]["objects"][0].tolist()
    assert arena.send({"type": "put", "x": lamp[0], "y": lamp[1]}).status_code == 200
    assert arena.send({"type": "step", "n": 2}).status_code == 200
    found = arena.send({"type": "recall", "x": lamp[0], "y": lamp[1]}).get_json()["results"][0][
        "new"
    ]
    assert found["object"] == "lamp" and found["similarity"] > 0.9


def test_a_killed_arena_goes_on_bit_for_bit(app, arena):
    """A twin of the same seed and commands that was not killed has the same way and spikes."""
    twins, start = [], 10
    try:
        for _ in range(2):
            twins.append(Started(app.test_client(), kind="arena", seed=8, params=FAST))
            start = max(start, twins[-1].step_to(0)[0]["step1"])
        for twin in twins:
            twin.step_to(start)
            assert twin.send({"type": "put", "x": 0.2, "y": 0.9}).status_code == 200
        twins[1].process.send_signal(signal.SIGKILL)
        twins[1].process.wait(20)
        twins[1].start()
        one, other = (twin.step_to(start + 50)[1] for twin in twins)
        for name in ("path", "spikes", "nearest"):
            np.testing.assert_array_equal(one[name], other[name])
    finally:
        for twin in twins:
            twin.end()


def test_a_brain_reads_and_stands_at_the_end(brain):
    eventually(lambda: brain.records()[0]["state"] == "paused", "the end of the text")
    meta, arrays = brain.records()
    assert meta["reason"] == "the text is read" and arrays["scalars"].shape[0] >= 3
    told = json.loads(arrays["text"].tobytes())
    assert [token[1] for token in told["tokens"]] == ["joy", "and", "sword"]
    valence = arrays["scalars"][-3:, 1]
    assert valence[0] > 0.4 and valence[2] < -0.4


def test_an_outcome_and_a_text_of_blanks_are_answered_in_words(brain):
    test_a_brain_reads_and_stands_at_the_end(brain)
    told = brain.send({"type": "outcome", "value": 1.0, "words": 1}).get_json()["results"][0]["new"]
    assert told["words"] == ["sword"] and told["error"] > 1 and told["after"] > told["before"]
    refused = brain.send({"type": "set", "path": "reading.text", "value": "  "})
    assert refused.status_code == 422 and refused.get_json()["error"]["field"] == "reading.text"
    assert "word" in refused.get_json()["error"]["message"]
    assert brain.get("/params").get_json()["values"]["reading.text"] == "joy and sword"
    wrong = brain.send({"type": "put", "x": 0.5, "y": 0.5})
    assert wrong.status_code == 409 and wrong.get_json()["error"]["field"] == "type"

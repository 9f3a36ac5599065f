"""Training sessions through the web app: created, streamed, steered, refused where spikes are meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.api.commands import usual_ack
from t4dm.live import frame
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
HOST = {"Host": "localhost"}
NEW = {"kind": "training", "run": "tiny", "name": "train", "seed": 2, "params": {"sample.every": 0}}


@pytest.fixture(scope="module")
def made(app, folders):
    """The answer to the creation of a session, and a worker that runs it."""
    answer = app.test_client().post("/sessions", json=NEW, headers=HOST)
    command = [
        sys.executable,
        "-m",
        "t4dm.live.worker",
        "--session",
        "train",
        "--ring-bytes",
        str(64 << 20),
    ]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    yield answer
    app.test_client().delete("/sessions/train", headers=HOST)
    process.terminate()
    process.wait(20)


@pytest.fixture
def run(app, made):
    """A client of the session that has done at least ten steps."""
    client = app.test_client()
    eventually(lambda: (records(client)[0].get("step1") or 0) >= 10, "ten steps of training")
    return client


def records(client, query=""):
    answer = client.get(f"/sessions/train/records{query}", headers=HOST)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return frame.decode(answer.get_data())


def post(client, body, ack="applied"):
    """A command; ``ack`` "" for what the session does by itself."""
    headers = HOST | ({"X-T4DM-Ack": ack} if ack else {})
    return client.post("/sessions/train/commands", json=body, headers=headers)


def test_what_was_created_is_told(made):
    told = made.get_json()
    assert made.status_code == 201 and made.headers["Location"] == "/sessions/train"
    assert (told["kind"], told["page"], told["seed"]) == ("training", "/training", 2)
    assert told["options"] == {"run": "tiny", "fault": None, "brain": False, "threads": 1}
    assert told["params"] == {"sample.every": 0} and told["n"] is told["blocks"] is None


def test_the_stream_begins_with_everything_and_goes_on(run):
    post(run, {"type": "run"})
    meta, arrays = records(run)
    assert (meta["kind"], meta["step0"], meta["session_kind"]) == ("keyframe", 0, "training")
    assert arrays["steps"].tolist() == list(range(meta["step1"]))
    assert arrays["scalars"].shape == (meta["step1"], 1, 9)
    assert arrays["scalars"][-1, 0, 0] < arrays["scalars"][0, 0, 0]
    after, seen = meta["seq"], meta["step1"]
    for _ in range(40):
        meta, arrays = records(run, f"?after={after}&epoch={meta['epoch']}")
        if meta["kind"] == "frame":
            break
    assert meta["step0"] == seen and arrays["steps"][0] == seen and meta["seq"] > after
    assert meta["progress"]["total"] == 200 and "findings" in meta["health"]
    meta, _ = records(run, "?after=1&epoch=99999")
    assert meta["kind"] == "keyframe" and meta["step0"] == 0


def test_with_nothing_new_the_status_is_told(run):
    post(run, {"type": "pause"})
    for _ in range(10):
        meta, _ = records(run)
        meta, arrays = records(run, f"?after={meta['seq']}&epoch={meta['epoch']}")
    assert (meta["kind"], meta["state"], arrays) == ("status", "paused", {})
    post(run, {"type": "run"})


def test_commands_are_applied_or_queued(run):
    post(run, {"type": "pause"})
    set_clip = {"type": "set", "path": "train.clip", "value": 2.5}
    answer = post(run, set_clip).get_json()
    assert answer["ok"] and answer["new"] == 2.5
    told = post(run, {"type": "note", "text": "hello"}, "queued").get_json()
    assert told["ok"] and told["queued"] is True and told["waiting"] >= 1
    assert post(run, set_clip, "soon").status_code == 400
    refused = post(run, {"type": "set", "path": "train.clip", "value": -1}).get_json()["error"]
    assert (refused["field"], refused["lo"], refused["hi"]) == ("train.clip", 0, 1000)
    assert post(run, {"type": "speed"}).get_json()["error"]["field"] == "type"
    params = run.get("/sessions/train/params", headers=HOST).get_json()
    assert params["values"]["train.clip"] == 2.5 and params["values"]["train.total_steps"] == 200
    changed = run.patch(
        "/sessions/train/params", json={"clear": ["train.clip"]}, headers=HOST
    ).get_json()
    assert changed["ok"], changed


def test_a_text_on_demand_is_served(run):
    post(run, {"type": "pause"})
    assert post(run, {"type": "sample", "prompt": "And", "temperature": 0}).get_json()["ok"]
    found = eventually(
        lambda: run.get("/sessions/train/samples", headers=HOST).get_json()["samples"], "a text"
    )
    assert found[0]["prompt"] == "And" and found[0]["text"].startswith("And")


def test_a_kept_checkpoint_is_listed_in_the_stream(run):
    kept = post(run, {"type": "checkpoint", "name": "one"}).get_json()
    assert kept["ok"], kept
    assert [one["name"] for one in records(run)[0]["kept"]] == ["one"]
    assert post(run, {"type": "forget", "checkpoint": "one"}).get_json()["ok"]


@pytest.mark.parametrize(
    "path",
    [
        "/sessions/train/frames", "/sessions/train/window", "/sessions/train/panels/raster.json",
        "/spiking/stats?session_id=train", "/spiking/weights?session_id=train",
        "/learning/stdp-metrics?session_id=train", "/visualization/spike-raster?session_id=train",
        "/spiking/health?session_id=train",
    ],
)  # fmt: skip
def test_what_is_of_spikes_is_refused_with_a_sentence(run, path):
    answer = run.get(path, headers=HOST)
    if answer.status_code == 404 and answer.get_json()["error"]["code"] == "not_found":
        pytest.fail(f"there is no {path}")
    assert answer.status_code == 409
    assert "of kind training" in answer.get_json()["error"]["message"]


def test_a_network_has_no_records(bare):
    answer = bare.get("/sessions/default/records", headers=HOST)
    assert answer.status_code == 409 and "frames" in answer.get_json()["error"]["message"]


def test_it_is_in_the_lists_with_its_kind(run):
    entries = run.get("/sessions", headers=HOST).get_json()["entries"]
    one = next(entry for entry in entries if entry["name"] == "train")
    assert (one["kind"], one["page"], one["owner"]) == ("training", "/training", "supervised")
    assert run.get("/healthz", headers=HOST).get_json()["sessions"]["train"]["t_ms"] is None
    assert run.get("/sessions/train", headers=HOST).get_json()["axis"] == "train_step"
    assert run.get("/metrics", headers=HOST).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "dream"}, "kind"),
        ({"kind": "training", "run": "huge"}, "run"),
        ({"kind": "training", "fault": "none"}, "fault"),
        ({"kind": "training", "blocks": 3}, "blocks"),
        ({"kind": "training", "stimulus": "noise"}, "stimulus"),
        ({"kind": "training", "options": {"threads": 99}}, "threads"),
        ({"kind": "training", "options": {"x": 1}}, "x"),
        ({"kind": "training", "seed": -1}, "seed"),
        ({"kind": "training", "params": {"lif.beta": 0.5}}, "lif.beta"),
        ({"kind": "training", "params": {"train.clip": -1}}, "train.clip"),
        ({"run": "tiny"}, "run"),
        ({"fault": "untied_head"}, "fault"),
    ],
)
def test_what_cannot_be_created_is_refused(bare, body, field):
    answer = bare.post("/sessions", json=body, headers=HOST)
    assert answer.status_code == 422 and answer.get_json()["error"]["field"] == field


def test_without_a_word_a_session_that_trains_answers_at_once(run):
    """With what came of it where no step is in work; a step of this run may be in work, or not."""
    assert (usual_ack("training"), usual_ack("arena"), usual_ack("spiking")) == (
        "soon", "applied", "applied",
    )  # fmt: skip
    post(run, {"type": "pause"})
    answer = post(run, {"type": "note", "text": "standing"}, "").get_json()
    assert answer["ok"] and (answer.get("queued") or answer["new"] == "standing")
    post(run, {"type": "run"})
    for _ in range(5):
        answer = post(run, {"type": "note", "text": "training"}, "").get_json()
        assert answer["ok"] and (answer.get("queued") or answer["new"] == "training")

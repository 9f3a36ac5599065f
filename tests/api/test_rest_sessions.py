"""Sessions that are created and deleted over HTTP, with a supervisor that follows; PATCH."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dashboard.api.rest.traces import MembraneTrace, Trace
from t4dm.health import presets
from t4dm.live.client import SessionClient
from t4dm.live.registry import SessionSpec
from t4dm.params import ParamError
from tests.api.conftest import HOST, ROOT, post
from tests.waiting import eventually


def start_supervisor() -> subprocess.Popen:
    """A supervisor beside the worker of the session ``default``; it runs what is created."""
    command = [sys.executable, "-m", "t4dm.live.supervisor", "--session", "spare"]
    command += ["--engine", "tests.toy_engine:ToyEngine"]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.DEVNULL)


@pytest.fixture
def supervisor(folders, worker):
    process = start_supervisor()
    yield process
    process.terminate()
    process.wait(30)


def names(client):
    return client.get("/sessions", headers=HOST).get_json()["sessions"]


def state(client, name):
    entries = client.get("/sessions", headers=HOST).get_json()["entries"]
    return next((entry["state"] for entry in entries if entry["name"] == name), None)


def create(client, **body):
    return client.post("/sessions", json=body, headers=HOST)


def delete(client, name):
    return client.delete(f"/sessions/{name}", headers=HOST)


def patch(client, body, **headers):
    return client.patch("/sessions/default/params", json=body, headers=HOST | headers)


def test_a_session_is_created_runs_and_is_deleted(client, supervisor, folders):
    made = create(client, name="other", seed=5, params={"lif.v_thresh": 1.5}, stimulus="noise")
    assert made.status_code == 201 and made.headers["Location"] == "/sessions/other"
    told = made.get_json()
    assert told["params"] == {"lif.v_thresh": 1.5, "stimulus.kind": "noise"}
    assert told["n_total"] == 2 * 6 * 256 + 256 and state(client, "other") in (
        "starting",
        "running",
    )
    eventually(lambda: state(client, "other") == "running", "the session")
    params = client.get("/sessions/other/params", headers=HOST).get_json()
    assert params["non_default"] == told["params"]
    eventually(
        lambda: client.get("/spiking/stats?session_id=other", headers=HOST).status_code == 200,
        "an answer of it",
    )
    assert client.get("/sessions/other", headers=HOST).get_json()["seed"] == 5
    files = folders / "data" / "sessions" / "other"
    assert files.is_dir()
    assert delete(client, "other").get_json() == {"deleted": "other"}
    assert "other" not in names(client)
    eventually(lambda: not files.exists(), "the end of its files")
    assert client.get("/sessions/other", headers=HOST).status_code == 404
    assert not (folders / "run" / "other.sock").exists()
    assert not (folders / "run" / "other.json").exists()


def test_a_created_session_outlives_its_supervisor(client, folders):
    create(client, name="kept", params={"lif.beta": 0.5})
    for _ in range(2):
        process = start_supervisor()
        try:
            eventually(lambda: state(client, "kept") == "running", "the kept session")
            held = client.get("/sessions/kept/params", headers=HOST).get_json()["non_default"]
            assert held == {"lif.beta": 0.5}
        finally:
            process.kill()
            process.wait(30)
        eventually(lambda: state(client, "kept") == "down", "its worker's end")
    delete(client, "kept")
    process = start_supervisor()
    try:
        gone = folders / "data" / "sessions" / "kept"
        eventually(lambda: not gone.exists(), "the end of a session deleted without a supervisor")
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "../x"}, "name", "form"),
        ({"name": "default"}, "name", "already"),
        ({"blocks": 0}, "blocks", "valid: 1 to 32"),
        ({"blocks": 2.5}, "blocks", "valid: 1 to 32"),
        ({"n": 100}, "n", "multiple of 16"),
        ({"n": 4096}, "n", "valid: 16 to 2048"),
        ({"blocks": 32, "n": 2048}, "n", "room for 1008 neurons"),
        ({"blocks": 15, "n": 2048}, "n", "are allowed in all"),
        ({"dt": 0.75}, "dt", "0.25, 0.5, 1 or 2 ms"),
        ({"dt": 10}, "dt", "0.25, 0.5, 1 or 2 ms"),
        ({"seed": -1}, "seed", "valid: 0 to"),
        ({"params": {"lif.v_thresh": 99}}, "lif.v_thresh", "0.05 to 10"),
        ({"params": {"blocks.2.lif.alpha": 0.5}, "blocks": 2}, "blocks.2.lif.alpha", "0 to 1"),
        ({"params": {"lif.vthresh": 1}}, "lif.vthresh", "did you mean"),
        ({"stimulus": "cats"}, "stimulus.kind", "expected one of"),
        ({"stimulus": {"amplitude": 99}}, "stimulus.amplitude", "-10 to 10"),
        ({"stimulus": "file"}, "stimulus.file_id", "file"),
        ({"neurons": 3}, "neurons", "unknown field"),
    ],
)
def test_what_is_no_session_is_refused_before_anybody_hears(client, folders, body, field, words):
    before = names(client)
    answer = create(client, **body)
    assert answer.status_code == 422, answer.text
    error = answer.get_json()["error"]
    assert error["field"] == field and words in error["message"]
    assert names(client) == before


def test_a_session_that_is_asked_for_twice_with_a_key_is_one(client):
    def ask(key, **body):
        headers = HOST | {"Idempotency-Key": key}
        return client.post("/sessions", json={"blocks": 1, "n": 16} | body, headers=headers)

    before = names(client)
    first = ask("a key")
    assert first.status_code == 201
    again = ask("a key")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Location"] == first.headers["Location"]
    other = ask("a key", seed=1)
    assert other.status_code == 422 and other.get_json()["error"]["code"] == "key_reused"
    assert other.get_json()["error"]["field"] == "Idempotency-Key"
    assert ask("k" * 65).get_json()["error"]["field"] == "Idempotency-Key"
    assert [name for name in names(client) if name not in before] == [first.get_json()["name"]]
    delete(client, first.get_json()["name"])


def test_what_a_session_was_made_from_may_be_gone_when_it_is_asked_for_again(client):
    client.put("/sets/for-once", json={"values": {"lif.beta": 0.5}}, headers=HOST)
    body = {"blocks": 1, "n": 16, "preset": "for-once"}
    headers = HOST | {"Idempotency-Key": "of a set"}
    first = client.post("/sessions", json=body, headers=headers)
    assert first.status_code == 201, first.text
    client.delete("/sets/for-once", headers=HOST)
    again = client.post("/sessions", json=body, headers=headers)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    other = client.post("/sessions", json=body | {"n": 32}, headers=headers)
    assert other.get_json()["error"]["code"] == "key_reused"
    delete(client, first.get_json()["name"])
    gone = client.post("/sessions", json=body, headers=headers)
    assert (gone.status_code, gone.get_json()["error"]["code"]) == (422, "no_preset")


def test_a_preset_is_a_set_of_parameters(client):
    client.put("/sets/loud", json={"values": {"lif.v_thresh": 0.5, "lif.beta": 0.5}}, headers=HOST)
    missing = create(client, preset="silent")
    error = missing.get_json()["error"]
    assert (missing.status_code, error["field"]) == (422, "preset")
    assert {"loud", *presets.NAMES} <= {*error["choices"]}
    made = create(client, preset="loud", params={"lif.beta": 0.7}).get_json()
    assert made["params"] == {"lif.v_thresh": 0.5, "lif.beta": 0.7}
    assert delete(client, made["name"]).status_code == 200


def test_only_created_sessions_are_deleted(client):
    answer = delete(client, "default")
    assert answer.status_code == 409
    assert "was not created here" in answer.get_json()["error"]["message"]
    assert delete(client, "nobody").status_code == 404


def test_parameters_are_patched_wholly_or_not_at_all(client):
    read = client.get("/sessions/default/params", headers=HOST)
    rev = read.get_json()["rev"]
    assert read.headers["ETag"] == f'"{rev}"'
    done = patch(
        client, {"values": {"lif.beta": 0.5, "lif.alpha": 0.8}}, **{"If-Match": f'"{rev}"'}
    )
    assert done.status_code == 200 and done.headers["ETag"] == f'"{done.get_json()["rev"]}"'
    late = patch(client, {"values": {"lif.beta": 0.9}}, **{"If-Match": str(rev)})
    assert late.status_code == 412
    assert late.get_json()["error"]["rev"] == done.get_json()["rev"]
    assert patch(client, {"values": {"lif.beta": 0.9}}, **{"If-Match": "soon"}).status_code == 400
    bad = patch(client, {"values": {"lif.beta": 0.9, "lif.alpha": 9}}, **{"If-Match": "*"})
    assert bad.status_code == 422 and bad.get_json()["error"]["field"] == "lif.alpha"
    cleared = patch(client, {"clear": ["lif.alpha"]})
    assert cleared.status_code == 200
    values = client.get("/sessions/default/params", headers=HOST).get_json()["non_default"]
    assert values == {"lif.beta": 0.5}
    assert patch(client, {"values": {}}).status_code == 422


def test_the_largest_size_that_a_refusal_names_is_taken(client):
    most = create(client, blocks=32, n=2048).get_json()["error"]["hi"]
    SessionSpec("x", blocks=32, n=most).check()
    with pytest.raises(ParamError):
        SessionSpec("x", blocks=32, n=most + 16).check()


@pytest.mark.parametrize("sent", ["", " ", "W/{}", 'W/"{}"', '"{}', '"{}", "1"', '"{}:BR"'])
def test_what_is_no_strong_revision_changes_nothing(client, sent):
    before = client.get("/sessions/default/params", headers=HOST).get_json()
    header = {"If-Match": sent.format(before["rev"])}
    answer = patch(client, {"values": {"lif.beta": 0.25}}, **header)
    assert answer.status_code == 400 and answer.get_json()["error"]["field"] == "If-Match"
    after = client.get("/sessions/default/params", headers=HOST).get_json()
    assert (after["rev"], after["values"]) == (before["rev"], before["values"])


@pytest.mark.parametrize("encoding", ["identity", "br", "gzip"])
def test_the_etag_of_an_answer_is_taken_back_however_it_was_packed(client, encoding):
    url = "/sessions/default/params"
    read = client.get(url, headers=HOST | {"Accept-Encoding": encoding})
    assert read.headers.get("Content-Encoding", "identity") == encoding
    fits = patch(client, {"values": {"lif.beta": 0.5}}, **{"If-Match": read.headers["ETag"]})
    assert fits.status_code == 200, fits.text
    late = patch(client, {"values": {"lif.beta": 0.6}}, **{"If-Match": read.headers["ETag"]})
    assert late.status_code == 412


def test_a_key_stands_for_the_revision_too(client):
    rev = client.get("/sessions/default/params", headers=HOST).get_json()["rev"]
    asked = {"values": {"lif.beta": 0.5}}
    key = {"Idempotency-Key": f"of revision {rev}"}
    first = patch(client, asked, **key, **{"If-Match": f'"{rev}"'})
    again = patch(client, asked, **key, **{"If-Match": str(rev)})
    assert first.status_code == again.status_code == 200
    assert again.get_json() == first.get_json()
    for other in ({"If-Match": f'"{rev + 1}"'}, {"If-Match": "*"}, {}):
        answer = patch(client, asked, **key, **other)
        assert answer.status_code == 422, other
        assert answer.get_json()["error"]["code"] == "key_reused"


def test_a_trace_says_whose_membranes_it_tells_and_passes_on_what_the_rows_are(client, monkeypatch):
    asked = []
    membranes = [{"neuron": k, "name": f"#{k}", "u_pre": [0.1], "spiked": [False]} for k in (3, 7)]

    def trace(_, body):
        asked.append(body)
        where = {"ok": True, "rev": 3, "step": 5, "t_ms": 5.0, "from_step": 5, "steps": 1}
        more = {"input": body["as"], "time_ms": [5.0], "stages": [], "membranes": membranes}
        return where | more

    monkeypatch.setattr(SessionClient, "trace", trace)
    models = {"/spiking/trace": Trace, "/spiking/trace-membrane": MembraneTrace}
    for path, model in models.items():
        given = {"input": [0.5] * 64, "as": "current", "neurons": [3, 7]}
        answer = client.post(path, json=given, headers=HOST).get_json()
        told = model.model_validate(answer)
        assert (told.neurons.n, told.neurons.total) == (2, 3072)
        assert told.shown["neurons"] == told.neurons and told.shown["steps"].n == 1
        assert (told.step, told.t_ms, told.params_rev, told.input) == (5, 5.0, 3, "current")
    assert [body["as"] for body in asked] == ["current"] * 2


def test_a_trace_of_a_model_that_is_not_copied_says_so(client):
    answer = client.post("/spiking/trace", json={"input": [0.0] * 64}, headers=HOST)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["message"] == "this session's model is not copied"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": [1.0], "as": "spikes"}, "as"),
        ({"input": [1.0], "as_": "current"}, "as_"),
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": "x"}, "input"),
        ({"input": [1, "a"]}, "input"),
        ({"input": [[1.0]], "steps": 0}, "steps"),
        ({"input": [1.0], "steps": 513}, "steps"),
        ({"input": [1e9]}, "input"),
        ({"input": [1.0], "neurons": [-1]}, "neurons"),
        ({"input": [1.0], "session_id": "a/b"}, "session_id"),
    ],
)
@pytest.mark.parametrize("path", ["/spiking/trace", "/spiking/trace-membrane"])
def test_a_trace_that_is_refused(client, path, body, field):
    answer = client.post(path, json=body, headers=HOST)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["field"] == field
    assert post(client, {"type": "note", "text": "still here"}).status_code == 200


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[0.1] * 64] * 513, "at most 512"), ([[0.1], ["x"]], "valid number"),
        ([0.1] * 63 + ["x"], "valid number"), ([[0.1] * 64, []], "at least 1"),
        ([[]], "at least 1"), ([["x"]], "valid number"), (["x"], "valid number"),
    ],
)  # fmt: skip
def test_a_refused_trace_says_what_is_wrong_with_the_form_that_was_meant(client, rows, words):
    answer = client.post("/spiking/trace", json={"input": rows}, headers=HOST)
    assert answer.status_code == 422 and words in answer.get_json()["error"]["message"]

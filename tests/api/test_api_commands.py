"""The command road over HTTP: applied and answered, or refused with the field and its range."""

from __future__ import annotations

import json

import pytest

from dashboard.api import sessions
from t4dm.live.client import SessionClient
from t4dm.live.server import failure

URL = "/sessions/default/commands"
HOST = {"Host": "localhost"}
SHAPE = {"code", "message", "field", "lo", "hi", "unit", "choices"}


def post(client, body, **headers):
    return client.post(URL, json=body, headers=HOST | headers)


def raw(client, data: bytes, mime: str = "application/json"):
    return client.post(URL, data=data, content_type=mime, headers=HOST)


def params(client):
    return client.get("/sessions/default/params", headers=HOST).get_json()


def test_a_set_is_applied_and_answered(client):
    answer = post(client, {"type": "set", "path": "lif.v_thresh", "value": 1.25})
    assert answer.status_code == 200
    told = answer.get_json()
    assert told["ok"] is True
    assert (told["old"], told["new"]) == (1.0, 1.25)
    now = params(client)
    assert now["rev"] == told["rev"]
    assert now["values"]["lif.v_thresh"] == 1.25
    assert now["non_default"] == {"lif.v_thresh": 1.25}


def test_who_moved_it_stands_in_the_event(client):
    post(client, {"type": "set", "path": "lif.beta", "value": 0.5}, **{"X-T4DM-Who": "tab-7"})
    log = []
    for _ in range(20):
        frame = client.get("/sessions/default/frames?span_ms=500", headers=HOST).data
        log = events(frame)
        if any(e["type"] == "param" and e.get("path") == "lif.beta" for e in log):
            break
    mine = [e for e in log if e["type"] == "param" and e["path"] == "lif.beta"]
    assert mine[-1]["who"] == "tab-7"


def events(frame: bytes):
    from t4dm.live.frame import decode

    return decode(frame)[0].get("events", [])


def test_a_list_is_applied_wholly(client):
    body = [
        {"type": "set", "path": "blocks.2.lif_in.v_thresh", "value": 2.0},
        {"type": "inject", "nt": "DA", "level": 0.1},
    ]
    told = post(client, body).get_json()
    assert told["results"][0]["new"] == 2.0
    assert params(client)["overrides"] == {"blocks.2.lif_in.v_thresh": 2.0}


def test_a_list_with_one_bad_command_changes_nothing(client):
    body = [
        {"type": "set", "path": "lif.alpha", "value": 0.5},
        {"type": "set", "path": "lif.v_thresh", "value": 99},
    ]
    answer = post(client, body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["message"].startswith("command 1: lif.v_thresh")
    assert params(client)["non_default"] == {}


@pytest.mark.parametrize(
    "value", ["", "text", None, True, [1], {"a": 1}, -1e308, 1e308, -5, 0, 10**400, "1.0"]
)
def test_hostile_values_are_refused_with_the_range(client, value):
    before = params(client)["rev"]
    answer = post(client, {"type": "set", "path": "lif.v_thresh", "value": value})
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert set(error) >= SHAPE
    assert (error["field"], error["lo"], error["hi"]) == ("lif.v_thresh", 0.05, 10.0)
    assert error["message"].startswith("lif.v_thresh: expected a number from 0.05 to 10")
    assert params(client)["rev"] == before


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_numbers_beyond_json_are_refused_with_the_range(client, number):
    answer = raw(client, f'{{"type": "set", "path": "stdp.tau_plus", "value": {number}}}'.encode())
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert (error["field"], error["lo"], error["hi"]) == ("stdp.tau_plus", 1.0, 200.0)
    assert error["unit"] == "ms"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "inject", "nt": "DA", "level": 2}, "level"),
        ({"type": "inject", "nt": "XX"}, "nt"),
        ({"type": "step", "n": 0}, "n"),
        ({"type": "speed", "value": 0}, "value"),
        ({"type": "nothing"}, "type"),
        ({"type": "pause", "extra": 1}, "extra"),
        ({"type": "set", "path": "lif.vthresh", "value": 1}, "lif.vthresh"),
        ({"type": "set", "path": "blocks.9.lif.v_thresh", "value": 1}, "blocks.9.lif.v_thresh"),
        ({"type": "replace", "values": {"lif.beta": 9}}, "lif.beta"),
        ({"type": "replace", "values": {"lif.beta": []}}, "lif.beta"),
        ({"type": "set", "path": "stimulus.kind", "value": "file"}, "stimulus.file_id"),
        ({"type": "break_on", "kind": "spike", "neuron": 3072}, "neuron"),
        ({"type": "break_on", "kind": "rate", "group": 12}, "group"),
        ({"type": "break_on", "kind": "rate", "group": 1, "bound": 5000}, "bound"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
        (7, "body"),
        ([[]], "body"),
        ([{"type": "pause"}] * 257, "body"),
    ],
)
def test_what_is_no_command_is_refused_by_name(client, body, field):
    answer = raw(client, json.dumps(body).encode())
    assert answer.status_code == 422
    assert answer.get_json()["error"]["field"] == field


@pytest.mark.parametrize(
    ("data", "mime", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"type": "pause", "type": "run"}', "application/json", 400),
        (b"type=pause", "application/x-www-form-urlencoded", 400),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
    ],
)
def test_bodies_that_are_not_taken(client, data, mime, status):
    answer = raw(client, data, mime)
    assert answer.status_code == status
    assert set(answer.get_json()["error"]) >= SHAPE


@pytest.mark.parametrize("mime", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_taken_whatever_its_content_type_says(client, mime):
    assert raw(client, b'{"type": "note", "text": "x"}', mime).status_code == 200


def test_json_of_another_site_is_not(client):
    headers = HOST | {"Origin": "http://evil.example"}
    url = "/sessions/default/commands"
    assert client.post(url, data=b'{"type": "pause"}', headers=headers).status_code == 403


def test_the_same_key_is_applied_once(client):
    body = {"type": "inject", "nt": "DA", "level": 0.1}
    first = post(client, body, **{"Idempotency-Key": "only-once"}).get_json()
    again = post(client, body, **{"Idempotency-Key": "only-once"}).get_json()
    assert first["ok"] and again == first
    other = post(client, body, **{"Idempotency-Key": "another"}).get_json()
    assert other["step"] >= first["step"] and other != first
    assert post(client, body, **{"Idempotency-Key": "x" * 65}).status_code == 400
    reused = post(client, body | {"level": 0.2}, **{"Idempotency-Key": "only-once"})
    assert reused.status_code == 422 and reused.get_json()["error"]["code"] == "key_reused"
    assert reused.get_json()["error"]["field"] == "Idempotency-Key"


def test_pause_step_run(client):
    paused = post(client, {"type": "pause"}).get_json()
    stepped = post(client, {"type": "step", "n": 10}).get_json()
    assert stepped["step"] == paused["step"] + 10
    assert post(client, {"type": "run"}).get_json()["new"] == "running"


def test_events_of_a_paused_run_reach_a_reader_once(client):
    from t4dm.live.frame import decode

    def status():
        view = client.get("/sessions/default/frames", headers=HOST).data
        return decode(view)[0]

    post(client, {"type": "pause"})
    post(client, {"type": "set", "path": "lif.beta", "value": 0.25}, **{"X-T4DM-Who": "tab-9"})
    waiting = [e for e in status()["pending"] if e["type"] == "param"]
    assert (waiting[-1]["path"], waiting[-1]["who"]) == ("lif.beta", "tab-9")
    post(client, {"type": "step", "n": 1})
    after = status()
    assert after["pending"] == []
    assert [e["n"] for e in after["events"] if e.get("n") == waiting[-1]["n"]] == [waiting[-1]["n"]]


def test_a_refusal_of_the_worker_has_the_same_shape(client):
    answer = post(client, {"type": "step", "n": 1})  # it runs
    assert answer.status_code == 422
    assert "paused" in answer.get_json()["error"]["message"]
    url = "/sessions/default/params"
    late = client.patch(url, json={"clear": ["lif.beta"]}, headers=HOST | {"If-Match": '"999999"'})
    assert late.status_code == 412
    for refusal in (answer, late):
        assert set(refusal.get_json()) == {"error"} and set(refusal.get_json()["error"]) >= SHAPE


@pytest.fixture
def busy(client, monkeypatch):
    """A client of a server whose worker takes no further request."""
    refusal = failure("busy", "body", "64 requests are in work; try again")
    monkeypatch.setattr(SessionClient, "_ask", lambda *_: refusal)
    monkeypatch.setattr(sessions, "_kept", {})
    return client


def test_a_busy_worker_is_429_with_when_to_ask_again(busy):
    panel = "/sessions/default/panels/stdp.json"
    answers = [busy.get(url, headers=HOST) for url in ("/sessions/default/params", panel)]
    answers.append(busy.get("/spiking/lif-params", headers=HOST))
    answers.append(post(busy, {"type": "pause"}))
    row = {"input": [0.0] * 64}
    answers.append(busy.post("/spiking/trace", json=row, headers=HOST))
    for answer in answers:
        told = answer.get_json()
        assert (answer.status_code, told["error"]["code"]) == (429, "busy")
        assert answer.headers["Retry-After"] == "1"
        assert set(told) == {"error"} and set(told["error"]) >= SHAPE
        assert told["error"]["message"] == "64 requests are in work; try again"


def test_a_name_that_is_no_header_text_is_refused(client):
    answer = post(client, {"type": "pause"}, **{"X-T4DM-Who": "x" * 65})
    assert answer.status_code == 400


def test_without_a_worker_commands_are_503(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("T4DM_RUN_DIR", str(tmp_path))
    for answer in (
        post(bare, {"type": "pause"}),
        bare.get("/sessions/default/params", headers=HOST),
        bare.get("/sessions/default", headers=HOST),
    ):
        assert answer.status_code == 503
        assert answer.get_json()["error"]["code"] == "worker_down"
        assert answer.headers["Retry-After"] == "1"

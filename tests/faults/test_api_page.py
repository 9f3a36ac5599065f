"""The REST API of the whole program: every line of curl in the docs, the client, and a real copy."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from t4dm.client import Client, Refused
from tests.waiting import eventually

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
NONE = {"window": {"n_steps": 0}}
PARTS = {"keyframe.bin": b"T4F1", "window.bin": b"T4F1", "course.bin": b"T4F1"}


@pytest.fixture
def program(live_app):
    """A client of the running program, whose session runs with default parameters."""
    with Client(live_app.url, who="test") as client:
        client.command([{"type": "replace", "values": {}}, {"type": "run"}])
        yield client
        client.command([{"type": "replace", "values": {}}, {"type": "run"}])


@pytest.fixture
def training(live_app):
    """The training session ``t`` that the page's lines speak of, once it publishes."""
    body = json.dumps({"kind": "training", "run": "tiny", "name": "t"}).encode()
    asked = urllib.request.Request(f"{live_app.url}/sessions", body, method="POST")
    urllib.request.urlopen(asked, timeout=30).close()
    eventually(lambda: _answers(f"{live_app.url}/sessions/t/params"), "the training session")
    yield
    asked = urllib.request.Request(f"{live_app.url}/sessions/t", method="DELETE")
    urllib.request.urlopen(asked, timeout=30).close()


def _answers(url):
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.HTTPError:
        return False
    return True


def curls():
    return re.findall(r"^```sh\n(curl .*?)\n```$", PAGE.read_text(), re.MULTILINE)


def test_every_line_of_curl_is_answered(program, training, live_app, tmp_path):
    (tmp_path / "stimulus.csv").write_text("\n".join(",".join(["0.5"] * 64) for _ in range(4)))
    place = live_app.url.removeprefix("http://")
    lines = curls()
    assert len(lines) > 35
    for line in lines:
        told = line.replace("localhost:8000", place).replace("curl -s", "curl -sS -f", 1)
        done = subprocess.run(
            told, shell=True, cwd=tmp_path, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, (line, done.stderr.decode(), done.stdout[:300])
        if "-o " not in line and "/metrics" not in line and ".csv" not in line.split()[-1]:
            json.loads(done.stdout)
        if "/stdout" not in line and line.startswith("curl -s -X DELETE localhost:8000/sessions"):
            assert json.loads(done.stdout) == {"deleted": "small"}
    for name, begins in PARTS.items():
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_the_runbook_watch_line(live_app):
    line = f"curl -s -H 'X-API-Key: none' {live_app.url}/spiking/stats | grep spike_rate"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert (
        len(done.stdout.splitlines()) == 1 and 0 < float(done.stdout.strip(" ,\n").split()[1]) < 1
    )


def test_a_client_asks_sets_and_is_refused(program):
    rev = program.params()["rev"]
    done = program.change({"lif.beta": 0.9}, if_rev=rev)
    with pytest.raises(Refused) as late:
        program.change({"lif.beta": 0.8}, if_rev=rev)
    assert late.value.status == 412 and late.value.code == "stale"
    with pytest.raises(Refused) as wrong:
        program.set("lif.v_thresh", 99)
    assert (wrong.value.field, wrong.value.lo, wrong.value.hi) == ("lif.v_thresh", 0.05, 10.0)
    assert program.params()["rev"] == done["rev"]
    program.pause()
    times = program.spike_times([0, 5, 9], last_ms=300)
    assert list(times) == [0, 5, 9] and all(list(t) == sorted(t) for t in times.values())
    step = program.step(5)["step"]
    assert program.stats(last_ms=100)["step"] == step
    once = [program.command({"type": "inject", "nt": "NE", "level": 0.1}, key="k") for _ in "ab"]
    assert once[0] == once[1]


def test_a_created_session_has_its_own_size(program):
    mine = program.create(blocks=2, n=32, seed=4, params={"lif.v_thresh": 0.9})
    try:
        eventually(lambda: mine.session in _running(program), "the session")
        eventually(lambda: (_stats(mine) or NONE)["window"]["n_steps"] >= 200, "200 steps")
        stats = _stats(mine)
        assert stats["neurons"]["total"] == 2 * 2 * 32 + 256
        assert [g["n"] for g in stats["groups"]] == [32, 32, 32, 32, 256]
        assert mine.params()["values"]["lif.v_thresh"] == 0.9
        assert eventually(lambda: _picture(mine), "a picture").lstrip().startswith(b"<svg")
        answer = mine.trace([0.5] * 32, steps=3)
        assert answer["input"] == "current" and answer["steps"] == 3
    finally:
        mine.delete()
    assert mine.session not in program.sessions()


def _running(client):
    return [e["name"] for e in client.get("/sessions")["entries"] if e["state"] == "running"]


def _picture(client):
    """An SVG; None while the first browser starts."""
    try:
        return client.picture("spike-raster", "svg", neurons="20")
    except Refused as refused:
        assert refused.status == 503, refused
        return None


def _stats(client):
    try:
        return client.stats()
    except Refused as refused:
        assert refused.status == 503
        return None


def test_a_trace_leaves_the_run_where_it_is(program):
    program.pause()
    before = program.stats(last_ms=100)
    answer = program.trace([[0.5] * 64] * 40, neurons=[0, 300], verbose=True)
    assert answer["from_step"] == before["step"] and len(answer["time_ms"]) == 40
    assert [m["neuron"] for m in answer["membranes"]] == [0, 300]
    assert sum(len(ids) for ids in answer["spike_ids"]) == sum(
        sum(stage["spikes"]) for stage in answer["stages"]
    )
    assert program.stats(last_ms=100) == before
    again = program.trace([[0.5] * 64] * 40, neurons=[0, 300], verbose=True)
    assert again == answer

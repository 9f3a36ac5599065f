"""Worker and supervisor under kills, stops and second starts; with the toy engine, real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from t4dm.live import paths
from t4dm.live.client import WorkerDown
from tests.supervised import TOY, Program
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program():
    program = Program()
    yield program
    program.close()


def gone(pids):
    return not any(map(lives, pids))


def lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_worker_returns_with_every_acknowledged_value(program):
    pid = program.live()["pid"]
    acknowledged = {}
    for k in range(20):
        path = ("lif.v_thresh", "lif.beta", "stdp.tau_plus")[k % 3]
        answer = program.client.command({"type": "set", "path": path, "value": 1.0 + k / 100})
        acknowledged[path] = answer["new"]
    program.client.command({"type": "break_on", "kind": "rate", "group": 3, "bound": 900})
    epoch, rev = program.client.status()["epoch"], answer["rev"]
    os.kill(pid, signal.SIGKILL)
    status = program.live(not_pid=pid)
    assert status["params_rev"] >= rev and status["epoch"] > epoch
    assert program.client.params()["non_default"] == acknowledged
    assert [b["bound"] for b in status["breakpoints"]] == [900]
    eventually(lambda: program.client.status()["worker"]["restarts"] == 1)


def test_a_killed_worker_goes_on_from_its_checkpoint(program):
    program.live()
    saved = eventually(lambda: program.client.status()["checkpoint"]["step"], what="a checkpoint")
    pid = program.client.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    assert program.live(not_pid=pid)["resumed_step"] >= saved


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_used(program):
    program.live()
    folder = paths.session_data(program.data, "default")

    def two():
        return len(files) == 2 if (files := sorted(folder.glob("checkpoint-*.t4c"))) else False

    eventually(two, what="two checkpoints")
    program.client.command({"type": "pause"})
    program.end()
    newest = max(folder.glob("checkpoint-*.t4c"))
    data = bytearray(newest.read_bytes())
    data[-200] ^= 1
    newest.write_bytes(data)
    program.start()
    status = program.live()
    assert newest.name in status["refused"][0] and status["resumed_step"] is not None


def test_a_stopped_program_goes_on_where_it_was_and_at_1x(program):
    program.live()
    step = program.client.command([{"type": "speed", "value": 20}, {"type": "pause"}])["step"]
    program.client.command({"type": "set", "path": "lif.beta", "value": 0.5})
    program.end()
    program.start()
    status = program.live()
    assert (status["resumed_step"], status["state"], status["speed"]) == (step, "running", 1.0)
    assert program.client.params()["non_default"] == {"lif.beta": 0.5}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_orphan_when_the_supervisor_ends(program, number):
    program.live()
    family = program.family()
    assert len(family) == 2
    program.process.send_signal(number)
    eventually(lambda: gone(family[1:]), what="the worker's end")
    program.process.wait(60)
    ring = paths.ring_path(program.run, "default")
    if number != signal.SIGKILL:
        assert not (program.run / "supervisor.json").exists()
    assert not ring.exists() and not (program.run / "default.sock").exists()


def test_a_second_supervisor_says_one_sentence(program):
    program.live()
    second = subprocess.run(
        [sys.executable, "-m", "t4dm.live.supervisor"], cwd=ROOT, env=program.environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 3
    assert second.stderr.count("\n") == 1 and "already runs" in second.stderr
    assert program.client.command({"type": "pause"})["ok"]


def test_a_stuck_worker_is_dumped_killed_and_restarted():
    program = Program([*TOY, "--stuck-s", "1.5"])
    try:
        pid = program.live()["pid"]
        os.kill(pid, signal.SIGSTOP)
        program.live(not_pid=pid)
        assert "no progress" in program.log.read_text()
    finally:
        program.close()


def test_a_worker_that_always_dies_is_given_up_and_named():
    soon = "own.BACKOFF_S = (0.0, 0.1, 0.1, 0.1, 0.1)"
    program = Program(["--engine", "tests.toy_engine:NoSuchEngine"], own=soon)
    try:
        child = eventually(
            lambda: (
                (c := program.client.supervisor().get("sessions", {}).get("default"))
                and c["state"] == "gave_up"
                and c
            ),
            "the end of the restarts",
        )
        assert "5 times" in child["message"] and program.process.poll() is None
        with pytest.raises(WorkerDown, match="not running"):
            program.client.command({"type": "run"})
    finally:
        program.close()


def test_commands_are_answered_at_any_speed_and_once_a_key(program):
    program.live()
    client = program.client
    assert client.command({"type": "speed", "value": "max"})["new"] == "max"
    first = client.command({"type": "set", "path": "lif.beta", "value": 0.7}, who="a", key="k1")
    again = client.command({"type": "set", "path": "lif.beta", "value": 0.7}, who="a", key="k1")
    assert first == again and first["rev"] == client.params()["rev"]
    refused = client.command({"type": "set", "path": "lif.beta", "value": 99})
    assert refused["error"]["field"] == "lif.beta" and refused["error"]["hi"] == 2.0
    assert client.params()["rev"] == first["rev"]
    done = client.command([{"type": "pause"}, {"type": "step", "n": 100}])
    assert done["step"] == done["results"][1]["new"] == client.status()["step"]
    assert [e["who"] for e in client.status()["log"] if e["type"] == "param"] == ["a"]


def test_values_of_the_environment_are_taken_once():
    program = Program(T4DM_STDP_ENABLED="0", T4DM_NEUROMOD_UPDATE_FREQ="5", T4DM_STDP_LERNING="1")
    try:
        status = program.live()
        assert program.client.params()["non_default"] == {
            "stdp.enabled": False,
            "neuromod.update_freq": 5,
        }
        assert any("T4DM_STDP_LERNING" in w for w in status["warnings"])
        program.client.command({"type": "set", "path": "stdp.enabled", "value": True})
        os.kill(status["pid"], signal.SIGKILL)
        program.live(not_pid=status["pid"])
        assert program.client.params()["non_default"] == {"neuromod.update_freq": 5}
    finally:
        program.close()


def test_the_socket_refuses_what_is_no_request(program):
    program.live()
    path = paths.socket_path(program.run, "default")
    for line in (
        b"x",
        b"[]",
        b"{}",
        b'{"op": "params", "who": 1e999',
        b"[" * 100_000,
        b"x" * (2 << 20),
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(path))
            try:
                connection.sendall(line + b"\n")
            except BrokenPipeError:
                continue  # refused before it had read all
            answer = json.loads(connection.makefile("rb").readline())
            assert answer["ok"] is False and answer["error"]["message"]
    assert program.client.command({"type": "pause"})["ok"]


def test_the_web_side_needs_no_torch():
    code = (
        "import sys; import t4dm.live.client, t4dm.live.merge, t4dm.live.export, t4dm.live.supervisor;"
        "print([m for m in ('torch', 'numba', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

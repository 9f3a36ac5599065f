"""A watched module's session: what is applied, what it tells, how it begins and ends."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
import torch

import t4dm.live
from t4dm.live import external_files, paths
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron
from tests.waiting import eventually
from tests.watched import B, Ours, T, acknowledged, window


def test_a_declared_parameter_is_applied_between_two_calls(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    changes = []

    class Counted(LIFNeuron):
        def __setattr__(self, name, value):
            if name == "v_thresh" and "seen" in self.__dict__:
                changes.append(len(net.seen) % T)
            super().__setattr__(name, value)

    net.lif1.__class__ = Counted
    net.lif1.seen = True
    watched(net, params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold of both layers.")})
    net(x)
    window(run, steps=T)
    answer = acknowledged(run, net, {"type": "set", "path": "script.v_thresh", "value": 3}, x)
    assert answer["ok"] and (answer["old"], answer["new"], answer["rev"]) == (1.0, 3.0, 1)
    assert net.lif1.v_thresh == net.lif2.v_thresh == 3.0
    assert changes == [0], "in the middle of a call"
    net(x)
    found = window(run, steps=answer["step"] + T)
    events = [e for e in found.events if e["type"] == "param"]
    assert [(e["path"], e["step"]) for e in events] == [("script.v_thresh", answer["step"])]
    assert (found.theta[answer["step"] :] == 3.0).all()


def test_an_entry_of_a_dictionary_such_as_a_learning_rate(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    watched(net, params={"lr": (optimizer.param_groups[0], "lr", 0.0, 1.0)})
    net(x)
    window(run, steps=T)
    answer = acknowledged(run, net, {"type": "set", "path": "script.lr", "value": 0.01}, x)
    assert answer["old"] == 0.1 and optimizer.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"type": "set", "path": "script.v_thresh", "value": 9}, "script.v_thresh", "0.1 to 5"),
        ({"type": "set", "path": "script.v_tresh", "value": 1}, "script.v_tresh", "did you mean"),
        ({"type": "reset"}, "type", "restart the script"),
        ({"type": "pause"}, "type", "hold=True"),
        ({"type": "speed", "value": 2}, "type", "own speed"),
        ({"type": "watch", "neurons": [16]}, "neurons", "0 to 15"),
    ],
)
def test_what_the_script_does_not_take_is_refused_with_the_reason(run, watched, body, field, words):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")})
    net(x)
    window(run, steps=T)
    answer = acknowledged(run, net, body, x)
    assert (
        not answer["ok"]
        and answer["error"]["field"] == field
        and words in answer["error"]["message"]
    )
    assert net.lif1.v_thresh == 1.0


def test_a_list_is_applied_wholly_or_not_at_all(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, params={
        "v_thresh": param(1.0, 0.1, 5.0, help="Threshold."), "lif1.beta": param(1.0, 0, 2, help="Reset."),
    })  # fmt: skip
    net(x)
    window(run, steps=T)
    body = [
        {"type": "set", "path": "script.lif1.beta", "value": 0.5},
        {"type": "set", "path": "script.v_thresh", "value": 9},
    ]
    assert acknowledged(run, net, body, x)["error"]["index"] == 1
    assert (net.lif1.beta, net.lif1.v_thresh) == (1.0, 1.0)


def test_a_change_does_not_wait_for_ever_for_a_call(run, watched, monkeypatch):
    monkeypatch.setattr("t4dm.live.publisher.CALL_WAIT_S", 0.2)
    net = Ours()
    watched(net, params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")})
    net(torch.rand(B, 6))
    window(run, steps=T)
    answer = SessionClient(run, "w").command({"type": "set", "path": "script.v_thresh", "value": 2})
    assert answer["error"]["code"] == "busy" and "nothing was changed" in answer["error"]["message"]
    net(torch.rand(B, 6))
    assert net.lif1.v_thresh == 1.0


def test_an_obliging_script_is_held_stepped_and_let_go(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, hold=True)
    (run / "supervisor.json").write_text(json.dumps({"pid": os.getpid(), "sessions": {}}))
    stop, calls = threading.Event(), [0]

    def script():
        while not stop.is_set():
            net(x)
            calls[0] += 1
            time.sleep(0.005)

    thread = threading.Thread(target=script)
    thread.start()
    client = SessionClient(run, "w")
    eventually(lambda: client.reader().held())
    try:
        assert client.command({"type": "pause"})["ok"]
        eventually(lambda: client.status()["state"] == "paused")
        time.sleep(0.1)
        before = calls[0]
        time.sleep(0.2)
        assert calls[0] == before, "the script is not held"
        assert client.command({"type": "step", "n": 2 * T})["ok"]
        eventually(lambda: calls[0] == before + 2 and client.status()["state"] == "paused")
        assert client.command({"type": "run"})["ok"]
        eventually(lambda: calls[0] > before + 4)
    finally:
        stop.set()
        client.command({"type": "run"})
        thread.join(5)


def test_the_manifest_says_what_the_session_can_do(run, watched):
    net = Ours()
    watched(net, params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")})
    net(torch.rand(B, 6))
    window(run, steps=T)
    manifest = SessionClient(run, "w").manifest()
    assert manifest["owner"] == "external" and manifest["axis"] == "step"
    assert manifest["membranes"] == "u before reset"
    assert set(manifest["probes"]) == {"spikes", "u_pre", "theta", "weights"}
    assert "pause" not in manifest["capabilities"] and "hold=True" in manifest["reasons"]["pause"]
    assert [spec["path"] for spec in manifest["specs"]] == ["script.v_thresh"]
    assert external_files.names(run) == ["w"]


def test_closing_says_when_it_ended_and_keeps_the_last_window(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    with watched(net) as handle:
        net(x)
        window(run, steps=T)
    assert not handle.active and not net._forward_hooks and not net._forward_pre_hooks
    net(x)
    client = SessionClient(run, "w")
    status = client.status()
    assert status["state"] == "ended" and status["worker"]["ended"]
    assert "ended at" in status["reason"] and "last window stays" in status["reason"]
    assert window(run).n_steps == T and client.params()["values"] == {}
    with pytest.raises(WorkerDown, match="has ended"):
        client.command({"type": "note", "text": "x"})
    assert not paths.socket_path(run, "w").exists()
    with watched(net):
        net(x)


def test_a_module_that_is_let_go_is_collected_and_ends_its_session(run):
    net = Ours()
    t4dm.live.watch(net, "gone", params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")})
    net(torch.rand(B, 6))
    window(run, "gone", steps=T)
    ref = weakref.ref(net)
    del net
    gc.collect()
    assert ref() is None
    eventually(lambda: SessionClient(run, "gone").status()["state"] == "ended")
    t4dm.live.watch(Ours(), "gone").close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "../x"}, "is no name"), ({"name": "default"}, "choose another"),
        ({"every": 0}, "every"), ({"every": True}, "every"), ({"budget": 0}, "budget"), ({"budget": 2}, "budget"),
        ({"budget": True}, "budget"), ({"batch_index": -1}, "batch_index"),
        ({"time_axis": 0.5}, "time_axis"), ({"params": {"nothing": param(1.0, 0, 2, help="")}}, "neither"),
        ({"params": {"v_thresh": param(1.0, 2, 3, help="")}}, "2 to 3"),
        ({"params": {"bad name": param(1.0, 0, 2, help="")}}, "neither"),
        ({"params": {"lr": ({}, "lr", 0, 1)}}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(run, options, words):
    with pytest.raises(ValueError, match=words):
        t4dm.live.watch(Ours(), **({"name": "w"} | options))
    with pytest.raises(TypeError, match="torch module"):
        t4dm.live.watch(lambda x: x)


def test_ended_sessions_are_not_kept_for_ever(run, watched):
    for k in range(7):
        with watched(net := Ours(), f"s{k}"):
            net(torch.rand(B, 6))
            window(run, f"s{k}", steps=T)
    assert external_files.names(run) == ["s2", "s3", "s4", "s5", "s6"]


SCRIPT = """
import os, sys, time, torch
import t4dm.live
from tests.watched import Ours, B
torch.set_num_threads(1)
net = Ours()
t4dm.live.watch(net, "forked")
net(torch.rand(B, 6))
child = os.fork()
if child == 0:
    net(torch.rand(B, 6))
    sys.exit(0)
os.waitpid(child, 0)
net(torch.rand(B, 6))
print("alive", flush=True)
time.sleep(float(sys.argv[1]))
"""


def script(seconds):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(seconds)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parents[3], stderr=subprocess.DEVNULL,
    )  # fmt: skip


def ring_of(run, name):
    """The subprocess knows nothing of this test's patch: its ring lies in shared memory."""
    return paths.ring_path(run, name)


def test_a_forked_child_is_left_alone_and_a_killed_script_has_ended(run, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("T4DM_RUN_DIR", str(run))
    process = script(60)
    try:
        assert process.stdout.readline() == "alive\n"
        client = SessionClient(run, "forked")
        assert eventually(lambda: client.reader().held())[3] >= T
        eventually(lambda: client.reader().held()[3] == 2 * T)
        assert (
            client.status()["worker"]["alive"] and client.status()["worker"]["pid"] == process.pid
        )
        process.kill()
        process.wait()
        assert client.status()["worker"]["ended"] and "ended at" in client.status()["reason"]
        assert t4dm.live.watch(Ours(), "forked").active, "the name of a killed script is free"
    finally:
        process.kill()
        process.stdout.close()
        external_files.sweep(run, keep=0)

"""Watching a module of one's own: what is recorded, what is applied, and that the script is left alone."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import t4dm.live
from t4dm.live import external_files, paths
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.segment import Segment
from t4dm.live.window import View, merge
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron

T, B, N1, N2 = 5, 3, 12, 4


class Ours(nn.Module):
    """Two layers of ours, stepped ``T`` times a call."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.fc1, self.lif1 = nn.Linear(6, N1), LIFNeuron(N1)
        self.fc2, self.lif2 = nn.Linear(N1, N2), LIFNeuron(N2)
        with torch.no_grad():
            for weight in (self.fc1.weight, self.fc2.weight):
                weight.copy_(torch.rand(weight.shape, generator=generator))
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        u1 = u2 = None
        out = []
        for _ in range(T):
            s1, u1 = self.lif1(self.fc1(x), u1)
            s2, u2 = self.lif2(self.fc2(s1), u2)
            self.seen.append((s1.detach().clone(), u1.detach().clone(), s2.detach().clone()))
            out.append(s2)
        return torch.stack(out)


class Leaky(nn.Module):
    """Stands for snnTorch's: state on the module, ``(spk, mem)`` or spikes alone, threshold a buffer."""

    def __init__(self, hidden: bool) -> None:
        super().__init__()
        self.hidden, self.mem = hidden, torch.zeros(1)
        self.register_buffer("threshold", torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        mem = 0.9 * (self.mem if self.mem.shape == x.shape else torch.zeros_like(x)) + x
        spk = (mem > self.threshold).float()
        self.mem = (mem - spk * self.threshold).detach()
        return spk if self.hidden else (spk, self.mem)


class Cell(nn.Module):
    """Stands for norse's: ``(z, state)`` with the membrane in ``state.v``, parameters in ``p``."""

    class State:
        def __init__(self, v: Tensor) -> None:
            self.v = v

    class Parameters:
        v_th = torch.tensor(0.5)

    p = Parameters()

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        v = x if state is None else state.v * 0.8 + x
        z = (v > self.p.v_th).float()
        return z, Cell.State(v * (1 - z))


@pytest.fixture
def run(monkeypatch, tmp_path_factory):
    """A run directory of its own, with the ring beside the socket."""
    folder = Path(tmp_path_factory.mktemp("w"))
    monkeypatch.setenv("T4DM_RUN_DIR", str(folder))
    monkeypatch.setattr(paths, "SHARED_MEMORY", folder / "none")
    for variable in ("RANK", "LOCAL_RANK"):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def watched(run):
    """``watched(module, name, ...)``: a watch that is closed after the test."""
    handles = []

    def make(module, name="w", **options):
        handles.append(t4dm.live.watch(module, name, **options))
        return handles[-1]

    yield make
    for handle in handles:
        handle.close()


def until(test, seconds=10.0):
    end = time.monotonic() + seconds
    while not (found := test()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found


def window(run, name="w", steps=None, rows="all", **view):
    """Everything the session published, once there are ``steps`` steps of it."""
    client = SessionClient(run, name)
    held = until(lambda: (h := client.reader().held()) and (steps is None or h[3] >= steps) and h)
    epoch = client.reader().entry(held[1]).epoch
    segments = [Segment.decode(data) for data in client.reader().range(epoch, 0, held[3])]
    return merge(segments, View(rows=rows, **view))


def raster(found, first, n):
    """(T, n) spikes of the rows ``first`` to ``first + n - 1``."""
    out = np.zeros((found.n_steps, found.n_total), bool)
    out[found.spk_dt.astype(int), found.rows[found.spk_row]] = True
    return out[:, first : first + n]


def ask(run, body, name="w"):
    """Send ``body`` from another thread, as the page does; returns where the answer will be."""
    answers: list[dict] = []
    thread = threading.Thread(
        target=lambda: answers.append(SessionClient(run, name).command(body, "test"))
    )
    thread.start()
    return thread, answers


def acknowledged(run, module, body, x, name="w"):
    """The answer to ``body``, while the script goes on calling its module."""
    thread, answers = ask(run, body, name)
    until(lambda: module(x) is not None and not thread.is_alive())
    return answers[0]


# -- what is shown ---------------------------------------------------------------------------------


def test_every_spike_of_the_chosen_sample_is_shown(run, watched):
    net = Ours()
    watched(net, batch_index=1)
    for k in range(4):
        net(torch.rand(B, 6, generator=torch.Generator().manual_seed(k)))
    found = window(run, steps=4 * T)
    assert [g.name for g in found.layout.groups] == ["lif1", "lif2"]
    assert found.layout.sizes == [N1, N2] and found.axis == "step"
    np.testing.assert_array_equal(raster(found, 0, N1), [s1[1] > 0 for s1, _, _ in net.seen])
    np.testing.assert_array_equal(raster(found, N1, N2), [s2[1] > 0 for _, _, s2 in net.seen])
    assert raster(found, 0, N1).any()


def test_membranes_and_thresholds_come_with_the_spikes(run, watched):
    net = Ours()
    watched(net)
    net(torch.rand(B, 6))
    found = window(run, steps=T)
    neuron = int(found.membrane[0])
    np.testing.assert_allclose(found.u[:, 0], [u1[0, neuron] for _, u1, _ in net.seen])
    assert (found.theta == 1.0).all()


def test_a_neuron_asked_for_is_recorded_from_the_next_call_on(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net)
    net(x)
    window(run, steps=T)
    assert SessionClient(run, "w").command({"type": "watch", "neurons": [3]})["ok"]
    net.seen.clear()
    net(x)
    found = window(run, steps=2 * T, membrane=(3,))
    assert np.isnan(found.u[:T, 0]).all()
    np.testing.assert_allclose(found.u[T:, 0], [u1[0, 3] for _, u1, _ in net.seen])


def test_a_time_axis_inside_the_tensor(run, watched):
    class Sequence(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0.7).float()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Sequence()

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    net, x = Net(), torch.rand(B, 30, 7)
    watched(net, time_axis=1, batch_index=2)
    net(x)
    found = window(run, steps=30)
    np.testing.assert_array_equal(raster(found, 0, 7), x[2].numpy() > 0.7)


@pytest.mark.parametrize("hidden", [True, False])
def test_a_layer_like_snntorchs(run, watched, hidden):
    net = nn.Sequential(nn.Linear(6, 8), Leaky(hidden))
    watched(net, params={"threshold": param(1.0, 0.1, 5.0, help="Threshold.")})
    x = torch.rand(B, 6)
    net(x)
    found = window(run, steps=1)
    assert found.axis == "call" and [g.name for g in found.layout.groups] == ["1"]
    np.testing.assert_allclose(found.u[0], net[1].mem[0, found.membrane.tolist()])
    buffer = net[1].threshold
    assert acknowledged(run, net, {"type": "set", "path": "script.threshold", "value": 2.0}, x)[
        "ok"
    ]
    assert net[1].threshold is buffer and float(buffer) == 2.0


def test_a_cell_like_norses(run, watched):
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.cell = nn.Linear(6, 9), Cell()

        def forward(self, x: Tensor) -> Tensor:
            state, out = None, []
            for _ in range(T):
                z, state = self.cell(self.fc(x), state)
                out.append(z)
            self.state = state
            return torch.stack(out)

    net = Net()
    watched(net, params={"v_th": (net.cell, "p.v_th", 0.1, 2.0)})
    net(torch.rand(B, 6) * 3)
    found = window(run, steps=T)
    np.testing.assert_allclose(found.u[-1], net.state.v.detach()[0, found.membrane.tolist()])
    assert (found.theta == 0.5).all()


def test_more_neurons_than_fit_are_thinned_out_and_that_is_said(run, watched):
    class Big(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0.5).float()

    net = nn.Sequential(Big())
    watched(net)
    x = torch.rand(2, 40, 1000)
    net(x)
    found = window(run, steps=1)
    group = found.layout.groups[0]
    assert group.n == 16_384 and group.name == "0 (16384 of 40000)"
    index = torch.linspace(0, 39_999, 16_384).round().long()
    np.testing.assert_array_equal(raster(found, 0, group.n)[0], x[0].reshape(-1)[index] > 0.5)


def test_weights_of_linear_layers_are_counted(run, watched):
    net = Ours()
    watched(net)
    net(torch.rand(B, 6))
    found = window(run, steps=T)
    assert found.meta["weights"] == ["fc1.weight", "fc2.weight"]
    counts = found.hist_exc[0].sum(axis=1) + found.hist_inh[0].sum(axis=1)
    assert counts.tolist() == [6 * N1, N1 * N2]
    w, edges = net.fc1.weight.detach().numpy(), np.linspace(0, found.meta["w_hi"], 65)
    np.testing.assert_array_equal(found.hist_exc[0, 0], np.histogram(w[w >= 0], edges)[0])


def test_every_second_call(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net, every=2)
    for _ in range(6):
        net(x)
    until(lambda: SessionClient(run, "w").reader().held())
    time.sleep(0.2)
    assert window(run).n_steps == 3 * T


def test_tensors_that_the_script_writes_into_are_copied_from_then_on(run, watched):
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Leaky(hidden=True)

        def forward(self, x: Tensor) -> Tensor:
            spikes = self.layer(x)
            kept = spikes.clone()
            spikes.zero_()
            return kept

    net, x = Net(), torch.rand(B, 9) * 2
    watched(net)
    net(x)
    shown = [net(x)[0] > 0 for _ in range(3)]
    np.testing.assert_array_equal(raster(window(run, steps=3), 0, 9), shown)
    assert torch.stack(shown).any()


# -- what is applied -------------------------------------------------------------------------------


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
    until(lambda: client.reader().held())
    try:
        assert client.command({"type": "pause"})["ok"]
        until(lambda: client.status()["state"] == "paused")
        time.sleep(0.1)
        before = calls[0]
        time.sleep(0.2)
        assert calls[0] == before, "the script is not held"
        assert client.command({"type": "step", "n": 2 * T})["ok"]
        until(lambda: calls[0] == before + 2 and client.status()["state"] == "paused")
        assert client.command({"type": "run"})["ok"]
        until(lambda: calls[0] > before + 4)
    finally:
        stop.set()
        client.command({"type": "run"})
        thread.join(5)


# -- what is left alone ----------------------------------------------------------------------------


def test_without_gradients_nothing_is_recorded_unless_asked(run, watched):
    plain, asked, x = Ours(), Ours(), torch.rand(B, 6)
    watched(plain, "plain")
    watched(asked, "asked", no_grad=True)
    for net in (plain, asked):
        with torch.no_grad():
            net(x)
    assert window(run, "asked", steps=T).n_steps == T
    assert not paths.ring_path(run, "plain").exists()
    plain(x)
    assert window(run, "plain", steps=T).n_steps == T


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK"])
def test_other_ranks_are_left_alone(run, watched, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    net = Ours()
    handle = watched(net)
    assert not handle.active and variable in handle.why and not net._forward_hooks
    assert list(run.iterdir()) == []


def test_a_copy_and_a_pickle_are_not_watched(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net)
    net(x)
    twins = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    for twin in twins:
        twin.seen.clear()
        twin(x)
        assert len(twin.seen) == T
    time.sleep(0.2)
    assert window(run).n_steps == T


def test_another_thread_and_a_replica_are_left_alone(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net)
    net(x)
    replica = net._replicate_for_data_parallel()
    replica.lif1, replica.lif2, replica.fc1, replica.fc2 = net.lif1, net.lif2, net.fc1, net.fc2
    replica.seen = []
    replica(x)
    time.sleep(0.2)
    assert window(run).n_steps == T


def test_a_call_that_raises_leaves_no_trace(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    watched(net)
    net(x)
    with pytest.raises(RuntimeError):
        net(torch.rand(B, 7))
    net(x)
    found = window(run, steps=2 * T)
    assert found.n_steps == 2 * T
    np.testing.assert_array_equal(raster(found, 0, N1), [s1[0] > 0 for s1, _, _ in net.seen])


def test_a_failure_in_here_ends_the_watching_and_not_the_script(run, watched, capfd, monkeypatch):
    net, x = Ours(), torch.rand(B, 6)
    handle = watched(net)
    net(x)
    window(run, steps=T)

    def broken(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("t4dm.live.ring_writer.RingWriter.append", broken)
    net(x)
    until(lambda: not handle.active)
    assert net(x).shape == (T, B, N2) and "No space left" in handle.why
    sentences = [line for line in capfd.readouterr().err.splitlines() if "No space" in line]
    assert len(sentences) == 1 and not net._forward_hooks and not net.lif1._forward_hooks


def test_a_slow_thread_costs_calls_and_never_the_scripts_time(run, watched, monkeypatch):
    net, x = Ours(), torch.rand(B, 6)
    handle = watched(net)
    net(x)
    window(run, steps=T)
    publisher = handle._ref()._publisher
    with publisher.lock:
        for _ in range(100):
            net(x)
        dropped = publisher.dropped
    assert 30 <= dropped <= 40
    until(lambda: SessionClient(run, "w").reader().held()[3] == (101 - dropped) * T)
    net(x)
    found = window(run, steps=(102 - dropped) * T)
    assert any(e["type"] == "note" and "not recorded" in e["text"] for e in found.events)


def test_nothing_that_spikes_is_told_in_one_sentence(run, watched, capfd):
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    handle = watched(net)
    for _ in range(5):
        net(torch.rand(B, 6))
    err = [line for line in capfd.readouterr().err.splitlines() if "no spiking layer" in line]
    assert len(err) == 1 and not handle.active and not paths.ring_path(run, "w").exists()


def test_without_a_dashboard_there_is_one_sentence(run, watched, capfd):
    net = Ours()
    watched(net)
    for _ in range(3):
        net(torch.rand(B, 6))
    err = capfd.readouterr().err.splitlines()
    assert len(err) == 1 and "no dashboard" in err[0] and "goes on" in err[0]


def test_compiled_modules_are_left_alone(run, watched, capfd):
    net = torch.compile(Ours(), backend="eager")
    handle = watched(net)
    assert not handle.active and "compiled" in capfd.readouterr().err
    plain = Ours()
    watched(plain, "plain")
    fast, x = torch.compile(plain.lif1, backend="eager"), torch.rand(B, N1)
    torch.testing.assert_close(fast(x)[0], LIFNeuron(N1)(x)[0])


# -- beginning and end -----------------------------------------------------------------------------


def test_the_manifest_says_what_the_session_can_do(run, watched):
    net = Ours()
    watched(net, params={"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")})
    net(torch.rand(B, 6))
    window(run, steps=T)
    manifest = SessionClient(run, "w").manifest()
    assert manifest["owner"] == "external" and manifest["axis"] == "step"
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
    until(lambda: SessionClient(run, "gone").status()["state"] == "ended")
    t4dm.live.watch(Ours(), "gone").close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "../x"}, "is no name"), ({"name": "default"}, "choose another"),
        ({"every": 0}, "every"), ({"every": True}, "every"), ({"batch_index": -1}, "batch_index"),
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


def test_a_taken_name_is_a_clear_error(run, watched):
    watched(Ours(), "twice")
    with pytest.raises(ValueError, match="'twice' is running already"):
        t4dm.live.watch(Ours(), "twice")


def test_ended_sessions_are_not_kept_for_ever(run, watched):
    for k in range(7):
        with watched(net := Ours(), f"s{k}"):
            net(torch.rand(B, 6))
            window(run, f"s{k}", steps=T)
    assert external_files.names(run) == ["s2", "s3", "s4", "s5", "s6"]


SCRIPT = """
import os, sys, time, torch
import t4dm.live
from tests.unit.live.test_watch import Ours, B
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
        assert until(lambda: client.reader().held())[3] >= T
        until(lambda: client.reader().held()[3] == 2 * T)
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

"""A watched script is left alone: other ranks, threads, copies, failures."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import t4dm.live
from t4dm.live import paths, watch_hooks
from t4dm.live.client import SessionClient
from t4dm.spiking.lif import LIFNeuron
from tests.waiting import eventually
from tests.watched import N1, N2, B, Ours, T, raster, window


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


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_other_ranks_are_left_alone(run, watched, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    net = Ours()
    handle = watched(net)
    assert not handle.active and variable in handle.why and not net._forward_hooks
    assert list(run.iterdir()) == []


class Watching(Dataset):
    """Each item watches a module where it is loaded, and says what came of it."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _: int) -> tuple[bool, str]:
        handle = t4dm.live.watch(Ours(), "inside")
        self.net(torch.rand(B, 6))
        return handle.active, handle.why


def test_a_worker_of_a_data_loader_is_left_alone(run, watched):
    net = Ours()
    handle = watched(net)
    net(torch.rand(B, 6))
    ((active, why),) = DataLoader(Watching(net), num_workers=1)
    assert not active.item() and why == ("this is a worker of a DataLoader",)
    handle.close()  # publishes what waits
    assert window(run, steps=T).n_steps == T and not paths.ring_path(run, "inside").exists()


def test_a_copy_and_a_pickle_are_not_watched(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    handle = watched(net)
    net(x)
    twins = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    for twin in twins:
        twin.seen.clear()
        twin(x)
        assert len(twin.seen) == T
    handle.close()  # publishes what waits
    assert window(run, steps=T).n_steps == T


def test_a_file_of_a_watched_module_needs_nothing_of_ours(run, watched):
    net, x = nn.Sequential(nn.Linear(6, 4), nn.ReLU()), torch.rand(B, 6)
    watched(net)
    data = pickle.dumps(net)
    assert b"t4dm" not in data
    torch.testing.assert_close(pickle.loads(data)(x), net(x))


def test_another_thread_and_a_replica_are_left_alone(run, watched):
    net, x = Ours(), torch.rand(B, 6)
    handle = watched(net)
    net(x)
    replica = net._replicate_for_data_parallel()
    replica.lif1, replica.lif2, replica.fc1, replica.fc2 = net.lif1, net.lif2, net.fc1, net.fc2
    replica.seen = []
    replica(x)
    handle.close()  # publishes what waits
    assert window(run, steps=T).n_steps == T


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
    eventually(lambda: not handle.active)
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
    eventually(lambda: SessionClient(run, "w").reader().held()[3] == (101 - dropped) * T)
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


def test_compiled_modules_are_left_alone(run, watched, capfd, monkeypatch):
    net = torch.compile(Ours(), backend="eager")
    handle = watched(net)
    assert not handle.active and "compiled" in capfd.readouterr().err
    plain = Ours()
    watched(plain, "plain")
    plain(torch.rand(B, 6))
    monkeypatch.setattr(watch_hooks, "_said", set())
    fast, x = torch.compile(plain.lif1, backend="eager", fullgraph=True), torch.rand(B, N1)
    torch.testing.assert_close(fast(x)[0], LIFNeuron(N1)(x)[0])
    assert "compiled" not in capfd.readouterr().err, "it was called outside the watched module"
    plain.lif1.compile(backend="eager")
    for size in (B, B + 1):
        plain(torch.rand(size, 6))
    assert capfd.readouterr().err.count("a compiled module runs no hooks") == 1

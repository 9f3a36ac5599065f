"""A script is not ended by what its machine lacks: ranks, names that are taken, folders that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn

import t4dm.live
from t4dm.live import paths
from t4dm.spiking.lif import LIFNeuron
from tests.watched import B, Ours, T, window


def as_rank(rank: int, folder: str, early: bool) -> None:
    """One process of two, which no launcher has given a RANK; writes what came of its watch."""
    torch.set_num_threads(1)
    os.environ["T4DM_RUN_DIR"] = folder
    net = Ours()
    handle = t4dm.live.watch(net, "mine", budget=None) if early else None
    meeting = f"file://{folder}/meeting"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    if rank == 1 and not early:
        handle = t4dm.live.watch(net, "mine", budget=None)
    torch.distributed.barrier()
    handle = t4dm.live.watch(net, "mine", budget=None) if handle is None else handle
    net(torch.rand(B, 6))
    Path(folder, f"rank{rank}").write_text(f"{handle.active} {handle.name} {handle.why}")
    torch.distributed.barrier()
    handle.close()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("early", [False, True], ids=["", "watched before the group is"])
def test_the_first_rank_of_a_process_group_is_watched_and_no_other(run, early):
    torch.multiprocessing.start_processes(
        as_rank, args=(str(run), early), nprocs=2, start_method="fork"
    )
    told = [(run / f"rank{rank}").read_text() for rank in range(2)]
    assert told[0].startswith("True mine")
    assert told[1].startswith("False mine") and told[1].endswith("only the first rank is watched")


def test_a_taken_name_is_told_and_the_next_one_used(run, watched, capfd):
    nets = [Ours() for _ in range(3)]
    handles = [watched(net, "twice") for net in nets]
    assert [handle.name for handle in handles] == ["twice", "twice-2", "twice-3"]
    for net, handle in zip(nets, handles, strict=True):
        net(torch.rand(B, 6))
        assert window(run, handle.name, steps=T).n_steps == T
    said = [line for line in capfd.readouterr().err.splitlines() if "running already" in line]
    assert len(said) == 2 and "shown as 'twice-2'" in said[0]


def test_a_name_that_the_dashboard_runs_is_taken_too(run, watched):
    paths.supervisor_path(run).write_text('{"sessions": {"mine": {}}}')
    assert watched(Ours(), "mine").name == "mine-2"


def test_a_module_watched_again_under_its_name_begins_anew(run, watched, capfd):
    net, another = Ours(), Ours()
    other, first, second = watched(another), watched(net), watched(net)
    assert (other.name, first.name, second.name) == ("w", "w-2", "w-2")
    assert other.active and second.active and first.why == "watched anew"
    net(torch.rand(B, 6))
    assert window(run, "w-2", steps=T).n_steps == T and len(net._forward_hooks) == 1


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("_Net", "net"),
        ("Ünet", "unet"),
        ("A" * 80, "a" * 40),
        ("网络", "model"),
        ("Default", "model"),
    ],
)
def test_a_name_is_made_of_any_class(run, watched, kind, name):
    made = type(kind, (nn.Module,), {})
    assert watched(made(), None).name == name


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("/proc/nope", "No such file"), ("/tmp/" + "d" * 120, "shorter path"),
        ("/dev/null/x", "Not a directory"), ("/tmp/" + "e" * 300, "too long"),
    ],
)  # fmt: skip
def test_without_a_run_directory_there_is_one_sentence(run, capfd, monkeypatch, folder, words):
    monkeypatch.setenv("T4DM_RUN_DIR", folder)
    net = Ours()
    with t4dm.live.watch(net, "mine") as handle:
        assert net(torch.rand(B, 6)).shape[0] == T
    err = capfd.readouterr().err.splitlines()
    assert not handle.active and words in handle.why and not net._forward_hooks
    assert len(err) == 1 and "the script goes on" in err[0] and words in err[0]


def test_a_threshold_of_each_neuron_is_no_control_and_is_said_to_be_many(run):
    from t4dm.params import param

    layer = LIFNeuron(8)
    layer.v_thresh = torch.ones(8)
    with pytest.raises(ValueError, match="v_thresh of LIFNeuron has 8 values"):
        t4dm.live.watch(nn.Sequential(layer), params={"v_thresh": param(1.0, 0.1, 5, help="x")})

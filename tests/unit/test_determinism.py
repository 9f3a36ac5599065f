"""Every draw comes from a passed generator; threads change no spike."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.settings import StepSettings

ROOT = Path(__file__).resolve().parents[2]
TORCH_DRAWS = {
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "bernoulli",
    "multinomial", "normal", "poisson",
}  # fmt: skip
OWN_GENERATORS = {"Generator", "Philox", "default_rng", "fork_rng", "SeedSequence"}


def unseeded(path: Path) -> list[str]:
    """Calls in a file that draw from a generator nobody passed."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        named = {keyword.arg for keyword in node.keywords}
        if owner == "torch" and name in TORCH_DRAWS and "generator" not in named:
            found.append(ast.unparse(node))
        if owner in ("np.random", "torch.random", "random") and name not in OWN_GENERATORS:
            found.append(ast.unparse(node))
        if owner == "np.random" and name == "default_rng" and not node.args:
            found.append(ast.unparse(node))
        if name in ("normal_", "uniform_", "bernoulli_") and "generator" not in named:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("folder", ["spiking", "learning", "kernels", "stimuli", "live", "qwen"])
def test_every_draw_has_its_generator(folder):
    files = sorted((ROOT / "t4dm" / folder).rglob("*.py"))
    assert files
    assert {path.name: unseeded(path) for path in files if unseeded(path)} == {}


def test_the_library_spikes_the_same_on_one_and_two_threads():
    before, rasters = torch.get_num_threads(), []
    stim = torch.as_tensor(np.random.default_rng(0).random((60, 64)) < 0.1).float()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            stack = CorticalStack(2, 256, 8, seed=2)
            stack.c_in = 9.0
            for block in stack.blocks():
                block.c_out, block.c_l = 8.0, 1.0
            state, settings, rows = stack.init_state(), StepSettings.default(2), []
            for row in stim:
                _, state, probes = stack.step(row, state, settings)
                rows.append(probes["spikes"])
            rasters.append(torch.stack(rows))
    finally:
        torch.set_num_threads(before)
    assert (rasters[0].mean((0, 2)) > 0.001).all()
    assert torch.equal(*rasters)


@pytest.mark.timeout(900)  # the first run compiles the kernels
def test_the_live_engine_spikes_the_same_on_one_and_two_threads(tmp_path):
    before, hashes = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            engine = Engine(StackConfig(2, 32, 4), ParamTree(2), 3, tmp_path / str(threads))
            for n in (64, 7, 64, 1, 64):
                engine.advance(n)
            hashes.append(engine.spike_hash())
            assert engine.arrays.u.any()
    finally:
        torch.set_num_threads(before)
    assert hashes[0] == hashes[1]

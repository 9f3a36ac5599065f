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
IN_PLACE = {
    "normal_", "uniform_", "bernoulli_", "random_", "exponential_", "geometric_", "cauchy_",
    "log_normal_", "trunc_normal_", "orthogonal_", "xavier_normal_", "xavier_uniform_",
    "kaiming_normal_", "kaiming_uniform_",
}  # fmt: skip
DRAW_INSIDE = {  # of torch.nn: their weights, or what they drop, come from the global generator
    "Linear", "Bilinear", "Embedding", "Conv1d", "Conv2d", "RNN", "GRU", "LSTM", "RNNCell", "GRUCell",
    "LSTMCell", "MultiheadAttention", "TransformerEncoderLayer", "Dropout", "dropout", "rrelu",
    "gumbel_softmax",
}  # fmt: skip
OWN_GENERATORS = {"Generator", "Philox", "default_rng", "fork_rng", "SeedSequence"}
FOLDERS = sorted(path.parent.name for path in (ROOT / "t4dm").glob("*/__init__.py"))


NN = ("nn", "torch.nn", "F", "nn.functional")


def draws_in_its_own_way(node: ast.ClassDef) -> bool:
    """Whether a class makes up for what its base would draw."""
    return any(isinstance(n, ast.FunctionDef) and n.name == "reset_parameters" for n in node.body)


def unseeded(text: str) -> list[str]:
    """Calls, and bases of classes, in a module's ``text`` that draw from a generator nobody passed."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and not draws_in_its_own_way(node):
            bases = [ast.unparse(base).rpartition(".") for base in node.bases]
            found += [
                f"class {node.name}({owner}.{name})"
                for owner, _, name in bases
                if owner in NN and name in DRAW_INSIDE
            ]
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        named = {keyword.arg for keyword in node.keywords}
        is_draw = (owner == "torch" and name in TORCH_DRAWS) or name in IN_PLACE
        is_global = owner in ("np.random", "torch.random", "random") and name not in OWN_GENERATORS
        is_unseeded = owner == "np.random" and name == "default_rng" and not node.args
        is_module = owner in NN and name in DRAW_INSIDE
        if (is_draw and "generator" not in named) or is_global or is_unseeded or is_module:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_draw_has_its_generator(folder):
    files = sorted((ROOT / "t4dm" / folder).rglob("*.py"))
    assert files
    found = {path.name: unseeded(path.read_text()) for path in files}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_the_folders_are_all_there_are():
    assert {"spiking", "learning", "kernels", "hippocampal", "brain", "training"} < set(FOLDERS)
    for path in (ROOT / "t4dm").glob("*.py"):
        assert unseeded(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "torch.randn(3)", "w.uniform_(0, 1)", "nn.init.xavier_uniform_(w)", "np.random.rand(3)",
        "np.random.default_rng()", "random.random()", "nn.Linear(3, 4)", "F.dropout(x)",
    ],
)  # fmt: skip
def test_a_draw_without_one_is_seen(line):
    assert unseeded(line) == [line]


def test_a_class_that_draws_through_its_base_is_seen():
    plain = "class Event(nn.Linear):\n    def forward(self, x):\n        return x\n"
    assert unseeded(plain) == ["class Event(nn.Linear)"]
    own = "    def reset_parameters(self, generator=None):\n        self.weight.zero_()\n"
    assert unseeded(plain + own) == unseeded("class Module(nn.Module): pass") == []


def test_a_draw_with_one_is_fine():
    assert unseeded("torch.randn(3, generator=g); w.uniform_(0, 1, generator=g)") == []
    assert unseeded("np.random.default_rng(7); np.random.Generator(bits)") == []


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

"""Compile every kernel once, so that the first start is as quick as the second.

    python -m t4dm.live.warm

A tiny network compiles the same code as a large one: the kernels depend on types, not on sizes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from t4dm.hippocampal import memory_bank
from t4dm.learning.params import STDPParams
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from t4dm.spiking.fused import SpikeLinear, run_lif
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.population import Population


def warm() -> None:
    """Run a small network through every path of the live engine; the compiled code is kept."""
    tree = ParamTree(2)
    with tempfile.TemporaryDirectory(prefix="t4dm-warm-") as folder:
        engine = Engine(StackConfig(n_blocks=2, n_neurons=16), tree, 0, Path(folder))
        engine.advance(64)
        for path, value in (("stdp.mu", 0.5), ("stdp.mode", "three_factor"), ("stdp.mu", 0.0)):
            tree.set(path, value)
            engine.params_changed([path])
            engine.advance(64)
        engine.recurrent(0)
        engine.load_state(engine.state())
        engine.advance(64)


def warm_library() -> None:
    """The kernels of the recurrent population, of training over many steps, and of recall."""
    inputs = np.zeros((4, 8))
    for density in (1.0, 0.5):
        for rule in (None, STDPParams(), STDPParams(mode="three_factor")):
            population = Population(8, density, stdp=rule)
            population.run(inputs)
            _ = population.weights
    drive = SpikeLinear(8, 8)(torch.eye(8).expand(4, 8, 8))
    spikes, _ = run_lif(LIFNeuron(8), drive, time_axis=0)
    spikes.sum().backward()
    place = torch.eye(16)[None]
    bank = memory_bank.write(memory_bank.empty_bank(16, 16), place[0], torch.arange(16))
    memory_bank.recall_along(bank, place, place, 0.5, 2)


if __name__ == "__main__":
    warm()
    warm_library()

"""Runs every compiled path once in this process, and says what of it had to be compiled.

    python -m tests.every_kernel        # {"lazy": ["..."], ...}: signatures compiled on each path

What is loaded from the cache on disk does not count.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numba.core import event

from t4dm.hippocampal import memory_bank
from t4dm.learning.params import STDPParams
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree
from t4dm.spiking.fused import SpikeLinear, run_lif
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.population import Population

LIVE: dict[str, dict[str, Any]] = {
    "live: lazy": {"stdp.window_pre_to_post": 500, "stdp.window_post_to_pre": 500},
    "live: cut windows": {},
    "live: mu": {"stdp.mu": 0.5},
    "live: nearest": {"stdp.pairing": "nearest"},
    "live: three factors": {"stdp.mode": "three_factor"},
    "live: STDP off": {"stdp.enabled": False},
}
UNCUT = {"window_pre_to_post": 500, "window_post_to_pre": 500}
RULES: dict[str, STDPParams | None] = {
    "static": None,
    "lazy": STDPParams(**UNCUT),
    "cut windows": STDPParams(),
    "mu, by replay": STDPParams(mu=0.5),
    "nearest": STDPParams(pairing="nearest"),
    "three factors": STDPParams(mode="three_factor"),
}


class Compiled(event.Listener):
    """Collects what numba compiles."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def on_start(self, event: Any) -> None:
        self.found.append(str(event.data["dispatcher"]))

    def on_end(self, event: Any) -> None: ...


def live(values: dict[str, Any], folder: Path) -> None:
    """The whole live engine, sensory layer and its digits included."""
    tree = ParamTree(2)
    for path, value in values.items():
        tree.set(path, value)
    engine = Engine(StackConfig(n_blocks=2, n_neurons=16), tree, 0, folder)
    engine.advance(64)
    engine.params_changed([spec.path for spec in tree.specs()])
    engine.recurrent(0)
    engine.load_state(engine.state())
    engine.advance(64)


def population(rule: STDPParams | None) -> None:
    for density in (1.0, 0.5):
        made = Population(8, density, stdp=rule)
        made.run(np.full((40, 8), 2.0))
        assert made.weights.shape == (8, 8)


def training() -> None:
    """Workload C: forward and backward over many steps."""
    drive = SpikeLinear(8, 8)(torch.eye(8).expand(4, 8, 8))
    spikes, _ = run_lif(LIFNeuron(8), drive, time_axis=0)
    spikes.sum().backward()


def recall() -> None:
    place = torch.eye(16)[None]
    bank = memory_bank.write(memory_bank.empty_bank(16, 16), place[0], torch.arange(16))
    memory_bank.recall_along(bank, place, place, 0.5, 2)


def paths(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    for name, values in LIVE.items():
        yield name, lambda values=values: live(values, folder)
    for name, rule in RULES.items():
        yield f"population: {name}", lambda rule=rule: population(rule)
    yield "training over many steps", training
    yield "recall", recall


def main() -> None:
    heard = Compiled()
    event.register("numba:compile", heard)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, run in paths(Path(folder)):
            before = len(heard.found)
            run()
            found[name] = heard.found[before:]
    print(json.dumps(found))


if __name__ == "__main__":
    main()

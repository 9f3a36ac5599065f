"""The torch reference driven step by step, with the same commands as an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.engine_weights import set_scales
from t4dm.live.tree import ParamTree
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.neuromod_bus import NeuromodBus
from t4dm.spiking.params import NeuromodParams
from t4dm.spiking.settings import StepSettings
from t4dm.stimuli.registry import make_stimulus

Changes = dict[int, list[tuple[str, Any]]]


class Reference:
    """``CorticalStack.step`` with its own tree, stimulus and neuromodulator bus."""

    def __init__(self, config: StackConfig, seed: int, data_dir: Path) -> None:
        self.tree = ParamTree(config.n_blocks)
        self.stack = CorticalStack(
            config.n_blocks, config.n_neurons, config.n_heads, seed=seed,
            dtype=getattr(torch, config.dtype),
        )  # fmt: skip
        set_scales(self.stack, data_dir)
        self.state = self.stack.init_state()
        self.stimulus = make_stimulus(self.tree, seed, None)
        self.bus = NeuromodBus()
        self.t = 0
        self._read()

    def _read(self) -> None:
        self._settings = StepSettings.from_tree(self.tree)
        names = {name: (f.alias or name) for name, f in NeuromodParams.model_fields.items()}
        self.bus.params = NeuromodParams(
            **{name: self.tree.get(f"neuromod.{path}") for name, path in names.items()}
        )

    def change(self, path: str, value: Any) -> None:
        if path == "inject":
            self.bus.inject(*value)
        elif path == "reward":
            self.bus.inject_reward(value)
        else:
            self.tree.set(path, value)
            self._read()
            self.stimulus.params_changed(self.tree, self.t)

    def step(self) -> dict[str, Any]:
        rows, events, rest = self.stimulus.rows(self.t, 1)
        onset = any(event["type"] == "stimulus" for event in events)
        settings = self._settings.at(self.bus.advance(self.t, onset), bool(rest[0]))
        _, self.state, probes = self.stack.step(torch.from_numpy(rows[0]), self.state, settings)
        self.t += 1
        return {name: value.numpy() for name, value in probes.items()}

    def recurrent(self, block: int) -> np.ndarray:
        return self.stack.blocks()[block].recurrent.weight.detach().numpy()


def change(engine: Engine, path: str, value: Any) -> None:
    """The same change to an engine."""
    if path == "inject":
        engine.inject(*value)
    elif path == "reward":
        engine.reward(value)
    else:
        engine.tree.set(path, value)
        engine.params_changed([path])


def segments(engine: Engine, steps: int, changes: Changes, chunks: np.random.Generator):
    """Advance to ``steps`` in random chunks, making the changes when their step comes."""
    while engine.step < steps:
        for item in changes.get(engine.step, []):
            change(engine, *item)
        ahead = min([t for t in changes if t > engine.step] + [steps])
        yield engine.advance(min(int(chunks.integers(1, 65)), ahead - engine.step))

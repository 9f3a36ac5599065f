"""The torch reference driven step by step, with the same commands as an engine.

The sensory layer's twin tells from the events alone, step by step, what is shown and what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm.learning.readout import Readout
from t4dm.learning.stdp import HISTORY
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.engine_sensory import feed_rows, reward_of, sensory_layer
from t4dm.live.engine_weights import set_scales
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.neuromod_bus import NeuromodBus
from t4dm.spiking.params import NeuromodParams
from t4dm.spiking.sensory_params import SensoryParams
from t4dm.spiking.settings import StepSettings
from t4dm.step_length import STEP_MS
from t4dm.stimuli.registry import make_stimulus

Changes = dict[int, list[tuple[str, Any]]]
Step = Callable[[Segment, int, np.ndarray, dict[str, Any]], None]
ALL_KINDS: Changes = {
    100: [("lif.v_thresh", 1.05)],
    200: [("inject", ("DA", 0.4)), ("reward", -0.5)],
    300: [("stdp.tau_plus", 12.0), ("stdp.window_pre_to_post", 30)],
    400: [("stdp.w_max", 0.4)],
    500: [("stdp.mu", 0.4)],
    600: [("stdp.mu", 0.0), ("stdp.window_pre_to_post", 500)],
    700: [("neuromod.5HT", 0.9), ("stdp.pairing", "nearest")],
    800: [("stdp.mode", "three_factor"), ("neuromod.DA", 0.7), ("stdp.pairing", "all_to_all")],
    900: [("stdp.mode", "modulated"), ("stdp.learning_rate", 3.0)],
    950: [("stdp.window_post_to_pre", 25), ("homeostasis.learning_rate", 0.02)],
    1100: [("stdp.enabled", False)],
    1150: [("stdp.enabled", True), ("stdp.da_gate", 0.6), ("neuromod.DA", None)],
    1200: [("stdp.da_gate", 0.0), ("stdp.tau_minus", 33.0)],
    1300: [("blocks.1.lif_in.alpha", 0.8), ("gate.bias", 0.3), ("rwkv.decay", 2.0)],
    1400: [("attention.tau", 20.0), ("attention.sharpness", 2.0), ("apical.gain", 1.5)],
    1450: [("recurrent.gain", 1.5), ("input.gain", 1.3), ("lif.beta", 0.9), ("lif.u_max", 0.9)],
    1500: [("stdp.w_max", 2.0), ("stdp.a_plus", 0.02), ("stdp.a_minus", 0.012)],
    1600: [("stimulus.kind", "noise"), ("neuromod.update_freq", 7)],
    1700: [("stdp.mode", "three_factor"), ("stdp.mu", 1.0), ("stdp.pairing", "nearest")],
    1800: [("stdp.mode", "modulated"), ("stdp.mu", 0.0), ("stdp.pairing", "all_to_all")],
    1650: [("stimulus.kind", "digits"), ("sensory.learning_rate", 2.0), ("sensory.gain", 0.3)],
    1750: [("sensory.enabled", False)],
    1790: [("sensory.enabled", True), ("sensory.feed", 3.0), ("sensory.inhibition", 1.0)],
    1860: [("sensory.stdp", False), ("sensory.x_target", 0.1)],
    1880: [
        ("homeostasis.target_rate", 0.5), ("homeostasis.learning_rate", 1.0), ("lif.v_thresh", 3.0),
    ],
    1890: [("lif.v_thresh", 0.05), ("homeostasis.learning_rate", 0.0)],
}  # fmt: skip
"""Every kind of change, and every way to compute STDP, in 2000 steps."""
FEW: Changes = {
    200: [("lif.v_thresh", 1.1)],
    400: [("stdp.w_max", 0.6)],
    600: [("neuromod.DA", 0.9)],
}


class SensoryReference:
    """``SensoryLayer.step`` with its read-out, one step at a time."""

    def __init__(self, config: StackConfig, seed: int, bus: NeuromodBus, dt: float) -> None:
        self.dt = dt
        dtype = getattr(torch, config.dtype)
        self.layer = sensory_layer(config.n_sensory, seed, dtype)
        self.rows = feed_rows(config.n_sensory, config.n_neurons, seed, dtype)
        self.state = self.layer.init_state()
        self.readout, self.bus = Readout(config.n_sensory), bus
        self.counts = np.zeros(config.n_sensory)
        self.forget()

    def forget(self) -> None:
        self.event: dict[str, Any] | None = None  # what is shown
        self.frozen = False

    def before(self, t: int, events: list[dict[str, Any]], params: SensoryParams) -> None:
        """What begins and ends at step ``t``, before dopamine of that step is known."""
        if not params.enabled:
            self.forget()
            return
        for event in events:
            if event["type"] in ("stimulus", "rest"):
                self._turn(event)
        shown = self.event
        if shown is None or shown.get("split") != "train" or not params.reward:
            return
        if t % 8 == 0 and 0 <= t - (shown["step"] + params.answer_ms / self.dt) < 8:
            self.bus.observe_reward(
                reward_of(self.readout.answer(self.counts), int(shown["label"]))
            )

    def _turn(self, event: dict[str, Any]) -> None:
        if self.event is not None and self.event.get("split") == "train":
            self.readout.observe(self.counts, int(self.event["label"]))
        begins = event["type"] == "stimulus"
        self.event = event if begins else None
        if begins:
            self.counts[:] = 0
            self.frozen = event.get("split") == "held_out"

    def step(self, stim: np.ndarray, params: SensoryParams, da: float) -> tuple[Any, torch.Tensor]:
        """What the layer does, and what it adds to the input of block 0 (D,)."""
        nothing = torch.zeros_like(self.rows[0])
        if not params.enabled:
            return None, nothing
        made = self.layer.step(
            torch.from_numpy(stim), self.state, params, da, not self.frozen, self.dt
        )
        self.state = made.state
        if made.winner < 0:
            return made, nothing
        self.counts[made.winner] += 1
        return made, params.feed * self.rows[made.winner]


class Reference:
    """``CorticalStack.step`` with its own tree, stimulus and neuromodulator bus."""

    def __init__(self, config: StackConfig, seed: int, data_dir: Path, dt: float = STEP_MS) -> None:
        self.tree = ParamTree(config.n_blocks, dt=dt)
        self.stack = CorticalStack(
            config.n_blocks, config.n_neurons, config.n_heads, seed=seed,
            dtype=getattr(torch, config.dtype),
        )  # fmt: skip
        set_scales(self.stack, data_dir, dt)
        self.state = self.stack.init_state(int(HISTORY / dt))
        self.stimulus = make_stimulus(self.tree, seed, None)
        self.bus = NeuromodBus(dt=dt)
        self.sensory = SensoryReference(config, seed, self.bus, dt)
        self.t = 0
        self._read()

    def _read(self) -> None:
        self._settings = StepSettings.from_tree(self.tree)
        names = {name: (f.alias or name) for name, f in NeuromodParams.model_fields.items()}
        self.bus.params = NeuromodParams(
            **{name: self.tree.get(f"neuromod.{path}") for name, path in names.items()}
        )
        values = {name: self.tree.get(f"sensory.{name}") for name in SensoryParams.model_fields}
        values["stdp"] &= self.tree.get("stdp.enabled")
        self.sensory_params = SensoryParams(**values)

    def change(self, path: str, value: Any) -> None:
        if path == "inject":
            self.bus.inject(*value)
        elif path == "reward":
            self.bus.inject_reward(value)
        else:
            self.tree.set(path, value)
            self._read()
            kind = self.stimulus.kind
            self.stimulus.params_changed(self.tree, self.t)
            if self.stimulus.kind != kind:
                self.sensory.forget()

    def step(self) -> dict[str, Any]:
        rows, events, rest = self.stimulus.rows(self.t, 1)
        onset = any(event["type"] == "stimulus" for event in events)
        self.sensory.before(self.t, events, self.sensory_params)
        levels = self.bus.advance(self.t, onset)
        row = rows[0] * np.float32(self.stimulus.share)
        made, feed = self.sensory.step(row, self.sensory_params, levels["DA"])
        settings = self._settings.at(levels, bool(rest[0]))
        _, self.state, probes = self.stack.step(
            torch.from_numpy(row),
            self.state,
            settings,
            settings.input_gain * self.stack.c_in * feed,
        )
        self.t += 1
        return {name: value.numpy() for name, value in probes.items()} | {"sensory": made}

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


def segments(
    engine: Engine, steps: int, changes: Changes, chunks: np.random.Generator
) -> Iterator[Segment]:
    """Advance to ``steps`` in random chunks, making the changes when their step comes."""
    while engine.step < steps:
        for item in changes.get(engine.step, []):
            change(engine, *item)
        ahead = min([t for t in changes if t > engine.step] + [steps])
        yield engine.advance(min(int(chunks.integers(1, 65)), ahead - engine.step))


def follow(
    engine: Engine, reference: Reference, steps: int, changes: Changes, look: Step
) -> set[str]:
    """Call ``look(segment, row, ids that fired in the engine, probes of the reference)`` each step.

    Returns the ways in which STDP was computed.
    """
    paths = set()
    for segment in segments(engine, steps, changes, np.random.default_rng(5)):
        paths.add(engine.stdp_path)
        ends = np.cumsum(np.concatenate(([0], segment.spk_n.astype(int))))
        for k in range(segment.step1 - segment.step0):
            for item in changes.get(reference.t, []):
                reference.change(*item)
            look(segment, k, segment.spk_id[ends[k] : ends[k + 1]], reference.step())
    return paths


def rate_errors(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, np.ndarray]:
    """How far spike counts (G,) of all groups together, and of each that fires, differ, as shares."""
    fires = theirs > 0
    each = np.abs(ours[fires] / theirs[fires] - 1)
    return float(abs(ours.sum() / theirs.sum() - 1)), each


class Agreement:
    """How far an engine and the reference agree, step after step."""

    def __init__(self, engine: Engine, reference: Reference) -> None:
        self.engine, self.reference = engine, reference
        self.first_flip: int | None = None
        self.largest_weight_gap = 0.0
        self.lowest_theta = np.inf
        self.spikes = np.zeros((2, engine.n_stages + 1))  # engine, reference
        self.first = engine.n_stages * engine.config.n_neurons  # id of the first sensory neuron

    def look(self, segment: Segment, k: int, ids: np.ndarray, probes: dict[str, Any]) -> None:
        spikes = probes["spikes"]
        self.spikes[0] += segment.rates[k]
        made = probes["sensory"]
        winner = -1 if made is None else made.winner
        fired = [] if winner < 0 else [self.first + winner]
        self.spikes[1] += [*spikes.sum(1), len(fired)]
        self.lowest_theta = min(self.lowest_theta, float(segment.theta[k].min()))
        same = np.array_equal(ids, [*np.flatnonzero(spikes.reshape(-1)), *fired])
        if self.first_flip is None and not same:
            self.first_flip = segment.step0 + k
        if k == segment.step1 - segment.step0 - 1 and self.first_flip is None:
            for block in range(self.engine.config.n_blocks):
                gap = np.abs(self.engine.recurrent(block) - self.reference.recurrent(block)).max()
                self.largest_weight_gap = max(self.largest_weight_gap, float(gap))
            theirs = self.reference.sensory.layer.weight.numpy()
            gap = np.abs(self.engine.sensory.arrays.weight - theirs).max()
            self.largest_weight_gap = max(self.largest_weight_gap, float(gap))

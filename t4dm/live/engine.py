"""The live engine: the cortical stack in chunks of steps, on compiled kernels, on one thread.

The same network as ``t4dm.spiking.cortical_stack.CorticalStack.step``, which is its readable twin and
against which it is tested.  One seed gives one spike hash whatever the chunk sizes, pauses and resumes.
No clock here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from t4dm.kernels.neuromod import advance_levels
from t4dm.kernels.products import TILE
from t4dm.kernels.stack_arrays import (
    CHUNK,
    PATHS,
    State,
    empty_output,
    empty_state,
    empty_work,
)
from t4dm.live.engine_faults import first_fault, is_due
from t4dm.live.engine_network import Feed, Network
from t4dm.live.engine_output import describe, segment_of
from t4dm.live.engine_sensory import Sensory, Values
from t4dm.live.engine_settings import read_levels, read_settings
from t4dm.live.engine_weights import read_weights, recurrent_weights, set_scales
from t4dm.live.groups import Layout
from t4dm.live.segment import Segment
from t4dm.live.tree import ParamTree
from t4dm.live.view import default_membranes
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.params import NEUROMODULATORS
from t4dm.stimuli.registry import make_stimulus

MAX_IDS = 65_535


@dataclass(frozen=True, slots=True)
class StackConfig:
    """Size and precision of a stack."""

    n_blocks: int = 6
    n_neurons: int = 256
    n_heads: int = 8
    dtype: Literal["float32", "float64"] = "float32"
    n_sensory: int = 256

    def __post_init__(self) -> None:
        few = self.n_blocks < 1 or self.n_neurons < 8 or self.n_sensory < 1
        if few or self.n_total > MAX_IDS:
            raise ValueError(
                f"n_blocks >= 1, n_neurons >= 8, n_sensory >= 1 and at most {MAX_IDS} ids, "
                f"got {self.n_total}"
            )
        if self.n_neurons % (2 * self.n_heads) or self.n_neurons % 4:
            raise ValueError("n_neurons must be a multiple of 4 and of 2 * n_heads")

    @property
    def n_total(self) -> int:
        """Neurons of all stages and of the sensory layer, which comes last."""
        return 2 * self.n_blocks * self.n_neurons + self.n_sensory


class Engine:
    """A running stack.  ``bad`` is None, or (tensor, step) once a value was NaN or Inf."""

    def __init__(
        self, config: StackConfig, tree: ParamTree, seed: int, data_dir: Path | None
    ) -> None:
        self.config, self.tree, self.data_dir = config, tree, data_dir
        self.dt = tree.dt
        self.n_stages = 2 * config.n_blocks
        self._real = np.dtype(config.dtype)
        self._network: Network | None = None
        self._sensory: Sensory | None = None
        self._watch: list[int] = []
        self.watch = default_membranes(self.n_stages, config.n_neurons)
        self.reset(seed)

    # -- begin ---------------------------------------------------------------------------------

    def reset(self, seed: int) -> None:
        """State, weights, random streams and time from ``seed``; parameters are kept."""
        config = self.config
        stack = CorticalStack(
            config.n_blocks, config.n_neurons, config.n_heads, seed=seed,
            dtype=getattr(torch, config.dtype),
        )  # fmt: skip
        set_scales(stack, self.data_dir, self.dt)
        self.stimulus = make_stimulus(self.tree, seed, self.data_dir)
        self.seed, self.step = seed, 0
        weights = read_weights(stack)
        self.n_exc = int(weights.n_exc[0])
        self.arrays: State = empty_state(
            config.n_blocks, config.n_neurons, self.n_exc, config.n_heads, self._real, self.dt
        )
        self.arrays.w_rec[:] = recurrent_weights(stack)
        self.arrays.w_hi[0] = self.tree.get("stdp.w_max")
        self._work = empty_work(
            config.n_blocks, config.n_neurons, self.n_exc, config.n_heads, self._real, self.dt
        )
        self._network = Network(weights, self.arrays, self._work)
        self._sensory = Sensory(
            config.n_sensory, seed, self._real, Values(self.tree), config.n_neurons
        )
        self._events: list[dict[str, Any]] = []
        self.bad: tuple[str, int] | None = None
        self._read_tree()
        self.arrays.levels[:] = self._levels.base
        self._network.begin_path(0)
        self._groups = Layout.from_json(self.describe()["groups"]).text

    def _read_tree(self) -> None:
        self._settings = read_settings(self.tree, self._real)
        self._levels = read_levels(self.tree)
        self._wire()

    def _wire(self) -> None:
        if self._network is not None:
            self._network.wire(self._settings, self._out, self._watched[:-1])
            self.sensory.values = Values(self.tree)
            self.sensory.watch(self._watched[-1], self._out.u)

    @property
    def sensory(self) -> Sensory:
        """The plastic sensory layer."""
        assert self._sensory is not None
        return self._sensory

    @property
    def network(self) -> Network:
        """The arrays wired to the kernels."""
        assert self._network is not None
        return self._network

    # -- changes between two steps -------------------------------------------------------------

    @property
    def watch(self) -> list[int]:
        """Ids of the neurons whose membrane is recorded, in the order of ``Segment.u``."""
        return self._watch

    @watch.setter
    def watch(self, neurons: Sequence[int]) -> None:
        n, total = self.config.n_neurons, self.config.n_total
        outside = [i for i in neurons if not 0 <= i < total]
        if outside:
            raise ValueError(f"neuron ids must be 0 to {total - 1}, got {outside[0]}")
        self._watch = list(neurons)
        groups = [min(i // n, self.n_stages) for i in neurons]
        where = [(c, g, i - g * n) for c, (g, i) in enumerate(zip(groups, neurons, strict=True))]
        self._watched = [
            np.array([(c, i) for c, group, i in where if group == g], np.int64).reshape(-1, 2)
            for g in range(self.n_stages + 1)
        ]
        blocks, heads = self.config.n_blocks, self.config.n_heads
        self._out = empty_output(blocks, n, heads, len(neurons), more=1, dt=self.dt)
        self._wire()

    def params_changed(self, paths: Iterable[str]) -> None:
        """Take the tree's values from the next step on; weights and time stay.

        Raises ParamError, and changes nothing, where the stimulus refuses its new parameters.
        """
        groups = {path.split(".")[0] for path in paths}
        if "stimulus" in groups:
            kind = self.stimulus.kind
            self.stimulus.params_changed(self.tree, self.step)
            if self.stimulus.kind != kind:
                self.sensory.forget_shown()
        if "stdp" not in groups:
            self._read_tree()
            return
        self.network.settle(self.step)
        self._read_tree()
        self.arrays.w_hi[0] = max(self._w_hi, self.tree.get("stdp.w_max"))
        self.network.begin_path(self.step)

    def inject(self, nt: str, level: float) -> dict[str, Any]:
        """Add a bolus at the next update of the levels; returns the event."""
        self.arrays.boluses[NEUROMODULATORS.index(nt)] += level
        return self._event("inject", nt=nt, level=float(level))

    def reward(self, value: float) -> dict[str, Any]:
        """The manual reward: DA += reward_gain * value, whatever was expected; returns the event."""
        r_hat = float(self.arrays.reward[1])
        self.arrays.reward[:] = value, r_hat, value - r_hat
        self.arrays.boluses[0] += self._levels.reward_gain * value
        return self._event("reward", r=float(value), r_hat=r_hat, delta=float(value) - r_hat)

    def _event(self, kind: str, **more: Any) -> dict[str, Any]:
        event = {"type": kind, "step": self.step, "t_ms": self.step * self.dt, **more}
        self._events.append(event)
        return event

    # -- time ----------------------------------------------------------------------------------

    def advance(self, n: int) -> Segment:
        """The next ``n`` steps, 1 to CHUNK (64)."""
        if not 1 <= n <= CHUNK:
            raise ValueError(f"advance takes 1 to {CHUNK} steps, got {n}")
        step0 = self.step
        rows, events, rest = self.stimulus.rows(step0, n)
        onset = np.zeros(n, np.bool_)
        for event in events:
            if event["type"] == "stimulus":
                onset[event["step"] - step0] = True
        acting = rows if self.stimulus.share == 1.0 else rows * np.float32(self.stimulus.share)
        self._load_rows(acting)
        levels, arrays, out = self._levels, self.arrays, self._out

        def release(a: int, b: int) -> None:
            advance_levels(
                step0 + a, b - a, arrays.levels, arrays.boluses, levels.enabled, levels.every,
                levels.base, levels.keep, levels.held, onset[a:b], levels.onset_dose,
                out.levels[a:b], out.gains[a:b],
            )  # fmt: skip

        told = self.sensory.advance(step0, acting, events, out.levels[:, 0], release, self._observe)
        n_spikes = self._run_stack(step0, n, rest)
        self.step = step0 + n
        self._check(step0)
        mine, self._events = self._events, []
        return self._shown(n, n_spikes, rows, events + told + mine)

    def _run_stack(self, step0: int, n: int, rest: np.ndarray) -> int:
        """The blocks, fed by the sensory layer's spikes of these steps; returns the spikes."""
        sensory = self.sensory
        sensory.write(self._out, n, self.n_stages)
        feed = Feed(sensory.out.winner, sensory.feed_rows, sensory.values.feed)
        return self.network.advance(step0, n, rest, feed)

    def _observe(self, r: float) -> dict[str, float]:
        """A reward from the task: DA += reward_gain * (r - r_hat), and r_hat learns."""
        r_hat = float(self.arrays.reward[1])
        delta = r - r_hat
        self.arrays.reward[:] = r, r_hat + self._levels.reward_rate * delta, delta
        self.arrays.boluses[0] += min(1.0, max(-1.0, self._levels.reward_gain * delta))
        return {"r": r, "r_hat": r_hat, "delta": delta}

    def _shown(
        self, n: int, n_spikes: int, rows: np.ndarray, events: list[dict[str, Any]]
    ) -> Segment:
        """The segment of the last ``n`` steps."""
        meta = {
            "groups": self._groups,
            "dt": self.dt,
            "watch": list(self._watch),
            "w_hi": self._w_hi,
            "w_max": float(self.tree.get("stdp.w_max")),
            "w_shown": self.sensory.values.w_shown,
            "learned": self.sensory.told(),
            "stdp_path": self.stdp_path,
            "events": sorted(events, key=lambda event: event["step"]),
        }
        return segment_of(self._out, self.step - n, n, n_spikes, rows, meta, self.sensory)

    @property
    def _w_hi(self) -> float:
        return float(self.arrays.w_hi[0])

    def _load_rows(self, rows: np.ndarray) -> None:
        first = self.step % TILE
        stim = self._work.stim
        stim[:first] = 0
        stim[first : first + len(rows)] = rows
        stim[first + len(rows) :] = 0

    # -- faults --------------------------------------------------------------------------------

    def _check(self, step0: int) -> None:
        """Look for NaN and Inf; a fault is kept in ``bad`` and becomes an event.

        Every membrane of every step is looked at, the whole state every LOOK_EVERY steps.
        """
        self._out.strange[-1] = self.sensory.out.strange
        strange = self._out.strange[:, 0]
        self.bad = None
        if (strange < 0).all() and not is_due(step0, self.step):
            return
        tensor = self.sensory.fault() or first_fault(self.arrays, strange[: self.n_stages])
        if tensor is not None:
            seen = strange[strange >= 0]
            step = int(seen.min()) if len(seen) else self.step - 1
            self.bad = (tensor, step)
            self._events.append(
                {"type": "nan", "step": step, "t_ms": step * self.dt, "tensor": tensor}
            )

    # -- reading -------------------------------------------------------------------------------

    def recurrent(self, block: int) -> np.ndarray:
        """A copy (N, N), pre-major, of the true recurrent weights of ``block`` as of now."""
        return self.network.recurrent(block, self.step, self._settings.rule)

    @property
    def stdp_path(self) -> str:
        """How STDP is computed with the parameters in force."""
        return PATHS[self._settings.rule.plan[0]]

    def spike_hash(self) -> str:
        """Sixteen hex digits: every (step, ids) since reset."""
        return f"{int(self.arrays.hashed[0]):016x}"

    def describe(self) -> dict[str, Any]:
        """Groups, probes and constants for the manifest."""
        return describe(self.config, self.n_exc, self._w_hi, self.dt) | {
            "config": asdict(self.config)
        }

    # -- state ---------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all that a resumed run needs, parameters apart; bit for bit."""
        saved = {name: array.copy() for name, array in self._kept().items()}
        text = json.dumps({"stimulus": self.stimulus.state(), "events": self._events})
        return saved | {
            "step": np.array([self.step], np.int64),
            "seed": np.array([self.seed], np.int64),
            "json": np.frombuffer(text.encode(), np.uint8).copy(),
        }

    def _kept(self) -> dict[str, np.ndarray]:
        mine = self.sensory.kept().items()
        return self.arrays._asdict() | {f"sensory_{name}": array for name, array in mine}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on where :meth:`state` stood; the tree must hold the parameters of that moment.

        Raises ValueError, and changes nothing, when the arrays are those of another network.
        """
        for name, array in self._kept().items():
            found = state.get(name)
            if found is None or found.shape != array.shape or found.dtype != array.dtype:
                raise ValueError(f"the saved state does not fit this network: {name}")
        seed = int(state["seed"][0])
        if seed != self.seed:
            self.reset(seed)
        for name, array in self._kept().items():
            array[...] = state[name]
        self.step = int(state["step"][0])
        rest = json.loads(state["json"].tobytes())
        self.stimulus.load_state(rest["stimulus"])
        self._events = rest["events"]
        self.bad = None
        self._read_tree()

    snapshot = state
    restore = load_state

"""A given input run on a copy of the model: what every stage does with it, the live run untouched.

The main loop copies the engine's state and goes on; a thread gives the copy to a twin engine of the
same size and runs the input there.  The kernels run without the interpreter's lock, and at most
MAX_STEPS steps are taken, so that the live run keeps its pace.
"""

from __future__ import annotations

import copy
import queue
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.kernels.stack_arrays import CHUNK
from t4dm.live.engine import Engine
from t4dm.live.engine_network import Feed
from t4dm.live.segment import GATE_EVERY, GATE_FULL, STIM_WIDTH, Segment
from t4dm.live.server import Request, failure
from t4dm.live.trace_limits import MAX_ABS, MAX_STEPS, MAX_WAITING
from t4dm.live.tree import ParamTree
from t4dm.live.view import default_membranes
from t4dm.params import ParamError
from t4dm.spiking.params import GAINS, NEUROMODULATORS


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows (T, 64) of a stimulus, or (T, N) as current into block 0; ids whose membrane is wanted."""

    rows: np.ndarray
    kind: str = "stimulus"
    neurons: list[int] | None = None
    verbose: bool = False

    @classmethod
    def parse(cls, body: Any, n: int, total: int) -> Asked:
        """From ``{"input", "as"?, "steps"?, "neurons"?, "verbose"?}``; raises :class:`ParamError`.

        ``n`` are the neurons of a stage, ``total`` those of the session.
        """
        rows, kind = _rows(body["input"], body.get("as"), n)
        steps = body.get("steps")
        if steps is not None and len(rows) == 1:
            rows = np.repeat(rows, int(steps), axis=0)
        elif steps is not None and steps != len(rows):
            message = f"steps: the input has {len(rows)} rows, one a step; leave steps out"
            raise ParamError("steps", message, lo=len(rows), hi=len(rows))
        if len(rows) > MAX_STEPS:
            raise ParamError("input", f"input: at most {MAX_STEPS} steps", lo=1, hi=MAX_STEPS)
        neurons = body.get("neurons")
        if neurons is not None and not all(0 <= k < total for k in neurons):
            message = f"neurons: ids are 0 to {total - 1}"
            raise ParamError("neurons", message, lo=0, hi=total - 1)
        return cls(rows, kind, neurons, bool(body.get("verbose")))


def _rows(given: Any, asked: str | None, n: int) -> tuple[np.ndarray, str]:
    """The rows, and whether they are ``stimulus`` or ``current``: as ``asked``, or by their width."""
    listed = given if given and isinstance(given[0], list) else [given]
    widths = {len(row) for row in listed}
    valid = {"stimulus": STIM_WIDTH, "current": n}
    if asked is not None:
        valid = {asked: valid[asked]}
    kind = next((kind for kind, width in valid.items() if widths == {width}), None)
    if kind is None:
        what = {"stimulus": "stimulus values", "current": "currents into block 0"}
        each = ", or ".join(f"{width} {what[kind]}" for kind, width in valid.items())
        message = f"input: each row is {each}"
        raise ParamError("input", message, choices=[str(width) for width in valid.values()])
    rows = np.array(listed, np.float32)
    if not np.isfinite(rows).all() or (np.abs(rows) > MAX_ABS).any():
        message = f"input: expected numbers from {-MAX_ABS:g} to {MAX_ABS:g}"
        raise ParamError("input", message, lo=-MAX_ABS, hi=MAX_ABS)
    return rows, kind


class Given:
    """The rows of a request in place of the stimulus; no onset, no rest."""

    kind, share = "given", 1.0

    def __init__(self, rows: np.ndarray, step0: int) -> None:
        self._rows, self._step0 = rows, step0

    def rows(self, step0: int, n: int) -> tuple[np.ndarray, list[Any], np.ndarray]:
        """As :meth:`t4dm.stimuli.registry.Stimulus.rows`."""
        at = step0 - self._step0
        return self._rows[at : at + n], [], np.zeros(n, np.bool_)

    def params_changed(self, tree: ParamTree, step: int) -> None:
        """Nothing of it is a parameter."""

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """It has none."""


class Twin(Engine):
    """An engine that takes its input from a request."""

    current: np.ndarray | None = None  # (T, N) into block 0, from step ``first`` on
    first = 0

    def take(self, state: dict[str, np.ndarray], values: dict[str, Any], asked: Asked) -> None:
        """Stand where ``state`` stands, with ``asked`` to come."""
        self.current = None
        self.tree.replace(values)
        self.load_state(state)
        self._events = []
        self.first = self.step
        rows = asked.rows
        if asked.kind == "current":
            self.current = rows.astype(self._real)
            rows = np.zeros((len(rows), STIM_WIDTH), np.float32)
        self.stimulus = Given(rows, self.step)  # type: ignore[assignment]
        self.sensory.forget_shown()
        usual = default_membranes(self.n_stages, self.config.n_neurons)
        self.watch = usual if asked.neurons is None else asked.neurons

    def _run_stack(self, step0: int, n: int, rest: np.ndarray) -> int:
        if self.current is None:
            return super()._run_stack(step0, n, rest)
        self.sensory.write(self._out, n, self.n_stages)
        at = step0 - self.first
        settings, weights = self.network.settings, self.network.weights
        self.network.settings = settings._replace(input_gain=1.0)
        feed = Feed(
            np.arange(n, dtype=np.int32), np.ascontiguousarray(self.current[at : at + n]),
            1.0 / float(weights.c_in[0]),
        )  # fmt: skip
        try:
            return self.network.advance(step0, n, rest, feed)
        finally:
            self.network.settings = settings


def run(twin: Twin, asked: Asked) -> dict[str, Any]:
    """Every step of ``asked`` on ``twin``: what goes into the answer."""
    segments = []
    left = len(asked.rows)
    while left:
        n = min(left, CHUNK - twin.step % 8)
        segments.append(twin.advance(n))
        left -= n
    answer = _stages(twin, segments)
    answer |= _membranes(twin, segments)
    if asked.verbose:
        answer |= _verbose(twin, segments)
    if twin.bad is not None:
        answer["not_finite"] = {"tensor": twin.bad[0], "step": twin.bad[1]}
    return answer


def _join(segments: list[Segment], name: str) -> np.ndarray:
    return np.concatenate([getattr(segment, name) for segment in segments])


def _stages(twin: Twin, segments: list[Segment]) -> dict[str, Any]:
    rates, theta = _join(segments, "rates"), _join(segments, "theta")
    clamped = _join(segments, "clamped")
    stages = []
    for g, group in enumerate(segments[-1].layout.groups):
        spikes = rates[:, g]
        stages.append(
            {
                "group": group.name, "block": group.block, "stage": group.stage, "n": group.n,
                "spikes": spikes.tolist(),
                "spike_rate": round(float(spikes.mean()) / group.n, 6),
                "theta": _plain(theta[:, g]),
                "clamped": int(clamped[:, g].sum()),
            }
        )  # fmt: skip
    first = segments[0].step0
    return {
        "from_step": first, "steps": len(rates),
        "time_ms": (np.arange(first, first + len(rates)) * twin.dt).tolist(),
        "input": "stimulus" if twin.current is None else "current", "stages": stages,
    }  # fmt: skip


def _membranes(twin: Twin, segments: list[Segment]) -> dict[str, Any]:
    u = _join(segments, "u")
    layout = segments[-1].layout
    fired = _spikes_of(segments, twin.watch)
    return {
        "membranes": [
            {"neuron": neuron, "name": layout.neuron_name(neuron), "u_pre": _plain(u[:, k]),
             "spiked": fired[:, k].tolist()}
            for k, neuron in enumerate(twin.watch)
        ]
    }  # fmt: skip


def _spikes_of(segments: list[Segment], neurons: list[int]) -> np.ndarray:
    """(T, K) whether each of ``neurons`` fired."""
    ids, counts = _join(segments, "spk_id"), _join(segments, "spk_n")
    steps = np.repeat(np.arange(len(counts)), counts)
    fired = np.zeros((len(counts), len(neurons)), bool)
    for k, neuron in enumerate(neurons):
        fired[steps[ids == neuron], k] = True
    return fired


def _verbose(twin: Twin, segments: list[Segment]) -> dict[str, Any]:
    """Who fired in every step, and what modulated it."""
    ids, counts = _join(segments, "spk_id"), _join(segments, "spk_n")
    levels, gains = _join(segments, "levels"), _join(segments, "gains")
    gate = _join(segments, "gate").astype(np.float32).mean(axis=2) * (GATE_FULL / 255)
    steps = np.arange(segments[0].step0, segments[-1].step1)
    return {
        "spike_ids": [part.tolist() for part in np.split(ids, np.cumsum(counts)[:-1])],
        "levels": {nt: _plain(levels[:, k]) for k, nt in enumerate(NEUROMODULATORS)},
        "gains": {name: _plain(gains[:, k]) for k, name in enumerate(GAINS)},
        "gate_ms": (steps[steps % GATE_EVERY == 0] * twin.dt).tolist(),
        "gate": {str(b): _plain(gate[:, b]) for b in range(gate.shape[1])},
    }


def _plain(values: np.ndarray) -> list[float]:
    return np.round(values.astype(np.float64), 6).tolist()


@dataclass(slots=True)
class _Job:
    request: Request
    asked: Asked
    state: dict[str, np.ndarray]
    values: dict[str, Any]
    where: dict[str, Any] = field(default_factory=dict)


class Tracer:
    """One thread with one twin; MAX_WAITING requests wait at most."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[_Job] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._twin: Twin | None = None

    def ask(self, engine: Any, request: Request, where: dict[str, Any]) -> dict[str, Any] | None:
        """Take ``request``, to be answered by the thread; or the refusal, to be answered at once.

        What the thread needs is copied here, between two steps of ``engine``.
        """
        if not isinstance(engine, Engine):
            return failure("not_offered", "session_id", "this session's model is not copied")
        try:
            size = engine.config.n_neurons, engine.config.n_total
            asked = Asked.parse(request.body, *size)
            if self._jobs.full():
                return failure("busy", "body", f"{MAX_WAITING} traces are waiting; try again")
            values = engine.tree.non_default()
            self._jobs.put_nowait(_Job(request, asked, engine.state(), values, where))
        except ParamError as error:
            return {"ok": False, "error": {"code": "invalid", **error.to_json()}}
        except (KeyError, TypeError, ValueError):
            return failure("invalid", "body", "a trace has an input of rows of numbers")
        if self._thread is None:
            twin = engine.config, engine.seed, engine.data_dir, engine.dt
            made = threading.Thread(target=self._work, args=twin, name="trace", daemon=True)
            self._thread = made
            made.start()
        return None

    def _work(self, config: Any, seed: int, data: Path | None, dt: float) -> None:
        while True:
            job = self._jobs.get()
            try:
                if self._twin is None:
                    tree = ParamTree(config.n_blocks, dt=dt)
                    self._twin = Twin(copy.copy(config), tree, seed, data)
                self._twin.take(job.state, job.values, job.asked)
                answer = {"ok": True, **job.where, **run(self._twin, job.asked)}
            except ParamError as error:
                answer = {"ok": False, "error": {"code": "invalid", **error.to_json()}}
            except Exception as error:  # noqa: BLE001 - the thread must answer, and go on
                answer = failure("failed", "body", f"the copy could not be run: {error}")
                self._twin = None
            job.request.answer(answer)

"""The live engine, unpaced, one thread, no viewer: steps a second and where the time goes.

    python benchmarks/bench_engine.py [--blocks 6] [--neurons 256] [--repeats 9]

Default parameters (STDP, homeostasis, every modulator, digits).  Three tables: steps/s whole (wall time
and CPU time, which other programs on the machine disturb less), the budget part by part, and the slower
STDP paths each in its own row.  Writes benchmarks/results/engine.json.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from report import machine, write

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree

CHUNK = 64
BLOCK = 16  # chunks timed together
PARTS = {
    "stimulus": ("stimulus", "rows"),
    "sensory layer, neuromodulators": ("sensory", "advance"),
    "input, gate and apical projections": ("network", "drive"),
    "gate, LIF in, recurrence, STDP": ("network", "fire_in"),
    "spike attention": ("network", "look_back"),
    "apical, RWKV": ("network", "mix_time"),
    "LIF out": ("network", "fire_out"),
    "spikes packed and hashed": ("network", "pack"),
    "NaN check": ("engine", "_check"),
    "segment": ("engine", "_shown"),
}
PATHS: dict[str, dict[str, Any]] = {
    "lazy, windows cut at 100 ms (default)": {},
    "lazy, nothing cut": {"stdp.window_pre_to_post": 500, "stdp.window_post_to_pre": 500},
    "STDP off": {"stdp.enabled": False},
    "eager, mu 0.5": {"stdp.mu": 0.5},
    "eager, nearest pairs": {"stdp.pairing": "nearest"},
    "three-factor": {"stdp.mode": "three_factor"},
}


def timed(engine: Engine, chunks: int) -> tuple[float, float]:
    """(wall, CPU) seconds a step."""
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(chunks):
        engine.advance(CHUNK)
    steps = chunks * CHUNK
    return (time.perf_counter() - wall) / steps, (time.thread_time() - cpu) / steps


def budget(engine: Engine, chunks: int) -> dict[str, float]:
    """Median CPU microseconds a step of every part of :meth:`Engine.advance`.

    The methods that do the parts are timed where they are called; what no part has is ``the rest``.
    """
    spent: dict[str, float] = defaultdict(float)
    samples: dict[str, list[float]] = defaultdict(list)
    owners = {"engine": engine, "network": engine.network, "sensory": engine.sensory}
    owners["stimulus"] = engine.stimulus
    with contextlib.ExitStack() as timing:
        for name, (owner, method) in PARTS.items():
            timed_part = _timed(getattr(owners[owner], method), name, spent)
            timing.enter_context(patch.object(owners[owner], method, timed_part))
        for _ in range(chunks):
            spent.clear()
            start = time.thread_time()
            engine.advance(CHUNK)
            whole = time.thread_time() - start
            spent["the rest"] = whole - sum(spent.values())
            for name, seconds in spent.items():
                samples[name].append(seconds / CHUNK * 1e6)
    return {name: statistics.median(values) for name, values in samples.items()}


def _timed(run: Callable[..., Any], name: str, into: dict[str, float]) -> Callable[..., Any]:
    def timed_run(*args: Any) -> Any:
        start = time.thread_time()
        made = run(*args)
        into[name] += time.thread_time() - start
        return made

    return timed_run


def paths(config: StackConfig, data_dir: Path, repeats: int) -> list[dict[str, Any]]:
    """Steps/s of every STDP path, in turns."""
    engines = {}
    for name, values in PATHS.items():
        tree = ParamTree(config.n_blocks)
        tree.replace(values)
        engines[name] = Engine(config, tree, 0, data_dir)
        timed(engines[name], 4)
    samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(repeats):
        for name, engine in engines.items():
            samples[name].append(timed(engine, 4))
    rows = []
    for name, values in samples.items():
        wall, cpu = (statistics.median(v) for v in zip(*values, strict=True))
        rows.append({"path": name, "steps_per_s": 1 / wall, "steps_per_cpu_s": 1 / cpu})
        print(f"  {name:40s} {1 / wall:8.0f} steps/s  {1 / cpu:8.0f} a CPU second")
    return rows


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--blocks", type=int, default=6)
    ask.add_argument("--neurons", type=int, default=256)
    ask.add_argument("--repeats", type=int, default=9)
    options = ask.parse_args()
    torch.set_num_threads(1)
    config = StackConfig(options.blocks, options.neurons)
    with tempfile.TemporaryDirectory() as folder:
        starts = []
        for _ in range(3):
            start = time.perf_counter()
            engine = Engine(config, ParamTree(config.n_blocks), 0, Path(folder))
            starts.append(time.perf_counter() - start)
        first = time.perf_counter()
        engine.advance(1)
        first = time.perf_counter() - first
        timed(engine, 20)
        samples = [timed(engine, BLOCK) for _ in range(options.repeats)]
        wall, cpu = (statistics.median(values) for values in zip(*samples, strict=True))
        print(f"construction {starts[0]:.2f} s with calibration, {starts[-1]:.2f} s without")
        print(f"first step {first:.2f} s")
        print(f"whole: {1 / wall:.0f} steps/s, {1 / cpu:.0f} steps a CPU second")
        parts = budget(engine, 5 * options.repeats)
        total = sum(parts.values())
        for name, value in parts.items():
            print(f"  {name:40s} {value:8.2f} us/step  {value / total:6.1%}")
        print(f"  {'sum':40s} {total:8.2f} us/step")
        rows = paths(config, Path(folder), options.repeats)
    write("engine", {
        "machine": machine(), "config": {"blocks": options.blocks, "neurons": options.neurons},
        "repeats": options.repeats, "steps_per_s": 1 / wall, "steps_per_cpu_s": 1 / cpu,
        "construction_s": {"with_calibration": starts[0], "from_file": starts[-1]},
        "first_step_s": first, "budget_us_per_step": parts, "paths": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""What watching a training script costs it: the same step with and without, in interleaved blocks.

    python benchmarks/bench_watch.py [--blocks 12] [--steps 8]

A step is forward, loss, backward and Adam of a spiking classifier; two equal networks take turns, one
of them watched, with a ring of its own and nobody reading.  Writes ``benchmarks/results/watch.json``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from report import machine, write
from torch import Tensor, nn

import t4dm.live
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron

GOAL_PERCENT = 5
SIZES = {
    "typical": {"inputs": 784, "hidden": 1000, "batch": 128, "time": 25},
    "small": {"inputs": 64, "hidden": 256, "batch": 64, "time": 25},
}


class Net(nn.Module):
    """inputs -> hidden LIF -> 10 LIF, ``time`` steps a call."""

    def __init__(self, inputs: int, hidden: int, time: int) -> None:
        super().__init__()
        self.time = time
        self.fc1, self.lif1 = nn.Linear(inputs, hidden), LIFNeuron(hidden)
        self.fc2, self.lif2 = nn.Linear(hidden, 10), LIFNeuron(10)

    def forward(self, x: Tensor) -> Tensor:
        u, v, total = None, None, torch.zeros(len(x), 10)
        for _ in range(self.time):
            hidden, u = self.lif1(self.fc1(x), u)
            out, v = self.lif2(self.fc2(hidden), v)
            total = total + out
        return total


class Training:
    """A network with its optimizer and one batch."""

    def __init__(self, inputs: int, hidden: int, batch: int, time: int) -> None:
        torch.manual_seed(0)
        self.net = Net(inputs, hidden, time)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        self.x, self.y = torch.rand(batch, inputs), torch.randint(0, 10, (batch,))

    def block(self, steps: int) -> tuple[float, float]:
        """Milliseconds a step: the median on the clock, and the processor's, all threads counted."""
        found = []
        processor = time.process_time()
        for _ in range(steps):
            began = time.perf_counter()
            loss = nn.functional.cross_entropy(self.net(self.x), self.y)
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            found.append(1000 * (time.perf_counter() - began))
        return statistics.median(found), 1000 * (time.process_time() - processor) / steps


def measure(name: str, blocks: int, steps: int) -> dict[str, Any]:
    """Median step of both networks over all blocks, and what watching adds.

    The processor's time leaves out what other programs take from the clock; it counts the
    publishing thread too.
    """
    plain, seen = Training(**SIZES[name]), Training(**SIZES[name])
    controls = {"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")}
    times: dict[str, list[tuple[float, float]]] = {"plain": [], "watched": []}
    with t4dm.live.watch(seen.net, f"bench-{name}", params=controls) as handle:
        for training in (plain, seen):
            training.block(3)
        for turn in range(blocks):
            order = [("plain", plain), ("watched", seen)]
            for which, training in order if turn % 2 else order[::-1]:
                times[which].append(training.block(steps))
        assert handle.active, handle.why
    result: dict[str, Any] = {"sizes": SIZES[name]}
    for k, clock in enumerate(("wall", "processor")):
        plain_ms, watched_ms = ([block[k] for block in times[name]] for name in times)
        ratios = [w / p for w, p in zip(watched_ms, plain_ms, strict=True)]
        quartiles = statistics.quantiles(ratios, n=4)
        result[clock] = {
            "plain_ms": round(statistics.median(plain_ms), 2),
            "watched_ms": round(statistics.median(watched_ms), 2),
            "overhead_percent": round(100 * (quartiles[1] - 1), 2),
            "overhead_percent_quartiles": [round(100 * (q - 1), 2) for q in quartiles[::2]],
        }
    print(name, result)
    return result


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--blocks", type=int, default=12)
    ask.add_argument("--steps", type=int, default=8)
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        os.environ["T4DM_RUN_DIR"] = folder
        result = {name: measure(name, options.blocks, options.steps) for name in SIZES}
    about = {"goal_percent": GOAL_PERCENT, "machine": machine()}
    write(
        "watch",
        about | {"blocks": options.blocks, "steps_a_block": options.steps, "result": result},
    )


if __name__ == "__main__":
    main()

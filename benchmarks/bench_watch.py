"""What watching a training script costs it: the same step with and without, in interleaved blocks.

    python benchmarks/bench_watch.py [--blocks 40] [--seconds 0.6]

A step is forward, loss, backward and Adam of a spiking classifier; four equal networks take turns, in an
order drawn for each turn: one not watched, one watched as ``watch`` does by default (a budget of 5 %), one
with every call recorded (``budget=None``), each with a ring of its own and nobody reading, and as a control
another that is not watched: what it seems to cost is the error of the measurement.  What the default has saved up, at the
start and while the others ran, it has spent before it is measured.  Writes ``benchmarks/results/watch.json``.
"""

from __future__ import annotations

import argparse
import os
import random
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
from t4dm.live.watching import Watch
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron

GOAL_PERCENT = 5
ORDER = ("plain", "default", "every call", "control")
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
        """Milliseconds a step, on the clock and of the processor, all threads counted."""
        began, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            loss = nn.functional.cross_entropy(self.net(self.x), self.y)
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
        wall = time.perf_counter() - began
        return 1000 * wall / steps, 1000 * (time.process_time() - processor) / steps


def measure(name: str, blocks: int, seconds: float) -> dict[str, Any]:
    """Mean step of the four networks over all blocks, and what watching adds.

    The processor's time leaves out what other programs take from the clock; it counts the
    publishing threads too.
    """
    trained = {which: Training(**SIZES[name]) for which in ORDER}
    controls = {"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")}
    times: dict[str, list[tuple[float, float]]] = {which: [] for which in trained}
    draw = random.Random(0)
    with (
        t4dm.live.watch(trained["default"].net, f"{name}-default", params=controls) as default,
        t4dm.live.watch(
            trained["every call"].net, f"{name}-every", params=controls, budget=None
        ) as every,
    ):
        for training in trained.values():
            training.block(3)
        steps = max(4, round(1000 * seconds / trained["plain"].block(3)[0]))
        for _ in range(20):
            spend_what_is_saved(trained["default"], default, steps)
        seen = []
        for _ in range(blocks):
            for which in draw.sample(ORDER, len(ORDER)):
                if which == "default":
                    spend_what_is_saved(trained[which], default, steps)
                before = counts(default)
                times[which].append(trained[which].block(steps))
                if which == "default":
                    seen.append([b - a for a, b in zip(before, counts(default), strict=True)])
        assert default.active and every.active, default.why or every.why
    result: dict[str, Any] = {
        "sizes": SIZES[name],
        "steps_a_block": steps,
        "calls_recorded_percent": round(100 * sum(r for _, r in seen) / sum(c for c, _ in seen), 1),
    }
    for k, clock in enumerate(("wall", "processor")):
        taken = {which: [block[k] for block in found] for which, found in times.items()}
        plain_ms = {"plain_ms": round(statistics.mean(taken["plain"]), 2)}
        result[clock] = plain_ms | beside(taken["default"], taken["plain"])
        for other in ("every call", "control"):
            result[clock][other.replace(" ", "_")] = beside(taken[other], taken["plain"])
    print(name, result)
    return result


def beside(watched_ms: list[float], plain_ms: list[float]) -> dict[str, Any]:
    """A watched network's mean step, by how much that is slower, and the same block by block.

    ``overhead_percent`` is the median of the ratios of blocks that ran beside each other,
    ``in_all_percent`` the ratio of the sums, in which a slow spell of the machine counts in full.
    """
    ratios = [w / p for w, p in zip(watched_ms, plain_ms, strict=True)]
    quartiles = [round(100 * (q - 1), 2) for q in statistics.quantiles(ratios, n=4)]
    return {
        "watched_ms": round(statistics.mean(watched_ms), 2),
        "in_all_percent": round(100 * (sum(watched_ms) / sum(plain_ms) - 1), 2),
        "overhead_percent": quartiles[1],
        "overhead_percent_quartiles": quartiles[::2],
    }


def spend_what_is_saved(training: Training, handle: Watch, most: int) -> None:
    """Go on until a call is left out, ``most`` steps at most.

    While the other networks run the budget saves up; in a script of its own there is no such time.
    """
    calls, recorded = counts(handle)
    for _ in range(most):
        training.block(1)
        now = counts(handle)
        if now[1] - recorded < now[0] - calls:
            return


def counts(handle: Watch) -> tuple[int, int]:
    """Calls of a watched network so far, and those recorded."""
    told = handle.recording
    return told["calls"], told["recorded"]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--blocks", type=int, default=40)
    ask.add_argument("--seconds", type=float, default=0.6, help="about how long a block takes")
    options = ask.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        os.environ["T4DM_RUN_DIR"] = folder
        result = {name: measure(name, options.blocks, options.seconds) for name in SIZES}
    about = {"goal_percent": GOAL_PERCENT, "machine": machine()}
    write("watch", about | {"blocks": options.blocks, "result": result})


if __name__ == "__main__":
    main()

"""LIF + dense recurrence + all-to-all STDP at every step: the compiled kernel against tuned torch.

    python benchmarks/bench_kernel.py [--n 1000] [--repeats 7]

Both advance the same network (soft-reset LIF, N x N plastic float32 weights with hard bounds, the same
pre-drawn input, about 7 % firing) on one thread, in turns, so that both see the same machine.
Writes benchmarks/results/kernel.json.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from typing import Protocol

import numpy as np
import torch
from report import machine, write

from t4dm.kernels.compiled import jit
from t4dm.kernels.lif import lif_step
from t4dm.kernels.plasticity_lazy import IDLE, RING, lazy_step, post_trace
from t4dm.kernels.products import add_rows

ALPHA, TAU, THETA, RATE, NOISE = math.exp(-0.1), 20.0, 1.0, 0.07, 0.49
INPUT_ROWS = 256
HISTORY = 128


class Network(Protocol):
    def run(self, steps: int) -> None: ...
    def rate(self, steps: int) -> float: ...


def problem(n: int) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """Input (INPUT_ROWS, N), weights (N, N) pre-major, w_max, A+, A-."""
    rng = np.random.default_rng(0)
    w_max = 0.1 / (RATE * n)
    rows = rng.normal(0, NOISE, (INPUT_ROWS, n)).astype(np.float32)
    w = rng.random((n, n), dtype=np.float32) * np.float32(w_max)
    np.fill_diagonal(w, 0)
    return rows, w, w_max, 0.002 * w_max, 0.0021 * w_max


@jit()
def _run(step0, n, rows, alpha, theta, one, u, u_pre, current, ring, ring_n, w, x, y, held, born, buckets, bucket_rows, powers, rise, fall, window, w_max, cut):  # type: ignore[no-untyped-def]  # fmt: skip
    total = 0
    size = ring.shape[0]
    for t in range(step0, step0 + n):
        row = rows[t % rows.shape[0]]
        for i in range(current.shape[0]):
            current[i] = row[i]
        if t > 0:
            add_rows(w, ring[(t - 1) % size], ring_n[(t - 1) % size], current)
        now, left = t % size, (t - window) % size
        fired, _, _ = lif_step(current, u, alpha, theta, one, one * 10, u_pre, ring[now])
        ring_n[now] = fired
        n_left = ring_n[left] if cut and t >= window else 0
        lazy_step(
            t, w, x, y, held, born, buckets, bucket_rows, ring[now], fired, ring[left], n_left,
            w.shape[0], powers, rise, fall, powers[window], w_max, cut,
        )  # fmt: skip
        post_trace(y, ring[now], fired, ring[left], n_left, powers[1], powers[window + 1])
        total += fired
    return total


class Kernel:
    """The row-lazy kernel; ``window`` cuts pairs further apart, None cuts nothing."""

    def __init__(self, n: int, window: int | None) -> None:
        self.rows, self.w, w_max, a_plus, a_minus = problem(n)
        f = np.float32
        self.t = self.total = 0
        self.args = (
            f(ALPHA), f(THETA), f(1), np.zeros(n, f), np.zeros(n, f), np.zeros(n, f),
            np.zeros((HISTORY, n), np.uint16), np.zeros(HISTORY, np.int32), self.w,
            np.zeros(n, f), np.zeros(n, f), np.zeros(n, np.int64), np.full(n, IDLE, np.int64),
            np.zeros((RING, n), f), np.zeros(RING, np.int64),
            np.exp(-np.arange(HISTORY + 1) / TAU).astype(f), f(a_plus), f(a_minus),
            window or 100, f(w_max), window is not None,
        )  # fmt: skip

    def run(self, steps: int) -> None:
        self.total += _run(self.t, steps, self.rows, *self.args)
        self.t += steps

    def rate(self, steps: int) -> float:
        """Share of neurons that fire a step, over ``steps`` more steps."""
        before = self.total
        self.run(steps)
        return (self.total - before) / (steps * len(self.w))


class TunedTorch:
    """The same step in place: one ``mv`` into a buffer, rank-one updates with ``addr_``."""

    def __init__(self, n: int) -> None:
        rows, w, self.w_max, self.a_plus, self.a_minus = problem(n)
        self.rows = list(torch.from_numpy(rows).unbind(0))
        self.w_post_pre = torch.from_numpy(w.T.copy())
        zeros = [torch.zeros(n) for _ in range(5)]
        self.u, self.s, self.current, self.x, self.y = zeros
        self.fired = torch.zeros(n, dtype=torch.bool)
        self.t = 0

    def run(self, steps: int) -> None:
        keep = math.exp(-1 / TAU)
        for _ in range(steps):
            torch.mv(self.w_post_pre, self.s, out=self.current)
            self.u.mul_(ALPHA).add_(self.rows[self.t % INPUT_ROWS]).add_(self.current)
            torch.ge(self.u, THETA, out=self.fired)
            self.s.copy_(self.fired)
            self.u.sub_(self.s)
            self.x.mul_(keep)
            self.y.mul_(keep)
            self.w_post_pre.addr_(self.s, self.x, alpha=self.a_plus)
            self.w_post_pre.addr_(self.y, self.s, alpha=-self.a_minus)
            self.w_post_pre.clamp_(0.0, self.w_max)
            self.x.add_(self.s)
            self.y.add_(self.s)
            self.t += 1

    def rate(self, steps: int) -> float:
        """Share of neurons that fire a step, over ``steps`` more steps."""
        fired = 0.0
        for _ in range(steps):
            self.run(1)
            fired += float(self.s.mean())
        return fired / steps


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--n", type=int, default=1000)
    ask.add_argument("--repeats", type=int, default=7)
    ask.add_argument("--steps", type=int, default=2000, help="kernel steps a block")
    options = ask.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    n = options.n
    networks: dict[str, tuple[Network, int]] = {
        "kernel": (Kernel(n, None), options.steps),
        "kernel, windows cut at 100 ms": (Kernel(n, 100), options.steps),
        "tuned torch": (TunedTorch(n), max(50, options.steps // 20)),
    }
    rates: dict[str, list[float]] = {name: [] for name in networks}
    for network, steps in networks.values():
        network.run(steps)
    for _ in range(options.repeats):
        for name, (network, steps) in networks.items():
            start = time.perf_counter()
            network.run(steps)
            rates[name].append(steps / (time.perf_counter() - start))
    torch_rates = rates["tuned torch"]
    rows = []
    for name, (network, _) in networks.items():
        ratio = statistics.median(a / b for a, b in zip(rates[name], torch_rates, strict=True))
        fired = network.rate(200)
        median = statistics.median(rates[name])
        rows.append(
            {
                "what": name,
                "steps_per_s": median,
                "ratio": ratio,
                "firing": fired,
                "all": rates[name],
            }
        )
        print(f"{name:32s} {median:10.0f} steps/s  {ratio:6.1f} x torch  {fired:6.2%} firing")
    write("kernel", {"machine": machine(), "n": n, "repeats": options.repeats, "results": rows})


if __name__ == "__main__":
    main()

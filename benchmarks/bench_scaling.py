"""Cost grows with spikes, not with N^2: steps a second of a plastic population by size and firing rate.

    python benchmarks/bench_scaling.py [--n 256 1000 4000 10000] [--seconds 0.5]

LIF + dense recurrence + STDP at every step, float32, one thread, through ``Population``.  Every spike is
forced by the input, so that exactly the stated share fires.  Beside it stands what memory allows: a row
that fires is read and written once, 8 bytes a weight, at the speed at which this machine reads and writes
rows of a matrix of that size.  Writes benchmarks/results/scaling.json and docs/img/scaling.png.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import machine, write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from t4dm.kernels.compiled import jit
from t4dm.learning.params import STDPParams
from t4dm.spiking.population import Population

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "img" / "scaling.png"
RATES = (0.01, 0.05, 0.10, 0.50)
COLORS = ("#0072B2", "#009E73", "#E69F00", "#D55E00")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
ROWS = 256


@jit()
def touch(w, ids, factor):  # type: ignore[no-untyped-def]
    """Read and write the rows ``ids`` of w, four at a time as the population does."""
    for k in range(0, ids.shape[0] - 3, 4):
        a, b, c, d = ids[k], ids[k + 1], ids[k + 2], ids[k + 3]
        for j in range(w.shape[1]):
            w[a, j] *= factor
            w[b, j] *= factor
            w[c, j] *= factor
            w[d, j] *= factor


def bandwidth(w: np.ndarray, seconds: float) -> float:
    """Bytes a second, readings and writings, over a tenth of the rows at a time; the best block."""
    n = len(w)
    rng = np.random.default_rng(0)
    draws = [np.sort(rng.choice(n, max(4, n // 40 * 4), replace=False)) for _ in range(16)]
    touch(w, draws[0], np.float32(1))
    best, until = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        for ids in draws:
            touch(w, ids, np.float32(1))
        moved = 8 * n * sum(map(len, draws))
        best = max(best, moved / (time.perf_counter() - start))
    return best


def forced(n: int, rate: float) -> np.ndarray:
    """(ROWS, N) currents that make exactly ``rate * N`` neurons fire at each step."""
    rng = np.random.default_rng(1)
    drive = np.full((ROWS, n), -1e3, np.float32)
    for row in drive:
        row[rng.choice(n, max(1, round(rate * n)), replace=False)] = 1e3
    return drive


def speed(population: Population, drive: np.ndarray, seconds: float) -> tuple[float, float]:
    """Steps a second of the best block and the share that fired."""
    population.run(drive, 8)
    best, spikes, chunk = 0.0, 0.0, 8
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        spikes = float(population.run(drive, chunk).mean())
        took = time.perf_counter() - start
        best = max(best, chunk / took)
        chunk = min(4096, chunk * 2) if took < seconds / 10 else chunk
    return best, spikes


def measure(n: int, seconds: float) -> list[dict[str, Any]]:
    """One row a firing rate."""
    start = np.random.default_rng(0).random((n, n), np.float32)
    limit, rows = 0.0, []
    for rate in RATES:
        uncut = {"window_pre_to_post": 500, "window_post_to_pre": 500}
        rule = STDPParams(a_plus=0.002, a_minus=0.0021, **uncut)
        best, fired = speed(Population(n, stdp=rule, weights=start), forced(n, rate), seconds)
        limit = max(limit, bandwidth(start, seconds))
        rows.append(
            {
                "n": n, "rate": rate, "fired": fired, "steps_per_s": best,
                            }
        )  # fmt: skip
        print(f"N {n:6d}  {fired:5.1%} firing  {best:12.1f} steps/s")
    for row in rows:
        row["bytes_per_s"] = limit
        row["bound_steps_per_s"] = limit / (8 * row["fired"] * n * n)
    print(f"N {n:6d}  rows read and written at {limit / 1e9:.1f} GB/s")
    return rows


def draw(rows: list[dict[str, Any]]) -> None:
    """Steps a second over N, one line a firing rate, each beside its bound."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for rate, color, symbol in zip(RATES, COLORS, SYMBOLS, strict=True):
        mine = [row for row in rows if row["rate"] == rate]
        n = [row["n"] for row in mine]
        figure.add_scatter(
            x=n, y=[row["steps_per_s"] for row in mine], name=f"{rate:.0%} firing",
            mode="lines+markers", line={"color": color, "width": 2},
            marker={"symbol": symbol, "size": 9},
        )  # fmt: skip
        figure.add_scatter(
            x=n, y=[row["bound_steps_per_s"] for row in mine], name=f"{rate:.0%}, memory bound",
            mode="lines", line={"color": color, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    figure.add_hline(y=1000, line={"color": "#555555", "dash": "dash", "width": 1},
                     annotation_text="real time, 1 ms a step", annotation_position="bottom left")  # fmt: skip
    sizes = sorted({row["n"] for row in rows})
    axis = {"type": "log", "showgrid": True, "gridcolor": "#dddddd", "linecolor": "#333333"}
    figure.update_layout(
        title="Plastic population, dense recurrence + STDP each step · float32 · one thread",
        xaxis={**axis, "title": "N neurons (N² plastic weights)", "tickvals": sizes,
               "ticktext": [f"{size:,}" for size in sizes]},
        yaxis={**axis, "title": "steps / s", "exponentformat": "none", "dtick": 1,
               "tickformat": ","},
        plot_bgcolor="white", paper_bgcolor="white", font={"size": 14, "color": "#222222"},
        legend={"x": 1.02, "y": 1}, margin={"l": 90, "r": 20, "t": 60, "b": 60},
    )  # fmt: skip
    PICTURE.parent.mkdir(exist_ok=True)
    figure.write_image(PICTURE, width=1100, height=620)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--n", type=int, nargs="+", default=[256, 1000, 4000, 10000])
    ask.add_argument("--seconds", type=float, default=0.5, help="each point")
    options = ask.parse_args()
    rows = [row for n in options.n for row in measure(n, options.seconds)]
    write("scaling", {"machine": machine(), "rows": rows})
    draw(rows)


if __name__ == "__main__":
    main()

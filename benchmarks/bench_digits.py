"""Does the sensory layer learn digits?  Held-out accuracy on scikit-learn's digits, several seeds.

    python benchmarks/bench_digits.py [--seeds 5] [--neurons 256] [--passes 3]

1797 images of 8 x 8, stratified 80/20 split drawn from the seed (t4dm.stimuli.split).  Each image is
shown for 250 ms with 50 ms of rest, 200 Hz for a dark pixel: the defaults of the live stimulus.
Labels come from the spikes on training digits while learning; scored on the held-out ones with
plasticity off.  Three conditions: as it is, no reward, no STDP.  Writes benchmarks/results/digits.json.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from report import machine, write

from t4dm.live.lesson import teach
from t4dm.spiking.sensory_params import SensoryParams
from t4dm.stimuli.params import StimulusParams

LOOK_AT = (50, 100, 200, 400, 700, 1000, 2000, 3500)
CONDITIONS: dict[str, dict[str, Any]] = {
    "with reward and STDP": {},
    "without reward": {"sensory.reward": False},
    "without STDP": {"sensory.stdp": False},
}
GOAL = 0.80


def measure(name: str, seeds: int, neurons: int, passes: int) -> dict[str, Any]:
    """One condition: the curve of every seed, and what is left at the end."""
    curves = []
    for seed in range(seeds):
        begun = time.perf_counter()
        curves.append(teach(seed, neurons, passes, LOOK_AT, CONDITIONS[name]))
        print(
            f"{name:22s} seed {seed}  held out {curves[-1][-1][1]:.3f}"
            f"  ({time.perf_counter() - begun:.0f} s)",
            flush=True,
        )
    accuracy = np.array([[right for _, right in curve] for curve in curves])
    last = accuracy[:, -1]
    return {
        "condition": name,
        "changed": CONDITIONS[name],
        "held_out": last.round(4).tolist(),
        "mean": round(float(last.mean()), 4),
        "standard_deviation": round(float(last.std(ddof=1)), 4) if seeds > 1 else None,
        "digits_shown": [shown for shown, _ in curves[0]],
        "curve_mean": accuracy.mean(0).round(4).tolist(),
        "curves": accuracy.round(4).tolist(),
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--neurons", type=int, default=256)
    ask.add_argument("--passes", type=int, default=3)
    options = ask.parse_args()
    torch.set_num_threads(1)
    rows = [measure(name, options.seeds, options.neurons, options.passes) for name in CONDITIONS]
    shown = StimulusParams()
    write("digits", {
        "machine": machine(), "seeds": list(range(options.seeds)), "neurons": options.neurons,
        "passes": options.passes, "goal": GOAL, "reached": rows[0]["mean"] >= GOAL,
        "presentation": {
            "image_ms": shown.image_ms, "rest_ms": shown.rest_ms, "rate_hz": shown.rate_hz,
        },
        "parameters": SensoryParams().model_dump(), "conditions": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()

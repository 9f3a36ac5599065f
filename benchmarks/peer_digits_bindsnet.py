"""BindsNET's DiehlAndCook2015 on the same digits: same split, neurons, passes and presentation.

    python -m venv peer && peer/bin/pip install torch==2.13.0 scikit-learn gymnasium ale-py \
        tensorboardX scikit-image opencv-python-headless matplotlib pandas tqdm platformdirs pydantic
    peer/bin/pip install --no-deps bindsnet==0.3.4
    PYTHONPATH=. peer/bin/python benchmarks/peer_digits_bindsnet.py [--seeds 0 1 2 3 4] [--norm 6.4] ...

The library's model and defaults, with two numbers scaled from its MNIST example to 64 inputs: the
weight norm is 0.1 an input (78.4 of 784 there), and inhibition is that example's 120.  Each image is a
Poisson train of 250 ms at 200 Hz for a dark pixel; state variables are reset between images, as in the
library's example, which stands for the rest.  Labels from the spikes on the training digits of the last
pass while learning (assign_labels); held-out digits are answered with the network in test mode by
all_activity and by proportion_weighting; the better of the two counts.
torchvision is not needed: BindsNET only imports names from it, which are stood in for here.
Writes benchmarks/results/peer_digits_bindsnet.json, one entry a seed; a seed measured before is replaced,
the others stay as long as the options are the same.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import json
import os
import platform
import sys
import time
import types
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from t4dm.stimuli.digits import digit_images
from t4dm.stimuli.split import held_out

TIME, CLASSES = 250, 10
TORCHVISION = (
    "", ".utils", ".datasets", ".datasets.folder", ".datasets.utils", ".transforms", ".models",
)  # fmt: skip


class StandIn(types.ModuleType):
    """A module of which only names are asked."""

    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (object,), {})


def stand_in_for_torchvision() -> None:
    for part in TORCHVISION:
        name = f"torchvision{part}"
        module = StandIn(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


def trains(image: np.ndarray, rate_hz: float, generator: torch.Generator) -> torch.Tensor:
    """(TIME, 1, 64) Poisson spikes of one image."""
    chance = torch.from_numpy(image) * (rate_hz / 1000.0)
    return (torch.rand(TIME, 1, 64, generator=generator) < chance).float()


class Peer:
    """The network with its spike monitor."""

    def __init__(self, options: argparse.Namespace, seed: int) -> None:
        from bindsnet.learning import MCC_learning
        from bindsnet.models import DiehlAndCook2015
        from bindsnet.network.monitors import Monitor

        rules = {"PostPre": None, "DiehlAndCook": getattr(MCC_learning, "DiehlAndCook", None)}
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.rate_hz = options.rate_hz
        self.network = DiehlAndCook2015(
            n_inpt=64, n_neurons=options.neurons, exc=22.5, inh=options.inh, dt=1.0,
            norm=options.norm, theta_plus=0.05, inpt_shape=(64,), learning_rule=rules[options.rule],
        )  # fmt: skip
        self.monitor = Monitor(self.network.layers["Ae"], ["s"], time=TIME)
        self.network.add_monitor(self.monitor, name="Ae")

    def show(self, image: np.ndarray) -> torch.Tensor:
        """Spikes (1, 1, N) summed over the presentation of one image."""
        self.network.run(inputs={"X": trains(image, self.rate_hz, self.generator)}, time=TIME)
        spikes = self.monitor.get("s").reshape(TIME, -1).sum(0).float()
        self.network.reset_state_variables()
        return spikes[None, None]


def accuracy(peer: Peer, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    from bindsnet.evaluation import all_activity, assign_labels, proportion_weighting

    images, labels = digit_images()
    kept = held_out(labels, seed)
    train, test = np.flatnonzero(~kept), np.flatnonzero(kept)
    orders = np.random.default_rng(seed)
    seen: list[torch.Tensor] = []
    order = train
    for done in range(options.passes):
        order, seen = orders.permutation(train), []
        for index in order:
            seen.append(peer.show(images[index]))
        print(
            f"pass {done + 1}: {float(torch.cat(seen).sum(2).mean()):.1f} spikes a digit",
            flush=True,
        )
    assigned, proportions, _ = assign_labels(
        torch.cat(seen), torch.from_numpy(labels[order]), CLASSES
    )
    peer.network.train(False)
    answers = torch.cat([peer.show(images[index]) for index in test])
    truth = torch.from_numpy(labels[test])
    by_activity = all_activity(answers, assigned, CLASSES)
    by_proportion = proportion_weighting(answers, assigned, proportions, CLASSES)
    return {
        "spikes_a_held_out_digit": round(float(answers.sum(2).mean()), 2),
        "silent_held_out_share": round(float((answers.sum(2) == 0).float().mean()), 4),
        "all_activity": round(float((by_activity == truth).float().mean()), 4),
        "proportion_weighting": round(float((by_proportion == truth).float().mean()), 4),
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    ask.add_argument("--neurons", type=int, default=256)
    ask.add_argument("--passes", type=int, default=3)
    ask.add_argument("--norm", type=float, default=6.4)
    ask.add_argument("--inh", type=float, default=120.0)
    ask.add_argument("--rate-hz", type=float, default=200.0)
    ask.add_argument("--rule", choices=("PostPre", "DiehlAndCook"), default="PostPre")
    ask.add_argument("--out", default="peer_digits_bindsnet")
    options = ask.parse_args()
    torch.set_num_threads(1)
    stand_in_for_torchvision()
    path = Path(__file__).parent / "results" / f"{options.out}.json"
    for seed in options.seeds:
        begun = time.perf_counter()
        found = accuracy(Peer(options, seed), options, seed)
        best = max(found["all_activity"], found["proportion_weighting"])
        took = round(time.perf_counter() - begun)
        keep(path, options, {"seed": seed, "seconds": took, "held_out": best, **found})


def keep(path: Path, options: argparse.Namespace, run: dict[str, Any]) -> None:
    """Put the run of one seed into the result, with the mean over all seeds."""
    chosen = {k: v for k, v in vars(options).items() if k not in ("out", "seeds")}
    before = json.loads(path.read_text()) if path.exists() else {}
    runs = before.get("runs", []) if before.get("options") == chosen else []
    runs = sorted([*(r for r in runs if r["seed"] != run["seed"]), run], key=lambda r: r["seed"])
    scores = [r["held_out"] for r in runs]
    result = {
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "bindsnet": metadata.version("bindsnet"), "torch": torch.__version__,
        "python": platform.python_version(), "options": chosen,
        "held_out_mean": round(float(np.mean(scores)), 4),
        "held_out_sd": round(float(np.std(scores, ddof=1)), 4) if len(scores) > 1 else None,
        "runs": runs,
    }  # fmt: skip
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()

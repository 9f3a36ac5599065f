"""Compile every kernel once, so that the first start is as quick as the second.

    python -m t4dm.live.warm

A tiny network compiles the same code as a large one: the kernels depend on types, not on sizes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree


def warm() -> None:
    """Run a small network through every path of the live engine; the compiled code is kept."""
    tree = ParamTree(2)
    with tempfile.TemporaryDirectory(prefix="t4dm-warm-") as folder:
        engine = Engine(StackConfig(n_blocks=2, n_neurons=16), tree, 0, Path(folder))
        engine.advance(64)
        for path, value in (("stdp.mu", 0.5), ("stdp.mode", "three_factor"), ("stdp.mu", 0.0)):
            tree.set(path, value)
            engine.params_changed([path])
            engine.advance(64)
        engine.recurrent(0)
        engine.load_state(engine.state())
        engine.advance(64)


if __name__ == "__main__":
    warm()

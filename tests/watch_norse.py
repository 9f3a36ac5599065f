"""Watches norse's own cells, by hand: norse asks for torchvision, which is built for one torch alone.

    python -m pip install --target peers --no-deps norse==1.1.0 nir==1.0.8 nirtorch==2.6 h5py==3.16.0
    PYTHONPATH=peers:. python tests/watch_norse.py

The tests watch a cell made like them (``tests/watched.py``); that a LIF neuron of ours fires as norse's
is in ``tests/fixtures/lif_peers.npz``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import norse.torch as norse
import numpy as np
import torch
from torch import Tensor, nn

import t4dm.live
from tests.watched import T, raster, window

N = 9
CELLS = {
    "LIFCell": norse.LIFCell,
    "LIFBoxCell": norse.LIFBoxCell,
    "LIFRecurrentCell": lambda: norse.LIFRecurrentCell(N, N),
    "LSNNCell": norse.LSNNCell,
    "LIFRefracCell": norse.LIFRefracCell,
    "LIFAdExCell": norse.LIFAdExCell,
}


class Net(nn.Module):
    """A norse cell, ``T`` steps a call."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.fc, self.cell = nn.Linear(6, N), cell
        self.spikes: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.state = None
        for _ in range(T):
            z, self.state = self.cell(8 * self.fc(x), self.state)
            self.spikes.append(z.detach())
        return z


def main() -> None:
    torch.manual_seed(0)
    for name, make in CELLS.items():
        net = Net(make())
        with t4dm.live.watch(net, name.lower(), budget=None):
            for _ in range(5):
                net(3 * torch.rand(2, 6))
            found = window(Path(os.environ["T4DM_RUN_DIR"]), name.lower(), steps=5 * T)
        fired = torch.stack(net.spikes)[:, 0] > 0
        assert np.array_equal(raster(found, 0, N), fired) and fired.any()
        state = getattr(net.state, "lif", net.state)
        shown = state.v.detach()[0, found.membrane.tolist()]
        np.testing.assert_allclose(found.u[-1], shown, rtol=1e-6)
        assert np.isfinite(found.theta).all()
        print(f"{name}: {int(fired.sum())} spikes and the membrane as norse has them")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        os.environ["T4DM_RUN_DIR"] = folder
        main()

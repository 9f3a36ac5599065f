"""A small stack and a Poisson stimulus with images and rests, shared by the tests of this folder."""

import numpy as np
import pytest
import torch

from t4dm.spiking.cortical_stack import CorticalStack

torch.set_num_threads(1)


@pytest.fixture
def images_TP() -> np.ndarray:
    """(600, 64) Poisson spikes: 250 steps of a blurred image, 50 of rest, and so on."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(2):
        coarse = rng.random((4, 4)).repeat(2, 0).repeat(2, 1).reshape(64)
        rows += [rng.random((250, 64)) < coarse * 0.2, np.zeros((50, 64), dtype=bool)]
    return np.concatenate(rows).astype(np.float64)


@pytest.fixture
def small_stack() -> CorticalStack:
    """Two blocks of 64, float64, gains set so that it fires."""
    stack = CorticalStack(2, 64, 4, seed=1, dtype=torch.float64)
    stack.c_in = 4.0
    for block in stack.blocks():
        block.c_out, block.c_l = 6.0, 1.2
    return stack

"""Seeded draws and a small stream, shared by the tests of this folder."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def draws() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def x() -> torch.Tensor:
    """(2, 6, 16), N(0, 1)."""
    return torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(1))

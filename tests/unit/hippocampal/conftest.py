"""A tiny hippocampal transformer and text ids, shared by the tests of this folder."""

import pytest
import torch

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer

torch.set_num_threads(1)

TINY = HippocampalParams(
    vocab_size=97, dim=32, n_layers=2, n_heads=4, max_seq_len=48, n_place=128,
    memory_size=256, dropout=0.1,
)  # fmt: skip


@pytest.fixture
def model() -> HippocampalTransformer:
    return HippocampalTransformer(TINY, seed=1).eval()


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(97, (3, 24), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def prosody() -> torch.Tensor:
    return torch.rand(3, 24, 4, generator=torch.Generator().manual_seed(2))

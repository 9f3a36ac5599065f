"""One small Qwen2 folder for this folder's tests, and small models opened from it."""

import pytest
import torch

from t4dm.qwen.small import make_small
from t4dm.qwen.unified_model import UnifiedModel

torch.set_num_threads(1)
SHAPE = {"n_blocks": 2, "n": 32, "n_heads": 4}


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory):
    """A Qwen2 of 4 layers of 32, float32 on disk."""
    return make_small(tmp_path_factory.mktemp("qwen") / "small", hidden=32)


@pytest.fixture
def make_model(small_folder):
    """``make_model(**options)``: a new model of two blocks of 32."""
    return lambda **options: UnifiedModel(str(small_folder), **(SHAPE | options))


@pytest.fixture(scope="session")
def wide_model(small_folder):
    """A float64 model that no test changes."""
    return UnifiedModel(str(small_folder), dtype=torch.float64, **SHAPE)


@pytest.fixture
def ids():
    """(2, 24) token ids."""
    return torch.randint(1000, (2, 24), generator=torch.Generator().manual_seed(3))

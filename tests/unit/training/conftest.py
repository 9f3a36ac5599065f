"""A tiny model, a real text and its tokens, shared by the tests of this folder."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training.data import TokenText
from t4dm.training.params import TrainParams
from t4dm.training.tokenizer import ByteTokenizer

torch.set_num_threads(1)

MODEL = HippocampalParams(
    vocab_size=256, dim=32, n_layers=2, n_heads=4, max_seq_len=32, n_place=96,
    memory_size=512, dropout=0.1,
)  # fmt: skip
TRAIN = TrainParams(
    learning_rate=3e-3, warmup=10, total_steps=200, batch=4, context=24,
    memory_writes=16, sleep_every=4, sleep_steps=2, replay_size=32, ewc_samples=3,
)  # fmt: skip


@pytest.fixture(scope="session")
def english() -> str:
    """The data set descriptions that ship with scikit-learn (BSD licence, 43,054 characters)."""
    spec = find_spec("sklearn")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "datasets" / "descr"
    return "".join(path.read_text() for path in sorted(folder.glob("*.rst")))


@pytest.fixture(scope="session")
def text(english) -> TokenText:
    return TokenText.read(english, ByteTokenizer())


@pytest.fixture
def model() -> HippocampalTransformer:
    return HippocampalTransformer(MODEL, seed=1)

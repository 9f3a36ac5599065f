"""A small Qwen2 that needs no network: real architecture and file formats, weights drawn from a seed.

    python -m t4dm.qwen.small FOLDER
It has learned nothing, so the text it writes means nothing; everything else about it is what a large
one has.  Its tokenizer is a byte-level BPE trained on the data set descriptions that scikit-learn
ships, so that any text can be read.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from t4dm.qwen.loading import no_bars

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END = "<|endoftext|>"
VOCABULARY = 2304
"""Tokens, each of which has its row in the embedding; the runbook's ids are among them."""


def descriptions() -> list[str]:
    """English texts that every installation has: scikit-learn's descriptions of its data sets.

    Found without importing them, which would draw from Python's global generator on the way.  Raises
    ModuleNotFoundError where scikit-learn is missing.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("scikit-learn is missing", name="sklearn")
    folder = Path(found.origin).parent / "datasets" / "descr"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".rst")), key=lambda f: f.name)
    return [file.read_text(encoding="utf-8") for file in files]


def small_tokenizer(tokens: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """A byte-level BPE of ``tokens`` tokens; every text goes in and comes out unchanged."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=tokens, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(descriptions(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def make_small(
    folder: str | Path,
    *,
    seed: int = 0,
    hidden: int = 64,
    layers: int = 4,
    heads: int = 4,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Save a Qwen2 of ``layers`` layers of ``hidden`` into ``folder``, which it returns."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder = Path(folder)
    tokenizer = small_tokenizer()
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=hidden, intermediate_size=3 * hidden,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads // 2,
        max_position_embeddings=2048, tie_word_embeddings=True, initializer_range=0.1,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        base: Any = Qwen2ForCausalLM(config)
    folder.mkdir(parents=True, exist_ok=True)
    base.to(dtype)
    with no_bars():
        base.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Make the folder and say how to use it."""
    parser = argparse.ArgumentParser(description="Save a small Qwen2 that needs no network.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        folder = make_small(options.folder, seed=options.seed)
    except OSError as error:
        print(f"{options.folder} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"saved in {folder}; use it with T4DM_QWEN={folder} or UnifiedModel({str(folder)!r})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The offline default: made from its config, any text in and out, the same for a seed."""

import random
import sys

import numpy as np
import torch

from t4dm.qwen import small
from t4dm.qwen.loading import load_tokenizer
from t4dm.qwen.small import VOCABULARY, make_small


def test_a_seed_fixes_every_byte(small_folder, tmp_path):
    again, other = (
        make_small(tmp_path / "a", hidden=32),
        make_small(tmp_path / "b", hidden=32, seed=1),
    )
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        assert (again / name).read_bytes() == (small_folder / name).read_bytes(), name
    name = "model.safetensors"
    assert (other / name).read_bytes() != (again / name).read_bytes()


def test_any_text_comes_back_unchanged(small_folder):
    tokenizer = load_tokenizer(small_folder)
    for text in ("What is a spike?", "Größe 1/2\n\ttab", "脉冲 🧠", ""):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
        assert all(0 <= i < VOCABULARY for i in ids)
    assert len(tokenizer("handwritten digits")["input_ids"]) < 6


def test_the_embedding_has_room_for_the_runbooks_ids(make_model):
    model = make_model()
    assert model.base.config.vocab_size == len(model.tokenizer) == VOCABULARY > 2054


def test_making_it_leaves_the_global_generators_alone(tmp_path, monkeypatch):
    """Importing sklearn.datasets would draw from Python's: it brings rich, which numbers its styles."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    of_torch, of_python, of_numpy = torch.get_rng_state(), random.getstate(), np.random.get_state()
    make_small(tmp_path, hidden=32)
    assert torch.equal(torch.get_rng_state(), of_torch)
    assert random.getstate() == of_python
    assert str(np.random.get_state()) == str(of_numpy)


def test_the_command_says_how_to_use_it(tmp_path, capsys):
    assert small.main([str(tmp_path / "made")]) == 0
    assert f"T4DM_QWEN={tmp_path / 'made'}" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert small.main([str(tmp_path / "file" / "below")]) == 1
    assert "cannot be written" in capsys.readouterr().err

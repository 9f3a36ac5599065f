"""Tensors in a safetensors file under a seal: others can read it, and no bit changes unseen."""

import pytest
import torch
from safetensors import safe_open

from t4dm.store.sealed import SealError
from t4dm.training.tensor_file import read_tensors, write_tensors

TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "none": torch.zeros(0, 4, dtype=torch.int64),
    "one": torch.tensor(7),
    "turned": torch.arange(6.0).reshape(2, 3).T,
}
META = {"seed": 3, "words": "é\u2581"}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "run", "kind", META, TENSORS)
    return tmp_path / "run"


def test_what_is_written_is_read(path):
    meta, tensors = read_tensors(path, "kind")
    assert meta == META and tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype and torch.equal(tensors[name], tensor), name


def test_any_program_that_knows_the_format_reads_it(path):
    with safe_open(path, framework="np") as file:
        assert file.get_tensor("a").tolist() == TENSORS["a"].tolist()
        assert file.metadata()["kind"] == "kind"


def test_no_bit_changes_unseen(path):
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(SealError):
            read_tensors(path, "kind")


@pytest.mark.parametrize("cut", [0, 5, 8, 40, -1])
def test_a_torn_file_is_refused(path, cut):
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SealError, match="no readable header|is damaged"):
        read_tensors(path, "kind")


def test_a_file_of_another_kind_or_of_nobody_is_refused(path):
    with pytest.raises(SealError, match="run is kind version 1, not other 1"):
        read_tensors(path, "other")
    path.write_bytes(b"In the beginning God created the heavens and the earth.")
    with pytest.raises(SealError, match="no readable header"):
        read_tensors(path, "kind")

"""What cannot be loaded is one sentence, soon; nothing stands in for it."""

import json
import shutil
import threading

import pytest
import torch

from t4dm.qwen import loading
from t4dm.qwen.loading import ModelMissing
from t4dm.qwen.unified_model import UnifiedModel

HUB = "Qwen/Qwen2.5-3B-Instruct"


@pytest.fixture
def copy(small_folder, tmp_path):
    """A folder of its own, to be damaged."""
    return shutil.copytree(small_folder, tmp_path / "copy")


@pytest.fixture(autouse=True)
def empty_hub_cache(monkeypatch, tmp_path):
    """No model in the hub's cache, no folder in the environment."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("T4DM_QWEN", raising=False)


def sentence(name) -> str:
    with pytest.raises(ModelMissing) as caught:
        UnifiedModel(str(name))
    text = str(caught.value)
    assert "\n" not in text and not text.endswith(".")
    return text


def test_offline_names_what_to_download_and_where_to_put_it(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    text = sentence(HUB)
    assert f"hf download {HUB} --local-dir FOLDER" in text
    assert "T4DM_QWEN" in text and "python -m t4dm.qwen.small FOLDER" in text
    assert "HF_HUB_OFFLINE" in text


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9"])
def test_no_network_says_the_same(monkeypatch, proxy):
    """A proxy that refuses stands for a network that is not there."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    text = sentence(HUB)
    assert "the hub cannot be reached" in text and f"hf download {HUB}" in text


def test_a_hub_that_never_answers_is_given_up(monkeypatch):
    held = threading.Event()
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: held.wait(60))
    monkeypatch.setattr(loading, "HUB_SECONDS", 0.05)
    assert "the hub does not answer" in sentence(HUB)
    held.set()


def test_the_environment_takes_the_place_of_a_hub_name(monkeypatch, small_folder):
    monkeypatch.setenv("T4DM_QWEN", str(small_folder))
    assert loading.find_folder(HUB) == small_folder


def test_a_folder_given_is_the_folder_used(monkeypatch, small_folder, tmp_path):
    monkeypatch.setenv("T4DM_QWEN", str(tmp_path))
    assert loading.find_folder(str(small_folder)) == small_folder


def test_a_name_that_is_nowhere():
    assert sentence("no-such-folder").startswith("there is no folder 'no-such-folder'")


def test_a_folder_without_a_config(tmp_path):
    assert "has no config.json" in sentence(tmp_path)


def test_a_config_that_is_no_json(copy):
    (copy / "config.json").write_text("{")
    assert "config.json cannot be read" in sentence(copy)


def test_another_kind_of_model(copy):
    config = json.loads((copy / "config.json").read_text()) | {"model_type": "llama"}
    (copy / "config.json").write_text(json.dumps(config))
    assert "holds a model of type 'llama', and only 'qwen2'" in sentence(copy)


def test_weights_that_are_not_there(copy):
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x02}.")
    assert "no model.safetensors" in sentence(copy)


def test_weights_cut_short(copy):
    data = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
    assert "cannot be read" in sentence(copy)


def test_weights_that_lack_a_tensor_are_not_filled_in(copy):
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy / "model.safetensors")
    del tensors["model.layers.2.mlp.up_proj.weight"]
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert "lack 1 tensors, model.layers.2.mlp.up_proj.weight first" in sentence(copy)


def test_a_missing_tokenizer_is_named_when_it_is_wanted(copy):
    for path in copy.glob("tokenizer*"):
        path.unlink()
    model = UnifiedModel(str(copy), n_blocks=1, n=16, n_heads=2)
    with pytest.raises(ModelMissing, match="no tokenizer"):
        _ = model.tokenizer


@pytest.mark.parametrize(
    ("file", "damage", "expected"),
    [
        ("unified.json", b"{}", "unified.json cannot be read"),
        ("spiking.safetensors", b"1234", "spiking.safetensors cannot be read"),
        ("spiking.safetensors", None, "spiking.safetensors cannot be read"),
    ],
)
def test_a_damaged_middle_is_named(make_model, tmp_path, file, damage, expected):
    make_model().save_pretrained(tmp_path)
    if damage is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(damage)
    assert expected in sentence(tmp_path)


def test_a_saved_model_comes_back_whole(make_model, tmp_path, ids):
    model = make_model(seed=4, split=1)
    model.mix = 0.3
    with torch.no_grad():
        model.spiking_blocks[1].recurrent.weight[0, 1] = 0.77
        model.core.stack.blocks()[0].c_out *= 1.1
    model.save_pretrained(tmp_path / "deep" / "saved")
    back = UnifiedModel.from_pretrained(tmp_path / "deep" / "saved")
    assert back.config == model.config
    assert back.config.seed == 4
    assert abs(back.mix - 0.3) < 1e-6
    assert torch.equal(back(ids).logits, model(ids).logits)
    assert back.tokenizer("spikes")["input_ids"] == model.tokenizer("spikes")["input_ids"]
    names = {path.suffix for path in (tmp_path / "deep" / "saved").iterdir()}
    assert names == {".json", ".safetensors"}

"""Find and load a Hugging Face Qwen2: a local folder, the hub's cache, or the hub itself.

Never a hang and never a stand-in: what cannot be loaded is one sentence that names what to fetch and
where to put it.  ``T4DM_QWEN`` (a folder or a hub name) takes the place of a hub name, so that a
script written for a large model runs on a small one without a change.
Weights are read from safetensors only.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

ENVIRONMENT = "T4DM_QWEN"
MODEL_TYPE = "qwen2"
HUB_SECONDS = 5.0
"""How long the hub may take to answer its first question; the whole of it ends after three times this."""

log = logging.getLogger(__name__)


class ModelMissing(OSError):
    """A model that cannot be loaded; the message is one sentence that says what to do."""


def find_folder(model_name: str) -> Path:
    """The local folder of ``model_name``: itself, or its snapshot in the hub's cache, fetched if need be.

    Raises ModelMissing.
    """
    if Path(model_name).expanduser().is_dir():
        return Path(model_name).expanduser()
    if instead := os.environ.get(ENVIRONMENT, "").strip():
        log.info("%s: %s takes the place of %s", ENVIRONMENT, instead, model_name)
        if Path(instead).expanduser().is_dir():
            return Path(instead).expanduser()
        model_name = instead
    if not _is_hub_name(model_name):
        raise ModelMissing(
            f"there is no folder '{model_name}': give the folder of a Qwen2 model, or make a small "
            "one with `python -m t4dm.qwen.small FOLDER`"
        )
    return _snapshot(model_name)


def _is_hub_name(name: str) -> bool:
    owner, slash, repo = name.partition("/")
    return bool(owner and slash and repo) and "/" not in repo and not name.startswith((".", "~"))


def _missing(name: str, why: str) -> ModelMissing:
    return ModelMissing(
        f"no weights of {name} on this machine and {why}: where there is a network run "
        f"`hf download {name} --local-dir FOLDER`, put FOLDER on this machine and name it as "
        f"model_name or in {ENVIRONMENT}, or make a small one with `python -m t4dm.qwen.small FOLDER`"
    )


def _snapshot(name: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        if constants.is_offline_mode():
            raise _missing(name, "HF_HUB_OFFLINE forbids to ask the hub") from None
    if refusal := _hub_refuses(name):
        raise _missing(name, refusal)
    try:
        patterns = ["*.json", "*.safetensors", "*.txt"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except OSError as error:
        raise _missing(name, f"the download broke off ({type(error).__name__})") from None


def _hub_refuses(name: str) -> str | None:
    """Why the hub will not give ``name``, or None; asked in a thread, since a name server may hang."""
    answer: list[str | None] = []

    def ask() -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        try:
            HfApi().model_info(name, timeout=HUB_SECONDS)
            answer.append(None)
        except HfHubHTTPError as error:
            answer.append(f"the hub answers {error.response.status_code}")
        except Exception as error:  # noqa: BLE001  whatever a proxy or a name server comes up with
            answer.append(f"the hub cannot be reached ({type(error).__name__})")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(3 * HUB_SECONDS)
    return answer[0] if answer else "the hub does not answer"


@contextmanager
def no_bars() -> Iterator[None]:
    """Without the progress bars that transformers draws; as they were afterwards."""
    from transformers.utils import logging as hub_logging

    shown = hub_logging.is_progress_bar_enabled()
    hub_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            hub_logging.enable_progress_bar()


def load_base(
    folder: Path, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> Qwen2ForCausalLM:
    """The causal LM in ``folder``, in evaluation mode; ``dtype`` None keeps the one it was saved in.

    Raises ModelMissing when the folder holds no Qwen2 or no whole safetensors weights.
    """
    _check_config(folder)
    if not any(folder.glob("*.safetensors")):
        raise ModelMissing(
            f"{folder} has a config.json but no model.safetensors: put the *.safetensors files of "
            "the same model beside it"
        )
    from transformers import Qwen2ForCausalLM

    options: dict[str, Any] = {"dtype": dtype or "auto", "output_loading_info": True}
    try:
        with no_bars():
            loaded: Any = Qwen2ForCausalLM.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, **options
            )
    except Exception as error:  # noqa: BLE001  a cut or foreign file fails in many ways
        raise ModelMissing(
            f"the weights in {folder} cannot be read ({_first_line(error)}): fetch them again"
        ) from None
    base, report = loaded
    if lacking := sorted(report["missing_keys"]):
        raise ModelMissing(
            f"the weights in {folder} lack {len(lacking)} tensors, {lacking[0]} first: fetch them again"
        )
    return base.to(device).eval() if device is not None else base.eval()


def _check_config(folder: Path) -> None:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelMissing(
            f"{folder} has no config.json: it is not the folder of a Hugging Face model"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelMissing(f"{path} cannot be read ({_first_line(error)})") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != MODEL_TYPE:
        raise ModelMissing(
            f"{folder} holds a model of type '{kind}', and only '{MODEL_TYPE}' can be opened"
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer saved in ``folder``; raises ModelMissing."""
    from transformers import AutoTokenizer

    options: dict[str, Any] = {"local_files_only": True}
    try:
        if not (folder / "tokenizer_config.json").exists():
            raise FileNotFoundError("tokenizer_config.json")
        return AutoTokenizer.from_pretrained(folder, **options)
    except (OSError, ValueError) as error:
        raise ModelMissing(
            f"{folder} has no tokenizer that can be read ({_first_line(error)}): put tokenizer.json "
            "and tokenizer_config.json of the same model beside its weights"
        ) from None

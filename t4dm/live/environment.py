"""Parameter values from ``T4DM_*`` variables, and a warning for names that mean nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

PARAMETERS = {
    "T4DM_STDP_ENABLED": "stdp.enabled",
    "T4DM_STDP_LEARNING_RATE": "stdp.learning_rate",
    "T4DM_NEUROMOD_ENABLED": "neuromod.enabled",
    "T4DM_NEUROMOD_UPDATE_FREQ": "neuromod.update_freq",
}
OTHERS = (
    "T4DM_API_KEY", "T4DM_DATA_DIR", "T4DM_RUN_DIR", "T4DM_LEARNING_RATE", "T4DM_HOST",
    "T4DM_ALLOWED_HOSTS", "T4DM_CRASH_AT",
    "T4DM_CHROMIUM",
    "T4DM_LOG_LEVEL",
)  # fmt: skip
_WORDS = {"1": True, "true": True, "yes": True, "on": True,
          "0": False, "false": False, "no": False, "off": False}  # fmt: skip


def values(environ: Mapping[str, str], tree: ParamTree) -> tuple[dict[str, Any], list[str]]:
    """``({path: value}, sentences about what was not understood)``."""
    found: dict[str, Any] = {}
    complaints: list[str] = []
    for name, path in PARAMETERS.items():
        if not (text := environ.get(name, "").strip()):
            continue
        try:
            found[path] = tree.check(path, _value(tree.spec(path).kind, text))
        except (ParamError, ValueError) as error:
            complaints.append(f"{name}={text[:40]} was left out: {error}")
    known = [*PARAMETERS, *OTHERS]
    for name in sorted(environ):
        if name.startswith("T4DM_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            complaints.append(
                f"unknown variable {name}" + (f"; did you mean {near[0]}?" if near else "")
            )
    return found, complaints


def _value(kind: str, text: str) -> Any:
    if kind == "bool":
        if text.lower() not in _WORDS:
            raise ValueError("expected true or false")
        return _WORDS[text.lower()]
    if kind == "int":
        return 1 if text == "every_step" else int(text)
    return float(text)

"""Parameters named by ``T4DM_*`` variables, for scripts and the live session alike; no torch here.

A keyword given in code wins over the variable, the variable over the default.
"""

from __future__ import annotations

import difflib
import functools
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from t4dm.params import ParamError, Params, ParamSpec

PARAMETERS = {
    "T4DM_STDP_ENABLED": "stdp.enabled",
    "T4DM_STDP_LEARNING_RATE": "stdp.learning_rate",
    "T4DM_NEUROMOD_ENABLED": "neuromod.enabled",
    "T4DM_NEUROMOD_UPDATE_FREQ": "neuromod.update_freq",
    "T4DM_LEARNING_RATE": "gradient.learning_rate",
}
OTHERS = (
    "T4DM_ALLOWED_HOSTS", "T4DM_API_KEY", "T4DM_CHROMIUM", "T4DM_CRASH_AT", "T4DM_DATA_DIR",
    "T4DM_FULL_AT", "T4DM_HOST", "T4DM_LOGIN_HOURS", "T4DM_LOG_LEVEL", "T4DM_MAX_SESSIONS",
    "T4DM_MEMORY_MB", "T4DM_PROXY_HOPS", "T4DM_QWEN", "T4DM_RUN_DIR", "T4DM_VIEW_KEY",
)  # fmt: skip
EVERY_STEP = "every_step"
_WORDS = {"1": True, "true": True, "yes": True, "on": True,
          "0": False, "false": False, "no": False, "off": False}  # fmt: skip
log = logging.getLogger(__name__)


def from_environment(
    group: type[Params], environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """``{field: value}`` of the variables that name a parameter of ``group``.

    Raises ParamError, one sentence with variable, valid range and value, for a bad value.  Unknown
    ``T4DM_*`` names are warned of once, with the nearest valid one.
    """
    environ = os.environ if environ is None else environ
    for sentence in unknown_variables(environ):
        _warn_once(sentence)
    specs = {spec.path: spec for spec in group.specs()}
    return {
        specs[path].name: read_variable(name, environ[name], group, specs[path])
        for name, path in PARAMETERS.items()
        if path in specs and environ.get(name, "").strip()
    }


def read_variable(name: str, text: str, group: type[Params], spec: ParamSpec) -> Any:
    """The value that ``text`` stands for; raises ParamError if it is none."""
    try:
        return group.check(spec.name, _value(spec, text.strip()), path=name)
    except ParamError as error:
        if spec.path != "neuromod.update_freq":
            raise
        message = error.message.replace("expected ", f"expected {EVERY_STEP} or ", 1)
        raise ParamError(name, message, lo=spec.lo, hi=spec.hi, unit=spec.unit) from None


def unknown_variables(environ: Iterable[str]) -> list[str]:
    """A sentence for every ``T4DM_*`` name that means nothing, with the nearest that does."""
    known = [*PARAMETERS, *OTHERS]
    sentences = []
    for name in sorted(environ):
        if name.startswith("T4DM_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            sentences.append(
                f"unknown variable {name}" + (f"; did you mean {near[0]}?" if near else "")
            )
    return sentences


def _value(spec: ParamSpec, text: str) -> Any:
    """``text`` as the kind of ``spec`` has it; left as it is where it cannot be read."""
    if spec.path == "neuromod.update_freq" and text == EVERY_STEP:
        return 1
    if spec.kind == "bool":
        return _WORDS.get(text.lower(), text)
    try:
        return int(text) if spec.kind == "int" else float(text)
    except ValueError:
        return text


@functools.cache
def _warn_once(sentence: str) -> None:
    log.warning(sentence)

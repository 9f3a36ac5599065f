"""Which tensor of a running stack is no longer finite."""

from __future__ import annotations

import numpy as np

from t4dm.kernels.learning import finite
from t4dm.kernels.stack_arrays import State
from t4dm.spiking.params import STAGES

LOOK_EVERY = 32  # steps: reading all of the state costs as much as a step of the network
_SHOWN = {"w_rec": "recurrent.weight"}
_IN = ("w_rec", "pre", "post", "buckets", "eligibility")
_BETWEEN = ("p_bar", "k_bar", "keys", "m_before", "wkv_a", "wkv_b")
_STAGE = ("theta_h", "u")
_CHECKED = (*_IN, *_BETWEEN, *_STAGE, "levels")


def is_due(step0: int, step1: int) -> bool:
    """Whether steps [step0, step1) hold one at whose end the whole state is looked through."""
    return step1 // LOOK_EVERY > step0 // LOOK_EVERY


def first_fault(state: State, strange: np.ndarray) -> str | None:
    """Name of the first tensor with a NaN or Inf, in the order of a step; None when all is well.

    ``strange`` (G,): the first step at which a stage's u_pre was not finite, -1 if it always was.
    """
    if (strange < 0).all() and all(finite(getattr(state, n).reshape(-1)) for n in _CHECKED):
        return None
    if not np.isfinite(state.levels).all():
        return "neuromod.levels"
    for block in range(state.w_rec.shape[0]):
        name = _fault_of(state, block)
        if name is not None:
            return f"blocks.{block}.{name}"
    stage = int(np.argmax(strange >= 0))
    return f"blocks.{stage // 2}.{STAGES[stage % 2]}.u_pre"


def _fault_of(state: State, block: int) -> str | None:
    steps = [(name, name, block) for name in _IN]
    steps += [(name, f"{STAGES[0]}.{name}", 2 * block) for name in _STAGE]
    steps += [(name, name, block) for name in _BETWEEN]
    steps += [(name, f"{STAGES[1]}.{name}", 2 * block + 1) for name in _STAGE]
    for name, shown, index in steps:
        if not np.isfinite(getattr(state, name)[index]).all():
            return _SHOWN.get(shown, shown)
    return None

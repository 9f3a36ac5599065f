"""From the parameter tree to the arrays that the kernels take."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from t4dm.kernels.stack_arrays import (
    EAGER_NEAREST,
    EAGER_PAIRS,
    LAZY,
    LAZY_CUT,
    THREE_FACTOR,
    THREE_FACTOR_NEAREST,
    WINDOW_MAX,
    Rule,
)
from t4dm.learning.homeostasis import THETA_MIN
from t4dm.live.tree import ParamTree
from t4dm.spiking.params import NEUROMODULATORS, STAGES
from t4dm.spiking.settings import window_steps


class Settings(NamedTuple):
    """Everything but the neuromodulators; L blocks, G stages."""

    lif: np.ndarray  # (G, 3) real: alpha, beta, u_max
    v_thresh: np.ndarray  # (G,) f8
    gate_slope: np.ndarray  # (L,) real
    gate_bias: np.ndarray  # (L,) real
    input_gain: float
    recurrent_gain: float
    attention: np.ndarray  # (3,) real: exp(-dt/tau), kappa, sharpness
    apical_gain: np.floating
    rwkv_decay: float
    homeostasis: np.ndarray  # (5,) f8: enabled, target, learning rate, theta_max, lowest theta
    rule: Rule


class Levels(NamedTuple):
    """Neuromodulator parameters, order DA, ACh, NE, 5HT; all float64."""

    enabled: bool
    every: int
    base: np.ndarray  # (4,)
    keep: np.ndarray  # (4,) exp(-every*dt/tau)
    held: np.ndarray  # (4,) NaN where free
    onset_dose: np.ndarray  # (4,)
    reward_gain: float
    reward_rate: float


def read_levels(tree: ParamTree) -> Levels:
    """The group ``neuromod`` of ``tree``."""

    def each(suffix: str) -> np.ndarray:
        values = [tree.get(f"neuromod.{nt}{suffix}") for nt in NEUROMODULATORS]
        return np.array([np.nan if v is None else v for v in values], np.float64)

    every = tree.get("neuromod.update_freq")
    return Levels(
        enabled=tree.get("neuromod.enabled"),
        every=every,
        base=each("_baseline"),
        keep=np.exp(-every / (each("_tau") / tree.dt)),
        held=each(""),
        onset_dose=np.array(
            [0.0, tree.get("neuromod.onset_ACh"), tree.get("neuromod.onset_NE"), 0.0]
        ),
        reward_gain=tree.get("neuromod.reward_gain"),
        reward_rate=tree.get("neuromod.reward_rate"),
    )


def read_settings(tree: ParamTree, real: np.dtype) -> Settings:
    """Everything else of ``tree``, in the precision ``real``."""
    blocks = range(tree.n_blocks)
    stages = [(block, owner) for block in blocks for owner in STAGES]

    def lif(name: str) -> np.ndarray:
        return np.array([tree.stage("lif", name, *stage) for stage in stages], np.float64)

    def gate(name: str) -> np.ndarray:
        return np.array([tree.stage("gate", name, block) for block in blocks], real)

    def numbers(dtype: Any, *paths: str) -> np.ndarray:
        return np.array([tree.get(path) for path in paths], dtype)

    dt = tree.dt
    ages = np.arange(int(WINDOW_MAX / dt) + 2)
    tau = tree.get("attention.tau") / dt
    attention = [np.exp(-1.0 / tau), tree.get("attention.kappa"), tree.get("attention.sharpness")]
    return Settings(
        lif=np.stack([lif(name) for name in ("alpha", "beta", "u_max")], axis=1).astype(real),
        v_thresh=lif("v_thresh"),
        gate_slope=gate("slope"),
        gate_bias=gate("bias"),
        input_gain=tree.get("input.gain"),
        recurrent_gain=tree.get("recurrent.gain"),
        attention=np.array(attention, real),
        apical_gain=real.type(tree.get("apical.gain")),
        rwkv_decay=tree.get("rwkv.decay"),
        homeostasis=np.append(
            numbers(
                np.float64, "homeostasis.enabled", "homeostasis.target_rate",
                "homeostasis.learning_rate", "homeostasis.theta_max",
            ),
            THETA_MIN,
        ),
        rule=Rule(
            powers_plus=np.exp(-ages / (tree.get("stdp.tau_plus") / dt)).astype(real),
            powers_minus=np.exp(-ages / (tree.get("stdp.tau_minus") / dt)).astype(real),
            bounds=numbers(real, "stdp.w_max", "stdp.mu"),
            learning=np.append(
                numbers(
                    np.float64, "stdp.enabled", "stdp.learning_rate", "stdp.a_plus",
                    "stdp.a_minus", "stdp.da_gate",
                ),
                tree.get("stdp.tau_e") / dt,
            ),
            plan=_plan(tree, real),
        ),
    )  # fmt: skip


def _plan(tree: ParamTree, real: np.dtype) -> np.ndarray:
    """Path, pre and post window in steps, whether either cuts anything that rounding would show."""
    dt = tree.dt
    windows = [
        window_steps(tree.get(f"stdp.window_{way}"), dt) for way in ("pre_to_post", "post_to_pre")
    ]
    taus = [tree.get("stdp.tau_plus") / dt, tree.get("stdp.tau_minus") / dt]
    cuts = [
        np.exp(-window / tau) > np.finfo(real).eps / 4
        for window, tau in zip(windows, taus, strict=True)
    ]
    nearest = tree.get("stdp.pairing") == "nearest"
    if tree.get("stdp.mode") == "three_factor":
        path = THREE_FACTOR_NEAREST if nearest else THREE_FACTOR
    elif nearest:
        path = EAGER_NEAREST
    elif tree.get("stdp.mu") > 0:
        path = EAGER_PAIRS
    else:
        path = LAZY_CUT if cuts[0] else LAZY
    return np.array([path, *windows, *cuts], np.int64)

"""Everything that can change between two steps, as one plain value; no torch here.

Times are in steps here: a tree's times in ms over its ``dt``.
G stages (stage 2l is block l's LIF in, 2l+1 its LIF out)  L blocks
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from t4dm.learning.params import HomeostasisParams, STDPParams
from t4dm.params import Params
from t4dm.spiking.params import (
    NEUROMODULATORS,
    STAGES,
    ApicalParams,
    AttentionParams,
    GateParams,
    LIFParams,
    RecurrentParams,
    RWKVParams,
)

NEUTRAL = dict.fromkeys(NEUROMODULATORS, 0.5)


class Tree(Protocol):
    """What is needed of a parameter tree (``t4dm.live.tree.ParamTree`` has it)."""

    n_blocks: int
    dt: float

    def get(self, path: str) -> Any:
        """The value in force at ``path``; raises ParamError for an unknown one."""

    def stage(self, group: str, name: str, block: int, owner: str | None = None) -> Any:
        """The value in force for one stage of one block."""


@dataclass(frozen=True)
class StepSettings:
    """Parameters, neuromodulator levels and the rest flag of one step."""

    v_thresh: np.ndarray  # (G,)
    alpha: np.ndarray  # (G,)
    beta: np.ndarray  # (G,)
    u_max: np.ndarray  # (G,)
    gate_slope: np.ndarray  # (L,)
    gate_bias: np.ndarray  # (L,)
    recurrent_gain: float = RecurrentParams().gain
    attention_tau: float = AttentionParams().tau
    attention_kappa: float = AttentionParams().kappa
    attention_sharpness: float = AttentionParams().sharpness
    apical_gain: float = ApicalParams().gain
    rwkv_decay: float = RWKVParams().decay
    input_gain: float = 1.0
    da: float = 0.5
    ach: float = 0.5
    ne: float = 0.5
    ht5: float = 0.5
    rest: bool = False
    stdp: STDPParams = field(default_factory=STDPParams)
    homeostasis: HomeostasisParams = field(default_factory=HomeostasisParams)

    @classmethod
    def default(cls, n_blocks: int) -> StepSettings:
        """Every parameter at its default, neutral levels, no rest."""
        lif, gate = LIFParams(), GateParams()
        stage: dict[str, Any] = {
            name: np.full(2 * n_blocks, getattr(lif, name)) for name in LIFParams.model_fields
        }
        return cls(
            **stage,
            gate_slope=np.full(n_blocks, gate.slope),
            gate_bias=np.full(n_blocks, gate.bias),
        )

    @classmethod
    def from_tree(
        cls, tree: Tree, levels: Mapping[str, float] | None = None, rest: bool = False
    ) -> StepSettings:
        """The values in force in ``tree``, at the ``levels`` DA, ACh, NE, 5HT (neutral if absent)."""
        stages = [(block, owner) for block in range(tree.n_blocks) for owner in STAGES]
        lif: dict[str, Any] = {
            name: np.array([tree.stage("lif", name, *stage) for stage in stages], dtype=np.float64)
            for name in LIFParams.model_fields
        }
        gate: dict[str, Any] = {
            f"gate_{name}": np.array(
                [tree.stage("gate", name, block) for block in range(tree.n_blocks)],
                dtype=np.float64,
            )
            for name in GateParams.model_fields
        }
        return cls(
            **lif,
            **gate,
            recurrent_gain=tree.get("recurrent.gain"),
            attention_tau=tree.get("attention.tau") / tree.dt,
            attention_kappa=tree.get("attention.kappa"),
            attention_sharpness=tree.get("attention.sharpness"),
            apical_gain=tree.get("apical.gain"),
            rwkv_decay=tree.get("rwkv.decay"),
            input_gain=tree.get("input.gain"),
            stdp=_stdp_in_steps(tree),
            homeostasis=HomeostasisParams(**_group(tree, HomeostasisParams)),
        ).at(NEUTRAL if levels is None else levels, rest)

    def at(self, levels: Mapping[str, float], rest: bool = False) -> StepSettings:
        """The same parameters at other levels and another rest flag."""
        return replace(
            self,
            da=levels["DA"], ach=levels["ACh"], ne=levels["NE"], ht5=levels["5HT"], rest=rest,
        )  # fmt: skip


def window_steps(ms: int, dt: float) -> int:
    """Steps of a window of ``ms``: a pair counts up to this many steps apart, 0 for none."""
    return int(ms / dt)


def _stdp_in_steps(tree: Tree) -> STDPParams:
    values, dt = _group(tree, STDPParams), tree.dt
    for way in ("pre_to_post", "post_to_pre"):
        values[f"window_{way}"] = window_steps(values[f"window_{way}"], dt)
    for name in ("tau_plus", "tau_minus", "tau_e"):
        values[name] /= dt
    return STDPParams.model_construct(**values)


def _group(tree: Tree, group: type[Params]) -> dict[str, Any]:
    return {name: tree.get(f"{group.group}.{name}") for name in group.model_fields}

"""Seventeen faults that a language model can carry, each built right here and each kept as a switch.

Every module that one of them concerns takes ``ablations=frozenset()``; with the name in the set it
does what the faulty code did.  *Curve* faults run and show in a number; *error* faults stop with an
error.  ``docs/language.md`` has the table.  No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from t4dm.params import did_you_mean


class Ablation(StrEnum):
    """The old behaviours, in the order of their numbers."""

    DUPLICATE_NORM_DROPOUT = "duplicate_norm_dropout"
    UNTIED_HEAD = "untied_head"
    EMBEDDING_N01 = "embedding_n01"
    PLACE_RESIDUAL_FULL = "place_residual_full"
    MEMORY_GATE_TRANSPOSED = "memory_gate_transposed"
    POSITION_BY_CURRENT_LENGTH = "position_by_current_length"
    NO_PROSODY_IN_WAKE = "no_prosody_in_wake"
    EWC_WITHOUT_PROSODY = "ewc_without_prosody"
    LIQUID_STATE_DTYPE = "liquid_state_dtype"
    ROUTER_TOP_K_UNCLAMPED = "router_top_k_unclamped"
    BRIDGE_FIXED_TIMESTEPS = "bridge_fixed_timesteps"
    GIF_STATE_DTYPE = "gif_state_dtype"
    BRIDGE_DTYPE = "bridge_dtype"
    BRAIN_RESIDUAL_FULL = "brain_residual_full"
    THALAMUS_GAIN_DTYPE = "thalamus_gain_dtype"
    BASAL_GANGLIA_FLOAT_SUM = "basal_ganglia_float_sum"
    GRID_CONSTANT_UNREGISTERED = "grid_constant_unregistered"


Ablations = frozenset[Ablation]
NONE: Ablations = frozenset()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its number, its switch, how it shows, what it does and where it lives."""

    number: int
    ablation: Ablation
    kind: Literal["curve", "error"]
    title: str
    shows: str
    module: str


def _table(*rows: tuple[Ablation, Literal["curve", "error"], str, str, str]) -> tuple[Fault, ...]:
    return tuple(Fault(number, *row) for number, row in enumerate(rows, start=1))


FAULTS = _table(
    (
        Ablation.DUPLICATE_NORM_DROPOUT, "curve", "LayerNorm and dropout applied twice",
        "share of noise in the read-out is 1 - (1-p)^2 instead of p",
        "t4dm.hippocampal.transformer",
    ),
    (
        Ablation.UNTIED_HEAD, "curve", "output head not tied to the embedding",
        "vocab_size * dim more parameters",
        "t4dm.hippocampal.transformer",
    ),
    (
        Ablation.EMBEDDING_N01, "curve", "embedding drawn from N(0, 1)",
        "first loss far above ln(vocab_size)",
        "t4dm.hippocampal.place_cells",
    ),
    (
        Ablation.PLACE_RESIDUAL_FULL, "curve", "place-cell reconstruction added in full",
        "norm of what is added, over the norm of the embedding",
        "t4dm.hippocampal.place_cells",
    ),
    (
        Ablation.MEMORY_GATE_TRANSPOSED, "error", "memory gate shaped (B,1,1,T)",
        "shapes do not match wherever T is not the width of a head",
        "t4dm.hippocampal.attention",
    ),
    (
        Ablation.POSITION_BY_CURRENT_LENGTH, "curve", "positions divided by the current length",
        "the code of a position moves as the text grows",
        "t4dm.hippocampal.theta_gamma",
    ),
    (
        Ablation.NO_PROSODY_IN_WAKE, "curve", "wake step leaves out prosody and memory",
        "gradient of the prosody weights is 0",
        "t4dm.training.wake",
    ),
    (
        Ablation.EWC_WITHOUT_PROSODY, "curve", "Fisher information measured without prosody",
        "Fisher information of the prosody weights is 0",
        "t4dm.training.sleep",
    ),
    (
        Ablation.LIQUID_STATE_DTYPE, "error", "liquid state made in the default dtype",
        "bfloat16 input meets a float32 state",
        "t4dm.brain.liquid",
    ),
    (
        Ablation.ROUTER_TOP_K_UNCLAMPED, "error", "router's top_k not held to the experts there are",
        "topk asks for more experts than there are",
        "t4dm.brain.liquid_moe",
    ),
    (
        Ablation.BRIDGE_FIXED_TIMESTEPS, "error", "spike trains reshaped to a fixed length",
        "any other number of timesteps does not fit",
        "t4dm.brain.language_zone",
    ),
    (
        Ablation.GIF_STATE_DTYPE, "error", "GIF state made in the default dtype",
        "bfloat16 in, float32 out; the next layer refuses it",
        "t4dm.spiking.gif",
    ),
    (
        Ablation.BRIDGE_DTYPE, "error", "spikes of the bridge made in the default dtype",
        "bfloat16 in, float32 out; the next layer refuses it",
        "t4dm.spiking.spike_bridge",
    ),
    (
        Ablation.BRAIN_RESIDUAL_FULL, "curve", "basal-ganglia output added in full",
        "norm of what is added, over the norm of the input",
        "t4dm.brain.natural_brain",
    ),
    (
        Ablation.THALAMUS_GAIN_DTYPE, "error", "attention gain made in the default dtype",
        "bfloat16 in, float32 gain; the relay refuses it",
        "t4dm.brain.thalamus",
    ),
    (
        Ablation.BASAL_GANGLIA_FLOAT_SUM, "error", "sum over regions begun with the number 0.0",
        "with no region released the result is no tensor",
        "t4dm.brain.basal_ganglia",
    ),
    (
        Ablation.GRID_CONSTANT_UNREGISTERED, "error", "grid constant k kept as a plain tensor",
        "k stays behind when the module moves to another device",
        "t4dm.brain.grid_cells",
    ),
)  # fmt: skip


def ablations_of(names: list[str]) -> Ablations:
    """The set of ``names``; raises ValueError with the nearest valid name."""
    known = [ablation.value for ablation in Ablation]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown ablation '{name}'{did_you_mean(name, known)}")
    return frozenset(Ablation(name) for name in names)

"""Parameters and probes of the spiking side.  Equations: ``docs/equations.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar, Literal

from t4dm.params import Params, Probe, param

NEUROMODULATORS = ("DA", "ACh", "NE", "5HT")
STAGES = ("lif_in", "lif_out")
GAINS = ("gate (ACh)", "LIF input (NE)", "LTP (DA)", "LTD (DA)", "RWKV decay (5-HT)")


class LIFParams(Params):
    """Leaky integrate-and-fire stages; may be overridden per block or per stage."""

    group: ClassVar[str] = "lif"
    title: ClassVar[str] = "LIF neurons"
    scope: ClassVar[Literal["session", "stage", "block"]] = "stage"

    v_thresh: float = param(1.0, 0.05, 10.0, step=0.01, help="Firing threshold of u_pre.")
    alpha: float = param(
        0.9,
        0.0,
        0.999,
        step=0.001,
        help="Share of u kept per step, exp(-dt/tau_m). Raising it raises the rate when the input "
        "is sub-threshold and lowers it when zero-mean noise alone already crosses threshold.",
    )
    beta: float = param(
        1.0, 0.0, 2.0, step=0.01, help="Reset strength: beta * v_thresh is taken off at a spike."
    )
    u_max: float = param(
        10.0, 0.5, 1000.0, log=True, help="Clamp of u after the reset; clamped values are counted."
    )


class GateParams(Params):
    """Thalamic gate of each block: where its sigmoid lies, and how steep it is."""

    group: ClassVar[str] = "gate"
    title: ClassVar[str] = "Thalamic gate"
    scope: ClassVar[Literal["session", "stage", "block"]] = "block"

    bias: float = param(0.0, -10.0, 10.0, help="Added inside the sigmoid: opens or shuts the gate.")
    slope: float = param(1.0, 0.0, 10.0, help="Steepness of the gate's sigmoid.")


class RecurrentParams(Params):
    """Recurrent weights inside a block."""

    group: ClassVar[str] = "recurrent"
    title: ClassVar[str] = "Recurrent weights"

    gain: float = param(1.0, 0.0, 20.0, help="Multiplies the recurrent current of every block.")


class AttentionParams(Params):
    """Spike attention: how far back, and how sharply."""

    group: ClassVar[str] = "attention"
    title: ClassVar[str] = "Spike attention"

    tau: float = param(10.0, 1.0, 100.0, unit="ms", help="Decay of the spike traces it compares.")
    kappa: float = param(
        1.0, 0.0, 4.0, help="Weight of post-before-pre pairs, which lower a score."
    )
    sharpness: float = param(1.0, 0.0, 20.0, help="Multiplies the scores before the softmax.")


class ApicalParams(Params):
    """How strongly the context modulates."""

    group: ClassVar[str] = "apical"
    title: ClassVar[str] = "Apical modulation"

    gain: float = param(1.0, 0.0, 5.0, help="Multiplies the apical drive inside its sigmoid.")


class RWKVParams(Params):
    """Time mixing: how long the past is kept."""

    group: ClassVar[str] = "rwkv"
    title: ClassVar[str] = "RWKV time mixing"

    decay: float = param(
        1.0, 0.05, 20.0, log=True, help="Multiplies the learned decay rates; 5-HT divides them."
    )


class NeuromodParams(Params):
    """Levels in [0, 1]; ``neuromod.DA`` is the *held* level, null lets it run free."""

    group: ClassVar[str] = "neuromod"
    title: ClassVar[str] = "Neuromodulators"

    enabled: bool = param(True, help="Off: every level rests at 0.5, so every gain is neutral.")
    update_freq: int = param(
        1, 1, 1000, unit="steps", help="Levels are advanced every N steps, on the absolute grid."
    )
    DA: float | None = param(None, 0.0, 1.0, label="DA held", help="Dopamine held at this level.")
    ACh: float | None = param(
        None, 0.0, 1.0, label="ACh held", help="Acetylcholine held at this level."
    )
    NE: float | None = param(
        None, 0.0, 1.0, label="NE held", help="Noradrenaline held at this level."
    )
    HT5: float | None = param(
        None, 0.0, 1.0, label="5-HT held", alias="5HT", help="Serotonin held at this level."
    )
    DA_baseline: float = param(0.5, 0.0, 1.0, help="Level dopamine decays to.")
    ACh_baseline: float = param(0.5, 0.0, 1.0, help="Level acetylcholine decays to.")
    NE_baseline: float = param(0.5, 0.0, 1.0, help="Level noradrenaline decays to.")
    HT5_baseline: float = param(
        0.5, 0.0, 1.0, alias="5HT_baseline", help="Level serotonin decays to."
    )
    DA_tau: float = param(200.0, 1.0, 60000.0, unit="ms", log=True, help="Dopamine's decay time.")
    ACh_tau: float = param(
        150.0, 1.0, 60000.0, unit="ms", log=True, help="Acetylcholine's decay time."
    )
    NE_tau: float = param(
        300.0, 1.0, 60000.0, unit="ms", log=True, help="Noradrenaline's decay time."
    )
    HT5_tau: float = param(
        1000.0, 1.0, 60000.0, unit="ms", log=True, alias="5HT_tau", help="Serotonin's decay time."
    )
    onset_ACh: float = param(
        0.10, 0.0, 1.0, help="Acetylcholine released at a stimulus onset (phasic cue response)."
    )
    onset_NE: float = param(
        0.05, 0.0, 1.0, help="Noradrenaline released at a stimulus onset (phasic LC response)."
    )
    reward_gain: float = param(0.3, 0.0, 1.0, help="k in DA += k * (r - r_hat).")
    reward_rate: float = param(0.1, 0.0, 1.0, help="Learning rate of the expected reward r_hat.")


PROBES = {
    "spikes": Probe("N", kind="event", dtype="uint16", help="Neurons that fired, every stage."),
    "u_pre": Probe("N", help="Membrane after the leak and the input, before the reset."),
    "theta": Probe("G", help="Effective threshold of a stage: v_thresh + theta_h, at least 0.01."),
    "gate": Probe("L D", help="Gate activity g per channel, 0 to 1.5."),
    "attention": Probe(
        "L K", help="Attention of a step over its last K keys, newest last; mean over the heads."
    ),
    "attention_heads": Probe(
        "L H K K",
        help="Attention of the last K queries, head by head, oldest first; each over its last K keys.",
    ),
    "levels": Probe("4", help="Neuromodulator levels DA, ACh, NE, 5-HT."),
    "gains": Probe("5", help="Gains really applied, in the order of GAINS."),
}

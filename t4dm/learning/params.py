"""Parameters and probes of learning.  Equations: ``docs/equations.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar, Literal

from t4dm.params import Params, Probe, param


class STDPParams(Params):
    """Spike-timing-dependent plasticity of the excitatory recurrent weights."""

    group: ClassVar[str] = "stdp"
    title: ClassVar[str] = "STDP"

    enabled: bool = param(True, help="Off: no weight changes; traces go on.")
    mode: Literal["modulated", "three_factor"] = param(
        "modulated",
        help="modulated: DA scales A+ and A-. three_factor: dw = rate * eligibility * (DA - 0.5).",
    )
    pairing: Literal["all_to_all", "nearest"] = param(
        "all_to_all", help="Which pre/post pairs count."
    )
    learning_rate: float = param(
        1.0, 0.0, 100.0, log=True, help="Multiplies every weight change; 0.001 is 1000x slower."
    )
    window_pre_to_post: int = param(
        100, 1, 500, unit="ms", help="Largest dt = t_post - t_pre > 0 that still potentiates."
    )
    window_post_to_pre: int = param(
        100, 1, 500, unit="ms", help="Largest -dt > 0 that still depresses."
    )
    tau_plus: float = param(20.0, 1.0, 200.0, unit="ms", help="Decay of potentiation with dt.")
    tau_minus: float = param(20.0, 1.0, 200.0, unit="ms", help="Decay of depression with dt.")
    a_plus: float = param(0.01, 0.0, 1.0, step=0.0005, help="Potentiation at dt -> 0+.")
    a_minus: float = param(0.0105, 0.0, 1.0, step=0.0005, help="Depression at dt -> 0-.")
    mu: float = param(
        0.0, 0.0, 1.0, help="Weight dependence (Guetig 2003): 0 additive, 1 multiplicative."
    )
    w_max: float = param(1.0, 0.01, 10.0, log=True, help="Upper bound of a weight; 0 is the lower.")
    tau_e: float = param(
        200.0,
        1.0,
        5000.0,
        unit="ms",
        log=True,
        help="Eligibility decay (three_factor); 5-HT scales.",
    )
    da_gate: float = param(0.0, 0.0, 1.0, help="Below this DA level learning is gated off.")


class HomeostasisParams(Params):
    """Threshold homeostasis: theta = max(v_thresh + theta_h, 0.01), one theta_h a stage."""

    group: ClassVar[str] = "homeostasis"
    title: ClassVar[str] = "Homeostasis"

    enabled: bool = param(True, help="Off: theta_h stays where it is.")
    target_rate: float = param(
        0.08, 0.001, 0.5, unit="spikes/step", step=0.001, help="Firing rate it steers to."
    )
    learning_rate: float = param(
        0.005, 0.0, 1.0, log=True, help="theta_h moves by this times (rate - target) each step."
    )
    theta_max: float = param(0.5, 0.0, 10.0, help="Bound of |theta_h|.")


class GradientParams(Params):
    """Gradient training in a script (``t4dm.learning.gradient``); the live network has none."""

    group: ClassVar[str] = "gradient"
    title: ClassVar[str] = "Gradient training"

    learning_rate: float = param(0.001, 0.0, 10.0, log=True, help="Step size of the optimiser.")
    max_norm: float = param(
        1.0, 1e-6, 1e6, log=True, help="A gradient with a larger norm is scaled down to it."
    )


PROBES = {
    "weights": Probe("L B", kind="state", dtype="uint32", help="Weight counts per fixed bin."),
    "weight_matrix": Probe(
        "L R R", kind="state", dtype="uint8", help="Weights pre x post; cells where N > 256."
    ),
    "pairs": Probe("L 201", kind="state", dtype="uint32", help="Spike pairs per dt, last second."),
}

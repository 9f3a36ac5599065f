"""Parameters and probes of the plastic sensory layer (docs/equations.md, section 6); no torch here."""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import Params, Probe, param

BAND = (0.0, 0.005)
"""Share of neurons that fire in a step: at most one does, whatever N is (winner takes all)."""
CLASSES = 10


class SensoryParams(Params):
    """64 afferents to N neurons that compete for them; learns to tell digits apart."""

    group: ClassVar[str] = "sensory"
    title: ClassVar[str] = "Sensory layer"

    enabled: bool = param(
        True, help="Off: the layer is silent and feeds nothing; it learns nothing."
    )
    stdp: bool = param(True, help="Off: no afferent weight changes; needs stdp.enabled too.")
    reward: bool = param(
        True,
        help="Off: the answers to training digits release no dopamine and move no expectation.",
    )
    learning_rate: float = param(
        0.5, 0.0, 10.0, log=True, help="Step of a weight towards the afferent trace at a spike."
    )
    tonic: float = param(
        0.02,
        0.0,
        4.0,
        log=True,
        help="Share of the learning rate in force at the neutral DA of 0.5.",
    )
    phasic: float = param(
        4.0, 0.0, 20.0, help="What DA adds to that share: phasic * (DA - 0.5) / 0.5, never below 0."
    )
    x_target: float = param(
        0.02,
        0.0,
        1.0,
        step=0.005,
        help="Afferents whose trace is below it are depressed at a spike.",
    )
    trace_tau: float = param(
        50.0, 1.0, 1000.0, unit="ms", log=True, help="Decay of the afferent trace."
    )
    w_norm: float = param(
        2.0, 0.1, 20.0, log=True, help="Length that a neuron's weights are brought back to."
    )
    gain: float = param(0.15, 0.0, 5.0, step=0.01, help="Multiplies the afferent current.")
    alpha: float = param(0.95, 0.0, 0.999, step=0.001, help="Share of u kept per step.")
    v_thresh: float = param(2.5, 0.05, 20.0, step=0.05, help="Firing threshold before adaptation.")
    theta_plus: float = param(
        0.02, 0.0, 1.0, step=0.001, help="A spike raises its neuron's own threshold by this."
    )
    theta_tau: float = param(
        1e6, 100.0, 1e8, unit="ms", log=True, help="Decay of what spikes have added to a threshold."
    )
    inhibition: float = param(
        3.0,
        0.0,
        50.0,
        help="A spike takes this off every other membrane; -inhibition is the floor.",
    )
    refractory_ms: int = param(
        5, 0, 200, unit="ms", help="A neuron that fired stays silent for this long."
    )
    answer_ms: int = param(
        100,
        1,
        10000,
        unit="ms",
        help="A training digit is answered, and rewarded, this long after its onset.",
    )
    memory: int = param(
        1437,
        1,
        100000,
        unit="digits",
        log=True,
        help="Responses behind a neuron's label fade by 1/e over this many training digits.",
    )
    feed: float = param(
        1.0, 0.0, 20.0, help="Multiplies what the layer's spikes add to the input of block 0."
    )


PROBES = {
    "receptive_fields": Probe("64 N", kind="state", help="Afferent weights of every neuron."),
    "neuron_labels": Probe(
        "N", kind="state", dtype="int8", help="Digit a neuron stands for, or -1."
    ),
    "accuracy": Probe("T", help="Share of the last held-out digits that were answered correctly."),
}

"""Thresholds of the health rules.  No torch here.

Rates are shares of a group's neurons that fire in a millisecond (0.02 is 20 Hz), whatever the step.
"""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import Params, param

BIN_MS = 100
"""Evidence is gathered in bins of this length on the absolute grid; windows are multiples of it."""


class HealthParams(Params):
    """When a rule calls something a symptom; docs/health.md has the rules."""

    group: ClassVar[str] = "health"
    title: ClassVar[str] = "Health"

    enabled: bool = param(True, help="Off: nothing is looked for; what was found is forgotten.")
    settle_ms: int = param(
        500, 0, 10000, unit="ms", help="Steps after a start or reset that are not judged."
    )
    confirm_ms: int = param(
        200, 100, 10000, unit="ms", help="A symptom is called once it has been seen for this long."
    )
    clear_ms: int = param(
        500, 100, 10000, unit="ms",
        help="It is over once it has not been seen for this long, after part of a remedy was done.",
    )  # fmt: skip
    steady_ms: int = param(
        3000,
        100,
        60000,
        unit="ms",
        help="The same where nothing was done about it since it was found.",
    )
    longest_ms: int = param(
        30000, 100, 120000, unit="ms",
        help="What comes back has to be away for twice as long as before, but no longer than this.",
    )  # fmt: skip
    window_ms: int = param(
        500, 100, 3000, unit="ms", help="Rates and membranes of not firing, runaway, divergence."
    )
    slow_ms: int = param(
        1000, 100, 3000, unit="ms", help="Window of sparsity, learning, gate and attention."
    )
    stage_ms: int = param(
        1500, 100, 3000, unit="ms", help="Window in which a single stage is held to its band."
    )
    frozen_ms: int = param(1000, 100, 3000, unit="ms", help="Window of the modulators' movement.")
    silent: float = param(
        0.001, 0.0, 1.0, unit="spikes/ms", step=0.0005, help="A block below it is not firing."
    )
    sparse: float = param(
        0.01, 0.0, 1.0, unit="spikes/ms", step=0.001, help="A network below it is too sparse."
    )
    runaway: float = param(0.5, 0.0, 1.0, unit="spikes/ms", help="A block above it has run away.")
    low_stage: float = param(
        0.25, 0.0, 1.0, help="A stage below this share of its band's floor is silent."
    )
    full_stage: float = param(
        2.7, 1.0, 50.0, help="A stage above this multiple of its band's ceiling is saturated."
    )
    diverged: float = param(100.0, 1.0, 1e6, log=True, help="A membrane beyond +-this diverges.")
    moved: float = param(
        0.001, 0.0, 1.0, unit="1/s", log=True, help="Weights that move less are not learning."
    )
    pairs: float = param(
        0.12, 0.0, 1.0, help="Windows that take in less of the pairing than this are too narrow."
    )
    frozen: float = param(0.002, 0.0, 1.0, help="A level that moves less stands still.")
    bound_share: float = param(
        0.9, 0.0, 1.0, help="Weights are saturated once this share stands at 0 or w_max."
    )
    gate_shut: float = param(0.02, 0.0, 1.0, help="A gate whose sigmoid is below it is stuck shut.")
    gate_open: float = param(0.98, 0.0, 1.0, help="A gate whose sigmoid is above is stuck open.")
    collapse: float = param(
        0.997, 0.0, 1.0, help="Attention of a relative entropy above it has collapsed."
    )
    winner: float = param(
        0.98, 0.0, 1.0, help="A head's largest attention weight above it: one key takes all."
    )

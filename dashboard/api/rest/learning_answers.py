"""The answers of neuromodulators and of learning."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dashboard.api.models import Answer, Applied, Shown, Windowed


class Course(Windowed):
    """Levels and gains over time, and what happened to them."""

    every_ms: float = Field(description="Distance of the samples.")
    time_ms: list[float]
    levels: dict[str, list[float | None]]
    gains: dict[str, list[float | None]] = Field(description="The gains these levels set.")
    events: list[dict[str, Any]] = Field(description="Injections, rewards, changes of neuromod.*.")


class Source(Answer):
    nt: str
    when: str
    dose: float
    path: str = Field(description="The parameter that sets the dose.")
    rule: str


class Schedule(Applied):
    """What releases the neuromodulators, and when it did."""

    enabled: bool
    update_every: int = Field(description="Levels advance every so many steps.")
    sources: list[Source]
    held: dict[str, float | None] = Field(description="Levels held; null: free.")
    onsets_ms: list[float] = Field(description="Stimulus onsets in the window.")
    events: list[dict[str, Any]]


class BlockWeights(Answer):
    block: int
    name: str
    count_exc: list[int]
    count_inh: list[int]
    mean_exc: float | None = Field(description="Mean of the plastic weights, from the histogram.")
    mean_inh: float | None
    at_zero: float = Field(description="Share of the plastic weights that stand at 0.")
    at_max: float = Field(description="Share that stands at w_max.")


class WeightHistograms(Windowed):
    """The newest histogram of each block's recurrent weights."""

    sampled_ms: float | None = Field(description="When it was taken; null: none in the window.")
    w_max: float | None
    edges_exc: list[float]
    edges_inh: list[float]
    blocks: list[BlockWeights]


class BlockLearning(Answer):
    block: int
    pairs_pre_post: int = Field(description="Pairs of the last second that potentiate, dt > 0.")
    pairs_post_pre: int = Field(description="Pairs that depress, dt < 0.")
    mean_weight: float | None
    at_zero: float
    at_max: float


class StdpMetrics(Applied):
    """Whether STDP acts, with which factors, on which pairs and weights."""

    enabled: bool
    mode: str
    learning_rate: float
    da: float = Field(description="Dopamine now.")
    da_gate: float = Field(description="Below this level learning is gated off.")
    gated_off: bool
    ltp_gain: float
    ltd_gain: float
    a_plus_now: float = Field(description="Change of a pair at dt -> 0+, as applied now.")
    a_minus_now: float
    quantity: str = Field(description="dw, or de: a pair changes the eligibility.")
    words: list[str] = Field(description="What is out of the usual.")
    sampled_ms: float | None
    blocks: list[BlockLearning]


class BlockDelta(Answer):
    block: int
    name: str
    mean_weight: list[float | None] = Field(description="At each sample, from the histogram.")
    moved: list[float | None] = Field(
        description="Mean |change| of a plastic weight since the sample before; null: not known."
    )
    changed_at_least: list[int | None] = Field(
        description="Weights that left their bin since the sample before, at least."
    )
    mean_change: float | None = Field(description="Last mean less the first.")


class WeightDeltas(Windowed):
    """How the plastic weights moved from sample to sample (every 250 ms)."""

    sample_ms: list[float]
    moved_rows: Shown | None = Field(
        description="Rows of each set's plastic weights that moved is measured over, of all; null: "
        "not told."
    )
    bin_width: float = Field(description="Of the histogram, which bounds what a mean can show.")
    blocks: list[BlockDelta]


class StdpWindows(Applied):
    """The rule as applied now, and the pairs it was applied to."""

    parameters: dict[str, Any]
    quantity: str
    words: list[str]
    dt_ms: list[float]
    change: list[float | None] = Field(description="Of a pair with that dt, as applied now.")
    pair_dt_ms: list[int]
    sampled_ms: float | None
    pairs: dict[str, list[int]] = Field(description="Block: pairs of the last second by dt.")
    inside_share: float | None = Field(description="Share of all pairs that lie in the windows.")


class BlockHebb(Answer):
    block: int
    potentiation: list[float]
    depression: list[float]
    net: list[float]


class HebbianTrace(Applied):
    """What the pairs of each second add up to, before bounds are applied."""

    sample_ms: list[float]
    quantity: str
    blocks: list[BlockHebb]


class StageHomeostasis(Answer):
    group: str
    block: int
    stage: str
    rate: float = Field(description="Spikes per neuron and step in the window.")
    error: float = Field(description="Rate less target.")
    theta: float | None
    theta_h: float | None = Field(
        description="What homeostasis adds; null where the window ran with other parameters."
    )
    drift: float | None = Field(description="Change of theta over the window.")
    at_bound: bool | None = Field(description="Null as theta_h is.")


class HomeostaticState(Applied):
    """Where homeostasis steers each stage's threshold."""

    enabled: bool
    target_rate: float
    learning_rate: float
    theta_max: float
    stages: list[StageHomeostasis]

"""The answers of the spiking endpoints."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dashboard.api.models import Answer, Applied, Head, Shown, Windowed


class GroupStatistics(Answer):
    group: str
    block: int | None
    stage: str
    n: int
    share: float = Field(description="Spikes per neuron and step.")
    rate_hz: float
    min_hz: float = Field(description="The slowest neuron's rate.")
    median_hz: float
    max_hz: float
    silent: int = Field(description="Neurons without a spike in the window.")
    cv_isi: float | None = Field(description="Regularity: 0 a clock, 1 Poisson.")
    fano: float | None = Field(description="Synchrony: variance over mean of the spikes a step.")
    band: list[float] | None = Field(description="Share the group is healthy in.")
    in_band: bool | None


class Statistics(Windowed):
    """Rates and firing patterns of the whole network and of each group."""

    spike_rate: float = Field(description="Spikes per neuron and step, over all neurons.")
    rate_hz: float
    spikes: int
    neurons: Shown
    silent: int
    groups: list[GroupStatistics]


class StageParams(Answer):
    group: str
    block: int
    stage: str
    v_thresh: float
    alpha: float
    beta: float
    u_max: float
    tau_ms: float | None = Field(description="Membrane time constant, -dt / ln(alpha).")
    theta: float | None = Field(description="Effective threshold: v_thresh + theta_h.")
    theta_h: float | None = Field(
        description="What homeostasis adds; null until a step was computed with the parameters in force."
    )


class LifParams(Head):
    """Parameters of every LIF stage, as in force."""

    values: dict[str, Any] = Field(description="Values without overrides.")
    ranges: dict[str, list[float | None]] = Field(description="Least and largest value allowed.")
    overrides: dict[str, Any] = Field(description="Values of single blocks and stages.")
    stages: list[StageParams]


class Level(Answer):
    nt: str
    level: float
    baseline: float
    tau_ms: float
    held: float | None = Field(description="The level it is held at; null: free.")
    min: float = Field(description="Least level in the window.")
    max: float
    moved: bool = Field(description="Whether it changed at all in the window.")


class Neuromodulators(Applied):
    """Levels now, and what acts on them."""

    enabled: bool
    update_freq: int
    levels: list[Level]
    gains: dict[str, float]
    events: list[dict[str, Any]] = Field(description="Injections and rewards in the window.")


class SpikeTrain(Answer):
    neuron: int
    name: str
    spikes: int = Field(description="Spikes in the window, on this page or not.")
    times_ms: list[float]


class SpikeTimes(Windowed):
    """When each of the chosen neurons fired."""

    neurons: Shown
    spikes: int = Field(description="Spikes of these neurons in the window.")
    offset: int
    next_offset: int | None = Field(description="The next page's offset; null on the last.")
    trains: list[SpikeTrain]


class Table(Windowed):
    """Columns of equal length."""

    neurons: Shown | None = Field(description="Neurons shown of all; null where it has none.")
    blocks: list[int] | None = Field(
        description="The blocks shown; null where it is of the whole network."
    )
    rows: int = Field(description="Rows of the whole table.")
    offset: int
    next_offset: int | None
    columns: dict[str, list[Any]]

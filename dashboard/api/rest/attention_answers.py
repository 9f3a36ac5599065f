"""The answer of ``/spiking/attention-weights``."""

from __future__ import annotations

from pydantic import Field

from dashboard.api.models import Answer, Windowed


class BlockAttention(Answer):
    block: int
    sampled_ms: float | None = Field(description="When the newest query asked.")
    keys: int = Field(description="Keys it had in sight.")
    query_spikes: int = Field(description="Spikes of its step; none: nobody asked.")
    weights: list[float] = Field(description="By the key's age, newest first; mean of the heads.")
    relative_entropy: float | None = Field(
        description="Of these weights over log(keys): 1 all alike, 0 a single one; null: not judged."
    )
    mean_entropy: float | None = Field(description="Mean over the judged queries of the window.")
    judged: int = Field(description="Queries with enough keys and a spike.")
    samples: int


class AttentionWeights(Windowed):
    """What each block's spike attention looks back at."""

    ages_ms: list[float]
    fewest_keys: int = Field(description="A query over fewer keys is not judged.")
    blocks: list[BlockAttention]

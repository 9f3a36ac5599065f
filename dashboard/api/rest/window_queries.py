"""What the page's own routes take: documented here, read by ``dashboard.api.query``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from spectree.model_adapter.pydantic_adapter import BaseFile

from dashboard.api.frames import MAX_WINDOW_MS
from dashboard.api.rest.queries import NEURONS, NUMBER, WHOLE, Ms, Query

Block = Annotated[int, Field(ge=0, le=9999), WHOLE]


class ViewQuery(Query):
    """Which part of the network."""

    rows: Annotated[str, Field(pattern=NEURONS)] = Field(
        "spread:200", description="Neuron ids, spread:n, stage:g, block:l, or all."
    )
    membrane: str | SkipJsonSchema[None] = Field(
        None, pattern=r"^\d{1,9}(,\d{1,9})*$", description="Ids of at most 64 neurons."
    )
    gate_block: Block = Field(0, description="Block whose gate is shown.")
    weights_block: Block = Field(0, description="Block whose weights are shown.")
    attention_block: Block = Field(0, description="Block whose attention is shown.")


class RecordsQuery(Query):
    """What the client has already."""

    after: Annotated[int, Field(ge=0, le=2**53), WHOLE] | SkipJsonSchema[None] = Field(
        None, description="Sequence number of the newest segment or record the client has."
    )
    epoch: Annotated[int, Field(ge=0, le=2**53), WHOLE] | SkipJsonSchema[None] = Field(
        None, description="Its epoch."
    )


class FramesQuery(ViewQuery, RecordsQuery):
    """A part of the network, and what the client has already."""

    span_ms: Annotated[float, Field(ge=10, le=MAX_WINDOW_MS), NUMBER] = Field(
        2000, description="Length of a keyframe."
    )


class HistoryQuery(ViewQuery):
    from_ms: Ms | SkipJsonSchema[None] = None
    to_ms: Ms | SkipJsonSchema[None] = None


class PanelQuery(HistoryQuery):
    theme: Literal["light", "dark"] = "light"
    title: Literal["0", "1"] = "1"
    width: Annotated[int, Field(ge=200, le=4000), WHOLE] = 1200
    height: Annotated[int, Field(ge=120, le=4000), WHOLE] | SkipJsonSchema[None] = None
    scale: Annotated[float, Field(ge=0.5, le=4), NUMBER] | SkipJsonSchema[None] = None


class UploadForm(BaseModel):
    """A CSV, NPZ or Parquet file of a stimulus."""

    file: BaseFile

    model_config = {"arbitrary_types_allowed": True}

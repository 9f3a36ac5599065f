"""What the page's own routes take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import SkipJsonSchema
from spectree.model_adapter.pydantic_adapter import BaseFile

from dashboard.api.frames import MAX_WINDOW_MS
from dashboard.api.rest.queries import LONGEST, NUMBER, WHOLE, Ms, Query
from dashboard.panels.registry import all_panels
from t4dm.live.view import DEFAULT_ROWS, IDS, MEMBRANES, NAMED_ROWS, View

Block = Annotated[int, Field(ge=0, le=9999), WHOLE]
Theme = Literal["light", "dark"]
SpanMs = Annotated[float, Field(ge=10, le=MAX_WINDOW_MS, allow_inf_nan=False), NUMBER]
Scale = Annotated[float, Field(ge=0.5, le=4, allow_inf_nan=False), NUMBER]


class ViewQuery(Query):
    """Which part of the network."""

    rows: Annotated[str, Field(pattern=f"^({IDS}|{NAMED_ROWS})$", max_length=LONGEST)] = Field(
        DEFAULT_ROWS, description="Neuron ids (3,17,250), spread:n, stage:g, block:l, or all."
    )
    membrane: Annotated[str, Field(pattern=f"^({MEMBRANES})$")] | SkipJsonSchema[None] = Field(
        None, description="Ids of at most 64 neurons (3,17,250)."
    )
    gate_block: Block = Field(0, description="Block whose gate is shown.")
    weights_block: Block = Field(0, description="Block whose weights are shown.")
    attention_block: Block = Field(0, description="Block whose attention is shown.")
    weights_view: Literal["histogram", "matrix"] = Field(
        "histogram", description="With matrix, the newest weight matrix is there too."
    )

    attention_view: Literal["age", "matrix"] = Field(
        "age", description="With matrix, the newest sample of every head is there too."
    )

    def shown(self) -> View:
        """The part that is wanted."""
        blocks = (self.gate_block, self.weights_block, self.attention_block)
        views = (self.weights_view, self.attention_view)
        return View.parse(self.rows, self.membrane, *blocks, *views)


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

    span_ms: SpanMs = Field(2000, description="Length of a keyframe.")


class HistoryQuery(ViewQuery):
    from_ms: Ms | SkipJsonSchema[None] = None
    to_ms: Ms | SkipJsonSchema[None] = None


class PictureOfPanel(HistoryQuery):
    """What every panel takes."""

    theme: Theme = Field("light", description="Of a figure or image.")
    title: Literal["0", "1"] = Field("1", description="Whether a figure has its title.")
    width: Annotated[int, Field(ge=200, le=4000), WHOLE] = Field(
        1200, description="Pixels of an image."
    )
    height: Annotated[int, Field(ge=120, le=4000), WHOLE] | SkipJsonSchema[None] = Field(
        None, description="Pixels of an image; default: the panel's."
    )
    scale: Scale | SkipJsonSchema[None] = Field(
        None, description="Pixels of an image per pixel named; default: 2 of a PNG, 1 of an SVG."
    )


def _options() -> dict[str, Any]:
    """What single panels take beside it, as they declare it."""
    return {
        name: (Literal[values], Field(values[0], description=f"Of the panel {panel.slug}."))
        for panel in all_panels()
        for name, values in panel.options
    }


PanelQuery = create_model("PanelQuery", __base__=PictureOfPanel, **_options())


class UploadForm(BaseModel):
    """A CSV, NPZ or Parquet file of a stimulus."""

    file: BaseFile

    model_config = {"arbitrary_types_allowed": True}

"""The queries of the read endpoints: which session, which time, which neurons, how much of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from dashboard.api.frames import MAX_WINDOW_MS
from t4dm.live import paths
from t4dm.live.view import ID, NAMED_ROWS
from t4dm.params import ParamError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
COUNT = "[1-9][0-9]{0,8}"  # how many, where ids are a list: one id alone ends with a comma
NEURONS = f"^({COUNT}|{ID},|{ID}(,{ID})+,?|{NAMED_ROWS})$"
LONGEST = 8000  # characters of a list of ids


def _number(value: Any) -> Any:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("expected a number in decimal digits")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("expected a whole number in decimal digits")
    return value


def _tidy(schema: dict[str, Any]) -> None:
    """No titles made of the names, and no null as the default of what may be left out."""
    for field in schema["properties"].values():
        field.pop("title", None)
        if field.get("default", "") is None:
            del field["default"]


NUMBER, WHOLE = BeforeValidator(_number), BeforeValidator(_whole)
Ms = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False), NUMBER]
SpanMs = Annotated[float, Field(ge=1, le=MAX_WINDOW_MS, allow_inf_nan=False), NUMBER]


class Query(BaseModel):
    """Values of a query string; what is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_tidy)


class SessionQuery(Query):
    session_id: Annotated[str, Field(pattern=f"^({paths.NAME.pattern})?$")] = Field(
        paths.DEFAULT_SESSION, description="The session; empty: default."
    )


class WindowQuery(SessionQuery):
    """A time window: by default the newest part of the run."""

    from_ms: Ms | SkipJsonSchema[None] = Field(default=None, description="Begin, simulated ms.")
    to_ms: Ms | SkipJsonSchema[None] = Field(
        default=None, description="End, simulated ms; default: now."
    )
    last_ms: SpanMs | SkipJsonSchema[None] = Field(
        default=None, description="Length of the window up to its end, instead of from_ms."
    )

    @model_validator(mode="after")
    def _one_begin(self) -> WindowQuery:
        if self.from_ms is not None and self.last_ms is not None:
            raise ParamError("last_ms", "last_ms: give from_ms or last_ms, not both")
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ParamError("from_ms", "from_ms: it must be less than to_ms")
        return self


Layer = Annotated[int, Field(ge=0, le=9999), WHOLE] | SkipJsonSchema[None]


class LayerQuery(WindowQuery):
    layer: Layer = Field(default=None, description="Only this block.")


class NeuronsQuery(LayerQuery):
    neurons: Annotated[str, Field(pattern=NEURONS, max_length=LONGEST)] = Field(
        "100",
        description="How many, spread evenly (100); or ids (0,1,2; one id: 7,); or spread:n, "
        "stage:g, block:l, all.",
    )


class PageQuery(NeuronsQuery):
    limit: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = Field(
        200_000, description="Spikes an answer holds at most."
    )
    offset: Annotated[int, Field(ge=0, le=2**53), WHOLE] = Field(
        0, description="Spikes to leave out, in order of time; next_offset of the answer before."
    )


class TraceQuery(WindowQuery):
    every_ms: Annotated[int, Field(ge=1, le=10_000), WHOLE] | SkipJsonSchema[None] = Field(
        default=None,
        description="One sample every so many ms; default: so that there are at most 1000.",
    )


class PictureQuery(WindowQuery):
    """Data by default; or the page's own figure, or a picture of it."""

    format: Literal["json", "figure", "png", "svg"] = Field(
        "json",
        description="Data; a Plotly figure, which says in layout.meta of which step, t_ms and "
        "params_rev it is, its units, its blocks and how much is shown; or an image, whose answer says so "
        "in the headers X-T4DM-Step, -T-Ms, -Params-Rev, -Epoch, -Neurons, -Blocks and -Shown.",
    )
    theme: Literal["light", "dark"] = Field("light", description="Of a figure or image.")
    width: Annotated[int, Field(ge=200, le=4000), WHOLE] = Field(
        1200, description="Pixels of an image."
    )
    height: Annotated[int, Field(ge=120, le=4000), WHOLE] | SkipJsonSchema[None] = Field(
        default=None, description="Pixels of an image; default: the panel's."
    )
    scale: Annotated[float, Field(ge=0.5, le=4, allow_inf_nan=False), NUMBER] = Field(
        1.0, description="Pixels of an image per pixel named."
    )
    limit: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = Field(
        200_000, description="Rows of data an answer holds at most."
    )
    offset: Annotated[int, Field(ge=0, le=2**53), WHOLE] = Field(
        0, description="Rows to leave out."
    )


class BlockPictureQuery(PictureQuery):
    layer: Layer = Field(default=None, description="This block.")


class RasterQuery(BlockPictureQuery):
    neurons: Annotated[str, Field(pattern=NEURONS, max_length=LONGEST)] = Field(
        "100", description="As of /spiking/spike-times."
    )
    order: Literal["id", "rate", "latency"] = Field("id", description="Of a figure's rows.")


class SessionBody(BaseModel):
    """A JSON body; what is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_tidy)

    session_id: Annotated[str, Field(pattern=f"^({paths.NAME.pattern})?$")] = Field(
        default=paths.DEFAULT_SESSION, description="The session; empty: default."
    )


class SessionOfPost(Query):
    session_id: (
        Annotated[str, Field(pattern=f"^({paths.NAME.pattern})?$")] | SkipJsonSchema[None]
    ) = Field(
        default=None,
        description="The session, where the body does not name it; where the two differ, 422.",
    )


def session_meant(query: SessionOfPost, body: SessionBody) -> str:
    """The session that a POST names in its query or in its body, else the default one.

    An empty name counts as none; raises :class:`ParamError` for two different ones.
    """
    in_body = body.session_id if "session_id" in body.model_fields_set else ""
    in_query = query.session_id or ""
    if in_query and in_body and in_query != in_body:
        message = f"session_id: the query names '{in_query}' and the body '{in_body}'; name one"
        raise ParamError("session_id", message)
    return in_body or in_query or paths.DEFAULT_SESSION


class InjectBody(SessionBody):
    nt: Literal["DA", "ACh", "NE", "5HT"] = Field(description="Which neuromodulator.")
    level: float = Field(
        default=0.3, ge=-1, le=1, allow_inf_nan=False, description="What is added to its level."
    )

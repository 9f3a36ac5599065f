"""One look for all figures: colours, margins, axes.  Plain dicts, ready for Plotly's JSON."""

from __future__ import annotations

import base64
from typing import Any, Literal

import numpy as np

Theme = Literal["light", "dark"]
Figure = dict[str, Any]

OKABE_ITO = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
NEUROMODULATOR_NAMES = ("DA", "ACh", "NE", "5-HT")
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
FONT_SIZE = 12
ASIDE = "aside"  # name of what a page says beside or under the plot itself
LEFT_MARGIN = 196
RIGHT_MARGIN = 92
TOP_MARGIN = 46
TOP_MARGIN_UNTITLED = 24
BOTTOM_MARGIN = 40

_INK = {"light": "#1A1B1E", "dark": "#E6E8EB"}
_MUTED = {"light": "#4A4F57", "dark": "#A9B0BA"}
_GRID = {"light": "#DFE3E8", "dark": "#3A3F47"}
_LINE = {"light": "#7A828C", "dark": "#7F8894"}
_ALERT = {"light": "#A34700", "dark": "#FFB27A"}

DIVERGING = [
    [0.0, "#0072B2"], [0.25, "#7FB8D8"], [0.5, "#FFFFFF"], [0.75, "#EAB080"], [1.0, "#D55E00"],
]  # fmt: skip
SEQUENTIAL = [
    [0.0, "#00224E"], [0.125, "#123570"], [0.25, "#3B496C"], [0.375, "#575D6D"],
    [0.5, "#707173"], [0.625, "#8A8678"], [0.75, "#A59C74"], [0.875, "#C3B369"], [1.0, "#FEE838"],
]  # fmt: skip


def ink(theme: Theme) -> str:
    """Text colour, at least 4.5:1 on the theme's paper."""
    return _INK[theme]


def muted(theme: Theme) -> str:
    return _MUTED[theme]


def grid_colour(theme: Theme) -> str:
    return _GRID[theme]


def alert(theme: Theme) -> str:
    """Colour of thresholds, bounds and parameter changes."""
    return _ALERT[theme]


def block_colour(block: int, theme: Theme) -> str:
    """A block keeps its colour on every page; black turns to near white on the dark theme."""
    colour = OKABE_ITO[block % len(OKABE_ITO)]
    return "#F0F0F0" if colour == "#000000" and theme == "dark" else colour


def line_colour(theme: Theme) -> str:
    """Colour of axes and of what separates groups."""
    return _LINE[theme]


def faint(colour: str, theme: Theme) -> str:
    """``#RRGGBB`` half way to the axes' colour, as inhibitory neurons are drawn."""
    pairs = zip(_parts(colour), _parts(_LINE[theme]), strict=True)
    return "#" + "".join(f"{int(a + (b - a) * 0.5 + 0.5):02x}" for a, b in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def typed(values: np.ndarray) -> dict[str, str]:
    """A NumPy array as Plotly's base64 typed array, ``{"dtype", "bdata", "shape"}``.

    64-bit integers are narrowed to 32 bits, since browsers have no such typed array for Plotly;
    raises ValueError for a dtype that it does not know.
    """
    array = np.ascontiguousarray(values)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        array = array.astype(np.int32)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8 or array.dtype == np.float16:
        raise ValueError(f"no typed array for dtype {array.dtype}")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    out = {
        "dtype": f"{array.dtype.kind}{array.dtype.itemsize}",
        "bdata": base64.b64encode(array.tobytes()).decode("ascii"),
    }
    if array.ndim > 1:
        out["shape"] = ", ".join(str(n) for n in array.shape)
    return out


def axis(theme: Theme, title: str, **more: Any) -> dict[str, Any]:
    """An axis with its unit in the title, no zero line, ticks outside."""
    return {
        "title": {"text": title, "font": {"size": FONT_SIZE}, "standoff": 6},
        "gridcolor": grid_colour(theme),
        "linecolor": _LINE[theme],
        "tickcolor": _LINE[theme],
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "mirror": True,
        "zeroline": False,
        "automargin": False,
        **more,
    }


def time_axis(theme: Theme, lo_ms: float, hi_ms: float, **more: Any) -> dict[str, Any]:
    """The x axis that all time panels share: simulated milliseconds, fixed range."""
    span = {
        "range": [lo_ms, hi_ms],
        "autorange": False,
        "showgrid": True,
        "tickformat": ",~r",
        "ticklabeloverflow": "hide past domain",
    }
    return axis(theme, "Time (ms)", **(span | more))


def layout(theme: Theme, title: str, slug: str, **more: Any) -> dict[str, Any]:
    """Transparent paper, fixed margins (the same left and right on all), zoom kept by slug."""
    return {
        "title": {
            "text": title, "x": 0, "xref": "paper", "xanchor": "left", "y": 0.985,
            "yanchor": "top", "yref": "container", "font": {"size": 14, "color": ink(theme)},
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": FONT_SIZE, "color": ink(theme)},
        "margin": {
            "l": LEFT_MARGIN, "r": RIGHT_MARGIN, "t": TOP_MARGIN if title else TOP_MARGIN_UNTITLED,
            "b": BOTTOM_MARGIN, "pad": 0, "autoexpand": False,
        },
        "uirevision": slug,
        "hovermode": "closest",
        "hoverlabel": {"font": {"family": FONT, "size": FONT_SIZE}},
        "dragmode": "zoom",
        "showlegend": False,
        "shapes": [],
        "annotations": [],
        **more,
    }  # fmt: skip


def colour_bar(theme: Theme, title: str, **more: Any) -> dict[str, Any]:
    """A thin colour bar inside the fixed right margin."""
    return {
        "title": {"text": title, "side": "right", "font": {"size": FONT_SIZE}},
        "thickness": 10,
        "x": 1.01,
        "xpad": 2,
        "outlinewidth": 0,
        "tickcolor": _LINE[theme],
        "tickfont": {"size": FONT_SIZE},
        **more,
    }


def behind(theme: Theme) -> str:
    """Ground of text that lies over data."""
    return "rgba(255,255,255,0.85)" if theme == "light" else "rgba(26,27,30,0.85)"


def note(theme: Theme, text: str, x: float = 1.0, y: float = 1.0, **more: Any) -> dict[str, Any]:
    """A small line of text at a place of the plot area (paper coordinates), above it by default."""
    return {
        "text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False,
        "xanchor": "right", "yanchor": "bottom", "font": {"size": FONT_SIZE, "color": muted(theme)},
        **more,
    }  # fmt: skip


def caption(theme: Theme, text: str) -> dict[str, Any]:
    """A :func:`note` that repeats what the page says under the panel, and leaves out there."""
    return note(theme, text, name=ASIDE)


def empty_note(theme: Theme, text: str) -> dict[str, Any]:
    """Why nothing is drawn, in the middle of the plot."""
    return note(
        theme, text, 0.5, 0.5, xanchor="center", yanchor="middle",
        font={"size": 14, "color": ink(theme)},
    )  # fmt: skip


def absent(slug: str, text: str, theme: Theme) -> Figure:
    """The figure of a panel of which the session publishes nothing: the sentence that says so."""
    hidden = {"visible": False, "range": [0, 1], "autorange": False}
    out: Figure = {"data": [], "layout": layout(theme, "", slug, xaxis=hidden, yaxis=hidden)}
    out["layout"]["annotations"].append(empty_note(theme, text))
    return out


def safe_text(text: str, limit: int = 60) -> str:
    """User text for a figure: shortened, with the characters that Plotly reads as markup escaped."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def untitled(figure: Figure) -> Figure:
    """The same figure without its title, as the page shows it under its own heading."""
    margin = figure["layout"]["margin"] | {"t": TOP_MARGIN_UNTITLED}
    return figure | {"layout": figure["layout"] | {"title": {"text": ""}, "margin": margin}}


def seconds(lo_ms: float, hi_ms: float) -> str:
    """``12.0-12.5 s``: the part of a title that says when; more digits for short windows."""
    digits = 1 if hi_ms - lo_ms >= 100 else 3
    return f"{lo_ms / 1000:.{digits}f}-{hi_ms / 1000:.{digits}f} s"

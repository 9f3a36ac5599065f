"""The course of a training run as an SVG: loss above, gradient norm below, sleep as bars between.

A pure function from arrays to text, so that the picture in the docs can be checked for drift.
Each column of a few steps shows the range of its values (pale) and their mean (line).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, LEFT, RIGHT = 860, 56, 150
LOSS_TOP, LOSS_HEIGHT, NORM_TOP, NORM_HEIGHT, HEIGHT = 34, 250, 324, 120, 476
COLUMNS = 220
NORM_LOW, NORM_HIGH, BAND = 0.05, 50.0, (0.1, 10.0)
INK, PALE, LINE, HELD, RULE, ASLEEP = (
    "#3b4252", "#c9d7ee", "#2f6fbf", "#c2571a", "#8a8f98", "#7a5fb5",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """One plot: steps 0 to ``steps`` across, ``low`` to ``high`` upwards, linear or logarithmic."""

    top: float
    height: float
    steps: int
    low: float
    high: float
    log: bool = False

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.steps

    def y(self, value: float) -> float:
        turn: Callable[[float], float] = math.log if self.log else float
        held = min(max(value, self.low), self.high)
        share = (turn(held) - turn(self.low)) / (turn(self.high) - turn(self.low))
        return self.top + self.height * (1 - share)


def training_chart(
    title: str, course: Mapping[str, np.ndarray], levels: Mapping[str, float]
) -> str:
    """``course``: the arrays of a results file; ``levels``: loss values drawn as named lines."""
    loss, norm, asleep = course["loss"], course["grad_norm"], course["asleep"]
    n = len(loss)
    low = math.floor(min(float(loss.min()), *levels.values()))
    above = Box(LOSS_TOP, LOSS_HEIGHT, n, low, math.ceil(float(loss.max())))
    below = Box(NORM_TOP, NORM_HEIGHT, n, NORM_LOW, NORM_HIGH, log=True)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12" fill="{INK}">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 20, title, size=14),
        *_grid(above, range(int(above.low), int(above.high) + 1)),
        *_grid(below, (0.1, 1, 10)),
        *_bars(above, asleep),
        *_course(above, loss, asleep == 0),
        *_levels(above, levels),
        *_held_out(above, course, levels),
        *_norm_band(below),
        *_course(below, norm, np.ones(n, bool)),
        *_steps(below),
        _text(LEFT, LOSS_TOP - 4, "loss, nat a token (wake steps); bars: asleep"),
        _text(LEFT, NORM_TOP - 8, "gradient norm before clipping; dashed: 0.1 and 10"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _course(box: Box, values: np.ndarray, use: np.ndarray) -> list[str]:
    edges = np.linspace(0, len(values), min(COLUMNS, len(values)) + 1).astype(int)
    upper, lower, middle = [], [], []
    for first, after in itertools.pairwise(edges):
        part = values[first:after][use[first:after]]
        part = part[np.isfinite(part)]
        if not len(part):
            continue
        x = box.x((first + after) / 2)
        upper.append(f"{x:.1f},{box.y(float(part.max())):.1f}")
        lower.append(f"{x:.1f},{box.y(float(part.min())):.1f}")
        middle.append(f"{x:.1f},{box.y(float(part.mean())):.1f}")
    return [
        f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{PALE}"/>',
        f'<polyline points="{" ".join(middle)}" fill="none" stroke="{LINE}" stroke-width="1.5"/>',
    ]


def _held_out(box: Box, course: Mapping[str, np.ndarray], levels: Mapping[str, float]) -> list[str]:
    points = zip(course["held_out_step"], course["held_out_loss"], strict=True)
    spots = [
        f'<circle cx="{box.x(float(s)):.1f}" cy="{box.y(float(v)):.1f}" r="3" fill="{HELD}"/>'
        for s, v in points
    ]
    if len(course["held_out_loss"]):
        y = box.y(float(course["held_out_loss"][-1])) + 4
        for taken in sorted(box.y(value) + 4 for value in levels.values()):
            y = max(y, taken + 14) if abs(y - taken) < 14 else y  # names do not overlap
        spots.append(_text(WIDTH - RIGHT + 8, y, "held-out", colour=HELD))
    return spots


def _levels(box: Box, levels: Mapping[str, float]) -> list[str]:
    return [
        part
        for name, value in levels.items()
        for part in (
            _line(LEFT, WIDTH - RIGHT, box.y(value), RULE, "4 3"),
            _text(WIDTH - RIGHT + 8, box.y(value) + 4, f"{name} {value:.2f}", colour=RULE),
        )
    ]


def _bars(box: Box, asleep: np.ndarray) -> list[str]:
    edges = np.flatnonzero(np.diff(np.r_[0, asleep, 0]))
    bottom = box.top + box.height
    return [
        f'<rect x="{box.x(a):.1f}" y="{bottom - 6:.1f}" width="{max(1.0, box.x(b) - box.x(a)):.1f}" '
        f'height="6" fill="{ASLEEP}"/>'
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _norm_band(box: Box) -> list[str]:
    return [_line(LEFT, WIDTH - RIGHT, box.y(edge), HELD, "4 3") for edge in BAND]


def _grid(box: Box, values: range | tuple[float, ...]) -> list[str]:
    return [
        part
        for value in values
        for part in (
            _line(LEFT, WIDTH - RIGHT, box.y(value), "#e6e8ec", ""),
            _text(LEFT - 8, box.y(value) + 4, f"{value:g}", anchor="end"),
        )
    ]


def _steps(box: Box) -> list[str]:
    bottom = box.top + box.height + 18
    marks = [round(box.steps * share) for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    named = [_text(box.x(mark), bottom, f"{mark}", anchor="middle") for mark in marks]
    return [*named, _text(WIDTH - RIGHT + 8, bottom, "optimizer steps")]


def _line(x0: float, x1: float, y: float, colour: str, dashes: str) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{x0:.1f} {y:.1f}H{x1:.1f}" stroke="{colour}"{dashed}/>'


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(words)}</text>'
    )

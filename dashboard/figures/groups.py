"""Groups of the network as the figures name and colour them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from t4dm.live.window import Window


@dataclass(frozen=True, slots=True)
class Stage:
    """One population: neurons ``first`` to ``first + n - 1``; ``block`` is None for one of no block.

    ``short`` is for places with little room; ``colour`` is the number of its colour, its block's.
    """

    index: int
    block: int | None
    label: str
    short: str
    first: int
    n: int
    colour: int
    dashed: bool


def stages(window: Window) -> list[Stage]:
    """Every group of the window's session, in order."""
    layout = window.layout
    return [
        Stage(g.index, g.block, g.name, g.short, g.first, g.n, layout.colour(g), g.is_out)
        for g in layout.groups
    ]


def stage_indices(window: Window, neurons: np.ndarray) -> np.ndarray:
    """Index of the group of each neuron id, int64."""
    return window.layout.group_of(neurons)


def block_names(found: Iterable[Stage]) -> str:
    """``block 2``, ``blocks 0-5``, the name of a group alone, or empty: which, for a title."""
    shown = list(found)
    blocks = sorted({stage.block for stage in shown if stage.block is not None})
    alone = [stage.label for stage in shown if stage.block is None]
    if len(blocks) > 1:
        alone.append(f"blocks {blocks[0]}-{blocks[-1]}")
    elif blocks:
        alone.append(f"block {blocks[0]}")
    return ", ".join(alone) if len(alone) < 4 else f"{len(shown)} groups"

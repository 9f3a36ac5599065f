"""Stages of the network as the figures name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from t4dm.live.window import Window

STAGE_NAMES = ("LIF in", "LIF out")


@dataclass(frozen=True, slots=True)
class Stage:
    """One population: neurons ``first`` to ``first + n - 1``."""

    index: int
    block: int
    label: str
    first: int
    n: int

    @property
    def short(self) -> str:
        """``b2 in``, where there is little room."""
        return f"b{self.block} {'out' if self.index % 2 else 'in'}"


def stage(index: int, n: int) -> Stage:
    """Stage ``index`` of ``n`` neurons; stage 2l is block l's LIF in, 2l+1 its LIF out."""
    block = index // 2
    return Stage(index, block, f"block {block} {STAGE_NAMES[index % 2]}", index * n, n)


def stages(window: Window) -> list[Stage]:
    """Every stage of the window's network, in order."""
    return [stage(index, window.n_stage) for index in range(window.rates.shape[1])]


def block_names(blocks: Iterable[int]) -> str:
    """``block 2``, ``blocks 0-5`` or empty: the part of a title that says which."""
    found = sorted(set(blocks))
    if not found:
        return ""
    if len(found) == 1:
        return f"block {found[0]}"
    return f"blocks {found[0]}-{found[-1]}"


def neuron_name(neuron: int, n_stage: int) -> str:
    """``block 2 in #17``: block, stage and index inside the stage."""
    index, inside = divmod(neuron, n_stage)
    return f"block {index // 2} {'out' if index % 2 else 'in'} #{inside}"

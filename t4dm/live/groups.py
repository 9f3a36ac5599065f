"""Groups: the populations of a session, each of its own size.

Neuron ids are global and run through the groups in order: group ``g`` has the ids ``first`` to
``first + n - 1``.  A group may belong to a block (the live stack: two stages a block) or to none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from t4dm.live.frame import dumps

STACK_STAGES = ("lif_in", "lif_out")
MAX_IDS = 65_535


@dataclass(frozen=True, slots=True)
class Group:
    """One population; ``block`` is None and ``stage`` empty where it belongs to no block."""

    index: int
    name: str
    n: int
    first: int
    block: int | None = None
    stage: str = ""
    short: str = ""

    @property
    def is_out(self) -> bool:
        """Whether it is the second stage of its block, which is drawn dashed."""
        return self.stage.endswith("_out")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "n": self.n, "first": self.first, "block": self.block,
            "stage": self.stage, "short": self.short,
        }  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """All groups of a session, in the order of the columns of ``rates``."""

    groups: tuple[Group, ...]

    @classmethod
    def from_json(cls, listed: Iterable[Mapping[str, Any]]) -> Layout:
        """Groups from ``[{"name", "n", "block"?, "stage"?, "short"?}, ...]``.

        Raises ValueError for no neuron at all, or for more than 65,535.
        """
        groups: list[Group] = []
        first = 0
        for index, item in enumerate(listed):
            block, stage = item.get("block"), str(item.get("stage") or "")
            short = item.get("short") or _short(str(item["name"]), block, stage)
            group = Group(index, str(item["name"]), int(item["n"]), first, block, stage, short)
            groups.append(group)
            first += group.n
        if not 0 < first <= MAX_IDS or any(group.n < 1 for group in groups):
            raise ValueError(
                f"groups have at least 1 neuron each and {MAX_IDS} in all, got {first}"
            )
        return cls(tuple(groups))

    @classmethod
    def stack(cls, n_groups: int, n: int) -> Layout:
        """The live stack's: two stages a block, every stage of ``n`` neurons."""
        return cls.from_json(
            {
                "name": f"block {g // 2} LIF {'out' if g % 2 else 'in'}",
                "n": n, "block": g // 2, "stage": STACK_STAGES[g % 2],
            }
            for g in range(n_groups)
        )  # fmt: skip

    @property
    def n_total(self) -> int:
        return self.groups[-1].first + self.groups[-1].n

    @cached_property
    def sizes(self) -> list[int]:
        return [group.n for group in self.groups]

    @cached_property
    def blocks(self) -> list[int]:
        """The blocks there are, ascending."""
        return sorted({group.block for group in self.groups if group.block is not None})

    def group_of(self, ids: np.ndarray | list[int]) -> np.ndarray:
        """Index of the group of each neuron id, int64."""
        firsts = np.array([group.first for group in self.groups])
        return np.searchsorted(firsts, np.asarray(ids, dtype=np.int64), side="right") - 1

    def ids_of_block(self, block: int) -> np.ndarray:
        """Neuron ids of every group of ``block``, ascending."""
        parts = [np.arange(g.first, g.first + g.n) for g in self.groups if g.block == block]
        return np.concatenate(parts)

    def neuron_name(self, neuron: int) -> str:
        """``block 2 in #17``: short name of the group and number inside it."""
        group = self.groups[int(self.group_of([neuron])[0])]
        if group.block is None:
            return f"{group.name} #{neuron - group.first}"
        return f"block {group.block} {_half(group.stage)} #{neuron - group.first}"

    def colour(self, group: Group) -> int:
        """Number of its colour: its block's; groups of no block come after the last block."""
        if group.block is not None:
            return group.block
        alone = [g.index for g in self.groups if g.block is None]
        return (max(self.blocks) + 1 if self.blocks else 0) + alone.index(group.index)

    def to_json(self) -> list[dict[str, Any]]:
        return [group.to_json() for group in self.groups]

    @cached_property
    def text(self) -> str:
        """:meth:`to_json` as text, as every segment carries it."""
        return dumps(self.to_json())

    @staticmethod
    @lru_cache(maxsize=64)
    def from_text(text: str) -> Layout:
        """The layout that ``text`` describes; read once for as long as it is in use."""
        return Layout.from_json(json.loads(text))


def _short(name: str, block: int | None, stage: str) -> str:
    return name if block is None else f"b{block} {_half(stage)}".strip()


def _half(stage: str) -> str:
    """``in`` of ``lif_in``."""
    return stage.rpartition("_")[2]

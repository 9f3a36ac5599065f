"""Hippocampal formation: where (place, grid), when (time), and what happened there and then.

    code = [place/|place|, grid/|grid|, time/|time|] / sqrt(3)            length 1
A part in which no cell fires (long after the last time cell's peak) is 0, and the code that much shorter.
An episode is stored under its code and recalled by the nearest codes, exactly (``memory_bank``).
Where and when in one index: Eichenbaum 2014; index to what: Teyler & DiScenna 1986.
Rates and code in the dtype of the input, stored episodes float32.
B batch  P place cells  M modules  G cells a module  C time cells  V content
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablations
from t4dm.brain.grid_cells import GridCells
from t4dm.brain.params import FormationParams
from t4dm.brain.place_time_cells import PlaceCells, TimeCells
from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.memory_bank import MemoryBank, Recall


class WhereWhen(NamedTuple):
    """Rates in Hz: ``place`` (B,P), ``grid`` (B,M,G), ``time`` (B,C); ``code`` (B,K)."""

    place: Tensor
    grid: Tensor
    time: Tensor
    code: Tensor


class HippocampalFormation(nn.Module):
    """No weights: fields are drawn once from the seed."""

    def __init__(
        self, params: FormationParams | None = None, seed: int = 0, ablations: Ablations = NONE
    ) -> None:
        super().__init__()
        p = self.params = params or FormationParams()
        draws = torch.Generator().manual_seed(seed)
        self.place = PlaceCells(
            p.n_place, p.arena, p.place_width * p.arena, p.place_peak, generator=draws
        )
        self.grid = GridCells(
            p.n_scales, p.n_phases, p.smallest_grid * p.arena, p.grid_peak,
            generator=draws, ablations=ablations,
        )  # fmt: skip
        self.time = TimeCells(p.n_time, p.time_first, p.time_last, p.time_peak)

    @property
    def code_size(self) -> int:
        p = self.params
        return p.n_place + p.n_scales * p.n_phases + p.n_time

    def forward(self, position: Tensor, elapsed: Tensor) -> WhereWhen:
        """Rates and code at positions (B,2) in m and times (B,) in s, in their dtype."""
        place, grid, time = self.place(position), self.grid(position), self.time(elapsed)
        parts = [F.normalize(part, dim=-1) for part in (place, grid.flatten(1), time)]
        return WhereWhen(place, grid, time, torch.cat(parts, dim=-1) * 3**-0.5)

    def empty_memory(self, size: int, content: int) -> MemoryBank:
        """A bank of ``size`` episodes with a content of ``content`` numbers."""
        device = self.place.centre.device
        return memory_bank.empty_bank(size, self.code_size, (content,), torch.float32, device)

    def remember(self, memory: MemoryBank, here: WhereWhen, content_BV: Tensor) -> MemoryBank:
        """The bank with B episodes added."""
        return memory_bank.write(memory, here.code, content_BV)

    def recall(self, memory: MemoryBank, here: WhereWhen, k: int = 1) -> tuple[Tensor, Recall]:
        """Contents (B,k,V) of the nearest episodes, best first, and their scores and slots."""
        found = memory_bank.recall(memory, here.code, k)
        return memory.values[found.slot], found

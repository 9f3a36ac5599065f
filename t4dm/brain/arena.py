"""An agent in a square arena: it walks, its cells fire, and it remembers what it met.

    told      = place + blur * (p, q)           p, q: Ornstein-Uhlenbeck, sd 1, tau = 1 s, kept inside
    rates     = formation(told, time since the episode began) + background
    spikes    ~ Poisson(rates dt)
    similarity= cosine of the cue's part of the code now with the same part of an episode's code
    stored    on arrival at an object, unless an episode is at or above the threshold
    recalled  when the nearest episode comes to the threshold; again only after it fell 0.05 below
Storing what is new and recognising what is not: Lisman & Grace 2005; the cells' equations stand in
``hippocampal_formation``.  All draws of step s come from Philox(seed, s) (Salmon et al. 2011), so a run
is its seed and its commands.  Arrays leave here as numpy.
C cells (place, then grid, then time)  S bins a side  B time bins  N slots of the memory
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from t4dm.brain import walk as walking
from t4dm.brain.arena_params import DT_S, OBJECTS
from t4dm.brain.hippocampal_formation import HippocampalFormation, WhereWhen
from t4dm.brain.params import FormationParams
from t4dm.brain.walk import Walk
from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.memory_bank import MemoryBank

SIDE_BINS = 25
TIME_BIN_S = 0.25
TIME_BINS = 80
SLOTS = 32
REACH = 0.05  # of the arena's side: so near the agent meets an object
HYSTERESIS = 0.05
BLUR_TAU_S = 1.0
WALL_MARGIN = 0.1  # of the side: objects keep off the walls
CANDIDATES = 24
BEGINNING = 2**63  # the step whose draws are the start's
EPISODE = ("x", "y", "object", "elapsed_s", "step")
CUES = {"where": (True, False), "when": (False, True), "where_when": (True, True)}


class Settings(NamedTuple):
    """The parameters in force: m/s, rad/s, Hz, m, number, similarity, cue, s."""

    speed: float = 0.2
    turning: float = math.radians(200.0)
    background: float = 0.2
    blur: float = 0.0
    objects: int = 6
    threshold: float = 0.85
    cue: str = "where"
    length: float = 10.0


class Moment(NamedTuple):
    """One step: place (m), heading (rad), time since the episode began (s), ``spikes`` (C,) u1, the
    nearest episode's similarity and slot (NaN and -1 without episodes), and what happened."""

    x: float
    y: float
    heading: float
    elapsed: float
    spikes: np.ndarray
    similarity: float
    slot: int
    events: list[dict[str, Any]]


class Arena:
    """Built from a seed: where fields and objects lie, and every draw of every step."""

    def __init__(self, seed: int = 0, params: FormationParams | None = None) -> None:
        self.seed = seed
        self.formation = HippocampalFormation(params, seed)
        self.params = self.formation.params
        self.side = self.params.arena
        self.n_grid = self.params.n_scales * self.params.n_phases
        self.n_cells = self.params.n_place + self.n_grid + self.params.n_time
        draws = self._draws(BEGINNING)
        self.walk = walking.begin(draws, self.side)
        self.objects = _scattered(draws, len(OBJECTS)) * self.side
        self.step = 0
        self.since = 0
        self.blur = draws.standard_normal(2)
        self.near, self.held = -1, -1
        self.spike_map = np.zeros((self.n_cells - self.params.n_time, SIDE_BINS, SIDE_BINS), "i4")
        self.seconds_map = np.zeros((SIDE_BINS, SIDE_BINS))
        self.spike_time = np.zeros((self.params.n_time, TIME_BINS), "i4")
        self.seconds_time = np.zeros(TIME_BINS)
        self.recalls = np.zeros(SLOTS, "i4")
        self.scores = np.full(SLOTS, np.nan)
        self.memory = self.formation.empty_memory(SLOTS, len(EPISODE))

    def _draws(self, step: int) -> np.random.Generator:
        key = np.array([self.seed, step], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))

    # -- one step ------------------------------------------------------------------------------

    def advance(self, settings: Settings) -> Moment:
        """Go on by ``DT_S``."""
        draws = self._draws(self.step)
        self.walk = walking.advance(
            self.walk, draws, DT_S, self.side, settings.speed, settings.turning
        )
        self._clock(settings.length)
        self._blur(draws)
        here = self._sense(self.told(settings.blur), self.elapsed)
        spikes = self._fire(here, draws, settings.background)
        self._count(spikes)
        self.step += 1
        similarity, slot, events = self._remember(here, settings)
        x, y, heading = self.walk[:3]
        return Moment(x, y, heading, self.elapsed, spikes, similarity, slot, events)

    @property
    def elapsed(self) -> float:
        """Time since the episode began, in s."""
        return self.since * DT_S

    def told(self, blur: float) -> tuple[float, float]:
        """The place, in m, that place and grid cells take for theirs."""
        x, _ = walking.mirrored(self.walk.x + blur * float(self.blur[0]), self.side)
        y, _ = walking.mirrored(self.walk.y + blur * float(self.blur[1]), self.side)
        return x, y

    def _clock(self, length: float) -> None:
        self.since += 1
        if self.since * DT_S >= length:
            self.since = 0

    def _blur(self, draws: np.random.Generator) -> None:
        kept = math.exp(-DT_S / BLUR_TAU_S)
        self.blur = kept * self.blur + math.sqrt(1 - kept * kept) * draws.standard_normal(2)

    @torch.no_grad()
    def _sense(self, place: tuple[float, float], elapsed: float) -> WhereWhen:
        where = torch.tensor([place], dtype=torch.float32)
        result: WhereWhen = self.formation(where, torch.tensor([elapsed], dtype=torch.float32))
        return result

    def _fire(self, here: WhereWhen, draws: np.random.Generator, background: float) -> np.ndarray:
        rates = torch.cat([here.place[0], here.grid[0].flatten(), here.time[0]]).numpy()
        counts = draws.poisson((rates.astype(np.float64) + background) * DT_S)
        return np.minimum(counts, 255).astype(np.uint8)

    def _count(self, spikes: np.ndarray) -> None:
        row, column = self.bin_of(self.walk.x, self.walk.y)
        n_where = len(self.spike_map)
        self.spike_map[:, row, column] += spikes[:n_where]
        self.seconds_map[row, column] += DT_S
        at = min(TIME_BINS - 1, int(self.elapsed / TIME_BIN_S))
        self.spike_time[:, at] += spikes[n_where:]
        self.seconds_time[at] += DT_S

    def bin_of(self, x: float, y: float) -> tuple[int, int]:
        """Row (along y) and column (along x) of a place."""
        scale = SIDE_BINS / self.side
        return min(SIDE_BINS - 1, int(y * scale)), min(SIDE_BINS - 1, int(x * scale))

    # -- episodes ------------------------------------------------------------------------------

    def _remember(
        self, here: WhereWhen, settings: Settings
    ) -> tuple[float, int, list[dict[str, Any]]]:
        events = []
        similarity, slot = self._nearest(here, settings.cue)
        if self.held >= 0 and not similarity > settings.threshold - HYSTERESIS:
            self.held = -1
        if slot >= 0 and similarity >= settings.threshold and slot != self.held:
            events.append({"type": "recalled", **self._recalled(here, slot, similarity)})
            self.held = slot
        met = self._met(settings.objects)
        if met >= 0 and met != self.near and not similarity >= settings.threshold:
            events.append({"type": "stored", **self._store(here, met)})
            self.held = events[-1]["slot"]
            similarity, slot = self._nearest(here, settings.cue)
        self.near = met
        return similarity, slot, events

    def _met(self, objects: int) -> int:
        away = np.hypot(*(self.objects[:objects] - (self.walk.x, self.walk.y)).T)
        near = int(away.argmin()) if objects else -1
        return near if near >= 0 and away[near] < REACH * self.side else -1

    def _store(self, here: WhereWhen, met: int) -> dict[str, Any]:
        slot = int(self.memory.stamp.argsort(stable=True)[0])
        row = [self.walk.x, self.walk.y, float(met), self.elapsed, float(self.step)]
        self.memory = self.formation.remember(self.memory, here, torch.tensor([row]))
        self.recalls[slot] = 0
        return self.episode(slot)

    def _recalled(self, here: WhereWhen, slot: int, similarity: float) -> dict[str, Any]:
        found = memory_bank.Recall(torch.tensor([similarity]), torch.tensor([slot]))
        self.memory = memory_bank.touch(self.memory, found)
        self.recalls[slot] += 1
        return {**self.episode(slot), "similarity": round(similarity, 4)}

    def episode(self, slot: int) -> dict[str, Any]:
        """What is kept in a slot, for people: place, object, time in its episode, step."""
        kept = dict(zip(EPISODE, self.memory.values[slot].tolist(), strict=True))
        kept["object"] = OBJECTS[int(kept["object"])]
        return {"slot": slot, **kept, "step": int(kept["step"]), "recalls": int(self.recalls[slot])}

    def _query(self, here: WhereWhen, cue: str) -> tuple[Tensor, float]:
        """The cue's part of the code, and what its cosine with a whole code is to be divided by."""
        where, when = CUES[cue]
        n_time = self.params.n_time
        keep = torch.ones_like(here.code)
        keep[:, :-n_time] = float(where)
        keep[:, -n_time:] = float(when)
        return here.code * keep, math.sqrt((2 * where + when) / 3)

    def _scores(self, here: WhereWhen, cue: str) -> np.ndarray:
        """(N,) similarity of every slot with ``here``; NaN where one is free."""
        query, scale = self._query(here, cue)
        found = memory_bank.recall(self.memory, query, SLOTS)
        scores = np.full(SLOTS, np.nan)
        slots, values = found.slot[0].numpy(), found.score[0].numpy()
        real = values > memory_bank.EMPTY_SCORE
        scores[slots[real]] = values[real] / scale
        return scores

    def _nearest(self, here: WhereWhen, cue: str) -> tuple[float, int]:
        """The largest of ``scores``, which it looks up anew, and its slot."""
        self.scores = self._scores(here, cue)
        return _largest(self.scores)

    # -- commands ------------------------------------------------------------------------------

    def put(self, x: float, y: float) -> None:
        """Set the agent down at (x, y) in m.  Raises ValueError outside the arena."""
        if not (0 <= x <= self.side and 0 <= y <= self.side):
            raise ValueError(f"a place lies from 0 to {self.side:g} m, got ({x:g}, {y:g})")
        self.walk = self.walk._replace(x=float(x), y=float(y))

    def recall_at(self, x: float, y: float, settings: Settings) -> dict[str, Any] | None:
        """The nearest episode to a cue at (x, y), now; None without episodes.  It counts as used."""
        here = self._sense((x, y), self.elapsed)
        similarity, slot = _largest(self._scores(here, settings.cue))
        return None if slot < 0 else self._recalled(here, slot, similarity)

    # -- whole ---------------------------------------------------------------------------------

    @property
    def coverage(self) -> float:
        """Share of the arena's bins that were visited."""
        return float((self.seconds_map > 0).mean())

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the seed does not tell."""
        kept = {name: getattr(self, name).copy() for name in _ARRAYS}
        kept["walk"] = np.array(self.walk)
        kept["counts"] = np.array([self.step, self.since, self.near, self.held])
        for name, part in zip(MemoryBank._fields, self.memory, strict=True):
            kept[f"memory_{name}"] = part.numpy().copy()
        return kept

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`state` of an arena of the same seed."""
        for name in _ARRAYS:
            setattr(self, name, np.array(state[name]))
        self.walk = Walk(*(float(v) for v in state["walk"]))
        self.step, self.since, self.near, self.held = (int(v) for v in state["counts"])
        parts = [torch.from_numpy(np.array(state[f"memory_{n}"])) for n in MemoryBank._fields]
        self.memory = MemoryBank(*parts)


def _largest(scores: np.ndarray) -> tuple[float, int]:
    if np.isnan(scores).all():
        return math.nan, -1
    slot = int(np.nanargmax(scores))
    return float(scores[slot]), slot


_ARRAYS = ("blur", "spike_map", "seconds_map", "spike_time", "seconds_time", "recalls")


def _scattered(draws: np.random.Generator, n: int) -> np.ndarray:
    """(n,2) places in the unit square, each the farthest of 24 from those before (Mitchell 1991)."""
    chosen = np.empty((0, 2))
    for _ in range(n):
        offered = WALL_MARGIN + (1 - 2 * WALL_MARGIN) * draws.random((CANDIDATES, 2))
        away = np.linalg.norm(offered[:, None] - chosen[None], axis=-1)
        best = int(away.min(1).argmax()) if len(chosen) else 0
        chosen = np.vstack([chosen, offered[best]])
    return chosen

"""What the rules look at: figures of the last seconds in bins of 100 ms, and the parameters in force.

Numpy only.  The live worker fills it from its segments (``t4dm.live.doctor``).
"""

# K bins, oldest first  G groups  L blocks  B sets of weights

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np

from t4dm.health.params import BIN_MS
from t4dm.step_length import STEP_MS

STAGES = ("lif_in", "lif_out")
HELD = 128  # bins: the longest window, and what rates reach back to over pauses
LIT_MS = 200  # of stimulus without which a window with pauses says nothing; shorter pauses are none
WORSE = 1.5  # times: by which another stage has to be worse than the one that a finding names
LIT_SHARE = 0.4  # of a window that has to have stimulus: with less, it reaches further back


class Bin(NamedTuple):
    """One bin of :data:`BIN_MS`.  NaN where nothing was measured."""

    fired: np.ndarray  # (G,) share of neurons that fire in a ms
    u_high: np.ndarray  # (G,) largest u_pre
    u_low: np.ndarray  # (G,) smallest
    u_mean: np.ndarray  # (G,)
    theta: np.ndarray  # (G,) effective threshold, mean
    clamped: np.ndarray  # (G,) share of membranes clamped in a step
    gate: np.ndarray  # (L,) mean openness over its gain 0.5 + ACh: the sigmoid, 0 to 1
    entropy: (
        np.ndarray
    )  # (L,) of attention over log(keys), queries with a spike and 8 keys or more;
    #                      NaN in bins in which attention was not looked at
    top: np.ndarray  # (L,) largest attention weight of a head, of the same queries
    level_low: np.ndarray  # (4,) DA, ACh, NE, 5HT
    level_high: np.ndarray  # (4,)
    onsets: np.ndarray  # () stimuli that began
    rewards: np.ndarray  # () sum of |delta| of the rewards from the task
    injected: np.ndarray  # (4,) sum of |level| of the boluses by hand, of |r| of rewards by hand
    driven: np.ndarray  # () share of steps in which the stimulus was not at rest


@dataclass(frozen=True, slots=True)
class Place:
    """A group as findings name it: its name, block and stage, its size and its healthy band,
    a share of its neurons that fire in a ms."""

    index: int
    name: str
    n: int
    block: int | None
    stage: str
    band: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        return {"block": self.block, "stage": self.stage, "group": self.name}


@dataclass(frozen=True, eq=False)
class Weights:
    """The newest sample of the plastic weights; arrays are 0 wide where there are none."""

    moved: np.ndarray  # (B,) mean |change| of a weight a second, over the last window
    at_bounds: np.ndarray  # (B, 2) share at 0 and at w_max
    pairs: np.ndarray  # (P,) spike pairs of the last second by dt, all sets
    mean: np.ndarray  # (B,) mean recurrent weight, inhibitory ones included
    samples: int  # how many of them lie in the window
    end_ms: float  # when the newest was taken
    span_ms: float  # before it, over which ``moved`` is


@dataclass(frozen=True)
class Evidence:
    """The state of a run at ``step``, after ``seen_ms`` of judged time."""

    step: int
    t_ms: float
    seen_ms: float
    places: tuple[Place, ...]
    bins: Bin  # every array with K bins in front
    weights: Weights
    get: Callable[[str], Any]  # the value in force at a parameter path
    changed: Callable[[str], bool]  # whether a path differs from its default, or is an override
    default: Callable[[str], Any]  # what a parameter path is put back to, in a step of the session
    has: frozenset[str]  # parameter groups there are
    paused_ms: float  # longest silence of the stimulus by its own parameters
    bad: str | None = None  # tensor that is not finite
    standing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Numbers of the findings that stand, ``cause`` and ``group`` they name, by the rule's id."""
    dt: float = STEP_MS  # of a step
    _told: dict[tuple[str, str, float], np.ndarray] = field(default_factory=dict)

    def last(self, name: str, ms: float) -> np.ndarray:
        """The bins of the last ``ms`` of field ``name``, (k, ...)."""
        k = max(1, round(ms / BIN_MS))
        found: np.ndarray = getattr(self.bins, name)[-k:]
        return found

    def rate(self, ms: float) -> np.ndarray:
        """(G,) share of neurons that fire in a ms, over the stimulus of the last ``ms``."""
        return self.lit_mean("fired", ms)

    def lit_mean(self, name: str, ms: float) -> np.ndarray:
        """Field ``name`` over the stimulus of the last ``ms``, or further back where its pauses leave
        too little; over all of them where it makes no pauses that count, or there is hardly any."""
        if not self._pauses(ms) or self.idle(ms):
            return self.mean(name, ms)
        key = ("lit", name, ms)
        if key not in self._told:
            reach = self._reach(ms)
            weights = self._lit[-reach:]
            self._told[key] = np.tensordot(weights, getattr(self.bins, name)[-reach:], 1)
            self._told[key] /= weights.sum()
        return self._told[key]

    def within(self, name: str, begin_ms: float, end_ms: float) -> np.ndarray | None:
        """The mean of field ``name`` over the bins that lie wholly between; None without one."""
        values: np.ndarray = getattr(self.bins, name)
        far = min(len(values), floor((self.t_ms - begin_ms) / BIN_MS))
        near = max(0, ceil((self.t_ms - end_ms) / BIN_MS))
        if far <= near:
            return None
        chosen = values[len(values) - far : len(values) - near]
        found: np.ndarray = np.add.reduce(chosen, axis=0) / len(chosen)
        return found

    def mean(self, name: str, ms: float) -> np.ndarray:
        """Field ``name`` over the last ``ms``: mean of the bins, reckoned once a look."""
        key = ("mean", name, ms)
        if key not in self._told:
            values = self.last(name, ms)
            self._told[key] = np.add.reduce(values, axis=0) / len(values)
        return self._told[key]

    def high(self, name: str, ms: float) -> np.ndarray:
        """The same: largest value."""
        return self._reduced(np.maximum, "high", name, ms)

    def low(self, name: str, ms: float) -> np.ndarray:
        """The same: smallest value."""
        return self._reduced(np.minimum, "low", name, ms)

    def total(self, name: str, ms: float) -> np.ndarray:
        """The same: sum."""
        return self._reduced(np.add, "total", name, ms)

    def _reduced(self, how: np.ufunc, word: str, name: str, ms: float) -> np.ndarray:
        key = (word, name, ms)
        if key not in self._told:
            self._told[key] = how.reduce(self.last(name, ms), axis=0)
        return self._told[key]

    def named(self, rule: str, places: Sequence[Place]) -> Place | None:
        """The one of ``places`` that the finding of ``rule`` names, if it does one of them."""
        name = self.standing.get(rule, {}).get("group")
        return next((place for place in places if place.name == name), None)

    def worst(
        self, rule: str, places: Sequence[Place], of: Callable[[Place], float], times: float = WORSE
    ) -> Place:
        """The one of ``places`` at which ``of`` is largest; that which the finding of ``rule`` names
        as long as no other is ``times`` worse."""
        worst = max(places, key=of)
        told = self.named(rule, places) or worst
        return told if of(worst) < times * of(told) else worst

    def p(self, name: str) -> Any:
        """A threshold of the rules."""
        return self.get(f"health.{name}")

    def of_block(self, block: int) -> list[Place]:
        return [place for place in self.places if place.block == block]

    @cached_property
    def stack(self) -> list[Place]:
        """Groups that belong to a block."""
        return [place for place in self.places if place.block is not None]

    @property
    def per(self) -> str:
        """What follows a share of neurons in a text where a step is not the ms it is of."""
        return "" if self.dt == STEP_MS else " a ms"

    @property
    def blocks(self) -> list[int]:
        return sorted({place.block for place in self.places if place.block is not None})

    def lif(self, name: str, place: Place) -> float:
        """A LIF parameter as the stage has it."""
        return float(self.get(f"blocks.{place.block}.{place.stage}.{name}"))

    def idle(self, ms: float) -> bool:
        """Whether the stimulus, by its own pauses, leaves too little to judge the last ``ms`` by."""
        if not self._pauses(ms):
            return False
        reach = round(ms / BIN_MS)
        lit = self._lit_back[min(len(self._lit_back), max(1, reach)) - 1] * BIN_MS
        return bool(lit < min(ms, LIT_MS)) or self._reach(ms) > len(self._lit)

    def over(self, ms: float) -> str:
        """The window that a rate is of, in words."""
        if not self._pauses(ms) or self.idle(ms):
            return f"{ms:g} ms"
        reach = self._reach(ms)
        lit = float(self._lit[-reach:].sum()) * BIN_MS
        return f"{lit:.0f} ms of stimulus in {reach * BIN_MS} ms"

    def reaches(self, ms: float) -> float:
        """How far back the rates of a window of ``ms`` reach, ms."""
        return ms if not self._pauses(ms) or self.idle(ms) else float(self._reach(ms) * BIN_MS)

    def rested(self, ms: float) -> str:
        """For how long the stimulus made no drive, in words: in a window of ``ms`` where that has too
        little of it, or in all the bins that are held where even those have."""
        short = self._reach(ms) > len(self._lit)
        lit = self._lit if short else self._lit[-max(1, round(ms / BIN_MS)) :]
        seconds = BIN_MS / 1000
        rest = (len(lit) - float(lit.sum())) * seconds
        return f"the stimulus rested for {rest:.1f} of the last {len(lit) * seconds:.1f} s"

    def _reach(self, ms: float) -> int:
        """How many bins back there is stimulus enough for a window of ``ms``, which it is at least;
        more than there are where there is not enough."""
        needed = LIT_SHARE * ms / BIN_MS
        return max(1, round(ms / BIN_MS), int(self._lit_back.searchsorted(needed)) + 1)

    def _pauses(self, ms: float) -> bool:
        return self.paused_ms >= min(LIT_MS, ms) and not self._dark

    @cached_property
    def _lit(self) -> np.ndarray:
        """Share of each judged bin that had stimulus, relative to the one that had most: spikes at
        random leave steps empty."""
        driven = self.bins.driven[-max(1, round(self.seen_ms / BIN_MS)) :]
        most = float(driven.max(initial=0.0))
        return driven / most if most > 0 else np.zeros(len(driven))

    @cached_property
    def _lit_back(self) -> np.ndarray:
        """Its sum from each bin on to the newest, newest first."""
        return np.cumsum(self._lit[::-1])

    @cached_property
    def _dark(self) -> bool:
        """Whether the stimulus has been away for longer than its own pauses last."""
        bins = ceil(self.paused_ms / BIN_MS) + 2
        driven = self.bins.driven
        return len(driven) >= bins and not driven[-bins:].any()

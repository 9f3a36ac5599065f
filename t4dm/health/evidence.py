"""What the rules look at: figures of the last seconds in bins of 100 ms, and the parameters in force.

Numpy only.  The live worker fills it from its segments (``t4dm.live.doctor``).
"""

# K bins, oldest first  G groups  L blocks  B sets of weights

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from t4dm.health.params import BIN_MS
from t4dm.step_length import STEP_MS

STAGES = ("lif_in", "lif_out")


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
    rewards: np.ndarray  # () sum of |delta| of the rewards
    injected: np.ndarray  # (4,) boluses by hand
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
    has: frozenset[str]  # parameter groups there are
    paused_ms: float  # longest silence of the stimulus by its own parameters
    bad: str | None = None  # tensor that is not finite
    dt: float = STEP_MS  # of a step
    _told: dict[tuple[str, str, float], np.ndarray] = field(default_factory=dict)

    def last(self, name: str, ms: float) -> np.ndarray:
        """The bins of the last ``ms`` of field ``name``, (k, ...)."""
        k = max(1, round(ms / BIN_MS))
        found: np.ndarray = getattr(self.bins, name)[-k:]
        return found

    def rate(self, ms: float) -> np.ndarray:
        """(G,) share of neurons that fire in a ms, over the last ``ms``."""
        return self.mean("fired", ms)

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
        """Whether a silence of ``ms`` may be the stimulus's own pause."""
        return float(self.mean("driven", ms)) < 0.5 and ms <= self.paused_ms

"""What is really wrong with a run, measured by other means than the doctor's, at every step of it.

From the spikes themselves, the engine's own membranes and levels at every step, and whole weight
matrices; nothing of ``t4dm.health`` is used.  A symptom is there by the words that the rules are
published with (docs/health.md): it begins when its measure lies beyond the limit of entering for
CONFIRM steps and lasts until it has been back behind the limit of leaving for CLEAR steps: those of
settings that nobody changes.  A level
that nothing calls for any more is neither over nor begun while it does not move; one that the damage
holds by hand has to move only where all three are held.  Where sparsity stands, silence is a third of
its limit over SLOW steps; where membranes diverge, a runaway lasts down to a third of its own of leaving.

What lies on a limit is neither ill nor well: where limits 10 % lower or 10 % higher would give another
answer the truth of that symptom is open, and a call of it counts neither as right nor as wrong.  This
holds for all six symptoms alike.  One label rests on the damage alone, since no measure of one run shows
it: windows so narrow that pairs of spikes at even distances would count for less than a tenth of what
they count by default.
"""

# T steps after settling  G stages (two a block)  L blocks  3 levels: DA, ACh, NE

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from damage import Case

from t4dm.live.segment import Segment
from t4dm.live.session import Session

SETTLE, CONFIRM, CLEAR, SAMPLE = 500, 200, 3000, 250
FAST, SLOW, NEWEST = 500, 1000, 200  # steps of a window
FACTORS = (0.9, 1.0, 1.1)
FED, FIRES = 0.02, 0.005
BEGUN, SURPRISE = 1.5, 0.1  # stimuli, and sum of |delta|, in SLOW steps that call for a movement
LEVELS = ("DA", "ACh", "NE")
LIMITS: dict[str, tuple[float, float]] = {  # of entering and of leaving
    "not_firing": (0.001, 0.003),
    "sparsity": (0.01, 0.015),
    "runaway": (0.5, 0.3),
    "stdp_not_engaging": (0.001, 0.002),
    "neuromodulators_frozen": (0.002, 0.004),
    "membranes_diverging": (100.0, 70.0),
}
Beyond = Callable[[float], np.ndarray]  # a limit -> (T,) whether the measure lies beyond it
Steps = dict[str, np.ndarray]


class Witness:
    """Measures a run by itself: call :meth:`see` with every segment after SETTLE, one step each."""

    def __init__(self, session: Session, case: Case) -> None:
        self.session, self.case = session, case
        self._edges = [g.first for g in session.layout.groups] + [session.layout.n_total]
        self._spikes: list[np.ndarray] = []
        self._levels: list[np.ndarray] = []
        self._onsets: list[int] = []
        self._surprises: list[float] = []
        self._far: list[float] = []
        self._weights = [self._matrices()]
        self._moved: list[np.ndarray] = []

    def _matrices(self) -> np.ndarray:
        engine = self.session.engine
        return np.stack([engine.recurrent(b) for b in range(self.case.size[0])])

    def see(self, segment: Segment) -> None:
        self._spikes.append(np.histogram(segment.spk_id, bins=self._edges)[0])
        self._levels.append(segment.levels[-1, :3])
        events = segment.meta["events"]
        self._onsets.append(sum(e["type"] == "stimulus" for e in events))
        self._surprises.append(
            sum(abs(e["delta"]) for e in events if e["type"] == "answer" and "delta" in e)
        )
        self._far.append(float(np.abs(self.session.engine.arrays.u).max()))
        if len(self._spikes) % SAMPLE == 0:
            self._weigh()

    def _weigh(self) -> None:
        self._weights = [*self._weights[-SLOW // SAMPLE :], self._matrices()]
        if len(self._weights) > SLOW // SAMPLE:
            change = np.abs(self._weights[-1] - self._weights[0])
            self._moved.append(change[:, : self.session.engine.n_exc].mean((1, 2)))

    def truth(self) -> dict[str, bool | None]:
        """Whether each of the six symptoms is there at the end; None where that is open."""
        answers = [self._standing(factor) for factor in FACTORS]
        return {
            name: bool(answers[0][name][-1])
            if len({bool(answer[name][-1]) for answer in answers}) == 1
            else None
            for name in LIMITS
        }

    def now(self) -> dict[str, bool]:
        """Whether the measure of each lies beyond its limit of entering at the last step."""
        enter = {name: limits[0] for name, limits in LIMITS.items()}
        at_once = {name: beyond(enter[name]) for name, beyond in self._measures().items()}
        return {name: bool(steps[-1]) for name, steps in self._ordered(at_once).items()}

    def _standing(self, factor: float) -> Steps:
        """(T,) of each symptom whether it stands, with every limit times ``factor``."""
        found = {}
        for name, beyond in self._measures().items():
            enter, leave = (factor * limit for limit in LIMITS[name])
            found[name] = standing(beyond(enter), beyond(leave))
        enter, leave = (factor * limit for limit in LIMITS["neuromodulators_frozen"])
        called, swing = self._called(), self._swing()
        found["neuromodulators_frozen"] = np.array([
            standing(called[:, n] & (swing[:, n] < enter), swing[:, n] < leave)
            for n in range(len(LEVELS))
        ]).any(axis=0)  # fmt: skip
        enter, leave = (factor * limit for limit in LIMITS["runaway"])
        beyond, far = self._measures()["runaway"], found["membranes_diverging"]
        newest = self._share(NEWEST).max(axis=1)  # as it begins anew before its window shows it
        still = np.where(
            far, beyond(leave / 3) | (newest > leave / 3), beyond(leave) | (newest > leave)
        )
        found["runaway"] = standing(beyond(enter), still)
        enter, leave = (factor * limit for limit in LIMITS["not_firing"])
        fast, slow = self._fired()
        deep = np.where(found["sparsity"], _silent(slow, enter / 3), _silent(fast, enter))
        found["not_firing"] = standing(deep, _silent(fast, leave))
        return self._ordered(found)

    @staticmethod
    def _ordered(found: Steps) -> Steps:
        """What a silent or wild network cannot show besides is not asked of it."""
        silent, wild = found["not_firing"], found["runaway"]
        found["sparsity"] = found["sparsity"] & ~silent & ~wild
        found["stdp_not_engaging"] = found["stdp_not_engaging"] & ~silent & ~wild
        return found

    def _measures(self) -> dict[str, Beyond]:
        fast, slow = self._fired()
        network, peak = slow.mean(axis=1), fast.max(axis=1)
        far = _most(np.array(self._far)[:, None], FAST)[:, 0]
        called, swing = self._called(), self._swing()
        moved, firing = self._moved_by_step(), (slow[:, 0::2] >= FIRES).any(axis=1)
        narrow = self.case.damage == "narrow windows"
        return {
            "not_firing": lambda limit: _silent(fast, limit),
            "sparsity": lambda limit: network < limit,
            "runaway": lambda limit: peak > limit,
            "stdp_not_engaging": lambda limit: firing & ((moved < limit) | narrow),
            "neuromodulators_frozen": lambda limit: (called & (swing < limit)).any(axis=1),
            "membranes_diverging": lambda limit: far > limit,
        }

    def _fired(self) -> tuple[np.ndarray, np.ndarray]:
        """The same over the last FAST and SLOW of them."""
        return self._share(FAST), self._share(SLOW)

    def _share(self, steps: int) -> np.ndarray:
        """(T, G) share of the neurons that fire in a step, over the last ``steps``."""
        sizes = np.array(self.session.layout.sizes)[:-1]
        return _mean(np.array(self._spikes)[:, :-1] / sizes, steps)

    def _swing(self) -> np.ndarray:
        """(T, 3) how far each level moves within a window; NaN before there is one."""
        levels = np.array(self._levels)
        return _most(levels, SLOW) + _most(-levels, SLOW)

    def _called(self) -> np.ndarray:
        """(T, 3) whether the last window called for a movement of a level that is free to move."""
        signals = SLOW * _mean(
            np.stack([self._onsets, self._surprises], axis=1).astype(float), SLOW
        )
        begun, surprised = signals[:, 0] > BEGUN, signals[:, 1] > SURPRISE
        held = np.array([f"neuromod.{name}" in self.case.values for name in LEVELS])
        return np.stack([surprised, begun, begun], axis=1) & (held.all() | ~held)

    def _moved_by_step(self) -> np.ndarray:
        """(T,) the larger mean change of a block's excitatory weights in a second, as last weighed."""
        steps = np.full(len(self._spikes), np.nan)
        for k, moved in enumerate(self._moved):
            steps[SLOW - 1 + k * SAMPLE :] = moved.max()
        return steps


def standing(beyond: np.ndarray, still: np.ndarray) -> np.ndarray:
    """(T,) whether a symptom stands that is called CONFIRM steps after its measure went ``beyond``
    one limit, and is over CLEAR steps after it came back behind the other (is no more ``still``)."""
    found = np.zeros(len(beyond), bool)
    stands, run = False, 0
    for step, (far, near) in enumerate(zip(beyond.tolist(), still.tolist(), strict=True)):
        run = run + 1 if (near != stands if stands else far) else 0
        if run >= (CLEAR if stands else CONFIRM):
            stands, run = not stands, 0
        found[step] = stands
    return found


def _silent(rate: np.ndarray, limit: float) -> np.ndarray:
    """(T,) whether a block is silent, and the network too or the block before fires as it should."""
    pairs = rate.reshape(len(rate), -1, 2)
    quiet = (pairs < limit).all(axis=2)
    fed = np.zeros_like(quiet)
    fed[:, 1:] = (pairs[:, :-1] >= FED).all(axis=2)
    everywhere = rate.mean(axis=1) < limit
    return (quiet & (fed | everywhere[:, None])).any(axis=1)


def _mean(values: np.ndarray, steps: int) -> np.ndarray:
    """(T, K) mean over the last ``steps``; NaN before there are as many."""
    total = np.cumsum(values, axis=0)
    out = np.full(values.shape, np.nan)
    out[steps - 1 :] = total[steps - 1 :] / steps
    out[steps:] -= total[:-steps] / steps
    return out


def _most(values: np.ndarray, steps: int) -> np.ndarray:
    """The same: largest value."""
    out = np.full(values.shape, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(values, steps, axis=0)
    out[steps - 1 :] = windows.max(axis=-1)
    return out

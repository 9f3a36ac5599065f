"""Neuromodulator levels and what they act on (docs/equations.md, section 2); no torch here.

On steps divisible by update_freq = k:  level <- base + (level - base) * exp(-k*dt/tau), then boluses
due are added, then the level is clipped to [0, 1]; a held level is the held value; disabled, all 0.5.
A stimulus onset adds onset_ACh and onset_NE at its own step.
Reward:  delta = r - r_hat;  DA += reward_gain*delta;  r_hat += reward_rate*delta.  The manual reward
bypasses the expectation:  DA += reward_gain*r.
"""

from __future__ import annotations

import logging
import math
from typing import Any, NamedTuple

from t4dm.environment import from_environment
from t4dm.learning.reward import check_reward, dopamine_factors
from t4dm.observations import Notices
from t4dm.params import did_you_mean
from t4dm.spiking.params import NEUROMODULATORS, NeuromodParams
from t4dm.step_length import STEP_MS

log = logging.getLogger(__name__)
NEUTRAL = 0.5
_FIELD = {"DA": "DA", "ACh": "ACh", "NE": "NE", "5HT": "HT5"}
TARGETS = (
    {"nt": "DA", "target": "stdp", "rule": "A+ * (1 + 0.5 m), A- * (1 - 0.3 m)"},
    {"nt": "ACh", "target": "thalamic gate", "rule": "g * (0.5 + ACh)"},
    {"nt": "NE", "target": "lif_in, lif_out", "rule": "I * (0.5 + NE)"},
    {
        "nt": "5HT",
        "target": "rwkv decay, eligibility",
        "rule": "w / (0.5 + 5HT), tau_e * (0.5 + 5HT)",
    },
)


class Gains(NamedTuple):
    """Gains really applied, in the order of ``t4dm.spiking.params.GAINS``."""

    gate: float
    lif_input: float
    ltp: float
    ltd: float
    rwkv_decay: float


def gains(da: float, ach: float, ne: float, ht5: float) -> Gains:
    """The five gains at these levels; all 1 at the neutral 0.5."""
    return Gains(0.5 + ach, 0.5 + ne, *dopamine_factors(da), 1.0 / (0.5 + ht5))


class NeuromodBus:
    """Four levels in [0, 1], advanced once a step of ``dt`` ms; boluses wait for the next update.

    Without ``params``, the defaults with ``T4DM_NEUROMOD_ENABLED`` and ``T4DM_NEUROMOD_UPDATE_FREQ``
    (``every_step``, or N: on the steps divisible by N); raises ValueError naming a bad variable.
    """

    def __init__(self, params: NeuromodParams | None = None, dt: float = STEP_MS) -> None:
        self.params = params or NeuromodParams(**from_environment(NeuromodParams))
        self._notices, self._step, self._dt = Notices(log), 0, dt
        self._levels = {nt: self._of(nt, "baseline") for nt in NEUROMODULATORS}
        self._boluses: list[tuple[int, str, float]] = []  # (earliest step, nt, level)
        self.r = self.r_hat = self.delta = 0.0

    def _of(self, nt: str, what: str) -> float:
        return float(getattr(self.params, f"{_FIELD[nt]}_{what}"))

    def _held(self, nt: str) -> float | None:
        held: float | None = getattr(self.params, _FIELD[nt])
        return held

    # -- time ----------------------------------------------------------------------------------

    def advance(self, step: int, onset: bool = False) -> dict[str, float]:
        """Levels of ``step``, called once for each step in order; ``onset``: a stimulus begins."""
        self._step = step
        if not self.params.enabled:
            self._levels = dict.fromkeys(NEUROMODULATORS, NEUTRAL)
            self._boluses.clear()
            return self.levels
        if step % self.params.update_freq == 0:
            self._decay()
            self._release(step)
        if onset:
            self._levels["ACh"] += self.params.onset_ACh
            self._levels["NE"] += self.params.onset_NE
        self._levels = {nt: self._bounded(nt, level) for nt, level in self._levels.items()}
        return self.levels

    def _decay(self) -> None:
        for nt, level in self._levels.items():
            base = self._of(nt, "baseline")
            keep = math.exp(-self.params.update_freq / (self._of(nt, "tau") / self._dt))
            self._levels[nt] = base + (level - base) * keep

    def _release(self, step: int) -> None:
        for _, nt, level in (bolus for bolus in self._boluses if bolus[0] <= step):
            self._levels[nt] += level
        self._boluses = [bolus for bolus in self._boluses if bolus[0] > step]

    def _bounded(self, nt: str, level: float) -> float:
        held = self._held(nt)
        return min(1.0, max(0.0, level)) if held is None else held

    # -- reading -------------------------------------------------------------------------------

    @property
    def levels(self) -> dict[str, float]:
        """Levels in force at the last step."""
        return dict(self._levels)

    def get_state(self) -> dict[str, float]:
        """Levels with the boluses that the next update will add already in them."""
        if not self.params.enabled:
            return dict.fromkeys(NEUROMODULATORS, NEUTRAL)
        total = self.levels
        for due, nt, level in self._boluses:
            if due <= 0:
                total[nt] += level
        return {nt: self._bounded(nt, level) for nt, level in total.items()}

    def gains(self) -> Gains:
        """The gains of the levels in force."""
        return gains(*(self._levels[nt] for nt in NEUROMODULATORS))

    def get_injection_schedule(self) -> list[dict[str, Any]]:
        """What feeds which stage, held levels, then the boluses pending; never empty."""
        held = [(nt, self._held(nt)) for nt in NEUROMODULATORS]
        return [
            *(dict(target) for target in TARGETS),
            *({"nt": nt, "held": level} for nt, level in held if level is not None),
            *({"nt": nt, "level": level, "from_step": due} for due, nt, level in self._boluses),
        ]

    # -- events --------------------------------------------------------------------------------

    def inject(self, nt: str, level: float, hold: bool = False, at_step: int = 0) -> None:
        """Add a bolus at the first update from ``at_step`` on, or hold ``nt`` at ``level``.

        Raises ValueError for an unknown name, or a level outside [-1, 1] ([0, 1] when held).
        """
        if nt not in _FIELD:
            raise ValueError(f"unknown neuromodulator '{nt}'{did_you_mean(nt, list(_FIELD))}")
        if not (0.0 if hold else -1.0) <= level <= 1.0:
            raise ValueError(f"{nt}: expected a level from {0 if hold else -1} to 1, got {level}")
        if hold:
            self.params = self.params.model_copy(update={_FIELD[nt]: float(level)})
        else:
            self._boluses.append((at_step, nt, float(level)))
        what = f"held at {level:g}" if hold else f"{level:+g}"
        off = "" if self.params.enabled else ", without effect: neuromod.enabled is off"
        self._notices.say(logging.INFO, nt, self._step, f"NT injection: {nt} {what}{off}")

    def inject_reward(self, reward: float) -> dict[str, float]:
        """The manual reward: DA += reward_gain * r, whatever was expected; r_hat stays."""
        self.r = check_reward(reward)
        self.delta = self.r - self.r_hat
        self.inject("DA", self.params.reward_gain * self.r)
        return self.reward_state()

    def observe_reward(self, reward: float) -> dict[str, float]:
        """A reward from the task: DA += reward_gain * (r - r_hat), and r_hat learns."""
        self.r = check_reward(reward)
        self.delta = self.r - self.r_hat
        bolus = self.params.reward_gain * self.delta
        self.inject("DA", min(1.0, max(-1.0, bolus)))
        self.r_hat += self.params.reward_rate * self.delta
        return self.reward_state()

    def reward_state(self) -> dict[str, float]:
        """The last reward, the expectation now and the prediction error then."""
        return {"r": self.r, "r_hat": self.r_hat, "delta": self.delta}

    # -- checkpoint ----------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Everything but the parameters, as plain JSON data."""
        return {
            "levels": self.levels,
            "boluses": [list(bolus) for bolus in self._boluses],
            **self.reward_state(),
        }

    def load_json(self, data: dict[str, Any]) -> None:
        """Take up what :meth:`to_json` gave, bit for bit."""
        self._levels = {nt: float(data["levels"][nt]) for nt in NEUROMODULATORS}
        self._boluses = [(int(due), str(nt), float(level)) for due, nt, level in data["boluses"]]
        self.r, self.r_hat, self.delta = (float(data[name]) for name in ("r", "r_hat", "delta"))

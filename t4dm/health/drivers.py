"""Which changed parameters make a stage fire more than it does by default, by the cause they are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from t4dm.health.evidence import Evidence, Place
from t4dm.health.remedies import lif_paths

UP, DOWN = 1, -1
DRIVES: dict[str, dict[str, int]] = {
    "reset": {"lif.beta": DOWN},
    "threshold": {"lif.v_thresh": DOWN},
    "feedback": {
        "recurrent.gain": UP, "stdp.w_max": UP, "stdp.learning_rate": UP, "stdp.a_plus": UP,
        "stdp.a_minus": DOWN, "neuromod.DA": UP, "neuromod.DA_baseline": UP,
        "neuromod.DA_tau": UP, "neuromod.reward_gain": UP, "neuromod.update_freq": UP,
    },
    "modulator": {
        "neuromod.NE": UP, "neuromod.ACh": UP, "neuromod.NE_baseline": UP,
        "neuromod.ACh_baseline": UP, "neuromod.onset_NE": UP, "neuromod.onset_ACh": UP,
        "neuromod.NE_tau": UP, "neuromod.ACh_tau": UP,
    },
    "leak": {"lif.alpha": UP},
    "gate": {"gate.bias": UP, "gate.slope": UP},
    "input": {
        "input.gain": UP, "stimulus.rate_hz": UP, "stimulus.amplitude": UP,
        "stimulus.noise_std": UP, "sensory.feed": UP,
    },
    "target": {"homeostasis.target_rate": UP},
}  # fmt: skip
"""By cause: on which side of its default a parameter makes stages fire more."""
PACED = ("digits", "text")  # stimuli of a rate; the others have an amplitude
_NEUTRAL = 0.5  # of a level that is not held
_FLOOR = 0.1  # of a default: values below it drive no more
_LEAST = 1e-9


class Driver(NamedTuple):
    """A changed parameter: the ``path`` that holds it, its value, default and the side that drives."""

    path: str
    value: float
    usual: float
    side: int

    @property
    def drives(self) -> bool:
        return self.side * (self.value - self.usual) > 0

    @property
    def times(self) -> float:
        """How far it stands from its default: 2 where it drives twice as much."""
        if self.path.endswith(".alpha"):
            return (1 - self.usual) / (1 - self.value)
        if self.side == DOWN:
            return self.usual / max(self.value, _FLOOR * self.usual)
        return self.value / max(self.usual, _LEAST)


Driving = dict[str, list[Driver]]


def drivers(ev: Evidence, places: Sequence[Place]) -> Driving:
    """By cause, what makes ``places``, or a stage that feeds them, fire more."""
    last = max(place.index for place in places)
    feeding = [place for place in ev.stack if place.index <= last]
    found: Driving = {}
    for cause, sides in DRIVES.items():
        seen = (one for name, side in sides.items() for one in _changed(ev, name, side, feeding))
        driving = [one for one in seen if one.drives]
        if driving:
            found[cause] = driving
    return found


def _changed(ev: Evidence, name: str, side: int, places: Sequence[Place]) -> Iterator[Driver]:
    """Parameter ``name`` wherever it is changed for ``places``, if it acts at all."""
    for path in _scoped(name, places):
        if ev.changed(path) and _acts(ev, name):
            value, usual = ev.get(path), ev.default(name)
            size = abs(value) if name == "stimulus.amplitude" else value
            yield Driver(path, float(size), float(_NEUTRAL if usual is None else usual), side)


def _scoped(name: str, places: Sequence[Place]) -> list[str]:
    """The paths that may hold parameter ``name`` for ``places``, narrow ones first."""
    group, own = name.split(".")
    if group == "lif":
        return lif_paths((own,), places)
    if group == "gate":
        return [*dict.fromkeys(f"blocks.{place.block}.{name}" for place in places), name]
    return [name]


def _acts(ev: Evidence, name: str) -> bool:
    """Whether the stimulus of the session reads parameter ``name``; true of all that is no stimulus's."""
    if not name.startswith("stimulus."):
        return True
    kind = ev.get("stimulus.kind")
    if name == "stimulus.noise_std":
        return bool(kind == "noise")
    return (kind in PACED) == (name == "stimulus.rate_hz")

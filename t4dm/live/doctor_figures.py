"""The figures of the last look as the status of a session carries them."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from t4dm.health.evidence import Evidence
from t4dm.spiking.params import NEUROMODULATORS

_DIGITS = 4


def summary(ev: Evidence) -> dict[str, Any]:
    """The figures behind the rules, small enough for every status; null where none was measured."""
    window, slow = ev.p("window_ms"), ev.p("slow_ms")
    stack = [place.index for place in ev.stack]
    mean = ev.mean
    rates = mean("fired", window)
    groups = [rates, ev.high("u_high", window), ev.low("u_low", window)]
    groups += [mean("theta", window), mean("clamped", window)]
    names = ("rate", "u_high", "u_low", "theta", "clamped")
    swing = _plain(ev.high("level_high", slow) - ev.low("level_low", slow))
    return {
        "window_ms": window,
        "slow_ms": slow,
        "groups": [place.name for place in ev.places],
        **dict(zip(names, _plain(groups), strict=True)),
        "network_rate": _plain(rates[stack].mean()) if stack else None,
        "gate": _plain(mean("gate", slow)),
        "attention_entropy": _plain(_newest(ev.last("entropy", slow))),
        "attention_top": _plain(_newest(ev.last("top", slow))),
        "level_swing": dict(zip(NEUROMODULATORS, swing, strict=True)),
        "onsets": int(ev.total("onsets", slow)),
        "rewards": _plain(ev.total("rewards", slow)),
        "weights_moved": _plain(ev.weights.moved),
        "weights_at_bounds": _plain(ev.weights.at_bounds.sum(axis=1)),
        "pairs": _plain(ev.weights.pairs.sum()),
        "driven": _plain(mean("driven", window)),
    }


def _newest(values: np.ndarray) -> np.ndarray:
    """The last row with a value; the last one where none has."""
    known = (row for row in values[::-1] if np.isfinite(row).any())
    return next(known, values[-1])


def _plain(values: Any) -> Any:
    """Rounded JSON data; None for what is not finite."""
    return _json(np.asarray(values, np.float64).round(_DIGITS).tolist())


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value if isfinite(value) else None

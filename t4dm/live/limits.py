"""How many sessions may be created, and the memory of all together, as the environment says.

Web process and worker read the same two variables: a session that is branched off counts as one that
is asked for over REST.
"""

from __future__ import annotations

from collections.abc import Mapping

from t4dm.live.registry import DEFAULT_LIMITS, Limits

MAX_SESSIONS = 64
MAX_MB = 1 << 20


def limits_from_env(env: Mapping[str, str]) -> Limits:
    """``T4DM_MAX_SESSIONS`` and ``T4DM_MEMORY_MB``; raises ValueError naming the one that is wrong."""
    most, budget = DEFAULT_LIMITS.sessions, DEFAULT_LIMITS.bytes >> 20
    return Limits(
        sessions=int(number_from_env(env, "T4DM_MAX_SESSIONS", most, 0, MAX_SESSIONS)),
        bytes=int(number_from_env(env, "T4DM_MEMORY_MB", budget, 1, MAX_MB)) << 20,
    )


def number_from_env(
    env: Mapping[str, str], name: str, default: float, lo: float, hi: float
) -> float:
    """The number that ``name`` says; raises ValueError outside ``lo`` to ``hi``."""
    text = env.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not lo <= value <= hi:
        raise ValueError(f"{name} must be a number from {lo:g} to {hi:g}, got {text[:20]!r}")
    return value

"""What is held of a session's run as it now is, and what to answer where that is nothing.

A reset and a new start of the worker begin a new epoch, and the record still ends with the one before,
or is empty, until a step is made.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dashboard.api.errors import ApiError
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.ring import RingGone

NOTHING_HELD = "nothing_held"
NO_STEPS = {
    409: "No step is held since a reset or a start of the worker, and none comes by itself: the "
    "run is paused. Or a session of another kind."
}
STANDING = ("paused", "ended")
ATTEMPTS = 100


class Held(NamedTuple):
    """Steps [step0, step1) of ``epoch`` are held; ``seq`` is the newest record's number."""

    epoch: int
    seq: int
    step0: int
    step1: int


def held_now(client: SessionClient) -> Held | None:
    """What is held of the epoch that the status names; None where that is nothing yet."""
    reader = client.reader()
    for _ in range(ATTEMPTS):
        now = reader.get_status().get("epoch", 0)  # first: a status is told before its first step
        held = reader.held()
        if held is None:
            return None
        try:
            epoch = reader.entry(held[1]).epoch
        except RingGone:
            continue
        return Held(epoch, *held[1:]) if epoch >= now else None
    return None


def span_ms(client: SessionClient, status: dict[str, Any]) -> list[float] | None:
    """What is held, [from, to) in ms: of an epoch without a step none, at where it stands."""
    held, dt = held_now(client), client.dt
    if held is not None:
        return [held.step0 * dt, held.step1 * dt]
    return [status["step"] * dt] * 2 if "epoch" in status else None


def nothing(client: SessionClient) -> ApiError:
    """Why nothing is held: 409 where none comes before somebody asks for it, otherwise 503.

    Raises :class:`WorkerDown` where the supervisor starts no worker for it any more.
    """
    if why := client.gave_up:
        raise WorkerDown(f"the worker of session '{client.session}' is not running: {why}")
    status = client.status()
    if status.get("state") not in STANDING:
        words = f"the session '{client.session}' has not made a step yet"
        return ApiError(503, "no_frames", words, headers={"Retry-After": "1"})
    if status["state"] == "ended":
        words = "nothing is held: the session ended before a step was recorded"
        return ApiError(409, NOTHING_HELD, words, field="session_id")
    since = _since(client, status)
    words = f"nothing of step {status['step']} is held{since}: run it or make a step"
    return ApiError(409, NOTHING_HELD, words, field="session_id")


def _since(client: SessionClient, status: dict[str, Any]) -> str:
    if client.reader().held() is not None:
        return " since the reset"
    return " since the worker was started again" if status["epoch"] > 1 else ""

"""``/spiking/*`` of the neuromodulators: their courses, and what injects them."""

from __future__ import annotations

from typing import Any

from flask import Response

from dashboard.api import commands, frames
from dashboard.api.errors import json_response
from dashboard.api.operations import operation
from dashboard.api.rest import live, revisions
from dashboard.api.rest.learning_answers import Course, Schedule
from dashboard.api.rest.queries import (
    InjectBody,
    SessionOfPost,
    TraceQuery,
    WindowQuery,
    session_meant,
)
from dashboard.api.rest.session_answers import Injected
from dashboard.api.sessions import session_asked
from t4dm.live.tree import ParamTree
from t4dm.spiking.params import GAINS, NEUROMODULATORS

SECOND_MS = 1000
TEN_SECONDS_MS = 10_000
COURSES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "dopamine": (("DA",), (2, 3)),
    "ach": (("ACh",), (0,)),
    "monoamine": (("NE", "5HT"), (1, 4)),
}  # modulators, and the gains they set


@operation(
    "GET", "/spiking/dopamine-trace", Course, tag="spiking", query=TraceQuery, also=frames.NOT_HELD
)
def spiking_dopamine_trace(query: TraceQuery) -> Response:
    """Dopamine and the gains it sets on LTP and LTD, with rewards and injections."""
    return _course("dopamine", query)


@operation(
    "GET", "/spiking/ach-levels", Course, tag="spiking", query=TraceQuery, also=frames.NOT_HELD
)
def spiking_ach_levels(query: TraceQuery) -> Response:
    """Acetylcholine and the gain it sets on the thalamic gate."""
    return _course("ach", query)


@operation(
    "GET", "/spiking/monoamine-trace", Course, tag="spiking", query=TraceQuery, also=frames.NOT_HELD
)
def spiking_monoamine_trace(query: TraceQuery) -> Response:
    """Noradrenaline and serotonin with the gains they set."""
    return _course("monoamine", query)


def _course(which: str, query: TraceQuery) -> Response:
    names, gains = COURSES[which]
    client = live.client_of(query)
    window = live.window_of(client, query, SECOND_MS, "levels", only=("levels", "gains"))
    steps, every = live.picked(window.step0, window.step1, query.every_ms, window.dt)
    at = steps - window.step0
    events = [event for event in window.events if _concerns(event, names)]
    body = {
        **live.head(client, window, time_ms="ms", levels="1", gains="1"),
        "shown": {
            "neuromodulators": live.part(len(names), len(NEUROMODULATORS)),
            "gains": live.part(len(gains), len(GAINS)),
            "steps": live.part(len(steps), window.n_steps),
            "events": live.part(len(events), len(window.events)),
        },
        "every_ms": every * window.dt,
        "time_ms": (steps * window.dt).tolist(),
        "levels": {n: live.numbers(window.levels[at, NEUROMODULATORS.index(n)]) for n in names},
        "gains": {GAINS[k]: live.numbers(window.gains[at, k]) for k in gains},
        "events": events,
    }
    return live.answer(body)


def _concerns(event: dict[str, Any], names: tuple[str, ...]) -> bool:
    if event["type"] == "inject":
        return event.get("nt") in names
    if event["type"] in ("reward", "answer"):
        return "DA" in names
    return event["type"] == "param" and str(event.get("path", "")).startswith("neuromod.")


@operation(
    "GET",
    "/spiking/nt-injection-schedule",
    Schedule,
    tag="spiking",
    query=WindowQuery,
    also=frames.NOT_HELD,
)
def spiking_nt_injection_schedule(query: WindowQuery) -> Response:
    """What releases each neuromodulator, what is held, and what was injected (last 10 s)."""
    client = live.client_of(query)
    live.check_published(client, "levels")
    steps = live.steps_of(client, query, TEN_SECONDS_MS)
    newest = frames.Steps(steps.epoch, steps.step1 - 1, steps.step1)
    window, events = live.cut(client, newest, live.ONE_ROW, ()), live.events_of(client, steps)
    told = revisions.told(client, query, window)
    tree = told.tree
    names = tuple(NEUROMODULATORS)
    kinds = ("inject", "reward", "answer", "param")
    happened = [e for e in events if e["type"] in kinds and _concerns(e, names)]
    onsets = [e["t_ms"] for e in events if e["type"] == "stimulus"]
    sources = _sources(tree)
    body = {
        **live.head(client, window, dose="1", level="1", update_every="steps"),
        **told.head,
        "window": live.span(steps.step0, steps.step1, client.dt),
        "shown": {
            "neuromodulators": live.all_of(len(names)),
            "sources": live.all_of(len(sources)),
            "onsets": live.all_of(len(onsets)),
            "events": live.part(len(happened), len(events)),
        },
        "enabled": tree.get("neuromod.enabled"),
        "update_every": tree.get("neuromod.update_freq"),
        "sources": sources,
        "held": {n: tree.get(f"neuromod.{n}") for n in names},
        "onsets_ms": onsets,
        "events": happened,
    }
    return live.answer(body)


def _sources(tree: ParamTree) -> list[dict[str, Any]]:
    """What releases a neuromodulator by itself, with the parameter that sets its dose."""
    gain, onset = tree.get("neuromod.reward_gain"), "every stimulus onset"
    return [
        {"nt": "DA", "when": "reward", "dose": gain, "path": "neuromod.reward_gain",
         "rule": "dose * (r - r_hat)"},
        {"nt": "ACh", "when": onset, "dose": tree.get("neuromod.onset_ACh"),
         "path": "neuromod.onset_ACh", "rule": "dose"},
        {"nt": "NE", "when": onset, "dose": tree.get("neuromod.onset_NE"),
         "path": "neuromod.onset_NE", "rule": "dose"},
    ]  # fmt: skip


@operation(
    "POST",
    "/spiking/inject-neuromod",
    Injected,
    tag="spiking",
    query=SessionOfPost,
    body=InjectBody,
)
def spiking_inject_neuromod(query: SessionOfPost, body: InjectBody) -> Response:
    """Add ``level`` to a neuromodulator at the next update; the command ``inject``."""
    command = {"type": "inject", "nt": body.nt, "level": body.level}
    client = session_asked(session_meant(query, body))
    answer = commands.send(client, command, *commands.who_and_key())
    if answer.status_code != 200:
        return answer
    told = answer.get_json()
    units = {"time": "ms", "level": "1"}
    more = {"session_id": client.session, "params_rev": told["rev"], "units": units}
    return json_response(told | more)

"""The engine of an arena session: steps of 40 ms, at a pace, published as records.

Maps go out twice a second of the clock, measures every 10 s of the agent's time; both are the newest
only.  How often does not touch the run: that is the seed, the parameters and the commands.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm import commands as c
from t4dm.brain import arena as model
from t4dm.brain import rate_maps
from t4dm.brain.arena import Arena, Moment, Settings
from t4dm.brain.arena_params import DT_S
from t4dm.live.arena_findings import LEAST, RULES, Recent, findings
from t4dm.live.arena_kind import KIND
from t4dm.live.arena_series import SERIES, constants, declared, full_hz
from t4dm.live.record import Record
from t4dm.live.run_health import as_told
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError

MAPS_S = 0.5  # of the clock, between two sets of maps
MEASURE_STEPS = 250
LOOK_STEPS = 125  # between two looks for findings
LATE_S = 0.25  # a delay beyond this is not made up for
UNKNOWN = 255  # byte of a bin that was never visited


class ArenaEngine:
    """A :class:`t4dm.live.run_session.RunEngine`."""

    def __init__(
        self, options: Mapping[str, Any], tree: ParamTree, seed: int, folder: Path
    ) -> None:
        torch.set_num_threads(1)
        self.tree = tree
        self._settings = settings_of(tree)
        self._begin(Arena(seed))

    def _begin(self, arena: Arena) -> None:
        self.arena = arena
        self.seed = arena.seed
        self._measured = _measures(arena)
        self._events: list[dict[str, Any]] = []
        self._fresh = True  # nothing of this arena was published yet
        self._recent, self._looked = Recent(), False
        self._found: list[dict[str, Any]] = []
        self._due = time.monotonic()

    @property
    def step(self) -> int:
        return self.arena.step

    # -- time ----------------------------------------------------------------------------------

    def advance(self) -> Record:
        """One step of 40 ms."""
        step0 = self.arena.step
        moment = self.arena.advance(self._settings)
        self._look(moment)
        arrays = _rows(moment)
        arrays["episodes"] = self._episodes()
        if self.arena.step % MEASURE_STEPS == 0 or self._fresh:
            self._measured = _measures(self.arena)
            arrays |= self._measured
        if self.arena.step % self._maps_every == 0 or self._fresh:
            arrays |= _maps(self.arena)
        if self._fresh:
            arrays |= declared(self.arena)
        self._fresh = False
        events, self._events = self._events + _told(moment), []
        return Record(step0, self.arena.step, 0, {"events": events}, arrays)

    def asked(self) -> Record | None:
        """What a command asked for while the run stands."""
        if not self._events:
            return None
        events, self._events = self._events, []
        return Record(self.step, self.step, 0, {"events": events}, {"episodes": self._episodes()})

    @property
    def _pace(self) -> float:
        pace: float = self.tree.get("agent.pace")
        return pace

    @property
    def _maps_every(self) -> int:
        return max(1, round(MAPS_S * self._pace / DT_S))

    @property
    def rest_s(self) -> float:
        """Until the next step is due at the pace that is set."""
        now = time.monotonic()
        self._due += DT_S / self._pace
        if now - self._due > LATE_S:
            self._due = now
        return max(0.0, self._due - now)

    # -- what is asked -------------------------------------------------------------------------

    def params_changed(self, paths: list[str]) -> None:
        """From the next step on; findings are judged by what comes now."""
        self._settings = settings_of(self.tree)
        if paths != ["agent.pace"]:
            self._recent = Recent()
        self._due = time.monotonic()

    def command(self, command: c.Command) -> tuple[Any, Any]:
        """``put`` answers the places before and after, ``recall`` the episode and its similarity."""
        if isinstance(command, c.Put):
            return self._put(command)
        if isinstance(command, c.Recall):
            return None, self._recall(command)
        raise ParamError("type", f"{command.type}: an arena does not take this")

    def _put(self, command: c.Put) -> tuple[Any, Any]:
        self._check_place(command.x, command.y)
        old = {"x": self.arena.walk.x, "y": self.arena.walk.y}
        self.arena.put(command.x, command.y)
        new = {"x": command.x, "y": command.y}
        self._events.append({"type": "put", "step": self.step, **new})
        return old, new

    def _recall(self, command: c.Recall) -> dict[str, Any]:
        x = self.arena.walk.x if command.x is None else command.x
        y = self.arena.walk.y if command.y is None else command.y
        self._check_place(x, y)
        found = self.arena.recall_at(x, y, self._settings)
        if found is None:
            raise ParamError(
                "recall", "recall: no episode is stored yet; the agent has met nothing"
            )
        cue = {"cue_x": round(x, 4), "cue_y": round(y, 4)}
        self._events.append({"type": "asked", "step": self.step, **_episode_event(found), **cue})
        return found | cue

    def _check_place(self, x: float, y: float) -> None:
        side = self.arena.side
        for name, value in (("x", x), ("y", y)):
            if not 0 <= value <= side:
                message = f"{name}: expected a number from 0 to {side:g} m, got {value:g}"
                raise ParamError(name, message, lo=0, hi=side, unit="m")

    def reset(self, seed: int) -> None:
        """Another arena, empty memory."""
        self._begin(Arena(seed))

    def state(self) -> dict[str, np.ndarray]:
        return {"seed": np.array(self.seed), **self.arena.state()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        arena = Arena(int(state["seed"]))
        arena.load_state(state)
        self._begin(arena)

    # -- what there is to know -----------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        return {
            "axis": "step",
            "series": SERIES,
            "commands": list(KIND.commands),
            "constants": constants(self.arena),
        }

    def _look(self, moment: Moment) -> None:
        """Remember the step; now and then judge the last minute, once there is enough of it."""
        arena = self.arena
        stored = [event["object"] for event in moment.events if event["type"] == "stored"]
        copies = sum(self._objects_held().count(name) > 1 for name in stored)
        spikes = moment.spikes[: arena.params.n_place]
        near = moment.similarity >= self._settings.threshold
        self._recent.take(arena.step, (moment.x, moment.y), spikes, near, copies)
        if arena.step % LOOK_STEPS or len(self._recent) < LEAST:
            return
        self._looked = True
        walked = self._recent.walked(arena.step, len(self._objects_held()), self._declared_rates)
        usual = {spec.path: spec.default for spec in self.tree.specs()}
        self._found = as_told(findings(walked, self.tree.get, usual), RULES)

    def _objects_held(self) -> list[str]:
        """The object of each episode in the memory."""
        used = np.flatnonzero(self.arena.memory.stamp.numpy() >= 0)
        return [self.arena.episode(int(slot))["object"] for slot in used]

    @torch.no_grad()
    def _declared_rates(self, places: np.ndarray) -> np.ndarray:
        """(T,P) Hz of the place cells at places (T,2) in m."""
        where = torch.from_numpy(places.astype(np.float32))
        rates: np.ndarray = self.arena.formation.place(where).numpy()
        return rates

    def findings(self) -> list[dict[str, Any]]:
        """What the last minute of the agent's time shows."""
        return [dict(one) for one in self._found]

    def waiting(self) -> str:
        return (
            "" if self._looked else f"the rules look after {LEAST * DT_S:g} s of the agent's time"
        )

    def progress(self) -> dict[str, Any]:
        """Bins of the arena that were visited."""
        total = self.arena.seconds_map.size
        done = round(self.arena.coverage * total)
        return {"done": done, "total": total, "rate": None, "unit": "bins", "left_s": None}

    def _episodes(self) -> np.ndarray:
        """(N,7): place, object, time in its episode, step, recalls, similarity; NaN where free."""
        arena = self.arena
        used = arena.memory.stamp.numpy() >= 0
        columns = [arena.memory.values.numpy(), arena.recalls[:, None], arena.scores[:, None]]
        table = np.concatenate(columns, axis=1).astype(np.float32)
        return np.where(used[:, None], table, np.float32(np.nan))


def settings_of(tree: ParamTree) -> Settings:
    """The parameters in force as the model takes them."""
    return Settings(
        tree.get("agent.speed"),
        math.radians(tree.get("agent.turning")),
        tree.get("cells.background"),
        tree.get("cells.blur"),
        tree.get("recall.objects"),
        tree.get("recall.threshold"),
        tree.get("recall.cue"),
        tree.get("recall.length"),
    )


def _rows(moment: Moment) -> dict[str, np.ndarray]:
    """What every step has, one row."""
    place = [moment.x, moment.y, moment.heading, moment.elapsed]
    return {
        "path": np.array([place], np.float32),
        "nearest": np.array([[moment.similarity, moment.slot]], np.float32),
        "spikes": packed(moment.spikes)[None],
    }


def packed(spikes: np.ndarray) -> np.ndarray:
    """Two bits a cell, four cells a byte, the first in the lowest bits; 3 stands for 3 or more."""
    room = np.zeros(-(-len(spikes) // 4) * 4, np.uint8)
    room[: len(spikes)] = np.minimum(spikes, 3)
    fours = room.reshape(-1, 4)
    return fours[:, 0] | fours[:, 1] << 2 | fours[:, 2] << 4 | fours[:, 3] << 6


def _told(moment: Moment) -> list[dict[str, Any]]:
    """The step's events; an episode's own step is told as ``stored_at``."""
    return [
        {"type": event["type"], "at_x": round(moment.x, 4), "at_y": round(moment.y, 4)}
        | _episode_event(event)
        for event in moment.events
    ]


def _episode_event(event: dict[str, Any]) -> dict[str, Any]:
    kept = {k: round(v, 4) if isinstance(v, float) else v for k, v in event.items() if k != "type"}
    return kept | {"stored_at": kept.pop("step")}


def _as_bytes(values: np.ndarray, full: np.ndarray | float) -> np.ndarray:
    """0 to ``full`` as 0 to 254; 255 where nothing is known."""
    scaled = np.clip(np.nan_to_num(values) / full, 0.0, 1.0) * (UNKNOWN - 1)
    return np.where(np.isfinite(values), np.rint(scaled), UNKNOWN).astype(np.uint8)


def _maps(arena: Arena) -> dict[str, np.ndarray]:
    full = np.array(full_hz(arena))
    where = full[: len(arena.spike_map), None, None]
    when = full[len(arena.spike_map) :, None]
    return {
        "maps": _as_bytes(rate_maps.rate_maps(arena.spike_map, arena.seconds_map), where),
        "time_maps": _as_bytes(rate_maps.tuning(arena.spike_time, arena.seconds_time), when),
        "seconds": arena.seconds_map.astype(np.float32),
    }


def _measures(arena: Arena) -> dict[str, np.ndarray]:
    """``measured`` (C,4) and ``correlations`` (grid cells, 2S-1, 2S-1) as bytes of (r+1)/2."""
    maps = rate_maps.rate_maps(arena.spike_map, arena.seconds_map)
    n_place, bin_m = arena.params.n_place, arena.side / model.SIDE_BINS
    rows = [_place_measure(one, arena.seconds_map, bin_m) for one in maps[:n_place]]
    correlations = [rate_maps.autocorrelogram(one) for one in maps[n_place:]]
    rows += [
        [rate_maps.spacing(r) * bin_m, rate_maps.gridness(r), *_strength(one, arena.seconds_map)]
        for one, r in zip(maps[n_place:], correlations, strict=True)
    ]
    times = rate_maps.tuning(arena.spike_time, arena.seconds_time)
    rows += [_time_measure(one) for one in times]
    shown = [_as_bytes((r + 1) / 2, 1.0) for r in correlations]
    return {"measured": np.array(rows, np.float32), "correlations": np.array(shown)}


def _place_measure(one: np.ndarray, seconds: np.ndarray, bin_m: float) -> list[float]:
    row, column = rate_maps.field_centre(one)
    return [column * bin_m, row * bin_m, *_strength(one, seconds)]


def _strength(one: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Largest rate in Hz and information in bits a spike."""
    if not np.isfinite(one).any():
        return math.nan, math.nan
    return float(np.nanmax(one)), rate_maps.information(one, seconds)


def _time_measure(one: np.ndarray) -> list[float]:
    """Time of the largest rate in s, that rate in Hz."""
    if not np.nansum(one) > 0:
        return [math.nan] * 4
    best = int(np.nanargmax(one))
    return [(best + 0.5) * model.TIME_BIN_S, float(one[best]), math.nan, math.nan]

"""What an arena session publishes, and what it declares of its cells.

C cells (place, then grid, then time)  S bins a side  B time bins  N slots of the memory
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from t4dm.brain.arena import REACH, SIDE_BINS, SLOTS, TIME_BIN_S, TIME_BINS, Arena
from t4dm.brain.arena_params import DT_S, OBJECTS
from t4dm.brain.place_time_cells import WEBER


def _series(
    per_step: bool,
    shape: list[Any],
    dtype: str,
    unit: str,
    help: str,
    names: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "per_step": per_step, "names": names, "shape": shape, "dtype": dtype, "unit": unit,
        "help": help,
    }  # fmt: skip


SERIES: dict[str, dict[str, Any]] = {
    "path": _series(
        True, [4], "f4", "m, m, rad, s", "Place, heading, time since the episode began.",
        ["x", "y", "heading", "elapsed"],
    ),
    "nearest": _series(
        True, [2], "f4", "1", "Similarity of the nearest episode (NaN: none stored), and its slot.",
        ["similarity", "slot"],
    ),
    "spikes": _series(
        True, [29], "u1", "spikes",
        "Spikes of a step, two bits a cell, four cells a byte, the first lowest; 3: three or more.",
    ),
    "maps": _series(
        False, ["place+grid", "bins", "bins"], "u1", "full_hz/254",
        "Rate maps, rows along y; 255 where the agent never was.",
    ),
    "time_maps": _series(
        False, ["time", "time_bins"], "u1", "full_hz/254", "Rate over the time in the episode; 255: no time."
    ),
    "seconds": _series(False, ["bins", "bins"], "f4", "s", "Time spent in each bin."),
    "measured": _series(
        False, ["cells", 4], "f4", "m, Hz, bits",
        "Place: x, y of the field, peak Hz, bits a spike.  Grid: spacing, gridness, peak Hz, bits a "
        "spike.  Time: peak s, peak Hz.  NaN where nothing is known.",
    ),
    "correlations": _series(
        False, ["grid", "2 bins - 1", "2 bins - 1"], "u1", "(r+1)*127", "Autocorrelograms; 255 where too little overlaps."
    ),
    "declared": _series(
        False, ["cells", 4], "f4", "m, Hz",
        "Place: x, y, width, peak Hz.  Grid: spacing, angle of a wave (rad), peak Hz, module.  "
        "Time: peak s, width s, peak Hz.",
    ),
    "objects": _series(False, ["objects", 2], "f4", "m", "Places of all objects; the first ones lie there."),
    "episodes": _series(
        False, ["slots", 7], "f4", "m, s, steps",
        "x, y, object, time in its episode, step, recalls, similarity now; NaN where a slot is free.",
    ),
}  # fmt: skip


def full_hz(arena: Arena) -> list[float]:
    """Rate that byte 254 of each cell's map stands for, or more: the declared peak."""
    p = arena.params
    peaks = [p.place_peak] * p.n_place + [p.grid_peak] * arena.n_grid + [p.time_peak] * p.n_time
    return [float(peak) for peak in peaks]


def constants(arena: Arena) -> dict[str, Any]:
    """What holds for every seed: sizes and names."""
    p = arena.params
    return {
        "dt_ms": round(DT_S * 1000),
        "side_m": arena.side,
        "bins": SIDE_BINS,
        "time_bin_s": TIME_BIN_S,
        "time_bins": TIME_BINS,
        "slots": SLOTS,
        "reach_m": REACH * arena.side,
        "objects": list(OBJECTS),
        "cells": {"place": p.n_place, "grid": arena.n_grid, "time": p.n_time},
        "modules": {"scales": p.n_scales, "cells": p.n_phases},
        "full_hz": full_hz(arena),
    }


def declared(arena: Arena) -> dict[str, np.ndarray]:
    """What the seed decided: fields of the cells, places of the objects."""
    p, formation = arena.params, arena.formation
    rows = [[x, y, formation.place.width, p.place_peak] for x, y in formation.place.centre.tolist()]
    for module in range(p.n_scales):
        wave = formation.grid.waves[module, 0].tolist()
        row = [float(formation.grid.spacing[module]), math.atan2(wave[1], wave[0]), p.grid_peak]
        rows += [[*row, float(module)]] * p.n_phases
    rows += [[at, WEBER * at, p.time_peak, math.nan] for at in formation.time.preferred.tolist()]
    return {
        "declared": np.array(rows, np.float32),
        "objects": arena.objects.astype(np.float32),
    }

"""A panel's data over a window, as a table (CSV) or as arrays (NPZ, without pickle).

Column names carry their unit in brackets; ``(1)`` is a pure number.  Steps are given as times in
simulated ms.  Rates are in Hz per neuron.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from t4dm.live.groups import Group
from t4dm.live.published import absence
from t4dm.live.segment import GATE_FULL, HIST_BINS
from t4dm.live.window import Window
from t4dm.params import ParamError
from t4dm.spiking.params import GAINS, NEUROMODULATORS

Arrays = dict[str, np.ndarray]
TIME = "time (ms)"
INHIBITORY_LO = -1.0


def csv(window: Window, slug: str) -> bytes:
    """The table of panel ``slug`` as UTF-8 CSV; raises :class:`ParamError` for an unknown panel."""
    return table(window, slug).to_csv(index=False, lineterminator="\n").encode()


def npz(window: Window, slug: str) -> bytes:
    """The arrays of panel ``slug`` and ``about`` (JSON text); loads with ``allow_pickle=False``."""
    arrays = _panel(slug)[1](window)
    about = {
        "panel": slug, "epoch": window.epoch, "step0": window.step0, "step1": window.step1,
        "dt_ms": window.dt, "events": window.events,
    }  # fmt: skip
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=np.array(json.dumps(about)), allow_pickle=False, **arrays)
    return buffer.getvalue()


def table(window: Window, slug: str) -> pd.DataFrame:
    """The data of panel ``slug``, one row an observation; raises :class:`ParamError`."""
    make = _panel(slug)[0]
    _check_published(window, slug)
    return make(window)


def group_name(group: Group) -> str:
    """``block 2 lif_in``, or the name of a group of no block."""
    return group.name if group.block is None else f"block {group.block} {group.stage}"


def _raster_arrays(window: Window) -> Arrays:
    neuron = window.rows[window.spk_row]
    return {
        "time_ms": (window.step0 + window.spk_dt.astype(np.int64)) * window.dt,
        "neuron": neuron,
    }


def _raster(window: Window) -> pd.DataFrame:
    arrays = _raster_arrays(window)
    groups = [window.layout.groups[g] for g in window.layout.group_of(arrays["neuron"])]
    return pd.DataFrame(
        {
            TIME: arrays["time_ms"],
            "neuron": arrays["neuron"],
            "group": [group.name for group in groups],
            "block": pd.array([group.block for group in groups], dtype="Int64"),
            "stage": [group.stage for group in groups],
        }
    )


def _membrane_arrays(window: Window) -> Arrays:
    groups = window.layout.group_of(window.membrane)
    return {
        "time_ms": window.t_ms,
        "neuron": window.membrane,
        "u_pre": window.u,
        "theta": window.theta[:, groups],
    }


def _membrane(window: Window) -> pd.DataFrame:
    arrays = _membrane_arrays(window)
    columns: dict[str, Any] = {TIME: window.t_ms}
    for k, neuron in enumerate(window.membrane):
        columns[f"u_pre {neuron} (1)"] = arrays["u_pre"][:, k]
        columns[f"theta {neuron} (1)"] = arrays["theta"][:, k]
    return pd.DataFrame(columns)


def _neuromod_arrays(window: Window) -> Arrays:
    return {"time_ms": window.t_ms, "levels": window.levels, "gains": window.gains}


def _neuromod(window: Window) -> pd.DataFrame:
    columns: dict[str, Any] = {TIME: window.t_ms}
    columns |= {f"{nt} (1)": window.levels[:, k] for k, nt in enumerate(NEUROMODULATORS)}
    columns |= {f"gain {name} (1)": window.gains[:, k] for k, name in enumerate(GAINS)}
    return pd.DataFrame(columns)


def _weights_arrays(window: Window) -> Arrays:
    return {
        "time_ms": window.hist_steps * window.dt,
        "edges_exc": np.linspace(0.0, float(window.meta.get("w_hi", 1.0)), HIST_BINS + 1),
        "edges_inh": np.linspace(float(window.meta.get("w_lo", INHIBITORY_LO)), 0.0, HIST_BINS + 1),
        "count_exc": window.hist_exc,
        "count_inh": window.hist_inh,
        "share_at_bounds": window.bounds,
    }


def _weights(window: Window) -> pd.DataFrame:
    arrays = _weights_arrays(window)
    parts = []
    for sign, name in (("excitatory", "exc"), ("inhibitory", "inh")):
        part = _long(arrays["time_ms"], arrays[f"count_{name}"], ("block", "bin"), "count")
        edges = arrays[f"edges_{name}"]
        bins = part.pop("bin")
        part.insert(2, "sign", sign)
        part.insert(3, "bin from (1)", edges[bins])
        part.insert(4, "bin to (1)", edges[bins + 1])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _gate_arrays(window: Window) -> Arrays:
    return {
        "time_ms": window.gate_steps * window.dt,
        "gate": window.gate.astype(np.float32) * (GATE_FULL / 255),
        "mean_openness": window.gate_mean,
    }


def _gate(window: Window) -> pd.DataFrame:
    arrays = _gate_arrays(window)
    head = {TIME: arrays["time_ms"]}
    head[f"mean g block {window.gate_block} (1)"] = window.gate_mean[:, window.gate_block]
    names = [f"g channel {k} (1)" for k in range(arrays["gate"].shape[1])]
    return pd.concat([pd.DataFrame(head), pd.DataFrame(arrays["gate"], columns=names)], axis=1)


def _rate_arrays(window: Window) -> Arrays:
    hz = window.rates * (1000 / window.dt / np.array(window.layout.sizes))
    return {"time_ms": window.t_ms, "rate_hz": hz.astype(np.float32), "spikes": window.rates}


def _rate(window: Window) -> pd.DataFrame:
    hz = _rate_arrays(window)["rate_hz"]
    columns: dict[str, Any] = {TIME: window.t_ms}
    columns |= {f"{group_name(g)} rate (Hz)": hz[:, g.index] for g in window.layout.groups}
    return pd.DataFrame(columns)


def _stdp_arrays(window: Window) -> Arrays:
    span = window.pairs.shape[2] // 2
    return {
        "time_ms": window.hist_steps * window.dt,
        "dt_ms": np.arange(-span, span + 1) * window.dt,
        "pairs": window.pairs,
    }


def _stdp(window: Window) -> pd.DataFrame:
    arrays = _stdp_arrays(window)
    long = _long(arrays["time_ms"], window.pairs, ("block", "dt (ms)"), "pairs in the last second")
    long["dt (ms)"] = arrays["dt_ms"][long["dt (ms)"]]
    return long


def _stimulus_arrays(window: Window) -> Arrays:
    clipped = window.stim.astype(np.float32) / 255
    arrays = {"time_ms": window.t_ms, "mean": window.stim_mean, "stimulus_clipped": clipped}
    if window.stim_range.shape[1]:
        arrays |= {"largest": window.stim_range[:, 0], "smallest": window.stim_range[:, 1]}
    return arrays


def _stimulus(window: Window) -> pd.DataFrame:
    arrays = _stimulus_arrays(window)
    values = arrays["stimulus_clipped"]
    names = [f"unit {k} clipped to 0..1 (1)" for k in range(values.shape[1])]
    head: dict[str, Any] = {TIME: window.t_ms, "label": _labels(window)}
    head |= {f"{k} (1)": arrays[k] for k in ("mean", "largest", "smallest") if k in arrays}
    return pd.concat([pd.DataFrame(head), pd.DataFrame(values, columns=names)], axis=1)


def _labels(window: Window) -> list[str]:
    """The label shown at every step; empty at rest, and before the first onset in the window."""
    labels, label, steps = [], "", window.step0
    for event in window.events:
        if event["type"] in ("stimulus", "rest"):
            labels += [label] * (event["step"] - steps)
            label, steps = str(event.get("label", "")), event["step"]
    return labels + [label] * (window.step1 - steps)


def _long(time_ms: np.ndarray, counts: np.ndarray, names: tuple[str, str], value: str) -> Any:
    """(M, A, B) counts as rows of time, index A, index B, count."""
    m, a, b = (axis.ravel() for axis in np.indices(counts.shape))
    return pd.DataFrame({TIME: time_ms[m], names[0]: a, names[1]: b, value: counts.ravel()})


PANELS: dict[str, tuple[Callable[[Window], pd.DataFrame], Callable[[Window], Arrays]]] = {
    "raster": (_raster, _raster_arrays),
    "membrane": (_membrane, _membrane_arrays),
    "neuromod": (_neuromod, _neuromod_arrays),
    "weights": (_weights, _weights_arrays),
    "gate": (_gate, _gate_arrays),
    "rate": (_rate, _rate_arrays),
    "stdp": (_stdp, _stdp_arrays),
    "stimulus": (_stimulus, _stimulus_arrays),
}


PUBLISHED = {
    "neuromod": ("levels", "levels"), "gate": ("gate", "gate_mean"), "weights": ("weights", "hist_exc"),
    "stdp": ("pairs", "pairs"), "stimulus": ("stimulus", "stim"),
}  # fmt: skip  # panel: its probe, and the array that is zero wide where that is not published


def _check_published(window: Window, slug: str) -> None:
    probe, array = PUBLISHED.get(slug, ("spikes", "rates"))
    if getattr(window, array).shape[1] == 0:
        raise ParamError("slug", f"{slug}: {absence(probe)}")


def _panel(slug: str) -> tuple[Callable[[Window], pd.DataFrame], Callable[[Window], Arrays]]:
    if slug not in PANELS:
        known = list(PANELS)
        raise ParamError(
            "slug", f"no panel '{slug[:40]}'; one of {', '.join(known)}", choices=known
        )
    return PANELS[slug]

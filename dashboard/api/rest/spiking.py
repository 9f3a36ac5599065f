"""``/spiking/*``: what the network does, from the session's own segments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from flask import Response

from dashboard.api import frames
from dashboard.api.operations import operation
from dashboard.api.rest import live, revisions
from dashboard.api.rest.answers import LifParams, Neuromodulators, SpikeTimes, Statistics
from dashboard.api.rest.queries import PageQuery, SessionQuery, WindowQuery
from dashboard.api.rest.statistics import group_statistics
from dashboard.api.sessions import in_force
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.live.window import Window
from t4dm.spiking.params import GAINS, NEUROMODULATORS, LIFParams

SECOND_MS = 1000
NT_EVENTS = ("inject", "reward")
FIRED, LEVELS = ("spikes", "rates"), ("levels", "gains")


@operation(
    "GET", "/spiking/stats", Statistics, tag="spiking", query=WindowQuery, also=frames.NOT_HELD
)
def spiking_stats(query: WindowQuery) -> Response:
    """Spike rate and firing patterns, by default over the last second."""
    client = live.client_of(query)
    window = live.window_of(client, query, SECOND_MS, "spikes", View(rows="all"), FIRED)
    bands = [group.get("band") for group in client.manifest()["groups"]]
    groups = group_statistics(window, bands)
    spikes = int(window.rates.sum(dtype=np.int64))
    share = spikes / (window.n_total * window.n_steps)
    body = {
        "spike_rate": round(share, 6),
        "rate_hz": round(share * 1000 / window.dt, 3),
        **live.head(client, window, share="spikes/neuron/step", hz="Hz per neuron"),
        "spikes": spikes,
        "neurons": live.all_of(window.n_total),
        "shown": {"neurons": live.all_of(window.n_total), "groups": live.all_of(len(groups))},
        "silent": sum(group["silent"] for group in groups),
        "groups": groups,
    }
    return live.answer(body)


@operation(
    "GET", "/spiking/lif-params", LifParams, tag="spiking", query=SessionQuery, also=frames.NOT_HELD
)
def spiking_lif_params(query: SessionQuery) -> Response:
    """Threshold, leak and reset of every stage, with what homeostasis adds to the threshold."""
    client = live.client_of(query)
    window = live.newest(client, "theta")
    held = in_force(client)
    tree, same = held.tree, held.rev == window.meta.get("params_rev")
    specs = LIFParams.specs()
    head = live.head(
        client, window, tau_ms="ms", theta="1", theta_h="1", **{s.name: s.unit for s in specs}
    )
    del head["window"]
    mine = ("lif", "lif_in", "lif_out")
    overrides = tree.to_json()["overrides"]
    stages = [_stage(tree, window, g, same) for g in window.layout.groups if g.block is not None]
    body = {
        **head | {"params_rev": held.rev},
        "shown": {"stages": live.all_of(len(stages)), "parameters": live.all_of(len(specs))},
        "values": {spec.name: tree.get(spec.path) for spec in specs},
        "ranges": {spec.name: [spec.lo, spec.hi] for spec in specs},
        "overrides": {p: v for p, v in overrides.items() if p.split(".")[2] in mine},
        "stages": stages,
    }
    return live.answer(body)


def _stage(tree: ParamTree, window: Window, group: Any, same: bool) -> dict[str, Any]:
    """``same``: the window was computed with the parameters in force, so that its thresholds are theirs."""
    values = {
        spec.name: tree.stage("lif", spec.name, group.block, group.stage)
        for spec in LIFParams.specs()
    }
    alpha, theta = values["alpha"], float(window.theta[-1, group.index])
    known = math.isfinite(theta)
    return {
        "group": group.name, "block": group.block, "stage": group.stage, **values,
        "tau_ms": round(-tree.dt / math.log(alpha), 4) if 0 < alpha < 1 else None,
        "theta": round(theta, 6) if known else None,
        "theta_h": round(theta - values["v_thresh"], 6) if known and same else None,
    }  # fmt: skip


@operation(
    "GET",
    "/spiking/neuromodulators",
    Neuromodulators,
    tag="spiking",
    query=WindowQuery,
    also=frames.NOT_HELD,
)
def spiking_neuromodulators(query: WindowQuery) -> Response:
    """Levels now, the range they moved in (by default over the last second), and what acts."""
    client = live.client_of(query)
    window = live.window_of(client, query, SECOND_MS, "levels", only=LEVELS)
    told = revisions.told(client, query, window)
    tree = told.tree
    events = [event for event in window.events if event["type"] in NT_EVENTS]
    body = {
        **live.head(client, window, level="1", gain="1", tau="ms") | told.head,
        "shown": {
            "neuromodulators": live.all_of(len(NEUROMODULATORS)),
            "gains": live.all_of(len(GAINS)),
            "events": live.part(len(events), len(window.events)),
        },
        "enabled": tree.get("neuromod.enabled"),
        "update_freq": tree.get("neuromod.update_freq"),
        "levels": [_level(tree, window, k, nt) for k, nt in enumerate(NEUROMODULATORS)],
        "gains": dict(zip(GAINS, live.numbers(window.gains[-1]), strict=True)),
        "events": events,
    }
    return live.answer(body)


def _level(tree: ParamTree, window: Window, k: int, nt: str) -> dict[str, Any]:
    levels = window.levels[:, k]
    now, least, most = live.numbers(np.array([levels[-1], levels.min(), levels.max()]))
    return {
        "nt": nt, "level": now, "baseline": tree.get(f"neuromod.{nt}_baseline"),
        "tau_ms": tree.get(f"neuromod.{nt}_tau"), "held": tree.get(f"neuromod.{nt}"),
        "min": least, "max": most, "moved": bool(levels.min() != levels.max()),
    }  # fmt: skip


@operation(
    "GET", "/spiking/spike-times", SpikeTimes, tag="spiking", query=PageQuery, also=frames.NOT_HELD
)
def spiking_spike_times(query: PageQuery) -> Response:
    """Spike times of the chosen neurons, by default of 100 over the last second."""
    client = live.client_of(query)
    rows = live.rows_of(query.neurons, query.layer, client)
    window = live.window_of(client, query, SECOND_MS, "spikes", View(rows=rows), FIRED)
    total = len(window.spk_row)
    page = slice(query.offset, query.offset + query.limit)
    neurons = live.part(len(window.rows), window.n_total)
    on_page = len(window.spk_row[page])
    body = {
        **live.head(client, window, times_ms="ms"),
        "neurons": neurons,
        "shown": {"neurons": neurons, "spikes": live.part(on_page, total)},
        "spikes": total,
        "offset": query.offset,
        "next_offset": page.stop if page.stop < total else None,
        "trains": _trains(window, page),
    }
    return live.answer(body)


def _trains(window: Window, page: slice) -> list[dict[str, Any]]:
    counts = np.bincount(window.spk_row, minlength=len(window.rows)).tolist()
    rows = window.spk_row[page]
    times = (window.step0 + window.spk_dt[page].astype(np.int64)) * window.dt
    order = np.argsort(rows, kind="stable")
    cuts = np.searchsorted(rows[order], np.arange(len(window.rows) + 1))
    listed = times[order].tolist()
    return [
        {
            "neuron": neuron, "name": window.layout.neuron_name(neuron), "spikes": counts[row],
            "times_ms": listed[cuts[row] : cuts[row + 1]],
        }
        for row, neuron in enumerate(window.rows.tolist())
    ]  # fmt: skip

"""Opening the session of a watched module, once its first call has shown which layers spike."""

from __future__ import annotations

import os
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.live.external import ExternalSession, ScriptEngine, default_watch
from t4dm.live.groups import Layout
from t4dm.live.manifest import code_version
from t4dm.live.publisher import Files, Publisher
from t4dm.live.publisher_blocks import Publishes
from t4dm.live.watch_budget import Budget
from t4dm.live.watch_hooks import say
from t4dm.live.watch_layers import Axes, Layer, Weight, layout_of
from t4dm.live.watch_params import ScriptParams
from t4dm.live.watch_reading import Reading

OURS, GIVEN = "u before reset", "membrane as the layer gives it"
MIXED = f"{OURS} of a LIFNeuron, else {GIVEN}"
HEADROOM = 4.0  # the weight axis ends at this times the largest weight at the start


@dataclass(frozen=True, slots=True)
class Settings:
    """How a module is watched; ``lock`` is the descriptor that holds the session's name.

    ``asked`` is the name that the script gave, of which ``name`` may be the next that was free.
    """

    name: str
    asked: str
    run: Path
    lock: int
    axes: Axes
    every: int
    hold: bool
    no_grad: bool
    budget: float | None


def open_session(
    settings: Settings, reading: Reading, params: ScriptParams, failed: Callable[[str], None],
    budget: Budget,
) -> Publisher:  # fmt: skip
    """The publisher of the layers of ``reading``, a group each, as they were in the call they hold."""
    axis, layout = _measured(reading), _placed(reading)
    shows = [g for g, layer in enumerate(reading.layers) if layer.has_membrane]
    reading.choose(layout, default_watch(layout, shows))
    reading.read_thresholds()
    apply = weakref.WeakMethod(params.apply)
    engine = ScriptEngine(
        params.tree, layout.to_json(), reading.watch, lambda values: _call(apply, values)
    )
    epoch = time.monotonic_ns() // 10**8
    session = ExternalSession(settings.name, engine, epoch, axis, settings.hold)
    reading.watch = engine.watch
    publishes = Publishes(
        probes=["spikes", *(["u_pre"] if shows else []),
                *(["theta"] if np.isfinite(reading.theta).any() else []),
                *(["weights"] if reading.weights else [])],
        weights=[weight.name for weight in reading.weights],
        w_hi=[_axis_end(weight) for weight in reading.weights],
        more=code_version() | {
            "every": settings.every, "budget": settings.budget,
            "script": os.path.basename(sys.argv[0]),
            "membranes": membranes_of(reading.layers),
        },
    )  # fmt: skip
    return Publisher(session, Files(settings.run, settings.name), publishes, failed, budget)


def membranes_of(layers: list[Layer]) -> str:
    """What the membranes of ``layers`` are, in words that stand beside their traces."""
    kinds = {layer.tells for layer in layers if layer.has_membrane}
    return MIXED if len(kinds) > 1 else OURS if kinds == {True} else GIVEN


def _measured(reading: Reading) -> str:
    """Take down what the layers' tensors are; what a step is: ``call`` where a call has one."""
    steps = 0
    for layer in reading.layers:
        layer.index = None
        if layer.spikes:
            rows = reading.axes.of(layer).rows(layer.spikes)
            steps, layer.n_all = max(steps, len(rows)), rows.shape[1]
            layer.device = layer.spikes[0].device
            layer.has_membrane = len(layer.membranes) == len(layer.spikes)
    return "call" if steps == 1 else "step"


def _placed(reading: Reading) -> Layout:
    """A group for each layer; of those that are thinned out, the index lies on the layer's device."""
    layout = layout_of(reading.layers)
    for layer in reading.layers:
        if layer.index is not None:
            layer.index = layer.index.to(layer.device)
    return layout


def say_samples(settings: Settings, layers: list[Layer]) -> None:
    """Say it where the batch has no such sample as is to be shown."""
    wanted = settings.axes.batch_index
    for layer in layers:
        samples = layer.samples or settings.axes.of(layer).samples(layer.spikes[0])
        if wanted is not None and samples is not None and wanted >= samples:
            say(
                f"'{settings.name}': batch_index is {wanted} and a batch has {samples} samples; "
                "the last one is shown"
            )
            return


def _axis_end(weight: Weight) -> float:
    largest = float(weight.sample().abs().max()) if weight.module.weight.numel() else 0.0
    return HEADROOM * largest if largest else 1.0


def _call(method: weakref.WeakMethod[Any], values: dict[str, Any]) -> None:
    found = method()
    if found is not None:
        found(values)

"""What a watched module's layers gave in one call, as the block that the publisher takes.

T time  N neurons of a layer  W watched membranes  G layers
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from t4dm.live.groups import Layout
from t4dm.live.publisher_blocks import Block
from t4dm.live.segment import HIST_EVERY
from t4dm.live.watch_layers import Axes, Layer, Weight, group_name
from t4dm.live.watch_outputs import one_value, threshold_of


@dataclass(slots=True)
class Reading:
    """``layers`` in the order of the groups; ``watch`` the neurons whose membranes are read."""

    layers: list[Layer]
    axes: Axes
    weights: list[Weight]
    watch: list[int] = field(default_factory=list)
    theta: np.ndarray = field(default_factory=lambda: np.empty(0))
    columns: dict[int, tuple[list[int], Tensor]] = field(default_factory=dict)

    def choose(self, layout: Layout, watch: list[int]) -> None:
        """Read the membranes of ``watch`` from now on: columns of ``u``, and neurons a layer."""
        self.watch, self.columns = watch, {}
        of = layout.group_of(watch).tolist()
        for g, layer in enumerate(self.layers):
            columns = [k for k, group in enumerate(of) if group == g]
            layer.is_shown = bool(columns) and layer.has_membrane
            if not layer.is_shown:
                continue
            inside = torch.tensor([watch[k] - layout.groups[g].first for k in columns])
            if layer.index is not None:
                inside = layer.index.cpu()[inside]
            self.columns[g] = columns, inside.to(layer.device)

    def read_thresholds(self) -> None:
        """Thresholds (G,) as they are now."""
        self.theta = np.array([_threshold(layer) for layer in self.layers])

    def block(self, first: int) -> Block:
        """Copies of what the layers hold; ``first`` is the number of the block's first step."""
        spikes = [self._spikes(layer) for layer in self.layers]
        if any(layer.theta is not None for layer in self.layers):
            self.read_thresholds()
        steps = max(len(rows) for rows in spikes)
        u = np.full((steps, len(self.watch)), np.nan, np.float32)
        for g, layer in enumerate(self.layers):
            if layer.membranes and layer.is_shown and not layer.other:
                columns, index = self.columns[g]
                shown = self.axes.of(layer).values(layer.membranes, index)
                u[: len(shown), columns] = shown
        due = -(-first // HIST_EVERY) * HIST_EVERY < first + steps
        weights = [weight.sample().numpy() for weight in self.weights] if due else None
        padded = [_padded(rows, steps) for rows in spikes]
        return Block(steps, padded, u, list(self.watch), self.theta, weights)

    def _spikes(self, layer: Layer) -> np.ndarray:
        """(T, N) spikes shown of ``layer``; none from where a module of an unknown type gave other values.

        Raises ValueError, in words, where the number of its neurons is another than before.
        """
        if not layer.spikes or layer.other:
            return np.empty((0, layer.n))
        try:
            rows = self.axes.of(layer).values(layer.spikes, layer.index)
        except (RuntimeError, IndexError) as error:
            raise ValueError(self._changed(layer)) from error
        if rows.shape[1] != layer.n:
            raise ValueError(self._changed(layer))
        if not layer.is_known and not ((rows == 0) | (rows == 1)).all():
            layer.other = True
            return np.empty((0, layer.n))
        return rows

    def _changed(self, layer: Layer) -> str:
        shapes = sorted({tuple(tensor.shape) for tensor in layer.spikes})
        return (
            f"{group_name(layer)} had {layer.n_all} neurons when it was first shown and gives "
            f"{' and '.join(map(str, shapes))} now"
        )


def _threshold(layer: Layer) -> float:
    """What the last step was given, else the layer's own; NaN where it is one a neuron."""
    if layer.theta is None:
        return threshold_of(layer.module)
    value = one_value(layer.theta)
    return float("nan") if value is None else value


def _padded(rows: np.ndarray, steps: int) -> np.ndarray:
    """A layer that was called less often than others is silent in the steps it lacks."""
    if len(rows) == steps:
        return rows
    return np.concatenate([rows, np.zeros((steps - len(rows), rows.shape[1]), rows.dtype)])

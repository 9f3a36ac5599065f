"""Toy engines whose groups differ in size, and which publish only a part of what the stack does."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from t4dm.live.segment import Segment
from tests.toy_engine import G, N, ToyEngine

SENSORY = 100
TOTAL = G * N + SENSORY


class UnevenEngine(ToyEngine):
    """The toy stack with a thirteenth group of 100 neurons that belongs to no block.

    Its neuron i fires where (step + i) is divisible by 50: 20 Hz each.
    """

    def advance(self, n: int) -> Segment:
        watch, self.watch = self.watch, [i for i in self.watch if i < G * N]
        plain = super().advance(n)
        self.watch = watch
        steps = np.arange(plain.step0, plain.step1)
        fired = (steps[:, None] + np.arange(SENSORY)) % 50 == 0
        ends = np.cumsum(plain.spk_n, dtype=int)
        parts = np.split(plain.spk_id, ends[:-1])
        ids = [np.append(a, G * N + np.flatnonzero(b)) for a, b in zip(parts, fired, strict=True)]
        counts = fired.sum(1).astype("<u2")
        u = np.full((n, len(watch)), 0.25, "<f4")
        u[:, [k for k, i in enumerate(watch) if i < G * N]] = plain.u
        return dataclasses.replace(
            plain,
            spk_n=plain.spk_n + counts,
            spk_id=np.concatenate(ids).astype("<u2"),
            rates=np.column_stack([plain.rates, counts]),
            theta=np.column_stack([plain.theta, np.full(n, 3.0, "<f4")]),
            clamped=np.column_stack([plain.clamped, np.zeros(n, "<u2")]),
            u=u,
            meta=plain.meta | {"watch": list(watch)},
        )

    def describe(self) -> dict[str, Any]:
        described = super().describe()
        described["groups"].append({"name": "sensory layer", "short": "sens", "n": SENSORY})
        return described


class BareEngine(UnevenEngine):
    """The same without gate, neuromodulators, stimulus and weights: those arrays are zero wide."""

    def advance(self, n: int) -> Segment:
        full = super().advance(n)
        m, tg = len(full.hist_exc), len(full.gate)
        return dataclasses.replace(
            full,
            gate=np.zeros((tg, 0, 0), "u1"),
            gate_mean=np.zeros((tg, 0), "<f4"),
            levels=np.zeros((n, 0), "<f4"),
            gains=np.zeros((n, 0), "<f4"),
            stim=np.zeros((n, 0), "u1"),
            hist_exc=np.zeros((m, 0, 64), "<u4"),
            hist_inh=np.zeros((m, 0, 64), "<u4"),
            bounds=np.zeros((m, 0, 2), "<f4"),
            pairs=np.zeros((m, 0, 201), "<u4"),
            matrix=np.zeros((len(full.matrix), 0, 0, 0), "u1"),
        )

    def describe(self) -> dict[str, Any]:
        lacks = ["gate", "levels", "gains", "weights", "weight_matrix", "pairs", "stimulus"]
        return super().describe() | {"lacks": lacks}

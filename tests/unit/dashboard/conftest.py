"""Tiny windows for the figures: three steps, two blocks of four neurons, numbers one can check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from t4dm.live.merge import merge
from t4dm.live.segment import Segment, grid
from t4dm.live.view import View
from t4dm.live.window import Window

BLOCKS, N = 2, 4
STAGES = 2 * BLOCKS


def segment(
    spikes: list[list[int]],
    step0: int = 0,
    events: list[dict[str, Any]] | None = None,
    theta: float = 1.0,
    dt: float = 1.0,
) -> Segment:
    """``spikes[t]`` are the neuron ids of step ``step0 + t`` of ``dt`` ms; u is 0.5, levels are 0.5."""
    steps = len(spikes)
    step1 = step0 + steps
    tg, m = len(grid(step0, step1, 4)), len(grid(step0, step1, 250))
    rates = np.zeros((steps, STAGES), "<u2")
    for t, ids in enumerate(spikes):
        for neuron in ids:
            rates[t, neuron // N] += 1
    counts = np.zeros((m, BLOCKS, 64), "<u4")
    counts[:, :, 3] = 7
    span = round(100 / dt)
    pairs = np.zeros((m, BLOCKS, 2 * span + 1), "<u4")
    pairs[:, :, span + 10] = 5
    return Segment(
        step0=step0,
        step1=step1,
        epoch=1,
        spk_n=np.array([len(ids) for ids in spikes], "<u2"),
        spk_id=np.array([i for ids in spikes for i in ids], "<u2"),
        rates=rates,
        u=np.full((steps, 2), 0.5, "<f4"),
        theta=np.full((steps, STAGES), theta, "<f4"),
        levels=np.full((steps, 4), 0.5, "<f4"),
        gains=np.ones((steps, 5), "<f4"),
        gate=np.full((tg, BLOCKS, N), 170, "u1"),
        gate_mean=np.full((tg, BLOCKS), 1.0, "<f4"),
        stim=np.full((steps, 64), 51, "u1"),
        clamped=np.zeros((steps, STAGES), "<u2"),
        hist_exc=counts,
        hist_inh=counts * 2,
        bounds=np.full((m, BLOCKS, 2), 0.25, "<f4"),
        pairs=pairs,
        attention=np.full((tg, BLOCKS, 64), 4, "u1"),
        attention_keys=np.full((tg, BLOCKS), 64, "u1"),
        meta={
            "watch": [1, 9],
            "epoch": 1,
            "w_hi": 1.0,
            "w_max": 1.0,
            "dt": dt,
            "events": events or [],
        },
    )


def make_window(
    spikes: list[list[int]],
    step0: int = 0,
    events: list[dict[str, Any]] | None = None,
    theta: float = 1.0,
    dt: float = 1.0,
    **view: Any,
) -> Window:
    """The window of one :func:`segment`, all rows unless ``view`` says otherwise."""
    return merge([segment(spikes, step0, events, theta, dt)], View(**({"rows": "all"} | view)))


@pytest.fixture
def window() -> Callable[..., Window]:
    """:func:`make_window`, as a fixture so that tests need no import of this file."""
    return make_window

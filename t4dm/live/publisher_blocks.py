"""What a watched script hands to its publisher, and the segment that is made of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from t4dm.live.segment import (
    GATE_EVERY,
    GATE_FULL,
    HIST_BINS,
    HIST_EVERY,
    KEYS,
    PAIR_BINS,
    Segment,
    grid,
)


@dataclass(slots=True)
class Block:
    """What one call of the module showed: ``spikes[g]`` is (T, n) of group g, non-zero: a spike.

    ``u`` (T, W) follows ``watch``; ``theta`` is (G,); ``weights`` are flat arrays, or None where no
    sample was due; ``gate`` is (T, L, D) in 0 to 1.5, ``attention`` (T, L, 64) over the last keys,
    newest last, with the number ``keys`` (T, L) in sight; None for a script without one.  ``events``
    are kept with their steps, but not in the session's short log.
    """

    steps: int
    spikes: list[np.ndarray]
    u: np.ndarray
    watch: list[int]
    theta: np.ndarray
    weights: list[np.ndarray] | None = None
    gate: np.ndarray | None = None
    attention: np.ndarray | None = None
    keys: np.ndarray | None = None
    events: list[dict[str, Any]] = field(default_factory=list)


def joined(blocks: Sequence[Block]) -> Block:
    """One block of ``blocks``, each of which :func:`goes_on` from the one before; weights of the first."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    spikes = [np.concatenate(parts) for parts in zip(*(b.spikes for b in blocks), strict=True)]
    return replace(
        first,
        steps=sum(block.steps for block in blocks),
        spikes=spikes,
        u=np.concatenate([block.u for block in blocks]),
    )


def goes_on(block: Block, after: Block) -> bool:
    """Whether ``block`` may be one segment with ``after`` before it: nothing but steps is new."""
    plain = all(
        one.gate is None and one.attention is None and not one.events for one in (block, after)
    )
    same = block.watch == after.watch and np.array_equal(block.theta, after.theta, equal_nan=True)
    return plain and same and block.weights is None


@dataclass(slots=True)
class Publishes:
    """What is written beside the spikes: probes, names of the weights and ends of their axis."""

    probes: list[str]
    weights: list[str]
    w_hi: list[float]
    more: dict[str, Any] = field(default_factory=dict)


def segment_of(
    block: Block, first: int, last: int, step0: int, publishes: Publishes, axis: str
) -> Segment:
    """Steps [first, last) of ``block`` as the segment that begins at ``step0``."""
    step1 = step0 + last - first
    sizes = [part.shape[1] for part in block.spikes]
    fired = np.concatenate([part[first:last] != 0 for part in block.spikes], axis=1)
    ends = np.cumsum(sizes)[:-1]
    rates = np.column_stack([part.sum(axis=1) for part in np.split(fired, ends, axis=1)])
    hists = grid(step0, step1, HIST_EVERY)
    exc, inh, bounds = histograms(block.weights, publishes, len(hists))
    gate, gate_mean = gates(block, first, last, step0)
    attention, keys = looks(block, first, last, step0)
    t = last - first
    w_hi = max(publishes.w_hi, default=1.0)
    return Segment(
        step0=step0,
        step1=step1,
        epoch=0,
        spk_n=fired.sum(axis=1).astype(np.uint16),
        spk_id=np.nonzero(fired)[1].astype(np.uint16),
        rates=rates.astype(np.uint16),
        u=np.ascontiguousarray(block.u[first:last], dtype=np.float32),
        theta=np.repeat(block.theta[None].astype(np.float32), t, axis=0),
        levels=np.empty((t, 0), np.float32),
        gains=np.empty((t, 0), np.float32),
        gate=gate,
        gate_mean=gate_mean,
        stim=np.empty((t, 0), np.uint8),
        clamped=np.zeros(rates.shape, np.uint16),
        hist_exc=exc,
        hist_inh=inh,
        bounds=bounds,
        pairs=np.zeros((len(hists), len(publishes.weights), PAIR_BINS), np.uint32),
        attention=attention,
        attention_keys=keys,
        meta={
            "watch": block.watch, "hist_steps": hists.tolist(), "w_hi": w_hi, "w_lo": -w_hi,
            "w_max": None, "weights": publishes.weights, "axis": axis,
            "events": [event for event in block.events if step0 <= event["step"] < step1],
            "mono_ns": time.monotonic_ns(),
        },
    )  # fmt: skip


def gates(block: Block, first: int, last: int, step0: int) -> tuple[np.ndarray, np.ndarray]:
    """``gate`` (Tg, L, D) and ``gate_mean`` (Tg, L) on the absolute grid; no wider than 0 without one."""
    at = grid(step0, step0 + last - first, GATE_EVERY) - step0 + first
    if block.gate is None:
        return np.empty((len(at), 0, 0), np.uint8), np.empty((len(at), 0), np.float32)
    rows = block.gate[at]
    bytes_ = np.clip(np.rint(rows / GATE_FULL * 255), 0, 255).astype(np.uint8)
    return bytes_, rows.mean(axis=2).astype(np.float32)


def looks(block: Block, first: int, last: int, step0: int) -> tuple[np.ndarray, np.ndarray]:
    """``attention`` (Tg, L, K) and ``attention_keys`` (Tg, L) on the grid of :func:`gates`."""
    at = grid(step0, step0 + last - first, GATE_EVERY) - step0 + first
    if block.attention is None or block.keys is None:
        return np.empty((len(at), 0, KEYS), np.uint8), np.empty((len(at), 0), np.uint8)
    bytes_ = np.clip(np.rint(block.attention[at] * 255), 0, 255).astype(np.uint8)
    return bytes_, block.keys[at].astype(np.uint8)


def histograms(
    weights: list[np.ndarray] | None, publishes: Publishes, samples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``hist_exc``, ``hist_inh`` (M, B, 64) and ``bounds`` (M, B, 2) of ``samples`` equal samples.

    Weights beyond the ends count in the last bin.  Without a sample all counts are 0.
    """
    n = len(publishes.weights)
    exc, inh = (np.zeros((n, HIST_BINS), np.uint32) for _ in range(2))
    bounds = np.full((n, 2), np.nan, np.float32)
    w_hi = max(publishes.w_hi, default=1.0)
    for k, flat in enumerate(weights or []):
        bins = np.clip(flat / w_hi * HIST_BINS, -HIST_BINS, HIST_BINS - 1)
        positive = flat >= 0
        exc[k] = np.bincount(bins[positive].astype(int), minlength=HIST_BINS)
        below = np.floor(bins[~positive]).astype(int) + HIST_BINS
        inh[k] = np.bincount(below, minlength=HIST_BINS)
        bounds[k, 0] = np.mean(flat == 0) if flat.size else np.nan
    stacked = [np.repeat(part[None], samples, axis=0) for part in (exc, inh, bounds)]
    return stacked[0], stacked[1], stacked[2]

"""Scales of a stack, found stage by stage so that no stage is silent or saturated.

docs/equations.md, end of section 3: on a stimulus (T, P) at default parameters, without learning, each
scale is bisected until its stage fires ``target_rate`` spikes a step over the whole stretch, rests
included: c_in for the first LIF in, c_l of the block before for every later LIF in, c_out for LIF out.
The last block feeds nobody; it takes the geometric mean of the others' c_l.
Feed-forward parts run over all T at once in float64; only the LIF loops go step by step.
T time  N neurons  D channels
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from t4dm.learning.params import HomeostasisParams
from t4dm.spiking.cortical_block import CorticalBlock
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.settings import StepSettings

LOWEST, HIGHEST = 1e-3, 1e3
TOLERANCE = 0.01
CHUNK = 128
ROUNDS = 30

Rows = np.ndarray


class Scales(NamedTuple):
    """``c_in``, and ``c_out`` and ``c_l`` of each block."""

    c_in: float
    c_out: tuple[float, ...]
    c_l: tuple[float, ...]


def lif_spikes(current_TN: Rows, feedback_NN: Rows | None, lif: tuple[float, ...]) -> Rows:
    """Spikes (T,N) of one stage under a current (T,N), with recurrence ``s(t-1) @ feedback``.

    ``lif`` is (alpha, theta, beta, u_max).
    """
    alpha, theta, beta, u_max = lif
    u = np.zeros(current_TN.shape[1])
    spikes = np.zeros(current_TN.shape, dtype=bool)
    fired = np.zeros(0, dtype=np.int64)
    for t, current in enumerate(current_TN):
        u = alpha * u + current
        if feedback_NN is not None and fired.size:
            u += feedback_NN[fired].sum(0)
        s = u >= theta
        fired = np.flatnonzero(s)
        u[fired] -= beta * theta
        np.clip(u, -u_max, u_max, out=u)
        spikes[t] = s
    return spikes


def bisect_scale(spikes_at: Callable[[float], Rows], target: float) -> tuple[float, Rows]:
    """The scale whose spikes have mean rate ``target`` (within 1 %), and those spikes.

    Raises ValueError when even the largest scale stays below the target.
    """
    lo, hi = math.log(LOWEST), math.log(HIGHEST)
    best: tuple[float, float, Rows] | None = None
    for _ in range(ROUNDS):
        middle = 0.5 * (lo + hi)
        spikes = spikes_at(math.exp(middle))
        error = float(spikes.mean()) - target
        if best is None or abs(error) < best[0]:
            best = (abs(error), math.exp(middle), spikes)
        if abs(error) <= TOLERANCE * target:
            break
        lo, hi = (middle, hi) if error < 0 else (lo, middle)
    assert best is not None
    if best[2].mean() == 0:
        raise ValueError("the stage stays silent at every scale: the stimulus does not reach it")
    return best[1], best[2]


@torch.no_grad()
def calibrate(stack: CorticalStack, stim_TP: Rows, target: float | None = None) -> Scales:
    """Scales that bring every stage of ``stack`` to ``target`` (the homeostatic default) on a stimulus.

    Pure: the stack is not changed; :func:`apply_scales` sets what it returns.
    """
    return calibrate_drive(
        stack, torch.as_tensor(stim_TP, dtype=torch.float64) @ stack.encoder.double(), target
    )


@torch.no_grad()
def calibrate_drive(stack: CorticalStack, drive_TD: Tensor, target: float | None = None) -> Scales:
    """:func:`calibrate` on a ready x_0 / c_in (T, D), for a stack whose owner encodes."""
    target = HomeostasisParams().target_rate if target is None else target
    settings = StepSettings.default(stack.n_blocks)
    drive = drive_TD.double()
    inputs, outs = [], []
    for block in stack.blocks():
        wide = _float64(block)
        c, s_in = _lif_in(wide, drive, settings, target)
        inputs.append(c)
        c_out, s_out = _lif_out(wide, c * drive, s_in, settings, target)
        outs.append(c_out)
        drive = s_in + s_out
    between = inputs[1:]
    last = math.exp(sum(map(math.log, between)) / len(between)) if between else 1.0
    return Scales(inputs[0], tuple(outs), (*between, last))


def apply_scales(stack: CorticalStack, scales: Scales) -> None:
    """Set ``c_in``, ``c_out`` and ``c_l``; raises ValueError when the number of blocks differs."""
    if len(scales.c_out) != stack.n_blocks:
        raise ValueError(f"scales of {len(scales.c_out)} blocks for a stack of {stack.n_blocks}")
    stack.c_in = scales.c_in
    for block, c_out, c_l in zip(stack.blocks(), scales.c_out, scales.c_l, strict=True):
        block.c_out, block.c_l = c_out, c_l


def _float64(block: CorticalBlock) -> CorticalBlock:
    wide = CorticalBlock(block.n, block.attention.num_heads, block.index, dtype=torch.float64)
    wide.load_state_dict(block.state_dict())
    wide.kappa_rec = block.kappa_rec
    return wide


def _lif_of(settings: StepSettings, stage: int) -> tuple[float, ...]:
    arrays = (settings.alpha, settings.v_thresh, settings.beta, settings.u_max)
    return tuple(float(values[stage]) for values in arrays)


def _lif_in(
    block: CorticalBlock, drive: Tensor, settings: StepSettings, target: float
) -> tuple[float, Tensor]:
    feedback = block.kappa_rec * settings.recurrent_gain * block.recurrent.weight.numpy()
    lif, ne = _lif_of(settings, 2 * block.index), 0.5 + settings.ne

    def spikes_at(c: float) -> Rows:
        y, _ = block.gate_of(c * drive, settings)
        return lif_spikes(ne * y.numpy(), ne * feedback, lif)

    c, spikes = bisect_scale(spikes_at, target)
    return c, torch.from_numpy(spikes.astype(np.float64))


def _lif_out(
    block: CorticalBlock, x: Tensor, s_in: Tensor, settings: StepSettings, target: float
) -> tuple[float, Tensor]:
    m = block.apical.modulate(_basal(block, s_in), x, settings.apical_gain)
    z, _ = block.rwkv(m)
    current = (0.5 + settings.ne) * z.numpy()
    lif = _lif_of(settings, 2 * block.index + 1)
    c, spikes = bisect_scale(lambda scale: lif_spikes(scale * current, None, lif), target)
    return c, torch.from_numpy(spikes.astype(np.float64))


def _basal(block: CorticalBlock, s_in: Tensor) -> Tensor:
    """Basal drive (T, D), CHUNK steps at a time: the window is short, the stretch is long."""
    state, chunks = block.attention.init_state(), []
    for chunk in s_in.split(CHUNK):
        basal, state = block.attention.mix(chunk, state)
        chunks.append(basal)
    return torch.cat(chunks)

"""The sensory layer over the steps of a chunk (docs/equations.md, section 6).

Torch twin: ``t4dm.spiking.sensory.SensoryLayer.step``.  ``real`` is float32 or float64.
"""

# P afferents  N neurons  T steps  K watched neurons

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels.compiled import jit

SETTINGS = (
    "alpha", "gain", "v_thresh", "inhibition", "refractory", "theta_plus", "theta_keep",
    "trace_keep", "learning_rate", "tonic", "phasic", "x_target", "w_norm",
)  # fmt: skip
"""Order of the settings the kernel takes, float64; ``_keep`` is exp(-dt/tau), refractory is in steps."""


class SensoryArrays(NamedTuple):
    """What a step hands to the next one; saved and loaded as it is."""

    weight: np.ndarray  # (P, N) real
    u: np.ndarray  # (N,) real
    theta_a: np.ndarray  # (N,) f8
    trace: np.ndarray  # (P,) real
    refractory: np.ndarray  # (N,) i8
    counts: np.ndarray  # (N,) i8 spikes since they were last set to 0


class SensoryOutput(NamedTuple):
    """What the steps of a chunk show; overwritten by the next."""

    winner: np.ndarray  # (T,) i4 who fired, -1 for nobody
    theta: np.ndarray  # (T,) f4 mean threshold over the neurons
    u_pre: np.ndarray  # (T, K') f4; column watched[w, 0] gets neuron watched[w, 1]
    strange: np.ndarray  # (1,) i8 first step whose u_pre was NaN or Inf, else -1


def arrays_of(weight: np.ndarray) -> SensoryArrays:
    """State before step 0 of a layer with these weights (P, N), which are taken as they are."""
    p, n = weight.shape
    return SensoryArrays(
        weight=weight,
        u=np.zeros(n, weight.dtype),
        theta_a=np.zeros(n),
        trace=np.zeros(p, weight.dtype),
        refractory=np.zeros(n, np.int64),
        counts=np.zeros(n, np.int64),
    )


@jit()
def _drive(stim, keep, weight, trace, current):  # type: ignore[no-untyped-def]
    """Afferent traces take in the row; ``current`` (N,) = clip(stim, 0, 1) @ W."""
    zero = current.dtype.type(0)
    one = current.dtype.type(1)
    for j in range(current.shape[0]):
        current[j] = zero
    for i in range(stim.shape[0]):
        a = min(one, max(zero, stim[i]))
        trace[i] = keep * trace[i] + (one - keep) * a
        if a != zero:
            row = weight[i]
            for j in range(current.shape[0]):
                current[j] += a * row[j]


@jit()
def _learn(weight, trace, winner, rate, x_target, w_norm):  # type: ignore[no-untyped-def]
    """The winner's weights move towards the trace and come back to their length."""
    zero = weight.dtype.type(0)
    square = zero
    for i in range(trace.shape[0]):
        w = weight[i, winner] + rate * (trace[i] - x_target)
        w = zero if w < zero else w
        square += w * w
    if square > zero:
        scale = w_norm / np.sqrt(square)
        for i in range(trace.shape[0]):
            w = weight[i, winner] + rate * (trace[i] - x_target)
            weight[i, winner] = (zero if w < zero else w) * scale


@jit()
def sensory_steps(  # type: ignore[no-untyped-def]
    step0, stim, da, plastic, learns, settings, layer, watched, row0, out, current
):
    """Advance ``layer`` over the rows of ``stim`` (n, P), with dopamine ``da`` (n,).

    ``plastic``: thresholds adapt; ``learns``: weights move as well.  Row k is recorded in row
    ``row0 + k`` of ``out``; ``current`` (N,) is scratch.
    """
    real = current.dtype.type
    n = current.shape[0]
    zero = real(0)
    alpha, gain, v_thresh = real(settings[0]), real(settings[1]), settings[2]
    inhibition = real(settings[3])
    for k in range(stim.shape[0]):
        _drive(stim[k], real(settings[7]), layer.weight, layer.trace, current)
        best, margin, strange, total = -1, zero, 0, 0.0
        for j in range(n):
            before = alpha * layer.u[j] + gain * current[j]
            current[j] = before
            strange += not (abs(before) < np.inf)
            total += layer.theta_a[j]
        for j in range(n):
            over = current[j] - real(v_thresh + layer.theta_a[j])
            if layer.refractory[j] > 0:
                layer.refractory[j] -= 1
            elif over >= zero and (best < 0 or over > margin):
                best, margin = j, over
        for w in range(watched.shape[0]):
            out.u_pre[row0 + k, watched[w, 0]] = current[watched[w, 1]]
        out.winner[row0 + k] = best
        out.theta[row0 + k] = v_thresh + total / n
        if strange > 0 and out.strange[0] < 0:
            out.strange[0] = step0 + k
        off = inhibition if best >= 0 else zero
        for j in range(n):
            after = current[j] - off
            layer.u[j] = -inhibition if after < -inhibition else after
        if plastic:
            for j in range(n):
                layer.theta_a[j] *= settings[6]
        if best >= 0:
            layer.u[best] = zero
            layer.refractory[best] = int(settings[4])
            layer.counts[best] += 1
            if plastic:
                layer.theta_a[best] += settings[5]
                m = min(1.0, max(-1.0, (da[k] - 0.5) / 0.5))
                rate = settings[8] * max(0.0, settings[9] + settings[10] * m)
                if learns and rate > 0.0:
                    _learn(
                        layer.weight, layer.trace, best, real(rate), real(settings[11]),
                        real(settings[12]),
                    )  # fmt: skip

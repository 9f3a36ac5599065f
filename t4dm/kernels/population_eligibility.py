"""The visits of a recurrent population whose rule has three factors, dense or sparse.

``third`` beside the groups of ``population`` is what this rule alone needs; without it nothing here runs.
"""

# letters and groups as in plasticity_rows and population

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels import plasticity_eligibility as by_eligibility
from t4dm.kernels.compiled import jit
from t4dm.kernels.plasticity_rows import after_payment


class Third(NamedTuple):
    """Eligibility and dopamine."""

    e: np.ndarray  # (N, N) eligibility; (0, N) where the weights are sparse
    e_val: np.ndarray  # (synapses,)
    rates: np.ndarray  # (R,) f8 learning rate * (DA - 0.5) of each of the last R steps
    rate: np.ndarray  # (1,) f8 the same now
    powers_e: np.ndarray  # f8 exp(-k/tau_e)
    when: np.ndarray  # (N,) i8 scratch
    ahead: np.ndarray  # (R + 1,) f8 scratch
    rise: np.ndarray  # (N,) scratch


@jit(counted=False)
def visit_eligible(t, i, cells, syn, rows, law, ids, fired, due, third):  # type: ignore[no-untyped-def]
    """Row i fires in step t, as ``ids[:fired]`` do: paid, taught and added to the coming current."""
    x = replay_eligible(t - 1, i, cells, syn, rows, law, due, third) * law.powers_plus[1]
    w_max, mu, plus, minus = law.bounds[0], law.bounds[1], law.bounds[2], law.bounds[3]
    if syn.w.shape[0] > 0:
        by_eligibility.fire(
            t, syn.w, third.e, i, i if law.plan[8] == 0 else -1, x, rows.y, ids, fired,
            plus, minus, w_max, mu, third.rates, third.powers_e, third.rise, cells.current,
        )  # fmt: skip
        return
    spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
    spread(syn.ptr, syn.tgt, third.e_val, i, due, 2)
    by_eligibility.fire(
        t, due[:1], due[2:3], 0, -1, x, rows.y, ids, fired,
        plus, minus, w_max, mu, third.rates, third.powers_e, third.rise, due[1],
    )  # fmt: skip
    gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    gather(syn.ptr, syn.tgt, third.e_val, i, due, 2)
    for k in range(syn.ptr[i], syn.ptr[i + 1]):
        cells.current[syn.tgt[k]] += syn.val[k]


@jit(counted=False)
def replay_eligible(t, i, cells, syn, rows, law, due, third):  # type: ignore[no-untyped-def]
    """Weights and eligibility of row i up to the end of step t; returns its pre trace then."""
    leave = law.powers_plus[law.plan[2]]
    w_max, mu, plus = law.bounds[0], law.bounds[1], law.bounds[2]
    if syn.w.shape[0] > 0:
        x = by_eligibility.replay(
            t, syn.w, third.e, i, i, rows, cells.ring, cells.ring_n, law.powers_plus[1], leave,
            plus, w_max, mu, third.rates, third.powers_e, third.ahead, third.when,
        )  # fmt: skip
        if law.plan[8] == 0:
            syn.w[i, i] = x - x
        return x
    spread(syn.ptr, syn.tgt, syn.val, i, due, 0)
    spread(syn.ptr, syn.tgt, third.e_val, i, due, 2)
    x = by_eligibility.replay(
        t, due[:1], due[2:3], 0, i, rows, cells.ring, cells.ring_n, law.powers_plus[1], leave,
        plus, w_max, mu, third.rates, third.powers_e, third.ahead, third.when,
    )  # fmt: skip
    gather(syn.ptr, syn.tgt, syn.val, i, due, 0)
    gather(syn.ptr, syn.tgt, third.e_val, i, due, 2)
    return x


@jit(counted=False)
def settle_eligible(t, i, cells, syn, rows, law, due, third):  # type: ignore[no-untyped-def]
    """Pay row i up to the end of step t, in which its neuron does not fire.

    It goes on waiting as long as it has an eligibility, whatever became of its trace.
    """
    replay_eligible(t, i, cells, syn, rows, law, due, third)
    after_payment(
        t, i, rows, law.powers_plus, law.powers_plus[law.plan[2]], law.plan[4] != 0
    )  # fmt: skip
    if rows.born[i] >= 0:
        return
    if syn.w.shape[0] > 0:
        lost = by_eligibility.is_lost(third.e[i])
    else:
        lost = by_eligibility.is_lost(third.e_val[syn.ptr[i] : syn.ptr[i + 1]])
    if not lost:
        rows.born[i] = t
        rows.waiting[t % rows.waiting.shape[0]] += 1


@jit(counted=False)
def spread(ptr, tgt, val, i, due, at):  # type: ignore[no-untyped-def]
    """due[at] = row i of a sparse matrix, 0 where there is no synapse; due[1] = 0."""
    due[at].fill(0)
    due[1].fill(0)
    for k in range(ptr[i], ptr[i + 1]):
        due[at, tgt[k]] = val[k]


@jit(counted=False)
def gather(ptr, tgt, val, i, due, at):  # type: ignore[no-untyped-def]
    """Row i of a sparse matrix takes its values from due[at]."""
    for k in range(ptr[i], ptr[i + 1]):
        val[k] = due[at, tgt[k]]

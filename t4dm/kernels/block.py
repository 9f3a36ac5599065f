"""The stages of one block over the steps of a chunk (docs/equations.md, section 3).

Torch twin: ``t4dm.spiking.cortical_block.CorticalBlock.step``.  Step ``step0 + k`` stands in row
``step0 % 8 + k``, so that every product keeps its rows on the absolute grid.
"""

# D channels; for the other letters and the groups of arrays see stack_arrays

from __future__ import annotations

from t4dm.kernels.attention import WINDOW, attend
from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import sigmoid
from t4dm.kernels.learning import homeostasis, learn, settle
from t4dm.kernels.lif import lif_step
from t4dm.kernels.observe import (
    attention_sample,
    gate_sample,
    heads_sample,
    keep_heads,
    spike_pairs,
    u_sample,
    weight_cells,
    weight_counts,
    weights_moved,
)
from t4dm.kernels.products import TILE, add_rows, tile_matmul
from t4dm.kernels.rwkv import shift, wkv
from t4dm.kernels.stack_arrays import GATE_EVERY, HIST_EVERY, MATRIX_EVERY


@jit()
def _tiles(step0, n):  # type: ignore[no-untyped-def]
    """Rows of the grid that hold these steps."""
    return (step0 % TILE + n + TILE - 1) // TILE * TILE


@jit()
def drive_first(  # type: ignore[no-untyped-def]
    step0, n, scale, stim, encoder, winner, feed, feed_scale, gate_w, apical_w, x, gate, apical
):
    """Block 0: x = scale * stim @ E + feed_scale * feed[winner], and x's two projections.

    ``winner`` (n,): the sensory neuron that fired in a step, -1 where none did.
    """
    rows = _tiles(step0, n)
    tile_matmul(stim[:rows], encoder, x[:rows])
    for r in range(rows):
        for i in range(x.shape[1]):
            x[r, i] *= scale
    for k in range(n):
        if winner[k] >= 0:
            x_r, row = x[step0 % TILE + k], feed[winner[k]]
            for i in range(x_r.shape[0]):
                x_r[i] += feed_scale * row[i]
    tile_matmul(x[:rows], gate_w, gate[:rows])
    tile_matmul(x[:rows], apical_w, apical[:rows])


@jit()
def drive_next(  # type: ignore[no-untyped-def]
    step0, n, c, before_in, before_out, gate_w, apical_w, x, gate, apical
):
    """Any later block: x = c * (s_out + s_in) of the block before, products as sums of rows."""
    for k in range(n):
        r = step0 % TILE + k
        x_r, gate_r, apical_r = x[r], gate[r], apical[r]
        for i in range(x_r.shape[0]):
            x_r[i] = gate_r[i] = apical_r[i] = c - c
        for stage in (before_in, before_out):
            ids, n_ids = stage.ids[k], int(stage.counts[k])
            for m in range(n_ids):
                x_r[ids[m]] += c
            add_rows(gate_w, ids, n_ids, gate_r)
            add_rows(apical_w, ids, n_ids, apical_r)
        for i in range(x_r.shape[0]):
            gate_r[i] *= c
            apical_r[i] *= c


@jit()
def _fire(step0, k, stage, current, u_pre, rest):  # type: ignore[no-untyped-def]
    """One step of a LIF stage: membrane, spikes, record, homeostasis.  Returns the spikes."""
    t = step0 + k
    theta = stage.v_thresh[0] + stage.theta_h[0]
    theta = stage.homeostasis[4] if theta < stage.homeostasis[4] else theta
    n, clamped, strange = lif_step(
        current, stage.u, stage.lif[0], current.dtype.type(theta), stage.lif[1], stage.lif[2],
        u_pre, stage.ids[k],
    )  # fmt: skip
    stage.theta[k] = theta
    stage.counts[k] = n
    stage.clamped[k] = clamped
    if strange > 0 and stage.strange[0] < 0:
        stage.strange[0] = t
    for w in range(stage.watched.shape[0]):
        stage.u_pre[k, stage.watched[w, 0]] = u_pre[stage.watched[w, 1]]
    if t % GATE_EVERY == 0:
        u_sample(u_pre, stage.u_range[t // GATE_EVERY - (step0 + GATE_EVERY - 1) // GATE_EVERY])
    stage.theta_h[0] = homeostasis(stage.theta_h[0], n / current.shape[0], stage.homeostasis, rest)
    return n


@jit()
def measure(t, n_exc, w_hi, plastic, rule, samples, times):  # type: ignore[no-untyped-def]
    """Histogram, bounds, change, matrix and spike pairs as they stand before step t."""
    settle(t, n_exc, plastic, rule)
    weight_counts(
        plastic.w_rec, n_exc, w_hi, rule.bounds[0], samples.hist_exc, samples.hist_inh,
        samples.bounds,
    )  # fmt: skip
    if t % MATRIX_EVERY == 0:
        weight_cells(plastic.w_rec, w_hi, samples.matrix)
    samples.moved[0] = weights_moved(
        t, HIST_EVERY, plastic.w_rec, n_exc, samples.kept, samples.kept_at
    )
    spike_pairs(t, plastic.ring, plastic.ring_n, n_exc, times, samples.pairs)


@jit()
def fire_in(  # type: ignore[no-untyped-def]
    step0, n, n_exc, w_hi, rest, levels, gains, slope, bias, gate_b, feedback, x, gate,
    stage, plastic, rule, samples, current, u_pre, counted, times,
):  # fmt: skip
    """Gate, LIF in with recurrence, STDP and homeostasis of every step."""
    real = current.dtype.type
    size = plastic.ring.shape[0]
    for k in range(n):
        t = step0 + k
        x_r, gate_r = x[step0 % TILE + k], gate[step0 % TILE + k]
        opened, driven = real(gains[k, 0]), real(gains[k, 1])
        if t % HIST_EVERY == 0:
            measure(t, n_exc, w_hi, plastic, rule, samples, times)
        for i in range(current.shape[0]):
            current[i] = opened - opened
            gate_r[i] = slope * (gate_r[i] + gate_b[i]) + bias
        if t > 0:
            past = (t - 1) % size
            add_rows(plastic.w_rec, plastic.ring[past], plastic.ring_n[past], current)
        sigmoid(gate_r)
        for i in range(current.shape[0]):
            gate_r[i] *= opened
            current[i] = driven * (gate_r[i] * x_r[i] + feedback * current[i])
        if t % GATE_EVERY == 0:
            row = t // GATE_EVERY - (step0 + GATE_EVERY - 1) // GATE_EVERY
            samples.gate_mean[row] = gate_sample(gate_r, samples.gate[row])
        fired = _fire(step0, k, stage, current, u_pre, rest[k])
        ring, ids = plastic.ring[t % size], stage.ids[k]
        for m in range(fired):
            ring[m] = ids[m]
        plastic.ring_n[t % size] = fired
        learn(t, n_exc, plastic, rule, levels[k], gains[k], counted)


@jit()
def look_back(  # type: ignore[no-untyped-def]
    step0, n, attention, settings, stage, samples, query, key, scores, told, each, mixed, basal
):
    """Spike attention of every step: ``mixed``, then its projection ``basal``.

    ``settings`` (3,): exp(-dt/tau), kappa, sharpness; ``stage`` is the block's LIF in.
    """
    for k in range(n):
        t = step0 + k
        sampled = t % GATE_EVERY == 0
        headed = -t % MATRIX_EVERY < WINDOW  # the last queries up to a sample of the heads
        told.fill(0)
        attend(
            t, attention.w_q, attention.w_k, attention.p_bar, attention.k_bar,
            attention.keys, attention.values, stage.ids[k], int(stage.counts[k]),
            settings[0], settings[1], settings[2], query, key, scores, mixed[step0 % TILE + k],
            told if sampled else told[:0], each if headed else each[:0],
        )  # fmt: skip
        if headed:
            keep_heads(t, each, samples.looks, samples.looked_at)
        if t % MATRIX_EVERY == 0:
            heads_sample(t, samples.looks, samples.looked_at, samples.attention_heads)
        if sampled:
            row = t // GATE_EVERY - (step0 + GATE_EVERY - 1) // GATE_EVERY
            n_heads = attention.keys.shape[0]
            attention_sample(t, told, n_heads, samples.attention[row])
            samples.attention_top[row] = told[-1] / n_heads
    rows = _tiles(step0, n)
    tile_matmul(mixed[:rows], attention.w_o, basal[:rows])


@jit()
def mix_time(  # type: ignore[no-untyped-def]
    step0, n, mix, apical_gain, decay, gains, apical, basal, m_r, m_k, m_v, r, k, v, mixed, z
):
    """Apical modulation and RWKV time mixing of every step: ``z``; ``mixed`` is scratch."""
    row0, rows = step0 % TILE, _tiles(step0, n)
    for row in range(row0, row0 + n):
        open_, m = apical[row], basal[row]
        for i in range(m.shape[0]):
            open_[i] = apical_gain * (open_[i] + mix.apical_b[i])
        sigmoid(open_)
        for i in range(m.shape[0]):
            m[i] *= open_[i]
        shift(m, mix.m_before, mix.mu_r, mix.mu_k, mix.mu_v, m_r[row], m_k[row], m_v[row])
    tile_matmul(m_r[:rows], mix.mix_r, r[:rows])
    tile_matmul(m_k[:rows], mix.mix_k, k[:rows])
    tile_matmul(m_v[:rows], mix.mix_v, v[:rows])
    for step in range(n):
        row = row0 + step
        wkv(
            r[row], k[row], v[row], mix.wkv_a, mix.wkv_b, mix.wkv_p, mix.decay,
            r.dtype.type(decay * gains[step, 4]), mix.bonus, mixed[row],
        )  # fmt: skip
    tile_matmul(mixed[:rows], mix.mix_out, z[:rows])


@jit()
def fire_out(step0, n, rest, gains, c_out, z, stage, current, u_pre):  # type: ignore[no-untyped-def]
    """LIF out and its homeostasis of every step."""
    for k in range(n):
        z_r = z[step0 % TILE + k]
        scale = current.dtype.type(gains[k, 1]) * c_out
        for i in range(current.shape[0]):
            current[i] = scale * z_r[i]
        _fire(step0, k, stage, current, u_pre, rest[k])

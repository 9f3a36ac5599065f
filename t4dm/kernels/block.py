"""The stages of one block over the steps of a chunk (docs/equations.md, section 3).

Torch twin: ``t4dm.spiking.cortical_block.CorticalBlock.step``.  Step ``step0 + k`` stands in row
``row0 + k`` with ``row0 = step0 % 8``, so that every product keeps its rows on the absolute grid.
"""

# l block  D channels; for the other letters see stack_arrays

from __future__ import annotations

from t4dm.kernels.attention import attend
from t4dm.kernels.compiled import jit
from t4dm.kernels.exponential import sigmoid
from t4dm.kernels.learning import homeostasis, learn, settle
from t4dm.kernels.lif import lif_step
from t4dm.kernels.observe import gate_sample, spike_pairs, weight_counts
from t4dm.kernels.products import TILE, add_rows, tile_matmul
from t4dm.kernels.rwkv import shift, wkv
from t4dm.kernels.stack_arrays import GATE_EVERY, HIST_EVERY


@jit()
def _tiles(step0, n):  # type: ignore[no-untyped-def]
    """Rows of the grid that hold these steps."""
    return (step0 % TILE + n + TILE - 1) // TILE * TILE


@jit()
def drive_first(step0, n, weights, settings, work):  # type: ignore[no-untyped-def]
    """Block 0: x from the stimulus rows in ``work.stim``, gate and apical projections of x."""
    rows = _tiles(step0, n)
    x = work.x[:rows]
    tile_matmul(work.stim[:rows], weights.encoder, x)
    scale = x.dtype.type(settings.input_gain[0] * weights.c_in[0])
    for r in range(rows):
        for i in range(x.shape[1]):
            x[r, i] *= scale
    tile_matmul(x, weights.gate_w[0], work.gate[:rows])
    tile_matmul(x, weights.apical_w[0], work.apical[:rows])


@jit()
def drive_next(l, step0, n, weights, work, out):  # type: ignore[no-untyped-def]
    """Block l > 0: x = c * (s_out + s_in) of the block before, as sums of rows."""
    zero = work.x.dtype.type(0)
    c = weights.c_l[l - 1]
    for k in range(n):
        r = step0 % TILE + k
        x, gate, apical = work.x[r], work.gate[r], work.apical[r]
        x[:] = zero
        gate[:] = zero
        apical[:] = zero
        for g in range(2 * l - 2, 2 * l):
            ids, n_ids = out.ids[g, k], int(out.counts[k, g])
            for m in range(n_ids):
                x[ids[m]] += c
            add_rows(weights.gate_w[l], ids, n_ids, gate)
            add_rows(weights.apical_w[l], ids, n_ids, apical)
        for i in range(x.shape[0]):
            gate[i] *= c
            apical[i] *= c


@jit()
def _fire(g, step0, k, work, state, settings, watched, watch_from, out, ids, rest):  # type: ignore[no-untyped-def]
    """LIF stage g on ``work.current``; records, then homeostasis.  Returns the number of spikes."""
    theta = settings.v_thresh[g] + state.theta_h[g]
    n, clamped, strange = lif_step(
        work.current, state.u[g], settings.alpha[g], work.current.dtype.type(theta),
        settings.beta[g], settings.u_max[g], work.u_pre, ids,
    )  # fmt: skip
    out.theta[k, g] = theta
    out.counts[k, g] = n
    out.clamped[k, g] = clamped
    if strange > 0 and out.strange[g] < 0:
        out.strange[g] = step0 + k
    for w in range(watch_from[g], watch_from[g + 1]):
        out.u[k, watched[w, 0]] = work.u_pre[watched[w, 1]]
    state.theta_h[g] = homeostasis(state.theta_h[g], n / work.u_pre.shape[0], settings, rest[k])
    return n


@jit()
def measure(l, t, n_exc, state, settings, work, out):  # type: ignore[no-untyped-def]
    """Histogram, bounds and spike pairs of block l as they stand before step t."""
    settle(l, t, n_exc, state, settings)
    weight_counts(
        state.w_rec[l], n_exc, state.w_hi[0], settings.bounds[0], out.hist_exc[0, l],
        out.hist_inh[0, l], out.bounds[0, l],
    )  # fmt: skip
    spike_pairs(t, state.ring[l], state.ring_n[l], n_exc, work.times, out.pairs[0, l])


@jit()
def fire_in(  # type: ignore[no-untyped-def]
    l, step0, n, rest, watched, watch_from, weights, state, settings, work, out
):
    """Gate, LIF in with recurrence, STDP and homeostasis of every step."""
    g = 2 * l
    ring, ring_n = state.ring[l], state.ring_n[l]
    size = ring.shape[0]
    current = work.current
    real = current.dtype.type
    zero, one = real(0), real(1)
    slope, bias, gate_b = settings.gate_slope[l], settings.gate_bias[l], weights.gate_b[l]
    feedback = real(weights.kappa_rec[l] * settings.recurrent_gain[0])
    for k in range(n):
        t = step0 + k
        x, gate = work.x[step0 % TILE + k], work.gate[step0 % TILE + k]
        opened, driven = real(out.gains[k, 0]), real(out.gains[k, 1])
        if t % HIST_EVERY == 0:
            measure(l, t, weights.n_exc[0], state, settings, work, out)
        current[:] = zero
        if t > 0:
            add_rows(state.w_rec[l], ring[(t - 1) % size], ring_n[(t - 1) % size], current)
        for i in range(current.shape[0]):
            gate[i] = slope * (gate[i] + gate_b[i]) + bias
        sigmoid(gate)
        for i in range(current.shape[0]):
            gate[i] *= opened
            current[i] = driven * (gate[i] * x[i] + feedback * current[i])
        if t % GATE_EVERY == 0:
            row = t // GATE_EVERY - (step0 + GATE_EVERY - 1) // GATE_EVERY
            out.gate_mean[row, l] = gate_sample(gate, out.gate[row, l])
        ids = ring[t % size]
        fired = _fire(
            g, step0, k, work, state, settings, watched, watch_from, out, ids, rest
        )
        ring_n[t % size] = fired
        out.ids[g, k, :fired] = ids[:fired]
        learn(l, t, k, weights.n_exc[0], state, settings, out, work)


@jit()
def look_back(l, step0, n, weights, state, settings, work, out):  # type: ignore[no-untyped-def]
    """Spike attention of every step: ``work.mixed``, then its projection ``work.basal``."""
    for k in range(n):
        attend(
            step0 + k, weights.w_q[l], weights.w_k[l], state.p_bar[l], state.k_bar[l],
            state.keys[l], state.values[l], out.ids[2 * l, k], int(out.counts[k, 2 * l]),
            settings.attention[0], settings.attention[1], settings.attention[2],
            work.query, work.key, work.scores, work.mixed[step0 % TILE + k],
        )  # fmt: skip
    rows = _tiles(step0, n)
    tile_matmul(work.mixed[:rows], weights.w_o[l], work.basal[:rows])


@jit()
def mix_time(l, step0, n, weights, state, settings, work, out):  # type: ignore[no-untyped-def]
    """Apical modulation and RWKV time mixing of every step: ``work.z``."""
    row0, rows = step0 % TILE, _tiles(step0, n)
    gain, apical_b = settings.apical_gain[0], weights.apical_b[l]
    for r in range(row0, row0 + n):
        apical, m = work.apical[r], work.basal[r]
        for i in range(m.shape[0]):
            apical[i] = gain * (apical[i] + apical_b[i])
        sigmoid(apical)
        for i in range(m.shape[0]):
            m[i] *= apical[i]
        shift(
            m, state.m_before[l], weights.mu_r[l], weights.mu_k[l], weights.mu_v[l],
            work.m_r[r], work.m_k[r], work.m_v[r],
        )  # fmt: skip
    tile_matmul(work.m_r[:rows], weights.mix_r[l], work.r[:rows])
    tile_matmul(work.m_k[:rows], weights.mix_k[l], work.k[:rows])
    tile_matmul(work.m_v[:rows], weights.mix_v[l], work.v[:rows])
    for k in range(n):
        r = row0 + k
        faster = work.r.dtype.type(settings.rwkv_decay[0] * out.gains[k, 4])
        wkv(
            work.r[r], work.k[r], work.v[r], state.wkv_a[l], state.wkv_b[l], state.wkv_p[l],
            weights.decay[l], faster, weights.bonus[l], work.mixed[r],
        )  # fmt: skip
    tile_matmul(work.mixed[:rows], weights.mix_out[l], work.z[:rows])


@jit()
def fire_out(  # type: ignore[no-untyped-def]
    l, step0, n, rest, watched, watch_from, weights, state, settings, work, out
):
    """LIF out and its homeostasis of every step."""
    g = 2 * l + 1
    current = work.current
    for k in range(n):
        z = work.z[step0 % TILE + k]
        scale = current.dtype.type(out.gains[k, 1]) * weights.c_out[l]
        for i in range(current.shape[0]):
            current[i] = scale * z[i]
        _fire(
            g, step0, k, work, state, settings, watched, watch_from, out, out.ids[g, k], rest
        )

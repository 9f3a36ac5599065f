"""What is measured on the way: weight histograms, spike pairs, packed spikes and their hash."""

# N neurons, E of them excitatory  G stages  T steps

from __future__ import annotations

import numpy as np

from t4dm.kernels.compiled import jit

BINS = 64
PAIR_SPAN = 100  # ms
PAIR_WINDOWS = 10  # spans whose pairs are counted: a second
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
HASH_START = np.uint64(0xCBF29CE484222325)


@jit()
def weight_counts(w, n_exc, w_hi, w_max, exc, inh, bounds):  # type: ignore[no-untyped-def]
    """Counts (BINS,) of excitatory weights over [0, w_hi] and inhibitory over [-1, 0], diagonal apart.

    ``bounds`` (2,): share of plastic weights at 0 and at w_max.
    """
    exc.fill(0)
    inh.fill(0)
    low, high, n = 0, 0, w.shape[0]
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            v = w[i, j]
            if i < n_exc:
                exc[min(BINS - 1, max(0, int(v / w_hi * BINS)))] += 1
                low += v <= 0
                high += v >= w_max
            else:
                inh[min(BINS - 1, max(0, int((v + 1) * BINS)))] += 1
    plastic = max(1, n_exc * (n - 1))
    bounds[0] = low / plastic
    bounds[1] = high / plastic


@jit()
def weight_cells(w, w_hi, out):  # type: ignore[no-untyped-def]
    """out (R, R) u8: weights from pre (row) to post (column) as 128 for 0, 255 for w_hi, 0 for -1.

    Where R < N a cell is the mean of ceil(N/R) x ceil(N/R) weights, fewer at the ends.
    """
    n, size = w.shape[0], out.shape[0]
    side = (n + size - 1) // size
    real = w.dtype.type
    up, down, middle = real(127.0 / w_hi), real(128.0), real(128.5)
    sums = np.zeros(size, w.dtype)
    for a in range(size):
        if side == 1:
            sums[:] = w[a]
        else:
            _cell_means(w, a, side, sums)
        row = out[a]
        for b in range(size):
            level = middle + sums[b] * (up if sums[b] > 0 else down)
            row[b] = np.uint8(min(real(255), max(real(0), level)))


@jit()
def _cell_means(w, a, side, means):  # type: ignore[no-untyped-def]
    """Mean of each cell of side x side weights in row ``a`` of cells."""
    n = w.shape[0]
    rows = min(n, (a + 1) * side) - a * side
    means.fill(0)
    for i in range(a * side, a * side + rows):
        for j in range(n):
            means[j // side] += w[i, j]
    for b in range(means.shape[0]):
        means[b] /= rows * (min(n, (b + 1) * side) - b * side)


@jit()
def spike_pairs(t, ring, ring_n, n_exc, last, out):  # type: ignore[no-untyped-def]
    """Pairs by t_post - t_pre = -span..span steps with both spikes in the 10 spans before step t.

    ``out`` (2 * span + 1,): pre excitatory, post any, no self pairs, none at 0.  ``last`` (E, S) int32
    is scratch for the spike times of each excitatory neuron, S >= 10 spans.
    """
    size, span = ring.shape[0], out.shape[0] // 2
    n_steps = min(t, PAIR_WINDOWS * span)
    first = t - n_steps
    counts = np.zeros((2, n_steps), np.int64)
    held = np.zeros(n_exc, np.int64)
    sums = np.zeros(2 * span + 1, np.int64)
    for k in range(n_steps):
        row = (first + k) % size
        for c in range(ring_n[row]):
            i = ring[row, c]
            counts[1, k] += 1
            if i < n_exc:
                counts[0, k] += 1
                for past in range(held[i] - 1, -1, -1):
                    dt = k - last[i, past]
                    if dt > span:
                        break
                    sums[span + dt] -= 1
                    sums[span - dt] -= 1
                last[i, held[i]] = k
                held[i] += 1
    for dt in range(1, min(span, n_steps - 1) + 1):
        later, earlier = 0, 0
        for k in range(dt, n_steps):
            later += counts[0, k - dt] * counts[1, k]
            earlier += counts[0, k] * counts[1, k - dt]
        sums[span + dt] += later
        sums[span - dt] += earlier
    for b in range(out.shape[0]):
        out[b] = sums[b]


@jit()
def gate_sample(g, out):  # type: ignore[no-untyped-def]
    """out (D,) u8 = round(g / 1.5 * 255); returns the mean of g."""
    total = 0.0
    for i in range(g.shape[0]):
        total += g[i]
        out[i] = np.uint8(min(255.0, max(0.0, g[i] * (255.0 / 1.5) + 0.5)))
    return total / g.shape[0]


@jit()
def u_sample(u_pre, out):  # type: ignore[no-untyped-def]
    """out (3,): largest, smallest and mean u_pre of a stage."""
    high = low = u_pre[0]
    total = 0.0
    for i in range(u_pre.shape[0]):
        v = u_pre[i]
        high = v if v > high else high
        low = v if v < low else low
        total += v
    out[0], out[1], out[2] = high, low, total / u_pre.shape[0]


@jit()
def weights_moved(t, every, w, n_exc, kept, kept_at):  # type: ignore[no-untyped-def]
    """Mean |change| of excitatory weights since step ``t - every``; NaN where none were kept then.

    Looks at the rows that fit ``kept`` (2, R, N), spread evenly over the excitatory ones; two
    samples are kept in turn, with their steps in ``kept_at`` (2,), so that steps done anew after a
    return to ``t - every`` or later find the sample they need.
    """
    now, past = (t // every) % 2, (t // every + 1) % 2
    rows, n = kept.shape[1], w.shape[0]
    total = 0.0
    for r in range(rows):
        row = w[r * n_exc // rows]
        for j in range(n):
            total += abs(row[j] - kept[past, r, j])
            kept[now, r, j] = row[j]
    kept_at[now] = t
    return total / (rows * (n - 1)) if kept_at[past] == t - every else np.nan


@jit()
def attention_sample(t, summed, n_heads, out):  # type: ignore[no-untyped-def]
    """out (K,) u8 = round(255 * mean weight over the heads), newest key last, 0 where none was.

    ``summed`` (K + 1,): weights of step t summed over the heads, slot of step s at s % K.
    """
    n_keys = out.shape[0]
    out.fill(0)
    for age in range(min(t + 1, n_keys)):
        share = summed[(t - age) % n_keys] * (255.0 / n_heads)
        out[n_keys - 1 - age] = np.uint8(min(255.0, max(0.0, share + 0.5)))


@jit()
def keep_heads(t, each, looks, looked_at):  # type: ignore[no-untyped-def]
    """Keep the weights of step t for the next sample of the heads.

    ``each`` (H, K): weights of every head, slot of step s at s % K.  ``looks`` (K, H, K) u8 gets
    255 times as much in the row of t, newest key last: a sum that is rounded as it grows, so that
    a row sums to 255 exactly and no byte is off by 1 or more.  ``looked_at`` (K,) steps of the rows.
    """
    n_keys = each.shape[1]
    rows = looks[t % n_keys]
    rows.fill(0)
    seen = min(t + 1, n_keys)
    for h in range(each.shape[0]):
        total = 0.0
        for age in range(seen):
            total += each[h, (t - age) % n_keys]
        grown, told = 0.0, 0
        for age in range(seen - 1, -1, -1):
            grown += each[h, (t - age) % n_keys]
            upto = int(255.0 * grown / total + 0.5) if age > 0 else 255
            rows[h, n_keys - 1 - age] = np.uint8(upto - told)
            told = upto
    looked_at[t % n_keys] = t


@jit()
def heads_sample(t, looks, looked_at, out):  # type: ignore[no-untyped-def]
    """out (H, K, K) u8: rows of the last K queries up to step t, oldest first, newest key last.

    A row is 0 where its query was before the run, or was not kept.
    """
    n_keys = looks.shape[0]
    out.fill(0)
    for q in range(n_keys):
        step = t - n_keys + 1 + q
        if step >= 0 and looked_at[step % n_keys] == step:
            for h in range(out.shape[0]):
                for k in range(n_keys):
                    out[h, q, k] = looks[step % n_keys, h, k]


@jit()
def pack_spikes(step0, n, counts, ids, n_neurons, hashed, spk_n, spk_id):  # type: ignore[no-untyped-def]
    """Spikes of all stages in order of step, then id; returns their number.

    ``counts`` (G, T), ``ids`` (G, T, N) local.  ``hashed`` (1,) uint64 takes in every step and id.
    """
    total = 0
    h = hashed[0]
    for t in range(n):
        start = total
        h = (h ^ np.uint64(step0 + t)) * _PRIME
        for g in range(counts.shape[0]):
            for k in range(counts[g, t]):
                i = g * n_neurons + ids[g, t, k]
                spk_id[total] = i
                h = (h ^ np.uint64(i)) * _PRIME
                h ^= h >> _SHIFT
                total += 1
        spk_n[t] = total - start
    hashed[0] = h
    return total

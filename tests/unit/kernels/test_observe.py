"""Histograms, pairs and packed spikes against counts made the slow way."""

from itertools import pairwise

import numpy as np
import pytest

from t4dm.kernels.observe import (
    HASH_START,
    heads_sample,
    keep_heads,
    pack_spikes,
    spike_pairs,
    weight_cells,
    weight_counts,
)
from t4dm.kernels.stack_arrays import matrix_cells

N, N_EXC = 20, 16


def test_weight_counts():
    rng = np.random.default_rng(0)
    w = np.clip(rng.normal(0.4, 0.4, (N, N)), 0, 1)
    w[N_EXC:] = -rng.random((N - N_EXC, N))
    np.fill_diagonal(w, 0)
    exc, inh, bounds = np.zeros(64, np.uint32), np.zeros(64, np.uint32), np.zeros(2, np.float32)
    weight_counts(w, N_EXC, 1.0, 1.0, exc, inh, bounds)
    off = ~np.eye(N, dtype=bool)
    plastic, fixed = w[:N_EXC][off[:N_EXC]], w[N_EXC:][off[N_EXC:]]
    assert exc.tolist() == np.histogram(plastic, 64, (0, 1))[0].tolist()
    assert inh.tolist() == np.histogram(fixed, 64, (-1, 0))[0].tolist()
    np.testing.assert_allclose(bounds, [(plastic == 0).mean(), (plastic == 1).mean()], rtol=1e-6)


@pytest.mark.parametrize(("size", "w_hi"), [(20, 1.0), (20, 2.5), (7, 1.0)])
def test_weight_cells(size, w_hi):
    """Every weight as a byte, or where there are fewer cells the mean of those in each."""
    rng = np.random.default_rng(2)
    w = rng.uniform(0, w_hi, (N, N))
    w[N_EXC:] = -rng.random((N - N_EXC, N))
    np.fill_diagonal(w, 0)
    out = np.zeros((size, size), np.uint8)
    weight_cells(w, w_hi, out)
    side = -(-N // size)
    first = np.arange(0, N, side)
    counts = np.diff(np.append(first, N))
    sums = np.add.reduceat(np.add.reduceat(w, first, 0), first, 1)
    mean = sums / counts[:, None] / counts
    wanted = 128 + mean * np.where(mean > 0, 127 / w_hi, 128)
    assert np.abs(out - wanted).max() <= 0.5 + 1e-9
    if side == 1:
        assert (np.diagonal(out) == 128).all()


@pytest.mark.parametrize(
    ("n", "cells"), [(32, 32), (256, 256), (272, 136), (528, 176), (2048, 256)]
)
def test_a_matrix_has_no_more_cells_than_fit(n, cells):
    assert matrix_cells(n) == cells


def test_spike_pairs():
    rng = np.random.default_rng(1)
    steps = 1300
    raster = rng.random((steps, N)) < 0.05
    ring, ring_n = np.zeros((1024, N), np.uint16), np.zeros(1024, np.int32)
    for t in range(steps):
        ids = np.flatnonzero(raster[t])
        ring[t % 1024, : len(ids)], ring_n[t % 1024] = ids, len(ids)
    out = np.zeros(201, np.uint32)
    spike_pairs(steps, ring, ring_n, N_EXC, np.zeros((N_EXC, 1024), np.int32), out)
    last = raster[-1000:].astype(int)
    want = np.zeros(201, int)
    for dt in range(1, 101):
        for sign, pre, post in ((dt, last[:-dt], last[dt:]), (-dt, last[dt:], last[:-dt])):
            own = (pre[:, :N_EXC] * post[:, :N_EXC]).sum()
            want[100 + sign] = (pre[:, :N_EXC].sum(1) * post.sum(1)).sum() - own
    assert out.tolist() == want.tolist()


def test_pack_keeps_order_and_hash_does_not_depend_on_the_cut():
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 5, (4, 30)).astype(np.uint16)
    ids = np.sort(rng.permuted(np.tile(np.arange(N), (4, 30, 1)), axis=2)[..., :5]).astype(
        np.uint16
    )
    hashes = []
    for cuts in ([0, 30], [0, 1, 9, 30]):
        hashed, packed = np.array([HASH_START], np.uint64), []
        for a, b in pairwise(cuts):
            spk_n, spk_id = np.zeros(30, np.uint16), np.zeros(2000, np.uint16)
            k = pack_spikes(a, b - a, counts[:, a:b], ids[:, a:b], N, hashed, spk_n, spk_id)
            assert spk_n[: b - a].tolist() == counts[:, a:b].sum(0).tolist()
            packed += spk_id[:k].tolist()
        hashes.append(int(hashed[0]))
    want = [
        g * N + int(ids[g, t, k]) for t in range(30) for g in range(4) for k in range(counts[g, t])
    ]
    assert packed == want and hashes[0] == hashes[1]


@pytest.mark.parametrize("step", [5, 63, 64, 999])
def test_rows_of_every_head_sum_to_one_and_stand_newest_key_last(step):
    """K = 8 keys in a ring; a byte is off by less than 1, or by 1.5 where it ends a row."""
    rng = np.random.default_rng(step)
    keys, heads = 8, 3
    seen = min(step + 1, keys)
    weights = np.zeros((heads, keys))
    ages = rng.random((heads, seen)) ** 4
    ages /= ages.sum(axis=1, keepdims=True)
    weights[:, (step - np.arange(seen)) % keys] = ages
    looks, looked_at = np.full((keys, heads, keys), 9, np.uint8), np.full(keys, -1)
    keep_heads(step, weights, looks, looked_at)
    row = looks[step % keys].astype(int)
    assert (row.sum(axis=1) == 255).all() and looked_at[step % keys] == step
    assert np.abs(row[:, ::-1][:, :seen] - 255 * ages).max() <= 1.0 + 1e-9
    assert not row[:, ::-1][:, seen:].any()


def test_a_sample_has_the_last_queries_oldest_first_and_blanks_what_was_not_kept():
    keys, heads, out = 8, 2, np.full((2, 8, 8), 7, np.uint8)
    looks, looked_at = np.zeros((keys, heads, keys), np.uint8), np.full(keys, -1)
    for step in (3, 12, 14, 15, 16):
        looks[step % keys], looked_at[step % keys] = step, step
    heads_sample(16, looks, looked_at, out)
    assert out[0, :, 0].tolist() == out[1, :, 7].tolist() == [0, 0, 0, 12, 0, 14, 15, 16]

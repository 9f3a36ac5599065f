"""The arrays of a running stack, grouped by how they change.

L blocks  N = D neurons and channels  E excitatory  G = 2L stages  H heads  R = RING
S = HISTORY / dt, P = 2 * PAIR_SPAN / dt + 1, A = WINDOW_MAX / dt + 2, for a step of dt ms
T = CHUNK steps at most  K watched neurons; ``real`` is float32 or float64
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels.attention import WINDOW
from t4dm.kernels.observe import BINS, HASH_START, PAIR_SPAN
from t4dm.kernels.plasticity_lazy import IDLE, RING
from t4dm.kernels.products import TILE
from t4dm.step_length import STEP_MS

CHUNK = 64
HISTORY = 1024  # ms of spikes that are kept
ROWS = CHUNK + TILE
HIST_EVERY = 250
MATRIX_EVERY = 1000
MATRIX_SIDE = 256  # cells of a weight matrix a side, at most
GATE_EVERY = 4
KEPT_ROWS = 64  # of each block, to see how far weights move between two samples
STIM_WIDTH = 64
P_START = -1e30
WINDOW_MAX = 500  # ms
LAZY, LAZY_CUT, EAGER_PAIRS, EAGER_NEAREST, THREE_FACTOR, THREE_FACTOR_NEAREST = range(6)
PATHS = (
    "lazy", "lazy, cut windows", "eager", "eager, nearest pairs", "three-factor",
    "three-factor, nearest pairs",
)  # fmt: skip


class Weights(NamedTuple):
    """Fixed for the whole run; real."""

    encoder: np.ndarray  # (64, D)
    gate_w: np.ndarray  # (L, D, D)
    gate_b: np.ndarray  # (L, D)
    w_q: np.ndarray  # (L, D, D)
    w_k: np.ndarray
    w_o: np.ndarray
    apical_w: np.ndarray  # (L, D, D)
    apical_b: np.ndarray  # (L, D)
    mu_r: np.ndarray  # (L, D)
    mu_k: np.ndarray
    mu_v: np.ndarray
    mix_r: np.ndarray  # (L, D, D)
    mix_k: np.ndarray
    mix_v: np.ndarray
    mix_out: np.ndarray
    decay: np.ndarray  # (L, D) exp(w0)
    bonus: np.ndarray  # (L, D)
    kappa_rec: np.ndarray  # (L,)
    c_in: np.ndarray  # (1,)
    c_out: np.ndarray  # (L,)
    c_l: np.ndarray  # (L,)
    n_exc: np.ndarray  # (1,) i8


class State(NamedTuple):
    """Everything a step hands to the next one; saved and loaded as it is."""

    w_rec: np.ndarray  # (L, N, N) pre-major; rows may be owed potentiation (plasticity_lazy)
    u: np.ndarray  # (G, N)
    theta_h: np.ndarray  # (G, 1) f8
    ring: np.ndarray  # (L, S, N) u2, spikes of LIF in at step % S
    ring_n: np.ndarray  # (L, S) i4
    p_bar: np.ndarray  # (L, D)
    k_bar: np.ndarray  # (L, D)
    keys: np.ndarray  # (L, H, 2C, WINDOW)
    values: np.ndarray  # (L, H, WINDOW, C)
    m_before: np.ndarray  # (L, D)
    wkv_a: np.ndarray  # (L, D)
    wkv_b: np.ndarray
    wkv_p: np.ndarray
    pre: np.ndarray  # (L, N) pre trace
    post: np.ndarray  # (L, N) post trace
    held: np.ndarray  # (L, N) i8 spikes in the pre window
    born: np.ndarray  # (L, N) i8 step of a row's last visit
    buckets: np.ndarray  # (L, R, N)
    bucket_rows: np.ndarray  # (L, R) i8
    eligibility: np.ndarray  # (L, E, N)
    levels: np.ndarray  # (4,) f8
    boluses: np.ndarray  # (4,) f8
    reward: np.ndarray  # (3,) f8: r, r_hat, delta
    w_hi: np.ndarray  # (1,) f8 upper end of the weight histogram
    hashed: np.ndarray  # (1,) u8


class Plastic(NamedTuple):
    """One block's recurrent weights with all that STDP needs: views into State."""

    w_rec: np.ndarray
    ring: np.ndarray
    ring_n: np.ndarray
    pre: np.ndarray
    post: np.ndarray
    held: np.ndarray
    born: np.ndarray
    buckets: np.ndarray
    bucket_rows: np.ndarray
    eligibility: np.ndarray


class Attention(NamedTuple):
    """One block's spike attention: views into Weights and State."""

    w_q: np.ndarray
    w_k: np.ndarray
    w_o: np.ndarray
    p_bar: np.ndarray
    k_bar: np.ndarray
    keys: np.ndarray
    values: np.ndarray


class TimeMix(NamedTuple):
    """One block's apical modulation and RWKV: views into Weights and State."""

    apical_b: np.ndarray
    mu_r: np.ndarray
    mu_k: np.ndarray
    mu_v: np.ndarray
    mix_r: np.ndarray
    mix_k: np.ndarray
    mix_v: np.ndarray
    mix_out: np.ndarray
    decay: np.ndarray
    bonus: np.ndarray
    m_before: np.ndarray
    wkv_a: np.ndarray
    wkv_b: np.ndarray
    wkv_p: np.ndarray


class Rule(NamedTuple):
    """STDP parameters as the kernels take them."""

    powers_plus: np.ndarray  # (A,) exp(-k*dt/tau_plus)
    powers_minus: np.ndarray  # (A,) exp(-k*dt/tau_minus)
    bounds: np.ndarray  # real: w_max, mu
    learning: np.ndarray  # (6,) f8: enabled, learning rate, A+, A-, da_gate, tau_e
    plan: np.ndarray  # (5,) i8: path, pre window, post window, does it cut pre, post


class Stage(NamedTuple):
    """One LIF stage: its parameters, its membrane and where it is recorded (views into Output)."""

    lif: np.ndarray  # (3,) real: alpha, beta, u_max
    v_thresh: np.ndarray  # (1,) f8
    homeostasis: np.ndarray  # (5,) f8: enabled, target, learning rate, theta_max, lowest theta
    u: np.ndarray  # (N,)
    theta_h: np.ndarray  # (1,) f8
    watched: np.ndarray  # (k, 2) i8: column of Output.u, local neuron
    counts: np.ndarray  # (T,) u2
    ids: np.ndarray  # (T, N) u2
    theta: np.ndarray  # (T,) f4
    clamped: np.ndarray  # (T,) u2
    strange: np.ndarray  # (1,) i8 first step whose u_pre was NaN or Inf, else -1
    u_pre: np.ndarray  # (T, K) f4
    u_range: np.ndarray  # (T/4, 3) f4 largest, smallest and mean u_pre


class Samples(NamedTuple):
    """Where one block's gate, attention, weights and pairs are recorded: views into Output and Work."""

    gate: np.ndarray  # (T/4, D) u1
    gate_mean: np.ndarray  # (T/4,) f4
    attention: np.ndarray  # (T/4, WINDOW) u1
    attention_top: np.ndarray  # (T/4,) f4 largest weight of a head, mean over the heads
    attention_heads: np.ndarray  # (H, WINDOW, WINDOW) u1 last queries x their keys, newest last
    looks: np.ndarray  # (WINDOW, H, WINDOW) u1 rows of the last queries, step t at t % WINDOW
    looked_at: np.ndarray  # (WINDOW,) i8 their steps
    hist_exc: np.ndarray  # (BINS,) u4
    hist_inh: np.ndarray
    bounds: np.ndarray  # (2,) f4
    moved: np.ndarray  # (1,) f4 mean |change| of the weights since the sample before
    kept: np.ndarray  # (2, R, N) real: rows of the last two samples, in turn
    kept_at: np.ndarray  # (2,) i8 their steps
    matrix: np.ndarray  # (R, R) u1 cells of the weight matrix, pre x post
    pairs: np.ndarray  # (P,) u4


class Output(NamedTuple):
    """What a chunk shows; overwritten by the next."""

    counts: np.ndarray  # (G, T) u2
    ids: np.ndarray  # (G, T, N) u2
    u: np.ndarray  # (T, K) f4
    theta: np.ndarray  # (G, T) f4
    levels: np.ndarray  # (T, 4) f8
    gains: np.ndarray  # (T, 5) f8
    clamped: np.ndarray  # (G, T) u2
    u_range: np.ndarray  # (G, T/4, 3) f4
    gate: np.ndarray  # (L, T/4, D) u1
    gate_mean: np.ndarray  # (L, T/4) f4
    attention: np.ndarray  # (L, T/4, WINDOW) u1
    attention_top: np.ndarray  # (L, T/4) f4
    attention_heads: np.ndarray  # (L, H, WINDOW, WINDOW) u1
    hist_exc: np.ndarray  # (L, BINS) u4
    hist_inh: np.ndarray
    bounds: np.ndarray  # (L, 2) f4
    moved: np.ndarray  # (L, 1) f4
    matrix: np.ndarray  # (L, R, R) u1
    pairs: np.ndarray  # (L, P) u4
    strange: np.ndarray  # (G, 1) i8
    spk_n: np.ndarray  # (T,) u2
    spk_id: np.ndarray  # (T*G*N,) u2


class Work(NamedTuple):
    """Scratch, rows on the absolute grid of eight steps; real."""

    stim: np.ndarray  # (ROWS, 64)
    x: np.ndarray  # (ROWS, D) each
    gate: np.ndarray
    apical: np.ndarray
    mixed: np.ndarray
    basal: np.ndarray
    m_r: np.ndarray
    m_k: np.ndarray
    m_v: np.ndarray
    r: np.ndarray
    k: np.ndarray
    v: np.ndarray
    z: np.ndarray
    current: np.ndarray  # (D,) each
    u_pre: np.ndarray
    query: np.ndarray
    key: np.ndarray
    counted: np.ndarray  # (N,) i8
    scores: np.ndarray  # (WINDOW,)
    told: np.ndarray  # (WINDOW + 1,) weights of a step and their largest, summed over the heads
    each: np.ndarray  # (H, WINDOW) weights of a step, head by head
    times: np.ndarray  # (E, S) i4
    kept: np.ndarray  # (L, 2, R, N) weights of the last two samples, in turn
    kept_at: np.ndarray  # (L, 2) i8 their steps
    looks: np.ndarray  # (L, WINDOW, H, WINDOW) u1 attention of the last queries, in turn
    looked_at: np.ndarray  # (L, WINDOW) i8 their steps


def empty_state(
    n_blocks: int, n: int, n_exc: int, n_heads: int, real: np.dtype, dt: float = STEP_MS
) -> State:
    """State before step 0; ``w_rec`` is still 0."""
    rows, stages, held = (n_blocks, n), 2 * n_blocks, int(HISTORY / dt)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, real)

    def whole(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int64)

    return State(
        w_rec=zeros(n_blocks, n, n),
        u=zeros(stages, n),
        theta_h=np.zeros((stages, 1)),
        ring=np.zeros((n_blocks, held, n), np.uint16),
        ring_n=np.zeros((n_blocks, held), np.int32),
        p_bar=zeros(*rows),
        k_bar=zeros(*rows),
        keys=zeros(n_blocks, n_heads, 2 * n // n_heads, WINDOW),
        values=zeros(n_blocks, n_heads, WINDOW, n // n_heads),
        m_before=zeros(*rows),
        wkv_a=zeros(*rows),
        wkv_b=zeros(*rows),
        wkv_p=np.full(rows, P_START, real),
        pre=zeros(*rows),
        post=zeros(*rows),
        held=whole(*rows),
        born=np.full(rows, IDLE, np.int64),
        buckets=zeros(n_blocks, RING, n),
        bucket_rows=whole(n_blocks, RING),
        eligibility=zeros(n_blocks, n_exc, n),
        levels=np.full(4, 0.5),
        boluses=np.zeros(4),
        reward=np.zeros(3),
        w_hi=np.ones(1),
        hashed=np.array([HASH_START], np.uint64),
    )


def matrix_cells(n: int) -> int:
    """Cells a side in which the weights of n neurons are shown: each as large as the others."""
    side = -(-n // MATRIX_SIDE)
    return -(-n // side)


def empty_output(
    n_blocks: int, n: int, n_heads: int, n_watched: int, more: int = 0, dt: float = STEP_MS
) -> Output:
    """Room for CHUNK steps of the stages and of ``more`` groups after them."""
    stages = 2 * n_blocks + more
    cells = matrix_cells(n)
    return Output(
        counts=np.zeros((stages, CHUNK), np.uint16),
        ids=np.zeros((stages, CHUNK, n), np.uint16),
        u=np.zeros((CHUNK, n_watched), np.float32),
        theta=np.zeros((stages, CHUNK), np.float32),
        levels=np.zeros((CHUNK, 4)),
        gains=np.zeros((CHUNK, 5)),
        clamped=np.zeros((stages, CHUNK), np.uint16),
        u_range=np.full((stages, CHUNK // GATE_EVERY, 3), np.nan, np.float32),
        gate=np.zeros((n_blocks, CHUNK // GATE_EVERY, n), np.uint8),
        gate_mean=np.zeros((n_blocks, CHUNK // GATE_EVERY), np.float32),
        attention=np.zeros((n_blocks, CHUNK // GATE_EVERY, WINDOW), np.uint8),
        attention_top=np.zeros((n_blocks, CHUNK // GATE_EVERY), np.float32),
        attention_heads=np.zeros((n_blocks, n_heads, WINDOW, WINDOW), np.uint8),
        hist_exc=np.zeros((n_blocks, BINS), np.uint32),
        hist_inh=np.zeros((n_blocks, BINS), np.uint32),
        bounds=np.zeros((n_blocks, 2), np.float32),
        moved=np.full((n_blocks, 1), np.nan, np.float32),
        matrix=np.full((n_blocks, cells, cells), 128, np.uint8),
        pairs=np.zeros((n_blocks, 2 * int(PAIR_SPAN / dt) + 1), np.uint32),
        strange=np.full((stages, 1), -1, np.int64),
        spk_n=np.zeros(CHUNK, np.uint16),
        spk_id=np.zeros(CHUNK * stages * n, np.uint16),
    )


def empty_work(
    n_blocks: int, n: int, n_exc: int, n_heads: int, real: np.dtype, dt: float = STEP_MS
) -> Work:
    """Scratch for CHUNK steps."""
    names = Work._fields
    rows = {name: np.zeros((ROWS, n), real) for name in names[1 : names.index("current")]}
    vectors = {name: np.zeros(n, real) for name in ("current", "u_pre", "query", "key")}
    return Work(
        stim=np.zeros((ROWS, STIM_WIDTH), real),
        **rows,
        **vectors,
        counted=np.zeros(n, np.int64),
        scores=np.zeros(WINDOW, real),
        told=np.zeros(WINDOW + 1, real),
        each=np.zeros((n_heads, WINDOW), real),
        times=np.zeros((n_exc, int(HISTORY / dt)), np.int32),
        kept=np.zeros((n_blocks, 2, min(n_exc, KEPT_ROWS), n), real),
        kept_at=np.full((n_blocks, 2), -1, np.int64),
        looks=np.zeros((n_blocks, WINDOW, n_heads, WINDOW), np.uint8),
        looked_at=np.full((n_blocks, WINDOW), -1, np.int64),
    )

"""Attention whose weights come from spike *timing* (docs/equations.md, section 3).

Per head, with P = s W_Q, K = s W_K, lam = exp(-dt/tau) and traces of what came before t,
    Pbar(t) = lam*Pbar(t-1) + P(t-1),   Kbar(t) = lam*Kbar(t-1) + K(t-1)
    score(t,t') = sharpness/sqrt(d_h) * ( P(t).Kbar(t') - kappa * Pbar(t).K(t') ),  t-63 <= t' <= t
    a = softmax over t',   o(t) = sum_t' a(t,t') s(t'),   out = o W_O
A query spike whose key side fired before (pre before post) raises a score, the reverse lowers it.
B batch  T time  D channels  H heads  C channels of a head  W window
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, projection
from t4dm.spiking.scan import scan

QK_GAIN = 4.0
"""W_Q and W_K start at N(0, QK_GAIN/sqrt(D)): in an unstructured raster the scores of a row then
spread by about 1 at 2 % firing and 5 at 8 %."""


class AttentionState(NamedTuple):
    """Traces (..., D) that the next step will use, and the last W steps (oldest first)."""

    p_bar: Tensor
    k_bar: Tensor
    keys: Tensor  # (..., W, D)  K(t')
    key_bars: Tensor  # (..., W, D)  Kbar(t')
    values: Tensor  # (..., W, D)  s(t')
    held: Tensor  # (..., W) bool: this row is a step since the start


def causal_band(
    n_queries: int, n_keys: int, window: int, device: torch.device | str | None = None
) -> Tensor:
    """(queries, keys) bool: the query may look at this key; the last key is the last query's own."""
    own = torch.arange(n_queries, device=device)[:, None] + (n_keys - n_queries)
    age = own - torch.arange(n_keys, device=device)[None, :]
    return (age >= 0) & (age < window)


def decayed_sum(prev_TD: Tensor, start_D: Tensor, lam: float) -> Tensor:
    """tr(t) = lam*tr(t-1) + prev(t) over (..., T, D), with ``start_D`` standing before t = 0."""
    traces, trace = [], start_D
    for t in range(prev_TD.shape[-2]):
        trace = lam * trace + prev_TD[..., t, :]
        traces.append(trace)
    return torch.stack(traces, dim=-2)


class SpikeAttention(nn.Module):
    """``w_q``, ``w_k``, ``w_o`` (D, D); values are the spikes themselves.

    Raises ValueError where ``dim`` is not a multiple of ``num_heads``, or one of the sizes is below 1.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 8,
        window: int = 64,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        for name, size in (("dim", dim), ("num_heads", num_heads), ("window", window)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if dim % num_heads:
            raise ValueError(f"dim {dim} is not a multiple of num_heads {num_heads}")
        generator = generator_of(generator)
        self.dim, self.num_heads, self.window = dim, num_heads, window
        self.w_q = projection(dim, generator, dtype, QK_GAIN)
        self.w_k = projection(dim, generator, dtype, QK_GAIN)
        self.w_o = projection(dim, generator, dtype)

    def init_state(self, batch: tuple[int, ...] = ()) -> AttentionState:
        """No step seen yet."""
        zero = self.w_q.new_zeros(*batch, self.dim)
        rows = self.w_q.new_zeros(*batch, self.window, self.dim)
        held = self.w_q.new_zeros(*batch, self.window, dtype=torch.bool)
        return AttentionState(zero, zero, rows, rows, rows, held)

    def _heads(self, x: Tensor) -> Tensor:
        """(..., T, D) -> (..., H, T, C)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2)

    def _weights(
        self, p: Tensor, p_bar: Tensor, k: Tensor, k_bar: Tensor, allowed: Tensor,
        kappa: float, sharpness: float,
    ) -> Tensor:  # fmt: skip
        """Softmax weights (..., H, queries, keys) of (..., T, D) projections and traces."""
        early = self._heads(p) @ self._heads(k_bar).transpose(-1, -2)
        late = self._heads(p_bar) @ self._heads(k).transpose(-1, -2)
        score = sharpness / math.sqrt(self.dim // self.num_heads) * (early - kappa * late)
        return torch.softmax(score.masked_fill(~allowed, -torch.inf), dim=-1)

    def forward(
        self,
        spikes: Tensor,
        spikes_prev: Tensor | None = None,
        tau: float = 10.0,
        kappa: float = 1.0,
        sharpness: float = 1.0,
    ) -> Tensor:
        """Weights (H,T,T) of a raster (T,D), or (B,H,T,T) of (B,T,D); rows sum to 1.

        ``spikes_prev`` holds s(t-1) for each t; left out, it is ``spikes`` one step later.
        Raises ValueError with the shapes where one does not fit.
        """
        if spikes.ndim < 2 or spikes.shape[-1] != self.dim:
            shape = tuple(spikes.shape)
            raise ValueError(f"spikes must be (T, {self.dim}) or (B, T, {self.dim}), is {shape}")
        if spikes_prev is not None and spikes_prev.shape != spikes.shape:
            shapes = f"{tuple(spikes.shape)}, is {tuple(spikes_prev.shape)}"
            raise ValueError(f"spikes_prev must have the shape of spikes, {shapes}")
        if not tau > 0:
            raise ValueError(f"tau must be above 0 ms, got {tau}")
        if spikes_prev is None:
            first = torch.zeros_like(spikes[..., :1, :])
            spikes_prev = torch.cat([first, spikes[..., :-1, :]], dim=-2)
        spikes, spikes_prev = spikes.to(self.w_q.dtype), spikes_prev.to(self.w_q.dtype)
        p, k = spikes @ self.w_q, spikes @ self.w_k
        lam, start = math.exp(-1.0 / tau), torch.zeros_like(p[..., 0, :])
        p_bar = decayed_sum(spikes_prev @ self.w_q, start, lam)
        k_bar = decayed_sum(spikes_prev @ self.w_k, start, lam)
        n = spikes.shape[-2]
        allowed = causal_band(n, n, self.window, p.device)
        return self._weights(p, p_bar, k, k_bar, allowed, kappa, sharpness)

    def step(
        self,
        spikes: Tensor,
        state: AttentionState,
        tau: float = 10.0,
        kappa: float = 1.0,
        sharpness: float = 1.0,
    ) -> tuple[Tensor, AttentionState]:
        """Basal drive (..., D) of the spikes (..., D) of one step, and the state after it."""
        return self.look(spikes, state, tau, kappa, sharpness)[:2]

    def look(
        self,
        spikes: Tensor,
        state: AttentionState,
        tau: float = 10.0,
        kappa: float = 1.0,
        sharpness: float = 1.0,
    ) -> tuple[Tensor, AttentionState, Tensor]:
        """:meth:`step` with its weights (..., H, W): one row a head, oldest key first, own step last."""
        p, k = spikes @ self.w_q, spikes @ self.w_k
        keys, key_bars, values, held = (
            torch.cat([old[..., 1:, :], new[..., None, :]], dim=-2)
            for old, new in (
                (state.keys, k),
                (state.key_bars, state.k_bar),
                (state.values, spikes),
                (state.held[..., None], torch.ones_like(state.held[..., -1:])),
            )
        )
        a = self._weights(
            p[..., None, :], state.p_bar[..., None, :], keys, key_bars,
            held[..., 0][..., None, None, :], kappa, sharpness,
        )  # fmt: skip
        mixed = (a @ self._heads(values)).squeeze(-2).flatten(-2)
        lam = math.exp(-1.0 / tau)
        new = AttentionState(
            lam * state.p_bar + p, lam * state.k_bar + k, keys, key_bars, values, held[..., 0]
        )
        return mixed @ self.w_o, new, a.squeeze(-2)

    def mix(
        self,
        spikes_BTD: Tensor,
        state: AttentionState | None = None,
        mask_BT: Tensor | None = None,
        tau: float = 10.0,
        kappa: float = 1.0,
        sharpness: float = 1.0,
    ) -> tuple[Tensor, AttentionState]:
        """Basal drive (B,T,D) of a whole raster, and the state after it.

        Equal to :meth:`step` row by row.  Padded positions (mask false) are keys to nobody, move
        no trace and give 0.
        """
        batch = tuple(spikes_BTD.shape[:-2])
        state = self.init_state(batch) if state is None else state
        if mask_BT is not None:
            return scan(
                lambda s, st: self.step(s, st, tau, kappa, sharpness), spikes_BTD, state, mask_BT
            )
        p, k = spikes_BTD @ self.w_q, spikes_BTD @ self.w_k
        lam, n = math.exp(-1.0 / tau), spikes_BTD.shape[-2]
        p_bars = _with_first(state.p_bar, decayed_sum(p, state.p_bar, lam))
        k_bars = _with_first(state.k_bar, decayed_sum(k, state.k_bar, lam))
        keys = torch.cat([state.keys, k], dim=-2)
        key_bars = torch.cat([state.key_bars, k_bars[..., :-1, :]], dim=-2)
        values = torch.cat([state.values, spikes_BTD], dim=-2)
        held = torch.cat([state.held, state.held.new_ones(*batch, n)], dim=-1)
        band = causal_band(n, n + self.window, self.window, p.device)
        allowed = band & held[..., None, None, :]
        a = self._weights(p, p_bars[..., :-1, :], keys, key_bars, allowed, kappa, sharpness)
        mixed = (a @ self._heads(values)).transpose(-3, -2).flatten(-2)
        last = slice(-self.window, None)
        new = AttentionState(
            p_bars[..., -1, :], k_bars[..., -1, :],
            keys[..., last, :], key_bars[..., last, :], values[..., last, :], held[..., last],
        )  # fmt: skip
        return mixed @ self.w_o, new


def _with_first(first_D: Tensor, rest_TD: Tensor) -> Tensor:
    """(..., T+1, D): the trace before step 0, then the trace after each step."""
    return torch.cat([first_D[..., None, :], rest_TD], dim=-2)

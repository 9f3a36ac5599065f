"""RWKV time mixing in the running-max form (docs/equations.md, section 3; Peng et al. 2023).

Token shift  m_c = mu_c*m(t) + (1-mu_c)*m(t-1),  c in r, k, v
    r = sigmoid(m_r W_r),  k = m_k W_k,  v = m_v W_v,   w = exp(w0) * decay / (0.5 + 5HT)  per step
    q = max(p, b+k);    wkv = (e^(p-q) A + e^(b+k-q) v) / (e^(p-q) B + e^(b+k-q))
    q = max(p-w, k);    A <- e^(p-w-q) A + e^(k-q) v;   B <- e^(p-w-q) B + e^(k-q);   p <- q
    z = (r * wkv) W_out
Every exponent is <= 0, so inputs of scale 1e4 stay finite.  Half precision mixes in float32.
B batch  T time  D channels.  The paper writes u for the bonus b and stores w as -w.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, projection, uniform
from t4dm.spiking.scan import scan

P_START = -1e30
"""Running maximum before the first step: no past at all (A = B = 0)."""


class RWKVState(NamedTuple):
    """Token shift ``m`` and sums ``a``, ``b`` relative to e^``p``; each (..., D)."""

    m: Tensor
    a: Tensor
    b: Tensor
    p: Tensor


def wkv_step(
    k: Tensor, v: Tensor, a: Tensor, b: Tensor, p: Tensor, w: Tensor, bonus: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``(wkv, a, b, p)`` after one step; all (..., D)."""
    q = torch.maximum(p, bonus + k)
    past, now = torch.exp(p - q), torch.exp(bonus + k - q)
    wkv = (past * a + now * v) / (past * b + now)
    q = torch.maximum(p - w, k)
    past, now = torch.exp(p - w - q), torch.exp(k - q)
    return wkv, past * a + now * v, past * b + now, q


class RWKVTimeMix(nn.Module):
    """Time mixing of (..., D); time constants exp(-w0) spread log-evenly over ``tau_range`` steps."""

    def __init__(
        self,
        dim: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
        tau_range: tuple[float, float] = (5.0, 200.0),
    ) -> None:
        super().__init__()
        generator = generator_of(generator)
        self.dim = dim
        self.mu_r, self.mu_k, self.mu_v = (
            nn.Parameter(uniform((dim,), 0.5, 1.0, generator).to(dtype)) for _ in range(3)
        )
        self.w_r, self.w_k, self.w_v, self.w_out = (
            projection(dim, generator, dtype) for _ in range(4)
        )
        shortest, longest = (math.log(tau) for tau in tau_range)
        log_tau = torch.linspace(shortest, longest, dim, dtype=torch.float64)
        self.w0 = nn.Parameter((-log_tau[torch.randperm(dim, generator=generator)]).to(dtype))
        self.bonus = nn.Parameter(uniform((dim,), 1.5, 3.5, generator).to(dtype))

    def init_state(self, batch: tuple[int, ...] = ()) -> RWKVState:
        """No past, (*batch, D)."""
        zero = self.w0.new_zeros(*batch, self.dim, dtype=_wide(self.w0.dtype))
        return RWKVState(zero.to(self.w0.dtype), zero, zero, torch.full_like(zero, P_START))

    def decay_rate(self, decay: float = 1.0, ht5: float = 0.5) -> Tensor:
        """w (D,), per step: exp(w0) * decay / (0.5 + 5HT)."""
        return torch.exp(self.w0.to(_wide(self.w0.dtype))) * (decay / (0.5 + ht5))

    def project(self, m: Tensor, before: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(r, k, v)`` of m(t) and m(t-1), each (..., D)."""

        def shift(mu: Tensor) -> Tensor:
            return mu * m + (1 - mu) * before

        r = torch.sigmoid(shift(self.mu_r) @ self.w_r)
        return r, shift(self.mu_k) @ self.w_k, shift(self.mu_v) @ self.w_v

    def step(
        self, m: Tensor, state: RWKVState, decay: float = 1.0, ht5: float = 0.5
    ) -> tuple[Tensor, RWKVState]:
        """z (..., D) and the state after one step."""
        r, k, v = self.project(m, state.m)
        wide = state.a.dtype
        wkv, a, b, p = wkv_step(
            k.to(wide), v.to(wide), state.a, state.b, state.p,
            self.decay_rate(decay, ht5), self.bonus.to(wide),
        )  # fmt: skip
        return (r * wkv.to(m.dtype)) @ self.w_out, RWKVState(m, a, b, p)

    def forward(
        self,
        m_BTD: Tensor,
        state: RWKVState | None = None,
        mask_BT: Tensor | None = None,
        decay: float = 1.0,
        ht5: float = 0.5,
    ) -> tuple[Tensor, RWKVState]:
        """z (B,T,D) and the last state; projections at once, the recurrence step by step."""
        state = self.init_state(tuple(m_BTD.shape[:-2])) if state is None else state
        if mask_BT is not None:
            return scan(lambda m, s: self.step(m, s, decay, ht5), m_BTD, state, mask_BT)
        before = torch.cat([state.m[..., None, :], m_BTD[..., :-1, :]], dim=-2)
        r, k, v = self.project(m_BTD, before)
        w, bonus, (_, a, b, p) = self.decay_rate(decay, ht5), self.bonus.to(state.a.dtype), state
        wkv = []
        for t in range(m_BTD.shape[-2]):
            k_t, v_t = k[..., t, :].to(a.dtype), v[..., t, :].to(a.dtype)
            out, a, b, p = wkv_step(k_t, v_t, a, b, p, w, bonus)
            wkv.append(out)
        z = (r * torch.stack(wkv, dim=-2).to(m_BTD.dtype)) @ self.w_out
        return z, RWKVState(m_BTD[..., -1, :], a, b, p)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype

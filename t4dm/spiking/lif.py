"""Leaky integrate-and-fire neurons with a subtractive reset (docs/equations.md, section 3).

    u_pre = alpha*u + I                       alpha = exp(-dt/tau_m), unit 1
    s     = 1[u_pre >= theta]                 theta = max(v_thresh + theta_h, 0.01)
    u     = clip(u_pre - beta*theta*s, -u_max, u_max)

u0 = 0: a constant input below theta*(1-alpha) never fires, above theta*(1-alpha+alpha*beta) it fires
every step; for beta <= 2, |u| <= max|I|/(1-alpha).  Gerstner et al. 2014, Neuronal Dynamics, ch. 1.
B batch  T time  N neurons
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from t4dm.params import ParamError
from t4dm.spiking.scan import scan
from t4dm.spiking.surrogate import Surrogate, check_surrogate, spike


class LIFStep(NamedTuple):
    """What one step makes: ``spikes``, ``u`` after the reset, ``u_pre`` before it, ``clamped`` mask."""

    spikes: Tensor
    u: Tensor
    u_pre: Tensor
    clamped: Tensor


class Tap(Protocol):
    """Who is told of what a neuron does while it watches (``t4dm.live.watch``)."""

    def step(self, done: LIFStep, theta: float | Tensor | None) -> None:
        """One step of (..., N); ``theta`` where the caller gave one."""

    def run(self, spikes: Tensor, u_pre: Tensor, axis: int) -> None:
        """Steps made at once: both are (..., T, ..., N), with the steps on ``axis``."""


def lif_step(
    current: Tensor,
    u: Tensor,
    *,
    alpha: float,
    theta: float | Tensor,
    beta: float,
    u_max: float,
    surrogate: Surrogate = "atan",
    slope: float = 2.0,
    detach_reset: bool = False,
) -> LIFStep:
    """One step of (..., N) neurons.  ``detach_reset`` keeps gradient out of the reset path."""
    u_pre = alpha * u + current
    spikes = spike(u_pre - theta, surrogate, slope)
    reset = spikes.detach() if detach_reset else spikes
    free = u_pre - beta * theta * reset
    return LIFStep(spikes, free.clamp(-u_max, u_max), u_pre, free.abs() > u_max)


def _check_size(size: int, **given: Tensor) -> None:
    for field, values in given.items():
        if not values.ndim or values.shape[-1] != size:
            message = f"{field} needs {size} neurons on its last axis, is {tuple(values.shape)}"
            raise ParamError(field, message)


def _check_settings(size: int, alpha: float, v_thresh: float, beta: float, u_max: float) -> None:
    if size < 1:
        raise ParamError("size", f"size is a number of neurons from 1, got {size}", lo=1)
    if not 0 <= alpha <= 1:
        raise ParamError("alpha", f"alpha is from 0 to 1, got {alpha}", lo=0, hi=1)
    for field, value in (("v_thresh", v_thresh), ("beta", beta)):
        if not math.isfinite(value):
            raise ParamError(field, f"{field} is a finite number, got {value}")
    if not u_max > 0:
        raise ParamError("u_max", f"u_max is more than 0, got {u_max}", lo=0)


class LIFNeuron(nn.Module):
    """``size`` neurons.  ``alpha``, ``v_thresh``, ``beta``, ``u_max`` may change between two steps.

    Raises ParamError for a size below 1, alpha outside 0 to 1, a v_thresh or beta that is not finite, or
    a u_max of 0 or less.
    """

    tap: Tap | None = None

    def __init__(
        self,
        size: int,
        alpha: float = 0.9,
        v_thresh: float = 1.0,
        beta: float = 1.0,
        u_max: float = 10.0,
        surrogate: Surrogate = "atan",
        slope: float = 2.0,
        detach_reset: bool = False,
    ) -> None:
        super().__init__()
        check_surrogate(surrogate)
        _check_settings(size, alpha, v_thresh, beta, u_max)
        self.size = size
        self.alpha, self.v_thresh, self.beta, self.u_max = alpha, v_thresh, beta, u_max
        self.surrogate: Surrogate = surrogate
        self.slope, self.detach_reset = slope, detach_reset

    def init_state(
        self,
        batch: tuple[int, ...] = (),
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """Membranes at rest, (*batch, N)."""
        return torch.zeros(*batch, self.size, dtype=dtype, device=device)

    def step(
        self,
        current: Tensor,
        u: Tensor,
        *,
        alpha: float | None = None,
        theta: float | Tensor | None = None,
        beta: float | None = None,
        u_max: float | None = None,
    ) -> LIFStep:
        """One step of (..., N) with everything it makes; keywords stand in for the neuron's own values.

        Raises ParamError, naming field and shape, where the last axis has not N neurons.
        """
        _check_size(self.size, current=current, u=u)
        done = lif_step(
            current,
            u,
            alpha=self.alpha if alpha is None else alpha,
            theta=self.v_thresh if theta is None else theta,
            beta=self.beta if beta is None else beta,
            u_max=self.u_max if u_max is None else u_max,
            surrogate=self.surrogate,
            slope=self.slope,
            detach_reset=self.detach_reset,
        )
        if self.tap is not None:
            self.tap.step(done, theta)
        return done

    def forward(self, current: Tensor, u: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``spikes, u = lif(current, u)`` for (..., N); u starts at 0 when it is not given."""
        done = self.step(current, torch.zeros_like(current) if u is None else u)
        return done.spikes, done.u

    def run(
        self, current_BTN: Tensor, u_BN: Tensor | None = None, mask_BT: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Spikes (B,T,N) and the last membrane (B,N); padded steps leave the membrane alone.

        No steps give no spikes and the membrane as it was.  Raises ParamError as :meth:`step` does.
        """
        _check_size(self.size, current=current_BTN)
        if not current_BTN.shape[-2]:
            start = current_BTN.sum(-2) if u_BN is None else u_BN
            return torch.zeros_like(current_BTN), start
        start = torch.zeros_like(current_BTN[..., 0, :]) if u_BN is None else u_BN
        return scan(self.forward, current_BTN, start, mask_BT)

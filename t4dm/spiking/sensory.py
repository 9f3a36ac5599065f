"""A plastic sensory layer: competing neurons learn what their afferents show (docs/equations.md, 6).

    a     = clip(stim, 0, 1)                           x = k_x*x + (1 - k_x)*a,  k_x = exp(-dt/trace_tau)
    u_pre = alpha*u + gain * a @ W                     theta_j = v_thresh + theta_a_j
    winner: of the neurons with u_pre >= theta that are not refractory, the one whose u_pre - theta is
    greatest (the lowest index where two are equal).  It alone fires:
    u_winner = 0, refractory for refractory_ms;        u_j = max(u_pre_j - inhibition, -inhibition), j others
    theta_a <- theta_a * exp(-dt/theta_tau);           theta_a_winner += theta_plus
    W_i,winner <- max(W_i,winner + learning_rate * g * (x_i - x_target), 0), then scaled to length w_norm
    g = max(0, tonic + phasic * m),                    m = clip((DA - 0.5)/0.5, -1, 1)
The last three lines hold while the layer is plastic.  After Diehl and Cook 2015, Frontiers in
Computational Neuroscience 9:99: adaptive thresholds, lateral inhibition, change at post spikes by the
afferent trace against a target, weights normalised.  Other than there: currents for conductances,
inhibition within the step, the Euclidean length normalised (for the sum) and at each change, dopamine.
P afferents  N neurons
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.spiking.init import generator_of, uniform
from t4dm.spiking.sensory_params import SensoryParams
from t4dm.step_length import STEP_MS, steps_of

AFFERENTS = 64


class SensoryState(NamedTuple):
    """What a step hands to the next one; the weights live on the module."""

    u: Tensor  # (N,)
    theta_a: Tensor  # (N,) float64
    trace: Tensor  # (P,)
    refractory: Tensor  # (N,) int64, steps left


class SensoryStep(NamedTuple):
    """What one step makes: ``winner`` is -1 where nobody fired."""

    winner: int
    u_pre: Tensor  # (N,)
    theta: Tensor  # (N,) threshold before the step
    state: SensoryState


def dopamine_gate(da: float, tonic: float, phasic: float) -> float:
    """g, the share of the learning rate in force at dopamine level ``da``."""
    m = min(1.0, max(-1.0, (da - 0.5) / 0.5))
    return max(0.0, tonic + phasic * m)


def compete(u_pre: Tensor, theta: Tensor, refractory: Tensor) -> int:
    """Index of the one of (S,) neurons that fires, or -1."""
    margin = torch.where(refractory > 0, -math.inf, u_pre - theta)
    best = int(margin.argmax())
    return best if margin[best] >= 0 else -1


def learnt(
    column_P: Tensor, trace_P: Tensor, rate: float, x_target: float, w_norm: float
) -> Tensor:
    """A neuron's weights after its spike; unchanged where nothing would be left of them."""
    moved = (column_P + rate * (trace_P - x_target)).clamp(min=0)
    length = moved.square().sum().sqrt()
    return moved * (w_norm / length) if length > 0 else column_P


class SensoryLayer(nn.Module):
    """``n`` neurons over 64 afferents; ``weight`` (P, N) is drawn uniform and normalised."""

    weight: Tensor

    def __init__(
        self,
        n: int = 256,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
        w_norm: float = SensoryParams().w_norm,
    ) -> None:
        super().__init__()
        self.n = n
        drawn = uniform((AFFERENTS, n), 0.0, 1.0, generator_of(generator))
        self.register_buffer("weight", (drawn * (w_norm / drawn.norm(dim=0))).to(dtype))

    def init_state(self) -> SensoryState:
        """At rest, nothing adapted."""
        return SensoryState(
            torch.zeros(self.n, dtype=self.weight.dtype),
            torch.zeros(self.n, dtype=torch.float64),
            torch.zeros(AFFERENTS, dtype=self.weight.dtype),
            torch.zeros(self.n, dtype=torch.int64),
        )

    @torch.no_grad()
    def step(
        self,
        stim: Tensor,
        state: SensoryState,
        params: SensoryParams,
        da: float = 0.5,
        plastic: bool = True,
        dt: float = STEP_MS,
    ) -> SensoryStep:
        """One step of ``dt`` ms from a stimulus row (P,); the winner's weights move in place if plastic."""
        dtype = self.weight.dtype
        a = stim.to(dtype).clamp(0, 1)
        keep = math.exp(-1.0 / (params.trace_tau / dt))
        trace = keep * state.trace + (1.0 - keep) * a
        u_pre = params.alpha * state.u + params.gain * (a @ self.weight)
        theta = (params.v_thresh + state.theta_a).to(dtype)
        winner = compete(u_pre, theta, state.refractory)
        refractory = (state.refractory - 1).clamp(min=0)
        u, theta_a = u_pre, state.theta_a
        if plastic:
            theta_a = theta_a * math.exp(-1.0 / (params.theta_tau / dt))
        if winner >= 0:
            u = u_pre - params.inhibition
            u[winner] = 0
            refractory[winner] = steps_of(params.refractory_ms, dt)
        u = u.clamp(min=-params.inhibition)
        if winner >= 0 and plastic:
            theta_a[winner] += params.theta_plus
            self._learn(winner, trace, params, da)
        return SensoryStep(winner, u_pre, theta, SensoryState(u, theta_a, trace, refractory))

    def _learn(self, winner: int, trace: Tensor, params: SensoryParams, da: float) -> None:
        rate = params.learning_rate * dopamine_gate(da, params.tonic, params.phasic)
        if params.stdp and rate > 0:
            column = self.weight[:, winner]
            self.weight[:, winner] = learnt(column, trace, rate, params.x_target, params.w_norm)

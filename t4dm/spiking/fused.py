"""Surrogate-gradient training over many steps at once: forward and backward scans in one function.

    spikes, u = run_lif(neuron, current_TBN, time_axis=0)      the same numbers as stepping the neuron
    drive = SpikeLinear(256, 128)(spikes)                      a Linear that reads only rows that fired

Both are exact, not approximations: gradients equal autograd through the step-by-step module.  They run on
the CPU in float32 and float64; elsewhere the module itself is stepped.
Neftci, Mostafa, Zenke 2019 (surrogate gradients); Werbos 1990 (backpropagation through time).
B batch  T time  N neurons
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from t4dm.kernels import fused as kernel
from t4dm.params import ParamError
from t4dm.spiking.init import generator_of, uniform
from t4dm.spiking.lif import LIFNeuron

KINDS = {
    "atan": kernel.ATAN, "fast_sigmoid": kernel.FAST_SIGMOID, "super_spike": kernel.SUPER_SPIKE,
}  # fmt: skip
BUSY = 0.4
"""Above this share of inputs that are not 0 a matrix product is quicker than reading rows."""


def runs_here(x: Tensor) -> bool:
    """Whether the compiled scans take ``x`` (...): on the CPU, float32 or float64."""
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


class _Scan(torch.autograd.Function):
    """(A, T, M) currents and (A, M) membranes to spikes and the last membranes."""

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, u: Tensor, lif: tuple[float, ...], kind: int, slope: float,
        detach: bool, told: list[Tensor] | None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        numbers = np.array(lif, current.numpy().dtype)
        spikes, u_pre, last = torch.empty_like(current), torch.empty_like(current), u.clone()
        kernel.lif_forward(current.numpy(), last.numpy(), numbers, spikes.numpy(), u_pre.numpy())
        ctx.save_for_backward(u_pre)
        if told is not None:
            told.append(u_pre)
        ctx.settings = numbers, kind, numbers.dtype.type(slope), detach
        return spikes, last

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (u_pre,) = ctx.saved_tensors
        grad_s, grad_u = grads[0].contiguous(), grads[1].clone().contiguous()
        grad_current = torch.empty_like(u_pre)
        scratch = np.empty(u_pre.shape[2], u_pre.numpy().dtype)
        kernel.lif_backward(
            grad_s.numpy(), grad_u.numpy(), u_pre.numpy(), *ctx.settings, scratch,
            grad_current.numpy(),
        )  # fmt: skip
        return grad_current, grad_u, None, None, None, None, None


def run_lif(
    neuron: LIFNeuron, current: Tensor, u: Tensor | None = None, time_axis: int = -2
) -> tuple[Tensor, Tensor]:
    """Spikes, shaped like ``current``, and the membrane after the last step, shaped like one step.

    ``current`` (..., T, ..., N) has its steps on ``time_axis`` and neurons last; ``u`` starts at 0.  Parameters, surrogate
    and ``detach_reset`` are the neuron's.  Raises ParamError where ``current`` or ``u`` does not fit.
    """
    axis = time_axis % max(1, current.ndim)
    if current.ndim < 2 or axis == current.ndim - 1 or current.shape[-1] != neuron.size:
        raise ParamError(
            "current",
            f"current needs steps on axis {time_axis} and {neuron.size} neurons on the last one, "
            f"is {tuple(current.shape)}",
        )
    shape = (*current.shape[:axis], *current.shape[axis + 1 :])
    start = current.new_zeros(shape) if u is None else u
    if tuple(start.shape) != shape or start.dtype != current.dtype:
        raise ParamError("u", f"u must be {current.dtype} {shape}, is {start.dtype} {start.shape}")
    if not runs_here(current):
        return _step_by_step(neuron, current, start, axis)
    outer, steps = math.prod(current.shape[:axis]), current.shape[axis]
    cells = math.prod(current.shape[axis + 1 :])
    lif = (neuron.alpha, neuron.v_thresh, neuron.beta, neuron.u_max)
    told: list[Tensor] | None = None if neuron.tap is None else []
    spikes, last = _Scan.apply(
        current.contiguous().view(outer, steps, cells), start.contiguous().view(outer, cells),
        lif, KINDS[neuron.surrogate], neuron.slope, neuron.detach_reset, told,
    )  # fmt: skip
    if neuron.tap is not None and told:
        neuron.tap.run(spikes.view(current.shape), told[0].view(current.shape), axis)
    return spikes.view(current.shape), last.view(shape)


def _step_by_step(
    neuron: LIFNeuron, current: Tensor, u: Tensor, axis: int
) -> tuple[Tensor, Tensor]:
    spikes = []
    for step in current.unbind(axis):
        s, u = neuron(step, u)
        spikes.append(s)
    return torch.stack(spikes, axis), u


class _EventProduct(torch.autograd.Function):
    """x (R, K), weight (N, K), bias (N,) to x @ weight^T + bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out = x.new_empty(x.shape[0], weight.shape[0])
        rows = weight.t().contiguous()
        kernel.event_product(x.numpy(), rows.numpy(), bias.numpy(), _ids(x), out.numpy())
        ctx.save_for_backward(x, weight)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        g = grads[0].contiguous()
        grad_x = g @ weight if ctx.needs_input_grad[0] else None
        grad_w = None
        if ctx.needs_input_grad[1]:
            rows = x.new_zeros(weight.shape[1], weight.shape[0])
            kernel.event_outer(x.numpy(), g.numpy(), _ids(x), rows.numpy())
            grad_w = rows.t()
        return grad_x, grad_w, g.sum(0) if ctx.needs_input_grad[2] else None


def _ids(x: Tensor) -> np.ndarray:
    return np.empty(x.shape[1] + 1, np.int64)


def spike_linear(spikes: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``torch.nn.functional.linear`` for (..., K) inputs that are mostly 0; weight (N, K).

    Inputs need not be 0 or 1.  Where more than ``BUSY`` of them are not 0 it is the plain product.
    """
    if not runs_here(spikes) or spikes.count_nonzero() > BUSY * spikes.numel():
        return functional.linear(spikes, weight, bias)
    flat = spikes.detach() if not spikes.requires_grad else spikes
    rows = flat.reshape(-1, spikes.shape[-1]).contiguous()
    offset = weight.new_zeros(weight.shape[0]) if bias is None else bias
    return _EventProduct.apply(rows, weight, offset).view(*spikes.shape[:-1], weight.shape[0])


class SpikeLinear(nn.Linear):
    """``torch.nn.Linear`` with the same parameters, computed by :func:`spike_linear`.

    ``weight`` (N, K) and ``bias`` (N,) start at U(-1/sqrt(K), 1/sqrt(K)), drawn from ``generator``, by
    default a fresh one seeded 0: give layers of one network the same generator, or they start alike.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *,
        generator: torch.Generator | None = None, device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__(in_features, out_features, bias, device, dtype)
        if generator is not None:
            self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weight (N, K) and bias (N,) anew, from ``generator`` or a fresh one seeded 0."""
        draws, bound = generator_of(generator), max(1, self.in_features) ** -0.5
        with torch.no_grad():
            for values in self.parameters():
                values.copy_(uniform(tuple(values.shape), -bound, bound, draws))

    def forward(self, input: Tensor) -> Tensor:
        """(..., K) spikes to (..., N)."""
        return spike_linear(input, self.weight, self.bias)

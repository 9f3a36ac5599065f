"""One cortical block, step by step and over a whole batch (docs/equations.md, section 3).

    gate -> LIF in with recurrence -> spike attention -> apical -> RWKV -> LIF out
    x_next = c_l * (s_out + s_in)
B batch  T time  D = N channels and neurons
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.learning.homeostasis import effective_threshold, homeostasis_step
from t4dm.learning.stdp import HISTORY, STDPState, init_stdp_state, stdp_step
from t4dm.spiking.apical import ApicalModulation
from t4dm.spiking.lif import LIFNeuron, LIFStep
from t4dm.spiking.recurrent import Recurrent
from t4dm.spiking.rwkv import RWKVState, RWKVTimeMix
from t4dm.spiking.scan import scan
from t4dm.spiking.settings import StepSettings
from t4dm.spiking.spike_attention import AttentionState, SpikeAttention
from t4dm.spiking.thalamic_gate import ThalamicGate


class BlockState(NamedTuple):
    """What a block carries from one step to the next; (..., N) each, weights excepted."""

    u_in: Tensor
    s_in: Tensor
    attention: AttentionState
    rwkv: RWKVState
    u_out: Tensor


class BlockStep(NamedTuple):
    """Everything one step of a block makes."""

    x_next: Tensor
    state: BlockState
    gate: Tensor
    lif_in: LIFStep
    lif_out: LIFStep
    attention: Tensor  # (..., H, W) weights, own step last


class PlasticState(NamedTuple):
    """Learning state of a block: STDP of its weights, ``theta_h`` of LIF in and LIF out."""

    stdp: STDPState
    theta_h: tuple[float, float]


class CorticalBlock(nn.Module):
    """Block ``index`` of a stack; ``kappa_rec``, ``c_out`` and ``c_l`` are fixed scales."""

    def __init__(
        self,
        n: int = 256,
        n_heads: int = 8,
        index: int = 0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n, self.index = n, index
        self.gate = ThalamicGate(n, generator, dtype)
        self.recurrent = Recurrent(n, generator, dtype)
        self.attention = SpikeAttention(n, n_heads, generator=generator, dtype=dtype)
        self.apical = ApicalModulation(n, generator, dtype)
        self.rwkv = RWKVTimeMix(n, generator, dtype)
        self.lif_in, self.lif_out = LIFNeuron(n), LIFNeuron(n)
        self.kappa_rec = 1.0 / n
        self.c_out = 1.0
        self.c_l = 1.0

    def init_state(self, batch: tuple[int, ...] = ()) -> BlockState:
        """Everything at rest, no past."""
        weight = self.gate.weight
        u = self.lif_in.init_state(batch, weight.dtype, weight.device)
        return BlockState(u, u, self.attention.init_state(batch), self.rwkv.init_state(batch), u)

    def init_plastic(self, history: int = HISTORY) -> PlasticState:
        """No spike seen, thresholds as set; ``history`` steps of spikes are kept."""
        stdp = init_stdp_state(self.n, self.n, self.recurrent.weight.device, history)
        return PlasticState(stdp, (0.0, 0.0))

    # -- one step ------------------------------------------------------------------------------

    def step(
        self,
        x: Tensor,
        state: BlockState,
        settings: StepSettings,
        theta_h: tuple[float, float] = (0.0, 0.0),
    ) -> BlockStep:
        """One step of (..., D); differentiable, learns nothing."""
        y, g = self.gate_of(x, settings)
        lif_in = self._lif_in(y, state.s_in, state.u_in, settings, theta_h[0])
        basal, attention, weights = self.attention.look(
            lif_in.spikes, state.attention, *self._attention_settings(settings)
        )
        m = self.apical.modulate(basal, x, settings.apical_gain)
        z, rwkv = self.rwkv.step(m, state.rwkv, settings.rwkv_decay, settings.ht5)
        lif_out = self._lif_out(z, state.u_out, settings, theta_h[1])
        x_next = self.c_l * (lif_out.spikes + lif_in.spikes)
        new = BlockState(lif_in.u, lif_in.spikes, attention, rwkv, lif_out.u)
        return BlockStep(x_next, new, g, lif_in, lif_out, weights)

    def gate_of(self, x: Tensor, settings: StepSettings) -> tuple[Tensor, Tensor]:
        """``(g * x, g)``, both (..., D), at the block's own slope and bias."""
        i = self.index
        return self.gate(
            x, settings.ach, float(settings.gate_slope[i]), float(settings.gate_bias[i])
        )

    def _lif_in(
        self, y: Tensor, s_before: Tensor, u: Tensor, settings: StepSettings, theta_h: float
    ) -> LIFStep:
        feedback = self.kappa_rec * settings.recurrent_gain * self.recurrent(s_before)
        current = (0.5 + settings.ne) * (y + feedback)
        return self._lif(self.lif_in, 2 * self.index, current, u, settings, theta_h)

    def _lif_out(self, z: Tensor, u: Tensor, settings: StepSettings, theta_h: float) -> LIFStep:
        current = (0.5 + settings.ne) * self.c_out * z
        return self._lif(self.lif_out, 2 * self.index + 1, current, u, settings, theta_h)

    @staticmethod
    def _lif(
        lif: LIFNeuron, stage: int, current: Tensor, u: Tensor, settings: StepSettings,
        theta_h: float,
    ) -> LIFStep:  # fmt: skip
        return lif.step(
            current,
            u,
            alpha=float(settings.alpha[stage]),
            theta=effective_threshold(float(settings.v_thresh[stage]), theta_h),
            beta=float(settings.beta[stage]),
            u_max=float(settings.u_max[stage]),
        )

    @staticmethod
    def _attention_settings(settings: StepSettings) -> tuple[float, float, float]:
        return settings.attention_tau, settings.attention_kappa, settings.attention_sharpness

    @torch.no_grad()
    def learn(self, done: BlockStep, plastic: PlasticState, settings: StepSettings) -> PlasticState:
        """STDP on ``recurrent.weight`` (in place) and homeostasis, from the spikes (N,) of a step."""
        s_in, s_out = done.lif_in.spikes, done.lif_out.spikes
        w, stdp = stdp_step(
            self.recurrent.weight, s_in, s_in, plastic.stdp, settings.stdp,
            da=settings.da, ht5=settings.ht5, plastic=self.recurrent.plastic,
        )  # fmt: skip
        self.recurrent.weight.copy_(w)
        theta_h = tuple(
            homeostasis_step(th, float(s.sum()) / self.n, settings.homeostasis, settings.rest)
            for th, s in zip(plastic.theta_h, (s_in, s_out), strict=True)
        )
        return PlasticState(stdp, theta_h)  # type: ignore[arg-type]

    # -- a whole batch -------------------------------------------------------------------------

    def forward(
        self,
        x_BTD: Tensor,
        state: BlockState | None = None,
        settings: StepSettings | None = None,
        mask_BT: Tensor | None = None,
    ) -> tuple[Tensor, BlockState]:
        """x_next (B,T,D) and the last state: equal to :meth:`step` row by row, learning nothing.

        Padded positions (mask false) advance no state and give 0.
        """
        settings = StepSettings.default(self.index + 1) if settings is None else settings
        state = self.init_state(tuple(x_BTD.shape[:-2])) if state is None else state
        y, _ = self.gate_of(x_BTD, settings)
        s_in, (s_last, u_in) = scan(
            lambda y_t, su: self._in_pair(y_t, su, settings), y, (state.s_in, state.u_in), mask_BT
        )
        basal, attention = self.attention.mix(
            s_in, state.attention, mask_BT, *self._attention_settings(settings)
        )
        m = self.apical.modulate(basal, x_BTD, settings.apical_gain)
        z, rwkv = self.rwkv(m, state.rwkv, mask_BT, settings.rwkv_decay, settings.ht5)
        s_out, u_out = scan(
            lambda z_t, u: self._lif_out(z_t, u, settings, 0.0)[:2], z, state.u_out, mask_BT
        )
        return self.c_l * (s_out + s_in), BlockState(u_in, s_last, attention, rwkv, u_out)

    def _in_pair(
        self, y: Tensor, state: tuple[Tensor, Tensor], settings: StepSettings
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        done = self._lif_in(y, state[0], state[1], settings, 0.0)
        return done.spikes, (done.spikes, done.u)

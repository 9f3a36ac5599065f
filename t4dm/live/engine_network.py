"""The arrays of a stack wired to the kernels: one chunk is block after block, each over all its steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.kernels import block as kernel
from t4dm.kernels.learning import begin_path, settle
from t4dm.kernels.observe import pack_spikes
from t4dm.kernels.stack_arrays import (
    Attention,
    Output,
    Plastic,
    Rule,
    Samples,
    Stage,
    State,
    TimeMix,
    Weights,
    Work,
)
from t4dm.live.engine_settings import Settings


class Feed(NamedTuple):
    """What reaches block 0 beside the encoder: ``scale * rows[winner]``, in its units."""

    winner: np.ndarray  # (T,) i4, -1 where no sensory neuron fired
    rows: np.ndarray  # (N_s, D) real
    scale: float


class Network:
    """Views into ``weights``, ``state``, ``work`` and ``out``, grouped as the kernels take them.

    :meth:`wire` after every change of settings or of the output.
    """

    def __init__(self, weights: Weights, state: State, work: Work) -> None:
        self.weights, self.state, self.work = weights, state, work
        self.n_exc = int(weights.n_exc[0])
        self.blocks = range(state.w_rec.shape[0])
        self.real = state.w_rec.dtype
        self.plastic = [self._plastic(b) for b in self.blocks]
        self._attention = [self._attention_of(b) for b in self.blocks]
        self._mix = [self._mix_of(b) for b in self.blocks]

    def _plastic(self, b: int) -> Plastic:
        return Plastic(*(getattr(self.state, name)[b] for name in Plastic._fields))

    def _attention_of(self, b: int) -> Attention:
        return Attention(*_of_block((self.state, self.weights), Attention._fields, b))

    def _mix_of(self, b: int) -> TimeMix:
        return TimeMix(*_of_block((self.state, self.weights), TimeMix._fields, b))

    def wire(self, settings: Settings, out: Output, watched: list[np.ndarray]) -> None:
        """Take new parameters and a new place to record; ``watched`` is one array a stage."""
        self.settings, self.out = settings, out
        self._stages = [self._stage(g, watched[g]) for g in range(2 * len(self.blocks))]
        owners = (out, self.work)
        self._samples = [Samples(*_of_block(owners, Samples._fields, b)) for b in self.blocks]

    def _stage(self, g: int, watched: np.ndarray) -> Stage:
        settings, state, out = self.settings, self.state, self.out
        return Stage(
            lif=settings.lif[g],
            v_thresh=settings.v_thresh[g : g + 1],
            homeostasis=settings.homeostasis,
            u=state.u[g],
            theta_h=state.theta_h[g],
            watched=watched,
            counts=out.counts[g],
            ids=out.ids[g],
            theta=out.theta[g],
            clamped=out.clamped[g],
            u_range=out.u_range[g],
            strange=out.strange[g],
            u_pre=out.u,
        )

    # -- time ----------------------------------------------------------------------------------

    def advance(self, step0: int, n: int, rest: np.ndarray, feed: Feed) -> int:
        """Steps step0 .. step0 + n - 1, whose stimulus, levels and gains are filled in.

        ``feed`` is what the sensory layer adds to the input of block 0.  Returns the number of spikes.
        """
        self.out.strange.fill(-1)
        for b in self.blocks:
            self.drive(b, step0, n, feed)
            self.fire_in(b, step0, n, rest)
            self.look_back(b, step0, n)
            self.mix_time(b, step0, n)
            self.fire_out(b, step0, n, rest)
        return self.pack(step0, n)

    def drive(self, b: int, step0: int, n: int, feed: Feed) -> None:
        """The block's input and its projections."""
        weights, work = self.weights, self.work
        gate_w, apical_w = weights.gate_w[b], weights.apical_w[b]
        rows = (gate_w, apical_w, work.x, work.gate, work.apical)
        if b == 0:
            scale = self.real.type(self.settings.input_gain * weights.c_in[0])
            strength = self.real.type(feed.scale * scale)
            kernel.drive_first(
                step0, n, scale, work.stim, weights.encoder, feed.winner, feed.rows, strength, *rows
            )
        else:
            before = self._stages[2 * b - 2 : 2 * b]
            kernel.drive_next(step0, n, weights.c_l[b - 1], *before, *rows)

    def fire_in(self, b: int, step0: int, n: int, rest: np.ndarray) -> None:
        """Gate, LIF in, recurrence, learning."""
        settings, work, out, weights = self.settings, self.work, self.out, self.weights
        kernel.fire_in(
            step0, n, self.n_exc, self.state.w_hi[0], rest, out.levels, out.gains,
            settings.gate_slope[b], settings.gate_bias[b], weights.gate_b[b],
            self.real.type(weights.kappa_rec[b] * settings.recurrent_gain),
            work.x, work.gate, self._stages[2 * b], self.plastic[b], settings.rule,
            self._samples[b], work.current, work.u_pre, work.counted, work.times,
        )  # fmt: skip

    def look_back(self, b: int, step0: int, n: int) -> None:
        """Spike attention."""
        work = self.work
        kernel.look_back(
            step0, n, self._attention[b], self.settings.attention, self._stages[2 * b],
            self._samples[b], work.query, work.key, work.scores, work.told, work.each, work.mixed,
            work.basal,
        )  # fmt: skip

    def mix_time(self, b: int, step0: int, n: int) -> None:
        """Apical modulation and RWKV."""
        work = self.work
        kernel.mix_time(
            step0, n, self._mix[b], self.settings.apical_gain, self.settings.rwkv_decay,
            self.out.gains, work.apical, work.basal, work.m_r, work.m_k, work.m_v,
            work.r, work.k, work.v, work.mixed, work.z,
        )  # fmt: skip

    def fire_out(self, b: int, step0: int, n: int, rest: np.ndarray) -> None:
        """LIF out."""
        work, c_out = self.work, self.weights.c_out[b]
        kernel.fire_out(
            step0, n, rest, self.out.gains, c_out, work.z, self._stages[2 * b + 1],
            work.current, work.u_pre,
        )  # fmt: skip

    def pack(self, step0: int, n: int) -> int:
        """Spikes of all stages in order, and the running hash; returns their number."""
        out = self.out
        return pack_spikes(
            step0, n, out.counts, out.ids, self.state.post.shape[1], self.state.hashed,
            out.spk_n, out.spk_id,
        )  # fmt: skip

    # -- learning ------------------------------------------------------------------------------

    def settle(self, step: int) -> None:
        """Bring the lazily kept weights up to ``step`` under the rule in force."""
        for plastic in self.plastic:
            settle(step, self.n_exc, plastic, self.settings.rule)

    def begin_path(self, step: int) -> None:
        """Start learning under a new rule; weights come into its bounds."""
        for plastic in self.plastic:
            begin_path(step, self.n_exc, plastic, self.settings.rule, self.work.counted)

    def recurrent(self, b: int, step: int, rule: Rule) -> np.ndarray:
        """A copy (N, N) of the true weights before ``step``; nothing is changed."""
        copy = Plastic(*(array.copy() for array in self.plastic[b]))
        settle(step, self.n_exc, copy, rule)
        return copy.w_rec


def _of_block(owners: tuple[NamedTuple, ...], names: tuple[str, ...], b: int) -> list[np.ndarray]:
    """The part of block ``b`` of each array, from the first of ``owners`` that has it."""
    return [
        next(getattr(owner, name) for owner in owners if hasattr(owner, name))[b] for name in names
    ]

"""The trainer: wake steps, sleep after every ``sleep_every`` of them, one optimizer step a call.

    wake   loss + penalty -> clip -> AdamW; surprises go to the bank, sequences to the replay store
    sleep  ``sleep_steps`` replayed batches, same loss and rule; then Fisher and anchor are taken
    penalty = EWC (t4dm.learning.ewc) + 0.01 * balance of a router, where the model has one to even out
A step whose loss or gradient is not finite is reported and not applied.  Everything random in step s
comes from (seed, s): a run that is saved and loaded goes on with the same numbers, bit for bit.
AdamW: Loshchilov & Hutter 2019; clipping by global norm: Pascanu, Mikolov, Bengio 2013; weight of the
balance loss: Fedus, Zoph & Shazeer 2022.
B batch  T time
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from t4dm.hippocampal.memory_bank import MemoryBank
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.learning.ewc import Consolidated, consolidate, penalty
from t4dm.params import ParamError
from t4dm.training.data import Batch, TokenText, draws_at
from t4dm.training.head_loss import head_loss
from t4dm.training.params import TrainParams
from t4dm.training.schedule import scheduled
from t4dm.training.sleep import (
    Replay,
    draw,
    dream,
    fisher_of,
    no_replay,
    revalued,
    store,
    taken,
)
from t4dm.training.wake import Tensors, on_device, remember, wake

DROPOUT_STREAM, STORE_STREAM, REPLAY_STREAM, FISHER_STREAM = 2, 3, 4, 5
BETAS = (0.9, 0.95)
FISHER_DECAY = 0.9
BALANCE = 0.01
Phase = Literal["wake", "sleep"]


@dataclass(frozen=True, slots=True)
class StepReport:
    """One optimizer step.  ``grad_norm`` is taken before clipping, ``loss`` is without ``penalty``."""

    step: int
    phase: Phase
    loss: float
    penalty: float
    grad_norm: float
    learning_rate: float
    tokens: int
    applied: bool


class Trainer:
    """Trains ``model`` on ``text``.  ``params`` and ``text`` may be replaced between two steps."""

    def __init__(
        self,
        model: HippocampalTransformer,
        text: TokenText,
        params: TrainParams,
        seed: int = 0,
        held_out: TokenText | None = None,
    ) -> None:
        self.model, self.text, self.held_out, self.seed = model, text, held_out, seed
        self.params = params
        self.optimizer = make_optimizer(model)
        self.memory: MemoryBank = model.empty_memory()
        self.replay: Replay = no_replay(params.context)
        self.held: Consolidated | None = None
        self.step_number = self.tokens = self.awake_for = self.sleep_left = 0

    @property
    def params(self) -> TrainParams:
        return self._params

    @params.setter
    def params(self, params: TrainParams) -> None:
        limit = self.model.params.max_seq_len
        if params.context > limit:
            raise ParamError(
                "train.context",
                f"train.context: expected at most max_seq_len = {limit}, got {params.context}",
                lo=2, hi=limit, unit="tokens",
            )  # fmt: skip
        self._params = params

    @property
    def phase(self) -> Phase:
        """What the next step will be."""
        return "sleep" if self.sleep_left else "wake"

    def step(self) -> StepReport:
        """One optimizer step, awake or asleep."""
        self.model.train()
        return self._asleep() if self.sleep_left else self._awake()

    def _awake(self) -> StepReport:
        params = self.params
        batch = self.text.batch(self.seed, self.step_number, params.batch, params.context)
        tensors = on_device(batch, self.model)
        memory = self.memory if params.use_memory else None
        seen = wake(self.model, tensors, memory, self._dropout_draws())
        report = self._learn("wake", seen.loss, batch, seen.output.balance)
        if report.applied:
            if params.use_memory:
                writes = params.memory_writes
                self.memory = remember(self.model, self.memory, seen, tensors.targets, writes)
            each = seen.surprise.mean(-1).float().cpu().numpy()
            draws = draws_at(self.seed, report.step, STORE_STREAM)
            self.replay = store(self.replay, batch, each, params.replay_size, draws)
        self.awake_for += 1
        if params.sleep_every and self.awake_for >= params.sleep_every and len(self.replay):
            self.sleep_left = params.sleep_steps
        return report

    def _asleep(self) -> StepReport:
        draws = draws_at(self.seed, self.step_number, REPLAY_STREAM)
        chosen = draw(self.replay, self.params.batch, draws)
        batch = taken(self.replay, chosen)
        dreamt = dream(self.model, on_device(batch, self.model), self._dropout_draws())
        report = self._learn("sleep", dreamt.loss, batch, dreamt.balance)
        if report.applied:
            self.replay = revalued(self.replay, chosen, dreamt.each.float().cpu().numpy())
        self.sleep_left -= 1
        if self.sleep_left == 0:
            self.awake_for = 0
            if self.params.ewc_strength > 0:
                self.consolidate()
        return report

    def consolidate(self) -> None:
        """Measure Fisher information on replayed sequences and anchor the weights here."""
        draws = draws_at(self.seed, self.step_number, FISHER_STREAM)
        chosen = draw(self.replay, self.params.ewc_samples, draws)
        fisher = fisher_of(self.model, on_device(taken(self.replay, chosen), self.model))
        self.held = consolidate(self.model, fisher, self.held, FISHER_DECAY)

    def _learn(
        self, phase: Phase, loss: Tensor, batch: Batch, balance: Tensor | None
    ) -> StepReport:
        params, rate = self.params, self._rate()
        pull = self._pull(loss, balance)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + pull).backward()
        limit = params.clip or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        value = float(loss.detach())
        applied = math.isfinite(norm) and math.isfinite(value)
        if applied:
            for group in self.optimizer.param_groups:
                group["weight_decay"] = params.weight_decay if group["decays"] else 0.0
            self.optimizer.step()
        self.tokens += batch.ids.size
        self.step_number += 1
        return StepReport(
            self.step_number - 1,
            phase,
            value,
            float(pull.detach()),
            norm,
            rate,
            self.tokens,
            applied,
        )

    def _rate(self) -> float:
        """The rate of this step, set in the optimizer; made anew each time, as ``params`` may change."""
        rates = scheduled(self.optimizer, self.step_number, self.params).get_last_lr()
        return float(rates[0])

    def _pull(self, loss: Tensor, balance: Tensor | None) -> Tensor:
        pull = torch.zeros_like(loss)
        if self.held is not None and self.params.ewc_strength > 0:
            pull = penalty(self.model, self.held, self.params.ewc_strength)
        return pull if balance is None else pull + BALANCE * balance

    def _dropout_draws(self) -> torch.Generator:
        number = draws_at(self.seed, self.step_number, DROPOUT_STREAM).integers(0, 2**62)
        device = self.model.output_head.weight.device
        return torch.Generator(device).manual_seed(int(number))

    def evaluate(self, text: TokenText | None = None, at_most: int = 64) -> float:
        """Loss on the first ``at_most`` windows of ``text`` (default: held out); nothing changes.

        Raises ValueError without a text.
        """
        parts = self.evaluate_in_parts(text, at_most)
        while True:
            try:
                next(parts)
            except StopIteration as end:
                return end.value

    def evaluate_in_parts(
        self, text: TokenText | None = None, at_most: int = 64
    ) -> Generator[None, None, float]:
        """As :meth:`evaluate`, stopping after every batch; its value is the loss."""
        text = self.held_out if text is None else text
        if text is None:
            raise ValueError("there is no held-out text to evaluate on")
        windows = text.windows(self.params.context, at_most)
        memory = self.memory if self.params.use_memory else None
        losses = []
        for one in self._in_batches(windows):
            losses.append(self._losses(one, memory))
            yield
        return float(torch.cat(losses).double().mean())

    @torch.no_grad()
    def _losses(self, batch: Tensors, memory: MemoryBank | None) -> Tensor:
        """-log p of every token of ``batch``; dropout is off meanwhile."""
        was_training = self.model.training
        self.model.eval()
        try:
            made = self.model(
                batch.ids, batch.prosody, memory is not None, memory=memory, need_logits=False
            )
            return head_loss(made.hidden, self.model.output_head.weight, batch.targets)[1]
        finally:
            self.model.train(was_training)

    def _in_batches(self, windows: Batch) -> Iterator[Tensors]:
        for first in range(0, len(windows.ids), self.params.batch):
            rows = slice(first, first + self.params.batch)
            yield on_device(Batch(*(np.ascontiguousarray(p[rows]) for p in windows)), self.model)


def make_optimizer(model: torch.nn.Module) -> torch.optim.AdamW:
    """AdamW with two groups: matrices decay, vectors and scalars do not.  Rates come from ``schedule``."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "decays": True},
        {"params": [p for p in parameters if p.ndim < 2], "decays": False},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=BETAS, eps=1e-8, fused=True)

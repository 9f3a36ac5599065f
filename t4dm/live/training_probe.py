"""A look inside the models of a training session: one fixed window of held-out text, seen by each.

Nothing is drawn and nothing changes.  Arrays (R runs, T tokens shown, L layers, H heads):
    place            f4 (R, T, P)   activity of the first P <= 128 place cells
    theta_gamma      f4 (T, 2)      phases of theta and gamma, rad
    attention_gates  f4 (R, L, H)   1 + tanh(prosody W): gain of a head's queries, mean over T
    memory_gates     f4 (R, L)      mean over T; NaN while memory is not in use
    prosody          f4 (T, 4)      emphasis, question or exclamation, boundary, length
    router_load      f4 (R, E)      share of the tokens that goes to each expert, where there are some
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from t4dm.brain.liquid_moe import LiquidMoERouter
from t4dm.hippocampal.theta_gamma import phases
from t4dm.live.training_side import Side
from t4dm.training.clinic import BROKEN
from t4dm.training.runs import Material
from t4dm.training.trainer import Trainer
from t4dm.training.wake import on_device

MOST_TOKENS, MOST_PLACES = 48, 128


class Probe:
    """Looks at ``sides`` with the first tokens of the held-out text."""

    def __init__(self, sides: Sequence[Side], material: Material, context: int) -> None:
        self.sides = sides
        self.n_tokens = min(MOST_TOKENS, context, len(material.held_out) - 1)
        self.window = material.held_out.windows(self.n_tokens, 1)
        self.tokens = [material.tokenizer.piece(int(i)) for i in self.window.ids[0]]
        shape = sides[0].run.model
        self.layers, self.heads = shape.n_layers, shape.n_heads
        brain = sides[0].trial.brain
        self.experts = 0 if brain is None else brain.n_experts
        self.places, self.span = min(MOST_PLACES, shape.n_place), shape.max_seq_len

    def look(self) -> dict[str, np.ndarray]:
        """The arrays above; of a run that has ended NaN."""
        seen = [self._of(side) for side in self.sides]
        arrays = {name: np.stack([one[name] for one in seen]) for name in seen[0]}
        positions = torch.arange(self.n_tokens, dtype=torch.float64)
        rhythm = torch.stack(phases(positions, float(self.span)), dim=-1)
        return arrays | {
            "theta_gamma": rhythm.numpy().astype(np.float32),
            "prosody": self.window.prosody[0].astype(np.float32),
        }

    def _of(self, side: Side) -> dict[str, np.ndarray]:
        if side.trainer is None or side.error:
            return self._nothing()
        try:
            return self._seen(side.trainer)
        except BROKEN as error:
            side.failed(error)
            return self._nothing()

    def _nothing(self) -> dict[str, np.ndarray]:
        shapes = {
            "place": (self.n_tokens, self.places),
            "attention_gates": (self.layers, self.heads),
            "memory_gates": (self.layers,),
        } | ({"router_load": (self.experts,)} if self.experts else {})
        return {name: np.full(shape, np.nan, np.float32) for name, shape in shapes.items()}

    @torch.no_grad()
    def _seen(self, trainer: Trainer) -> dict[str, np.ndarray]:
        model, batch = trainer.model, on_device(self.window, trainer.model)
        uses = trainer.params.use_memory
        model.eval()
        with _router_loads(model) as loads:
            made = model(
                batch.ids, batch.prosody, uses, memory=trainer.memory if uses else None,
                need_trace=True, need_logits=False,
            )  # fmt: skip
        gains = [1.0 + torch.tanh(one.attention.prosody(batch.prosody)) for one in _layers(model)]
        found = self._nothing()
        found["place"] = made.place[0, :, : self.places].float().numpy()
        found["attention_gates"] = torch.stack(gains)[:, 0].mean(1).float().numpy()
        if made.trace.memory_gate is not None:
            found["memory_gates"] = made.trace.memory_gate[:, 0].mean(-1).float().numpy()
        if loads:
            found["router_load"] = torch.stack(loads).mean(0).float().numpy()
        return found


@contextmanager
def _router_loads(model: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """Collects the load (E,) of every router that ``model`` asks meanwhile."""
    loads: list[torch.Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _m, _in, routing: loads.append(routing.load))
        for module in model.modules()
        if isinstance(module, LiquidMoERouter)
    ]
    try:
        yield loads
    finally:
        for hook in hooks:
            hook.remove()


def _layers(model: Any) -> list[Any]:
    return list(model.layers)

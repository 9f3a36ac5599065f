"""The hippocampal transformer with a natural brain between its layers and its head.

    h = dropout(LN(brain(x, prosody)))      x after the last layer; brain: t4dm.brain.natural_brain
so that the faults of the brain modules, too, can be seen in a model that learns text.  Every text
begins with a brain at rest; within a text its state goes from call to call in the context.
The balance loss of the brain's router is handed out with the output (``t4dm.training.wake``), unless
every expert is chosen for every token: then there is nothing to even out.
Activations are in the dtype of the weights.
B batch  T time  D channels
"""

from __future__ import annotations

from torch import Tensor

from t4dm.ablations import NONE, Ablations
from t4dm.brain.natural_brain import BrainState, NaturalBrain
from t4dm.brain.params import BrainParams
from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer


class BrainTransformer(HippocampalTransformer):
    """``brain`` is as wide as the transformer; its ``dim`` is set from ``params``."""

    def __init__(
        self,
        params: HippocampalParams,
        brain: BrainParams,
        seed: int = 0,
        ablations: Ablations = NONE,
    ) -> None:
        super().__init__(params, seed, ablations)
        shape = brain.model_copy(update={"dim": params.dim})
        self.brain, self.brain_seed = NaturalBrain(shape, seed, ablations), seed

    def _between(
        self, x: Tensor, prosody: Tensor | None, state: BrainState | None
    ) -> tuple[Tensor, BrainState, Tensor | None]:
        thought = self.brain(x, prosody, state)
        shape = self.brain.params
        balance = thought.routing.balance if shape.top_k < shape.n_experts else None
        return thought.out, thought.state, balance

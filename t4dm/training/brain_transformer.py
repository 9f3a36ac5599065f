"""The hippocampal transformer with a natural brain between its layers and its head.

    h = dropout(LN(brain(x, prosody)))      x after the last layer; brain: t4dm.brain.natural_brain
so that the faults of the brain modules, too, can be seen in a model that learns text.  Every text
begins with a brain at rest.
B batch  T time  D channels
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from t4dm.ablations import NONE, Ablations
from t4dm.brain.natural_brain import NaturalBrain
from t4dm.brain.params import BrainParams
from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer, Output


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
        self._prosody: Tensor | None = None

    def forward(
        self, ids: Tensor, prosody: Tensor | None = None, *args: Any, **more: Any
    ) -> Output:
        """As the transformer's; ``prosody`` (B,T,4) is heard by the brain as well."""
        self._prosody = prosody
        try:
            return super().forward(ids, prosody, *args, **more)
        finally:
            self._prosody = None

    def _finish(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        return super()._finish(self.brain(x, self._prosody).out, generator)

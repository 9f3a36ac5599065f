"""What a fault is tried on: which model, in which dtype, and the sound one it is compared with.

    transformer   the hippocampal transformer in float32: faults 1 to 8
    brain         with a natural brain before its head, in bfloat16, spike trains of 5 steps, 3 experts
                  of which 8 are asked for: what faults 9 to 15 and 17 need to show
    no dopamine   the same with tonic dopamine 0, so that no region is released: fault 16
All learn the text of the run ``clinic`` from one seed, with everything on.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from t4dm.ablations import FAULTS, NONE, Ablation, Ablations
from t4dm.brain.params import BrainParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.training.brain_transformer import BrainTransformer
from t4dm.training.runs import NamedRun

BRAIN = BrainParams(n_neurons=32, timesteps=5, n_experts=3, top_k=8)


@dataclass(frozen=True, slots=True)
class Trial:
    """``seeds``: of so many sound runs, the spread of which tells what a difference means.

    ``cost``: of one run, as a multiple of the transformer's.
    """

    name: str
    what: str
    brain: BrainParams | None
    dtype: torch.dtype
    seeds: int
    cost: float

    def model(self, run: NamedRun, seed: int, ablations: Ablations) -> HippocampalTransformer:
        """A new model; raises what a fault raises while it is built."""
        if self.brain is None:
            made = HippocampalTransformer(run.model, seed, ablations)
        else:
            made = BrainTransformer(run.model, self.brain, seed, ablations)
        return made.to(self.dtype)


TRIALS = (
    Trial("transformer", "the transformer, float32", None, torch.float32, 3, 1.0),
    Trial("brain", "with a natural brain, bfloat16", BRAIN, torch.bfloat16, 2, 5.0),
    Trial(
        "no dopamine", "with a natural brain without dopamine, bfloat16",
        BRAIN.model_copy(update={"dopamine": 0.0}), torch.bfloat16, 1, 5.0,
    ),
)  # fmt: skip


WITH_BRAIN = Trial(
    "with a brain", "with a natural brain, float32, 2 of its 4 experts at work",
    BRAIN.model_copy(update={"n_experts": 4, "top_k": 2}), torch.float32, 1, 5.0,
)  # fmt: skip
"""What a session without a fault is trained on where a brain is asked for; no trial of the clinic."""


def trial_of(fault: Ablation) -> Trial:
    """The trial in which ``fault`` shows."""
    if fault is Ablation.BASAL_GANGLIA_FLOAT_SUM:
        return TRIALS[2]
    module = next(one.module for one in FAULTS if one.ablation is fault)
    return TRIALS[0] if module.startswith(("t4dm.hippocampal", "t4dm.training")) else TRIALS[1]


def ablations_for(fault: Ablation | None) -> Ablations:
    """The switches of one fault; none for a sound run."""
    return NONE if fault is None else frozenset({fault})

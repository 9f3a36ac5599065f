"""Which process of a distributed script this is: only the first is watched."""

from __future__ import annotations

import os

import torch

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # torchrun and most launchers; srun


def other_rank() -> str:
    """Why this process is not the first one, empty where it is or where nobody has said.

    ``torch.distributed`` knows once ``init_process_group`` has been called.
    """
    for variable in RANKS:
        if os.environ.get(variable, "0") not in ("", "0"):
            return f"{variable} is not 0: only the first rank is watched"
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized() and distributed.get_rank() != 0:
        return f"this is rank {distributed.get_rank()}: only the first rank is watched"
    return ""

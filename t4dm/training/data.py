"""Tokenized text and deterministic batches: batch ``step`` depends on the seed and the step alone.

    starts of step s ~ U{0 .. N - T - 1} from Philox(key=seed, counter=[0, s, stream, 0])
so a run that is resumed, or branched, sees the batches it would have seen.  numpy only.
B batch  T time  N tokens
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from t4dm.hippocampal.prosody import prosody_of
from t4dm.training.tokenizer import Tokenizer

BATCH_STREAM = 1


class Batch(NamedTuple):
    """``ids`` and ``targets`` (B, T) int64, targets one token later; ``prosody`` (B, T, 4) float32."""

    ids: np.ndarray
    targets: np.ndarray
    prosody: np.ndarray


def draws_at(seed: int, step: int, stream: int) -> np.random.Generator:
    """The generator of one step of one stream."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, step, stream, 0]))


class TokenText:
    """One text as ``ids`` (N,) int64 and ``prosody`` (N, 4) float32."""

    def __init__(self, ids: np.ndarray, prosody: np.ndarray) -> None:
        if ids.shape != prosody.shape[:1]:
            raise ValueError(f"{len(ids)} ids and {len(prosody)} rows of prosody do not match")
        self.ids, self.prosody = ids, prosody

    @classmethod
    def read(cls, text: str, tokenizer: Tokenizer) -> TokenText:
        """``text`` as tokens, its prosody read in one go from the beginning."""
        ids = tokenizer.encode(text)
        prosody, _ = prosody_of(map(tokenizer.piece, ids))
        return cls(np.array(ids, dtype=np.int64), prosody)

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, held_out: float = 0.1) -> tuple[TokenText, TokenText]:
        """The text without its last share, and that last share."""
        cut = len(self) - round(held_out * len(self))
        return (
            TokenText(self.ids[:cut], self.prosody[:cut]),
            TokenText(self.ids[cut:], self.prosody[cut:]),
        )

    def at(self, starts: np.ndarray, context: int) -> Batch:
        """The sequences that begin at ``starts`` (B,)."""
        where = starts[:, None] + np.arange(context)
        return Batch(self.ids[where], self.ids[where + 1], self.prosody[where])

    def batch(self, seed: int, step: int, size: int, context: int) -> Batch:
        """The batch of one step.  Raises ValueError where the text is too short."""
        self._check(context)
        starts = draws_at(seed, step, BATCH_STREAM).integers(0, len(self) - context, size)
        return self.at(starts, context)

    def windows(self, context: int, at_most: int | None = None) -> Batch:
        """Sequences side by side from the start, without overlap: what a held-out loss is taken of."""
        self._check(context)
        return self.at(np.arange(0, len(self) - context, context)[:at_most], context)

    def _check(self, context: int) -> None:
        if len(self) <= context:
            raise ValueError(
                f"a text of {len(self)} tokens is too short for a context of {context}: "
                f"it needs at least {context + 1}"
            )

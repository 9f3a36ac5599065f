"""Counter-based random draws: the numbers of a step depend on the seed and the step, nothing else."""

from __future__ import annotations

from typing import Literal

import numpy as np

from t4dm.stimuli.params import STIMULUS_WIDTH

GRID = 8  # steps a grid line; line = step // GRID
_PERMUTATION_STREAM = 1 << 32


class GridDraws:
    """Draws of shape (64,) for every step, made a grid line at a time.

    Line ``k`` of a stream is what ``Philox(key=seed, counter=[0, k, stream, 0])`` gives: the line
    stands in the second counter word, so that no two lines share a number.
    """

    def __init__(
        self, seed: int, stream: int = 0, law: Literal["uniform", "normal"] = "uniform"
    ) -> None:
        self._bits = np.random.Philox(key=seed)
        self._generator = np.random.Generator(self._bits)
        self._fresh = self._bits.state
        self._stream = stream
        self._draw = self._generator.random if law == "uniform" else self._generator.standard_normal
        self._line = -1
        self._rows = np.empty((0, STIMULUS_WIDTH), np.float32)

    def rows(self, step0: int, n: int) -> np.ndarray:
        """The draws of steps ``step0 .. step0+n-1``: (n, 64) float32."""
        first, last = step0 // GRID, (step0 + n - 1) // GRID
        if first == last:
            drawn = self._grid_line(first)
        else:
            drawn = np.concatenate([self._grid_line(k) for k in range(first, last + 1)])
        offset = step0 - first * GRID
        return drawn[offset : offset + n]

    def _grid_line(self, line: int) -> np.ndarray:
        if line != self._line:
            self._fresh["state"]["counter"][:] = (0, line, self._stream, 0)
            self._bits.state = self._fresh
            self._rows = self._draw((GRID, STIMULUS_WIDTH), dtype=np.float32)
            self._line = line
        return self._rows


def permutation(seed: int, pass_number: int, n: int) -> np.ndarray:
    """The order of ``n`` items in pass ``pass_number``: (n,) int64, another one each pass."""
    bits = np.random.Philox(key=seed, counter=[0, pass_number, _PERMUTATION_STREAM, 0])
    return np.random.Generator(bits).permutation(n)

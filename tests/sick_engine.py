"""A small live engine that falls ill on request, for tests of what a worker then does."""

import time
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from t4dm.live import engine
from t4dm.live.segment import Segment
from t4dm.params import ParamError

StackConfig = partial(engine.StackConfig, 2, 32, 4)


class SmallEngine(engine.Engine):
    """The live engine in this module's size, and well."""


class SickEngine(engine.Engine):
    """The live engine; a reward of -1 writes a NaN into the recurrent weights of block 1."""

    def reward(self, value: float) -> dict[str, Any]:
        if value == -1.0:
            self.arrays.w_rec[1, 2, 3] = np.nan
        return super().reward(value)


class LeakyEngine(SmallEngine):
    """It refuses a ``lif.u_max`` of 7, and has changed a level by then."""

    def params_changed(self, paths: Iterable[str]) -> None:
        if self.tree.get("lif.u_max") == 7.0:
            self.arrays.levels[0] += 1e-9
            raise ParamError("value", "lif.u_max: not 7")
        super().params_changed(paths)


class SlowEngine(SickEngine):
    """As :class:`SickEngine`; a chunk takes 20 ms more, so that a test may step in meanwhile."""

    def advance(self, n: int) -> Segment:
        time.sleep(0.02)
        return super().advance(n)

"""The STDP of one block as the live engine runs it, on spikes that a test decides."""

from collections.abc import Iterator

import numpy as np

from t4dm.kernels.learning import begin_path, learn, settle
from t4dm.kernels.plasticity_lazy import IDLE, RING
from t4dm.kernels.stack_arrays import HISTORY, PATHS, Plastic, Rule
from t4dm.learning.params import STDPParams
from t4dm.learning.reward import dopamine_factors
from t4dm.live.engine_settings import read_settings
from t4dm.live.tree import ParamTree


def rule_of(values: dict, real: type) -> tuple[Rule, STDPParams, str]:
    """The rule of the live defaults with ``values``, as kernel and library have it, and its path."""
    tree = ParamTree(1)
    for name, value in ({"a_plus": 0.02, "a_minus": 0.021, "w_max": 0.8} | values).items():
        tree.set(f"stdp.{name}", value)
    rule = read_settings(tree, np.dtype(real)).rule
    params = STDPParams(**{name: tree.get(f"stdp.{name}") for name in STDPParams.model_fields})
    return rule, params, PATHS[int(rule.plan[0])]


def plastic_of(w: np.ndarray, n_exc: int, real: type) -> Plastic:
    """Weights (N, N), the first ``n_exc`` rows plastic, and no spike yet."""
    n = len(w)
    return Plastic(
        w.astype(real), np.zeros((HISTORY, n), np.uint16), np.zeros(HISTORY, np.int32),
        np.zeros(n, real), np.zeros(n, real), np.zeros(n, np.int64), np.full(n, IDLE, np.int64),
        np.zeros((RING, n), real), np.zeros(RING, np.int64), np.zeros((n_exc, n), real),
    )  # fmt: skip


def steps_of(
    plastic: Plastic, n_exc: int, raster: np.ndarray, rule: Rule, levels: np.ndarray
) -> Iterator[int]:
    """One step a row of ``raster`` (T, N) at dopamine ``levels`` (T,); yields t after each."""
    counted = np.zeros(raster.shape[1], np.int64)
    begin_path(0, n_exc, plastic, rule, counted)
    for t, spikes in enumerate(raster):
        ids = np.flatnonzero(spikes)
        plastic.ring[t % HISTORY, : len(ids)] = ids
        plastic.ring_n[t % HISTORY] = len(ids)
        gains = np.array([1, 1, *dopamine_factors(levels[t]), 1])
        now = np.array([levels[t], 0.5, 0.5, 0.5])
        learn(t, n_exc, plastic, rule, now, gains, counted)
        yield t


def run_live(
    w: np.ndarray, n_exc: int, raster: np.ndarray, rule: Rule, real: type, levels: np.ndarray
) -> np.ndarray:
    """The true weights (N, N) after ``raster``."""
    plastic = plastic_of(w, n_exc, real)
    for _ in steps_of(plastic, n_exc, raster, rule, levels):
        pass
    settle(len(raster), n_exc, plastic, rule)
    return plastic.w_rec

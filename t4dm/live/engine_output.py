"""What an engine shows: the segment of a chunk, and what its groups, probes and constants are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from t4dm.kernels.attention import WINDOW
from t4dm.kernels.stack_arrays import GATE_EVERY, HIST_EVERY, KEPT_ROWS, MATRIX_EVERY, Output
from t4dm.live.engine_sensory import Sensory
from t4dm.live.segment import Segment, grid
from t4dm.spiking.params import GAINS, NEUROMODULATORS, PROBES, STAGES
from t4dm.spiking.sensory_params import BAND
from t4dm.spiking.sensory_params import PROBES as SENSORY_PROBES

if TYPE_CHECKING:
    from t4dm.live.engine import StackConfig

STAGE_BAND = (0.02, 0.15)


def segment_of(
    out: Output,
    step0: int,
    n: int,
    n_spikes: int,
    rows: np.ndarray,
    meta: dict[str, Any],
    sensory: Sensory,
) -> Segment:
    """Copies of steps step0 .. step0 + n - 1 of ``out``; ``rows`` (n, 64) is the stimulus.

    ``meta`` gets what the arrays need beside them; the epoch is the session's to set.
    """
    step1 = step0 + n
    hists = grid(step0, step1, HIST_EVERY)
    sampled, m = grid(step0, step1, GATE_EVERY), len(hists)
    gates, wholes = len(sampled), len(grid(step0, step1, MATRIX_EVERY))
    more: dict[str, Any] = {"epoch": 0, "hist_steps": hists.tolist()}
    return Segment(
        step0=step0,
        step1=step1,
        epoch=0,
        spk_n=out.spk_n[:n].copy(),
        spk_id=out.spk_id[:n_spikes].copy(),
        rates=out.counts[:, :n].T.copy(),
        u=out.u[:n].copy(),
        theta=out.theta[:, :n].T.copy(),
        levels=out.levels[:n].astype(np.float32),
        gains=out.gains[:n].astype(np.float32),
        gate=out.gate[:, :gates].swapaxes(0, 1).copy(),
        gate_mean=out.gate_mean[:, :gates].T.copy(),
        stim=np.rint(255 * np.clip(rows, 0, 1)).astype(np.uint8),
        stim_range=np.stack((rows.max(axis=1), rows.min(axis=1), rows.mean(axis=1)), axis=1),
        clamped=out.clamped[:, :n].T.copy(),
        hist_exc=out.hist_exc[None][:m].copy(),
        hist_inh=out.hist_inh[None][:m].copy(),
        bounds=out.bounds[None][:m].copy(),
        pairs=out.pairs[None][:m].copy(),
        receptive=sensory.receptive[:m].copy(),
        neuron_labels=sensory.labels[:m].copy(),
        course=sensory.course(m),
        u_range=out.u_range[:, :gates].swapaxes(0, 1).copy(),
        moved=out.moved[None, :, 0][:m].copy(),
        matrix=out.matrix[None][:wholes].copy(),
        attention_heads=out.attention_heads[None][:wholes].copy(),
        attention=out.attention[:, :gates].swapaxes(0, 1).copy(),
        attention_top=out.attention_top[:, :gates].T.copy(),
        attention_keys=keys_in_sight(sampled, out.attention.shape[0]),
        meta=meta | more,
    )


def keys_in_sight(steps: np.ndarray, n_blocks: int) -> np.ndarray:
    """(Tg, L) u1: keys that the query of each step could look at, its own among them."""
    held = np.minimum(steps + 1, WINDOW).astype(np.uint8)
    return np.repeat(held[:, None], n_blocks, axis=1)


def describe(config: StackConfig, n_exc: int, w_hi: float, dt: float) -> dict[str, Any]:
    """Groups with their healthy bands (share of neurons firing in a ms), probes and constants."""
    n = config.n_neurons
    groups: list[dict[str, Any]] = [
        {
            "name": f"block {g // 2} LIF {'in' if g % 2 == 0 else 'out'}",
            "n": n,
            "block": g // 2,
            "stage": STAGES[g % 2],
            "n_exc": n_exc if g % 2 == 0 else n,
            "band": STAGE_BAND,
        }
        for g in range(2 * config.n_blocks)
    ]
    groups.append(
        {"name": "sensory layer", "short": "sensory", "n": config.n_sensory, "band": BAND}
    )
    return {
        "kind": "spiking stack",
        "groups": groups,
        "probes": {name: probe.to_json() for name, probe in (PROBES | SENSORY_PROBES).items()},
        "constants": {
            "dt_ms": dt,
            "n_total": config.n_total,
            "w_hi": w_hi,
            "gate_every": GATE_EVERY,
            "hist_every": HIST_EVERY,
            "matrix_every": MATRIX_EVERY,
            "moved_rows": {"n": min(n_exc, KEPT_ROWS), "total": n_exc},
            "neuromodulators": list(NEUROMODULATORS),
            "gains": list(GAINS),
        },
    }

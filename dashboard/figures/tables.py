"""The numbers behind each panel as columns of equal length, for CSV; units stand in the names."""

from __future__ import annotations

import numpy as np

from dashboard.figures import attention as attention_figure
from dashboard.figures import attention_heads, groups, weight_matrix
from dashboard.figures import isi as isi_figure
from dashboard.figures import regularity as regularity_figure
from dashboard.figures import weights as weights_figure
from t4dm.live.attention import weights_of
from t4dm.live.intervals import intervals
from t4dm.live.segment import GATE_FULL, HIST_BINS, NO_LABEL
from t4dm.live.window import Window
from t4dm.spiking.params import GAINS, NEUROMODULATORS

Columns = dict[str, np.ndarray]


def raster(window: Window) -> Columns:
    """One line a spike: when, which neuron, which stage."""
    ids = np.asarray(window.rows, dtype=np.int64)[window.spk_row.astype(np.int64)]
    times = (window.step0 + window.spk_dt.astype(np.int64)) * window.dt
    return {"time_ms": times, "neuron": ids, "stage": groups.stage_indices(window, ids)}


def rate(window: Window) -> Columns:
    """Spikes of each stage in each step."""
    names = [f"{_name(stage)}_spikes" for stage in groups.stages(window)]
    return {"time_ms": _times(window)} | _columns(names, window.rates)


def membrane(window: Window) -> Columns:
    """u_pre of each shown neuron and the threshold of its stage."""
    out = {"time_ms": _times(window)}
    stages = groups.stage_indices(window, window.membrane)
    for k, neuron in enumerate(np.asarray(window.membrane).tolist()):
        out[f"u_pre_{neuron}"] = window.u[:, k]
        out[f"theta_{neuron}"] = window.theta[:, stages[k]]
    return out


def neuromod(window: Window) -> Columns:
    """Levels and the gains really applied."""
    gains = [f"gain {name}" for name in GAINS]
    return (
        {"time_ms": _times(window)}
        | _columns(list(NEUROMODULATORS), window.levels)
        | _columns(gains, window.gains)
    )


def gate(window: Window) -> Columns:
    """Openness of each channel of the shown block, every 4 ms."""
    names = [f"g_{channel}" for channel in range(window.gate.shape[1])]
    activity = window.gate.astype(np.float32) * np.float32(GATE_FULL / 255)
    out = {"time_ms": window.gate_steps * window.dt}
    out["mean"] = window.gate_mean[:, window.gate_block]
    return out | _columns(names, activity)


def attention(window: Window) -> Columns:
    """Weights of each key of the shown block by its age in steps, every 4 steps, with their entropy.

    Of a window with a sample of the heads: one line a head, query and key in sight of it.
    """
    if len(window.attention_heads):
        return _heads(window)
    names = [f"weight_{age}_ago" for age in range(window.attention.shape[1])]
    out = {"time_ms": window.gate_steps * window.dt, "keys": window.attention_keys}
    out["relative_entropy"] = attention_figure.entropy(window)
    return out | _columns(names, weights_of(window.attention)[:, ::-1])


def weights(window: Window) -> Columns:
    """One line a bin and sample: time, bin edges, excitatory and inhibitory counts.

    Of a window with a matrix: one line a weight, or a cell of ``neurons`` x ``neurons`` weights.
    """
    if len(window.matrix):
        return _matrix(window)
    w_lo, w_hi = weights_figure.limits(window)
    samples = len(window.hist_steps)
    edges = np.linspace(0.0, 1.0, HIST_BINS + 1)
    block = window.weights_block
    return {
        "time_ms": np.repeat(window.hist_steps * window.dt, HIST_BINS),
        "exc_from": np.tile(edges[:-1] * w_hi, samples),
        "exc_to": np.tile(edges[1:] * w_hi, samples),
        "exc_count": window.hist_exc[:, block].ravel(),
        "inh_from": np.tile((edges[:-1] - 1.0) * -w_lo, samples),
        "inh_to": np.tile((edges[1:] - 1.0) * -w_lo, samples),
        "inh_count": window.hist_inh[:, block].ravel(),
    }


def _matrix(window: Window) -> Columns:
    values = weight_matrix.newest(window)
    side = weight_matrix.side_of(weight_matrix.place(window)[0], len(values))
    first = np.arange(len(values)) * side
    return {
        "time_ms": np.full(values.size, window.meta["matrix_step"] * window.dt),
        "pre": np.repeat(first, len(values)),
        "post": np.tile(first, len(values)),
        "neurons": np.full(values.size, side),
        "weight": values.ravel(),
    }


def stdp(window: Window) -> Columns:
    """One line a dt and sample: pairs of the second before it."""
    samples = len(window.hist_steps)
    lags = np.arange(window.pairs.shape[2]) - window.pairs.shape[2] // 2
    return {
        "time_ms": np.repeat(window.hist_steps * window.dt, len(lags)),
        "dt_ms": np.tile(lags * window.dt, samples),
        "pairs": window.pairs[:, window.weights_block].ravel(),
    }


def isi(window: Window) -> Columns:
    """One line an interval length: how many, and how many by chance; longer ones in the last line.

    ``time_ms`` is the end of the window, here and in :func:`regularity`.
    """
    found = intervals(window)
    mean = float(found.mean()) if len(found) else np.inf
    most = isi_figure.longest(window)
    expected = isi_figure.chance(len(found), mean, most)
    longer = np.count_nonzero(found > most)
    return {
        "time_ms": np.full(most + 1, window.step1 * window.dt),
        "interval_ms": np.arange(1, most + 2) * window.dt,
        "or_longer": np.arange(most + 1) == most,
        "count": np.append(isi_figure.histogram(found, most), longer),
        "by_chance": np.append(expected, len(found) - expected.sum()),
    }


def regularity(window: Window) -> Columns:
    """One line a group: CV of intervals, of how many neurons, and Fano factor of its spikes in a step."""
    cv, fano, n = regularity_figure.measures(window)
    names = np.array([stage.label for stage in groups.stages(window)])
    when = np.full(len(names), window.step1 * window.dt)
    return {"time_ms": when, "group": names, "neurons": n, "cv_intervals": cv, "fano": fano}


def stimulus(window: Window) -> Columns:
    """Mean, largest and smallest of the 64 inputs of each step; the inputs clipped to 0 to 1."""
    names = [f"pixel_{index}_clipped" for index in range(window.stim.shape[1])]
    return (
        {"time_ms": _times(window), "mean": window.stim_mean}
        | _columns(["largest", "smallest"][: window.stim_range.shape[1]], window.stim_range)
        | _columns(names, window.stim / np.float32(255))
    )


def receptive(window: Window) -> Columns:
    """One line an afferent weight of the newest sample: when, which neuron, its label, the weight."""
    shares = window.receptive.astype(np.float32) * np.float32(window.meta.get("w_shown", 1.0) / 255)
    samples, afferents, n = shares.shape
    labels = window.neuron_labels.astype(np.int64)
    when = window.hist_steps[-samples:] if samples else np.zeros(0)
    return {
        "time_ms": np.repeat(when * window.dt, afferents * n),
        "neuron": np.tile(np.repeat(np.arange(n), afferents), samples),
        "label": np.repeat(np.where(labels == NO_LABEL, -1, labels).ravel(), afferents),
        "afferent": np.tile(np.arange(afferents), samples * n),
        "weight": shares.transpose(0, 2, 1).ravel(),
    }


def accuracy(window: Window) -> Columns:
    """The run so far: held-out accuracy and the reward expected at that time."""
    course = window.course.reshape(-1, 3)
    course = course[~np.isnan(course[:, 0])]
    names = ("time_ms", "held_out_accuracy", "expected_reward")
    return {name: course[:, k] * (window.dt if k == 0 else 1.0) for k, name in enumerate(names)}


def _heads(window: Window) -> Columns:
    weights = attention_heads.weights_by_key(window)
    step = int(window.meta["attention_step"])
    head, query, key = np.nonzero(np.isfinite(weights))
    return {
        "query_ms": (step - weights.shape[1] + 1 + query) * window.dt,
        "key_ms": (step - weights.shape[2] + 1 + key) * window.dt,
        "head": head + 1,
        "weight": weights[head, query, key],
    }


def _times(window: Window) -> np.ndarray:
    return np.arange(window.step0, window.step1) * window.dt


def _columns(names: list[str], values: np.ndarray) -> Columns:
    return {name: values[:, index] for index, name in enumerate(names)}


def _name(stage: groups.Stage) -> str:
    return stage.label.replace(" ", "_")

"""The fixed weights of a stack as the kernels take them, and the scales found for them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm.kernels import calibration
from t4dm.kernels.compiled import CODE_VERSION
from t4dm.kernels.products import tile_matmul
from t4dm.kernels.stack_arrays import Weights
from t4dm.live.engine_settings import read_settings
from t4dm.live.tree import ParamTree
from t4dm.spiking.calibrate import Scales, apply_scales, bisect_scale
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.step_length import STEP_MS
from t4dm.stimuli.registry import make_stimulus
from t4dm.store.files import write_durable

CALIBRATION_MS = 1200  # steps are a multiple of 8 at every dt
log = logging.getLogger(__name__)


def read_weights(stack: CorticalStack) -> Weights:
    """Copies of every fixed array of ``stack``, with the scales it has now."""
    blocks = stack.blocks()
    real = stack.encoder.numpy().dtype

    def each(get: Callable[..., torch.Tensor]) -> np.ndarray:
        return np.stack([get(block).detach().numpy() for block in blocks])

    return Weights(
        encoder=stack.encoder.numpy().copy(),
        gate_w=each(lambda b: b.gate.weight),
        gate_b=each(lambda b: b.gate.bias),
        w_q=each(lambda b: b.attention.w_q),
        w_k=each(lambda b: b.attention.w_k),
        w_o=each(lambda b: b.attention.w_o),
        apical_w=each(lambda b: b.apical.weight),
        apical_b=each(lambda b: b.apical.bias),
        mu_r=each(lambda b: b.rwkv.mu_r),
        mu_k=each(lambda b: b.rwkv.mu_k),
        mu_v=each(lambda b: b.rwkv.mu_v),
        mix_r=each(lambda b: b.rwkv.w_r),
        mix_k=each(lambda b: b.rwkv.w_k),
        mix_v=each(lambda b: b.rwkv.w_v),
        mix_out=each(lambda b: b.rwkv.w_out),
        decay=each(lambda b: b.rwkv.w0.exp()),
        bonus=each(lambda b: b.rwkv.bonus),
        kappa_rec=np.array([b.kappa_rec for b in blocks], real),
        c_in=np.array([stack.c_in], real),
        c_out=np.array([b.c_out for b in blocks], real),
        c_l=np.array([b.c_l for b in blocks], real),
        n_exc=np.array([blocks[0].recurrent.n_exc], np.int64),
    )


def recurrent_weights(stack: CorticalStack) -> np.ndarray:
    """(L, N, N) as drawn from the seed."""
    return np.stack([b.recurrent.weight.detach().numpy() for b in stack.blocks()])


def _version() -> str:
    """Names the sources that decide the scales: the network's, the stimulus's and the kernels'."""
    digest = hashlib.sha256(CODE_VERSION.encode())
    for folder in ("spiking", "stimuli"):
        for path in sorted((Path(__file__).parent.parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def set_scales(stack: CorticalStack, data_dir: Path | None, dt: float = STEP_MS) -> None:
    """Calibrate ``stack``, or take up what was found before for the same stack, step and code."""
    size = f"{stack.n_blocks}x{stack.n}-{stack.seed}-{stack.encoder.numpy().dtype}"
    step = "" if dt == STEP_MS else f"-{dt:g}ms"
    name = f"{size}{step}-{_version()}"
    path = None if data_dir is None else data_dir / "calibration" / f"{name}.json"
    scales = None if path is None else _load(path)
    if scales is None or len(scales.c_out) != stack.n_blocks:
        scales = calibrate(stack, dt)
        if path is not None:
            _save(path, scales)
    apply_scales(stack, scales)


def _load(path: Path) -> Scales | None:
    try:
        found = json.loads(path.read_text())
        return Scales(float(found["c_in"]), tuple(found["c_out"]), tuple(found["c_l"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(path: Path, scales: Scales) -> None:
    """Keep ``scales`` for the next start; where there is no room they are found again then."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durable(path, json.dumps(scales._asdict()).encode())
    except OSError as error:
        log.warning("the calibration is not kept: %s", error.strerror)


def calibrate(stack: CorticalStack, dt: float = STEP_MS) -> Scales:
    """Scales that bring every stage to the homeostatic target on the default digits.

    The rule of ``t4dm.spiking.calibrate.calibrate`` on compiled kernels; ``stack`` is not changed.
    In steps of ``dt`` ms every stage then fires at the rate in Hz that it has at 1 ms.
    """
    tree = ParamTree(stack.n_blocks, dt=dt)
    weights, w_rec = read_weights(stack), recurrent_weights(stack)
    real = w_rec.dtype
    settings = read_settings(tree, real)
    stim, _, _ = make_stimulus(tree, stack.seed, None).rows(0, int(CALIBRATION_MS / dt))
    alpha, beta, u_max = settings.lif[0]
    lif = np.array([alpha, settings.v_thresh[0], beta, u_max], real)
    target = tree.get("homeostasis.target_rate")
    n_heads = stack.blocks()[0].attention.num_heads
    x = _product(stim.astype(real), weights.encoder)
    inputs, outs = [], []
    for l in range(stack.n_blocks):
        logit, apical = _product(x, weights.gate_w[l]), _product(x, weights.apical_w[l])
        held = (x, logit, weights.gate_b[l], w_rec[l], weights.kappa_rec[l], lif)
        c, s_in = bisect_scale(partial(_spikes_at, calibration.spikes_in, real, held), target)
        z = calibration.mixed(s_in, real.type(c) * apical, l, n_heads, weights, settings.attention)
        c_out, s_out = bisect_scale(
            partial(_spikes_at, calibration.spikes_out, real, (z, lif)), target
        )
        inputs.append(c)
        outs.append(c_out)
        x = s_in.astype(real) + s_out.astype(real)
    between = inputs[1:]
    last = float(np.exp(np.mean(np.log(between)))) if between else 1.0
    return Scales(inputs[0], tuple(outs), (*between, last))


def _spikes_at(
    stage: Callable[..., np.ndarray], real: np.dtype, held: tuple[Any, ...], c: float
) -> np.ndarray:
    return stage(real.type(c), *held)


def _product(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    out = np.zeros((x.shape[0], w.shape[1]), x.dtype)
    tile_matmul(x, w, out)
    return out

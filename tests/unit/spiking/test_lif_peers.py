"""snnTorch and norse: the same spikes on the same input (tests/fixtures/make_lif_peers.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from t4dm.spiking.lif import LIFNeuron

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "lif_peers.npz"


@pytest.fixture(scope="module")
def recorded():
    with np.load(FIXTURE, allow_pickle=False) as data:
        held = dict(data)
    return held, json.loads(str(held["about"]))


@pytest.mark.parametrize(
    ("name", "beta", "after_reset"),
    [
        ("snntorch_delayed", lambda alpha: 1 / alpha, False),
        ("snntorch_at_once", lambda alpha: 1.0, True),
        ("norse_subtract", lambda alpha: 1.0, True),
    ],
)
def test_spikes_and_last_membrane_are_those_of_the_peer(recorded, name, beta, after_reset):
    held, about = recorded
    current = torch.as_tensor(held["current"] / 256, dtype=torch.float64)
    lif = LIFNeuron(
        current.shape[1], alpha=about["alpha"], v_thresh=about["theta"], beta=beta(about["alpha"])
    )
    u, rows = lif.init_state(dtype=torch.float64), []
    for row in current:
        done = lif.step(row, u)
        u = done.u
        rows.append(done.spikes)
    spikes = torch.stack(rows).numpy().astype(bool)
    theirs = np.unpackbits(held[name], count=spikes.size).reshape(spikes.shape).astype(bool)
    assert theirs.mean() > 0.1
    assert np.array_equal(spikes, theirs)
    last = (done.u if after_reset else done.u_pre).numpy()
    np.testing.assert_allclose(last, held[f"{name}_last"], atol=1e-9)


def test_the_recording_says_who_made_it(recorded):
    assert {"snntorch", "norse", "torch", "numpy"} <= recorded[1].keys()

"""Brian2's weights of a plastic network, step by step (tests/fixtures/make_stdp_brian2.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from t4dm.kernels.learning import settle
from t4dm.learning.params import STDPParams
from t4dm.learning.stdp import HISTORY, STDPLearner, init_stdp_state
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.population import Population
from tests.live_stdp import plastic_of, rule_of, steps_of

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "stdp_brian2.npz"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def recorded():
    with np.load(FIXTURE, allow_pickle=False) as data:
        held = dict(data)
    shape = held["current"].shape
    held["spikes"] = np.unpackbits(held["spikes"], count=shape[0] * shape[1]).reshape(shape)
    return held, json.loads(str(held["about"]))


def learner_of(about: dict) -> STDPLearner:
    """Brian2's traces are never cut; at 500 ms, 20 time constants, a cut one differs by 1e-9."""
    taus = {name: about[name] for name in ("tau_plus", "tau_minus")}
    sizes = {name: about[name] for name in ("a_plus", "a_minus", "w_max")}
    return STDPLearner(HISTORY, HISTORY, **taus, **sizes)


def run(held: dict, about: dict, learner: STDPLearner) -> tuple[np.ndarray, np.ndarray]:
    """Spikes (T, N) and weights (K, N, N) at the end of steps 0, 100, 200..., from the input."""
    current = torch.as_tensor(held["current"] / 64, dtype=torch.float64)
    n, every = current.shape[1], int(held["every"])
    lif = LIFNeuron(n, alpha=about["alpha"], v_thresh=about["theta"])
    u, s, state = (
        lif.init_state(dtype=torch.float64),
        torch.zeros(n).double(),
        init_stdp_state(n, n),
    )
    w, plastic = torch.as_tensor(held["w_start"]), ~torch.eye(n, dtype=torch.bool)
    raster, weights = [], []
    for t, row in enumerate(current):
        s, u = lif(row + about["gain"] * (s @ w), u)
        w, state = learner.step(w, s, s, state, plastic=plastic)
        raster.append(s.numpy())
        if t % every == 0:
            weights.append(w.numpy())
    return np.stack(raster), np.stack(weights)


def test_spikes_and_weights_are_those_of_brian2(recorded):
    held, about = recorded
    spikes, weights = run(held, about, learner_of(about))
    assert np.array_equal(spikes, held["spikes"])
    assert np.abs(weights[-1] - held["w_start"]).max() > 0.3
    np.testing.assert_allclose(weights, held["w"], rtol=0, atol=TOLERANCE)


def rule_of_brian2(about: dict) -> STDPParams:
    names = ("tau_plus", "tau_minus", "a_plus", "a_minus", "w_max")
    windows = {"window_pre_to_post": HISTORY, "window_post_to_pre": HISTORY}
    return STDPParams(**windows, **{name: about[name] for name in names})


def run_timed(held: dict, about: dict, dtype: str) -> tuple[np.ndarray, np.ndarray, str]:
    """The same by the compiled kernel that the benchmarks time, and the path it took."""
    population = Population(
        held["current"].shape[1], stdp=rule_of_brian2(about), weights=held["w_start"],
        alpha=about["alpha"], v_thresh=about["theta"], gain=about["gain"], dtype=dtype,
    )  # fmt: skip
    current, every = held["current"] / 64, int(held["every"])
    raster, weights = [], []
    for t in range(0, len(current), every):
        raster.append(population.run(current[t : t + 1]))
        weights.append(population.weights)
        raster.append(population.run(current[t + 1 : t + every]))
    return np.concatenate(raster), np.stack(weights), population.path


@pytest.mark.timeout(900)  # the first run compiles the kernels
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_timed_kernel_has_brian2s_spikes_and_weights(recorded, dtype):
    held, about = recorded
    spikes, weights, path = run_timed(held, about, dtype)
    assert path == ("row sums" if dtype == "float32" else "row sums, cut windows")
    assert np.array_equal(spikes, held["spikes"])
    np.testing.assert_allclose(weights, held["w"], rtol=0, atol=TOLERANCE)


def run_live(held: dict, about: dict, dtype: type, values: dict) -> tuple[np.ndarray, str]:
    """Weights (K, N, N) by the kernel of the live page on Brian2's spikes, and the path it took."""
    rule, _, path = rule_of(values, dtype)
    n, every, recorded = held["current"].shape[1], int(held["every"]), []
    plastic, raster = plastic_of(held["w_start"], n, dtype), held["spikes"]
    for t in steps_of(plastic, n, raster, rule, np.full(len(raster), 0.5)):
        if t % every == 0:
            settle(t + 1, n, plastic, rule)
            recorded.append(plastic.w_rec.copy())
    return np.stack(recorded), path


@pytest.mark.timeout(900)  # the first run compiles the kernels
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-7), (np.float32, 1e-6)])
def test_the_live_pages_kernel_has_brian2s_weights(recorded, dtype, tolerance):
    """At windows of 500 ms; every synapse is plastic, so all neurons count as excitatory."""
    held, about = recorded
    weights, path = run_live(held, about, dtype, rule_of_brian2(about).model_dump())
    assert path == ("lazy" if dtype is np.float32 else "lazy, cut windows")
    np.testing.assert_allclose(weights, held["w"], rtol=0, atol=tolerance)


@pytest.mark.timeout(900)
def test_the_live_default_cuts_what_brian2_keeps(recorded):
    """Windows of 100 ms leave out pairs further apart: the difference that the docs state."""
    held, about = recorded
    windows = {"window_pre_to_post": 100, "window_post_to_pre": 100}
    weights, path = run_live(held, about, np.float64, rule_of_brian2(about).model_dump() | windows)
    assert path == "lazy, cut windows"
    assert 0.02 < np.abs(weights[-1] - held["w"][-1]).max() < 0.06


def test_the_comparison_sees_a_pair_rule_that_is_a_little_off(recorded):
    held, about = recorded
    short = {**held, "current": held["current"][:300]}
    _, weights = run(short, about, learner_of(about | {"tau_plus": about["tau_plus"] + 0.05}))
    assert np.abs(weights[:3] - held["w"][:3]).max() > TOLERANCE


def test_the_recording_says_who_made_it(recorded):
    assert {"brian2", "numpy"} <= recorded[1].keys()

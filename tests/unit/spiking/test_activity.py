"""Log lines of a user's own loop."""

import torch

from t4dm.spiking.activity import ActivityLog
from t4dm.spiking.lif import LIFNeuron


def lines_of(caplog, current, steps=700, **lif):
    neurons, watch = LIFNeuron(10, **lif), ActivityLog("hidden")
    u = neurons.init_state()
    for _ in range(steps):
        done = neurons.step(torch.full((10,), current), u)
        u = done.u
        watch(done)
    return caplog.messages


def test_a_healthy_population_is_not_mentioned(caplog):
    assert lines_of(caplog, 0.3, steps=50, v_thresh=1.0) == []


def test_silence(caplog):
    assert lines_of(caplog, 0.01) == ["No spikes detected in hidden: for 500 steps in step 500"]


def test_explosion_and_overflow(caplog):
    lines = lines_of(caplog, 30.0, steps=100, u_max=5.0)
    assert lines == [
        "Membrane overflow in hidden: 10 values clamped in step 1",
        "Spike explosion in hidden: 51% of it a step over 100 steps in step 51",
    ]


def test_instability(caplog):
    lines = lines_of(caplog, float("nan"), steps=3)
    assert lines == ["Numerical instability in hidden: a membrane is not finite in step 1"]


def test_the_rate_is_returned():
    watch = ActivityLog("x")
    done = LIFNeuron(4).step(torch.tensor([2.0, 2.0, 2.0, 0.0]), torch.zeros(4))
    assert watch(done) == watch.rate == 0.75

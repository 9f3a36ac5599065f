"""At default settings every stage lives: none is silent, none saturates."""

import numpy as np
import pytest

from t4dm.live.engine import Engine, StackConfig
from t4dm.live.tree import ParamTree

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels


def spikes_of(engine, steps):
    """(G + 1,) spikes of every stage and of the sensory layer in the next ``steps`` steps."""
    end, counts = engine.step + steps, np.zeros(engine.n_stages + 1)
    while engine.step < end:
        counts += engine.advance(min(64, end - engine.step)).rates.sum(0)
    return counts


def test_every_stage_and_the_sensory_layer_fire_within_their_bands(calibrated):
    tree = ParamTree(6)
    engine = Engine(StackConfig(), tree, 0, calibrated)
    cycle = tree.get("stimulus.image_ms") + tree.get("stimulus.rest_ms")
    steps = 30 * cycle
    assert steps >= 9000
    spikes_of(engine, 1200)
    rates = spikes_of(engine, steps) / (steps * engine.config.n_neurons)
    bands = np.array([group["band"] for group in engine.describe()["groups"]])
    assert bands[:12].tolist() == [[0.02, 0.15]] * 12 and bands[12].tolist() == [0.0, 0.005]
    assert ((rates >= bands[:, 0]) & (rates <= bands[:, 1])).all(), rates.round(4).tolist()
    assert rates[12] > 0


def test_dopamine_does_not_make_the_default_network_run_away(calibrated):
    tree = ParamTree(6)
    engine = Engine(StackConfig(), tree, 0, calibrated)
    spikes_of(engine, 3000)
    engine.inject("DA", 0.3)
    bolus = spikes_of(engine, 1000) / (1000 * engine.config.n_neurons)
    tree.set("neuromod.DA", 0.8)
    engine.params_changed(["neuromod.DA"])
    held = spikes_of(engine, 5000) / (5000 * engine.config.n_neurons)
    assert bolus.max() <= 0.2 and held.max() <= 0.15, (bolus.round(3), held.round(3))

"""Broken -> found with its cause within 2 s -> its remedy applied -> healthy within 5 s, simulated."""

import numpy as np
import pytest

from t4dm.health.finding import rules
from t4dm.health.presets import BY_NAME, HEALTHY, NAMES, PRESETS, base
from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

FOUND_MS, WELL_MS, STAYS_MS, LATER_MS = 2000, 5000, 1500, 400
AT_2_MS = ("not_firing", "runaway", "stdp_gated", "membranes_diverging")


class Patient:
    """The default network at second 2 of its run, in steps of ``dt`` ms; every test begins there."""

    def __init__(self, folder, dt=1.0):
        config = StackConfig()
        tree = ParamTree(config.n_blocks, dt=dt)
        self.session = Session("t", Engine(config, tree, 0, folder))
        self.run(2000)
        self._begin = self.session.engine.state()

    def begin(self):
        session = self.session
        session.tree.replace({})
        session.engine.load_state(self._begin)
        session.engine.params_changed([spec.path for spec in session.tree.specs()])
        session.resume(_Nothing(), session.settings() | {"values": {}})
        session.run()
        self.run(1000)
        assert session.doctor.findings == []
        return session

    def run(self, ms, until=lambda: False):
        """Advance until ``until`` holds, ``ms`` at most; returns the time it took."""
        begun = self.session.t_ms
        while self.session.t_ms < begun + ms:
            if until():
                break
            self.session.advance(50)
        return self.session.t_ms - begun

    def do(self, *body):
        commands = handlers.parse(list(body))
        handlers.validate(self.session, commands)
        return handlers.apply(self.session, commands, "tab")

    def finding(self, id):
        return next((f for f in self.session.doctor.findings if f["id"] == id), None)


class _Nothing:
    """A store without checkpoints."""

    def load(self, accept):
        return None


@pytest.fixture(scope="module")
def patient(calibrated):
    return Patient(calibrated)


@pytest.fixture(scope="module")
def slow_patient(calibrated):
    return Patient(calibrated, 2.0)


def fires(status):
    """Whether no stage of the stack is silent or always on, whatever the rules say."""
    rates = np.array(status["evidence"]["rate"][:-1])
    return bool((rates > 0.002).all() and (rates < 0.5).all())


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_a_preset_is_found_for_its_cause_and_its_remedy_heals(patient, preset):
    treat(patient, preset)


@pytest.mark.parametrize("preset", [BY_NAME[name] for name in AT_2_MS], ids=AT_2_MS)
def test_so_it_is_in_steps_of_2_ms(slow_patient, preset):
    treat(slow_patient, preset)


def treat(patient, preset):
    """Break, find, apply the first remedy, and see it heal."""
    session = patient.begin()
    patient.do({"type": "preset", "name": preset.name})

    def called():
        found = patient.finding(preset.finding)
        return found is not None and found["severity"] != "note"

    assert patient.run(FOUND_MS, called) <= FOUND_MS
    assert called(), session.doctor.status()
    found = patient.finding(preset.finding)
    assert found["cause"]["code"] == preset.cause, found
    patient.run(LATER_MS)  # a person reads it
    remedy = patient.finding(preset.finding)["remedies"][0]
    patient.do(*remedy["commands"])
    ill = session.t_ms

    def well():
        nonlocal ill
        if session.doctor.status()["severity"] not in ("ok", "note"):
            ill = session.t_ms
        return session.t_ms - ill >= STAYS_MS and fires(session.doctor.status())

    patient.run(WELL_MS, well)
    status = session.doctor.status()
    assert status["severity"] in ("ok", "note") and status["waiting"] == "", status["findings"]
    assert fires(status), status["evidence"]


def test_there_is_a_preset_for_every_symptom_that_parameters_can_bring():
    assert {rule.id for rule in rules()} - {p.finding for p in PRESETS} == {"not_finite"}
    assert NAMES[0] == HEALTHY and len(set(NAMES)) == len(PRESETS) + 1


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_its_values_are_valid_in_the_smallest_network_and_its_cause_is_declared(preset):
    tree = ParamTree(1)
    for path, value in preset.values.items():
        assert tree.check(path, value) == value and tree.spec(path).path == base(path)
    causes = next(rule.causes for rule in rules() if rule.id == preset.finding)
    assert preset.cause in causes

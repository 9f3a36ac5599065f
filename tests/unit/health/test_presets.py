"""Broken -> found with its cause within 2 s -> its remedy applied -> healthy within 5 s, simulated."""

from typing import NamedTuple

import numpy as np
import pytest

from t4dm.health.finding import rules
from t4dm.health.presets import BY_NAME, HEALTHY, NAMES, PRESETS, applied, base
from t4dm.live import handlers
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.step_length import STEPS_MS

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

FOUND_MS, WELL_MS, STAYS_MS = 2000, 5000, 1500
SETTLE_MS = 500  # after a reset that are not judged
AT_2_MS = ("not_firing", "runaway", "stdp_gated", "membranes_diverging")


class Start(NamedTuple):
    """When a preset is put in force: ``at_ms`` of the run of ``seed``, or at a reset; its remedy is
    applied ``wait_ms`` after it is found."""

    seed: int
    at_ms: int
    wait_ms: int


STARTS = (Start(0, 3000, 400), Start(5, 4950, 2500), Start(5, 0, 200))
SPARSE_STARTS = tuple(Start(*one, 400) for one in ((1, 1500), (2, 1500), (3, 3000), (4, 8000)))
"""Of sparsity besides, which lies between two limits: how much fires differs from seed to seed."""


class Patient:
    """The default network of ``seed``, in steps of ``dt`` ms, 1 s before ``at_ms``; every test begins
    there, or at the first step."""

    def __init__(self, folder, dt=1.0, seed=0, at_ms=3000):
        config = StackConfig()
        tree = ParamTree(config.n_blocks, dt=dt)
        self.session = Session("t", Engine(config, tree, seed, folder))
        self.run(at_ms - 1000)
        self._begin = self.session.engine.state()

    def begin(self, warm_ms=1000):
        session = self.session
        session.tree.replace({})
        session.engine.load_state(self._begin)
        session.engine.params_changed([spec.path for spec in session.tree.specs()])
        session.resume(_Nothing(), session.settings() | {"values": {}})
        session.run()
        self.run(warm_ms)
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
def patients(calibrated):
    """The patient of a start, by its seed, made when it is first asked for."""
    made = {}

    def of(start):
        if start.seed not in made:
            starts = (*STARTS, *SPARSE_STARTS)
            at_ms = max(one.at_ms for one in starts if one.seed == start.seed)
            made[start.seed] = Patient(calibrated, seed=start.seed, at_ms=at_ms)
        return made[start.seed]

    return of


@pytest.fixture(scope="module")
def slow_patient(calibrated):
    return Patient(calibrated, 2.0)


def fires(status):
    """Whether no stage of the stack is silent or always on, whatever the rules say."""
    rates = np.array(status["evidence"]["rate"][:-1])
    return bool((rates > 0.002).all() and (rates < 0.5).all())


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
@pytest.mark.parametrize("start", STARTS, ids=[f"{s.seed}-{s.at_ms}ms" for s in STARTS])
def test_a_preset_is_found_for_its_cause_and_its_remedy_heals(patients, start, preset):
    treat(patients(start), preset, start)


@pytest.mark.parametrize(
    "start", SPARSE_STARTS, ids=[f"{s.seed}-{s.at_ms}ms" for s in SPARSE_STARTS]
)
def test_so_sparsity_is_under_every_seed(patients, start):
    treat(patients(start), BY_NAME["sparsity"], start)


@pytest.mark.parametrize("preset", [BY_NAME[name] for name in AT_2_MS], ids=AT_2_MS)
def test_so_it_is_in_steps_of_2_ms(slow_patient, preset):
    treat(slow_patient, preset, STARTS[0])


def told(session):
    """The events of findings since its log was emptied."""
    return [event for event in session.log if event["type"] == "finding"]


def treat(patient, preset, start):
    """Break, find, apply the first remedy, and see it heal."""
    session = patient.begin(1000 if start.at_ms else 0)
    patient.do({"type": "preset", "name": preset.name})
    if not start.at_ms:
        patient.do({"type": "reset", "seed": None}, {"type": "run"})
    session.log.clear()
    within = FOUND_MS + (0 if start.at_ms else SETTLE_MS)

    def called():
        found = patient.finding(preset.finding)
        return found is not None and found["severity"] != "note"

    assert patient.run(within, called) <= within
    assert called(), session.doctor.status()
    for _ in range(0, start.wait_ms + 1, 100):  # a person reads it
        found = patient.finding(preset.finding)
        assert found["cause"]["code"] == preset.cause, found
        patient.run(100)
    over = [event for event in told(session) if event["state"] == "cleared"]
    assert not over, over
    remedy = found["remedies"][0]
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
    causes = {event["cause"] for event in told(session) if event["id"] == preset.finding}
    assert causes == {preset.cause}


def test_there_is_a_preset_for_every_symptom_that_parameters_can_bring():
    assert {rule.id for rule in rules()} - {p.finding for p in PRESETS} == {"not_finite"}
    assert NAMES[0] == HEALTHY and len(set(NAMES)) == len(PRESETS) + 1


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_its_values_are_valid_in_the_smallest_network_and_its_cause_is_declared(preset):
    tree = ParamTree(1)
    for path, value in preset.values.items():
        assert tree.check(path, value) == value and tree.spec(path).path == base(path)
    for dt in STEPS_MS:
        for path, value in applied(preset.name, {}, dt).items():
            assert ParamTree(1, dt=dt).check(path, value) == value
    causes = next(rule.causes for rule in rules() if rule.id == preset.finding)
    assert preset.cause in causes

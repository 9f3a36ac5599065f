"""``T4DM_*`` variables reach the objects they name, and a bad one is one clear sentence."""

import logging
import re
from pathlib import Path

import pytest
import torch

from t4dm import environment
from t4dm.learning.gradient import GradientDescent
from t4dm.learning.params import GradientParams, STDPParams
from t4dm.learning.stdp import STDPLearner
from t4dm.live.environment import values
from t4dm.live.training_kind import KIND
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.spiking.neuromod_bus import NeuromodBus
from t4dm.spiking.params import NeuromodParams

GROUPS = {group.group: group for group in (STDPParams, NeuromodParams, GradientParams)}
BAD = [
    ("T4DM_STDP_ENABLED", "maybe", "expected true or false, got 'maybe'"),
    ("T4DM_STDP_LEARNING_RATE", "fast", "expected a number from 0 to 100, got 'fast'"),
    ("T4DM_STDP_LEARNING_RATE", "nan", "expected a number from 0 to 100, got nan"),
    ("T4DM_STDP_LEARNING_RATE", "-1", "expected a number from 0 to 100, got -1.0"),
    ("T4DM_NEUROMOD_ENABLED", "2", "expected true or false, got '2'"),
    (
        "T4DM_NEUROMOD_UPDATE_FREQ",
        "often",
        "expected every_step or an integer from 1 to 1000 steps, got 'often'",
    ),
    (
        "T4DM_NEUROMOD_UPDATE_FREQ",
        "0",
        "expected every_step or an integer from 1 to 1000 steps, got 0",
    ),
    ("T4DM_LEARNING_RATE", "1e9", "expected a number from 0 to 10, got 1000000000.0"),
]


def weights() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(2))]


def test_every_variable_names_a_parameter():
    for path in environment.PARAMETERS.values():
        group = GROUPS[path.split(".")[0]]
        assert path in {spec.path for spec in group.specs()}


def test_every_variable_that_the_code_reads_is_known():
    root = Path(__file__).resolve().parents[2]
    files = [
        path for folder in ("t4dm", "dashboard", "tools") for path in (root / folder).rglob("*.py")
    ]
    read = {name for path in files for name in re.findall(r"T4DM_[A-Z_]*[A-Z]", path.read_text())}
    assert environment.unknown_variables(read) == []
    assert len(read) > 10


def test_the_learner_takes_its_variables_and_a_keyword_wins(monkeypatch):
    monkeypatch.setenv("T4DM_STDP_ENABLED", "false")
    monkeypatch.setenv("T4DM_STDP_LEARNING_RATE", "0.001")
    learner = STDPLearner()
    assert (learner.enabled, learner.learning_rate) == (False, 0.001)
    assert STDPLearner(learning_rate=2.0, enabled=True).learning_rate == 2.0
    assert STDPLearner(enabled=True).enabled
    monkeypatch.setenv("T4DM_STDP_ENABLED", "true")
    slow, times = STDPLearner(), (torch.tensor([10]), torch.tensor([15]))
    monkeypatch.delenv("T4DM_STDP_LEARNING_RATE")
    change, full = (x.compute_weight_change(*times, 0.5) for x in (slow, STDPLearner()))
    assert change == pytest.approx(full / 1000)


def test_the_bus_takes_its_variables(monkeypatch):
    monkeypatch.setenv("T4DM_NEUROMOD_UPDATE_FREQ", "10")
    bus = NeuromodBus()
    bus.advance(0)
    bus.inject("DA", 0.3)
    assert [bus.advance(step)["DA"] for step in range(1, 10)] == [0.5] * 9
    assert bus.advance(10)["DA"] == pytest.approx(0.8)
    monkeypatch.setenv("T4DM_NEUROMOD_UPDATE_FREQ", "every_step")
    assert NeuromodBus().params.update_freq == 1
    monkeypatch.setenv("T4DM_NEUROMOD_ENABLED", "off")
    bus = NeuromodBus()
    bus.inject("DA", 0.3)
    assert bus.advance(0)["DA"] == 0.5
    assert NeuromodBus(NeuromodParams()).params.enabled


def test_gradient_descent_takes_its_variable(monkeypatch):
    monkeypatch.setenv("T4DM_LEARNING_RATE", "0.25")
    plain = {"optimiser": torch.optim.SGD}
    parameters = weights()
    GradientDescent(parameters, max_norm=10.0, **plain).step(parameters[0].sum())
    assert parameters[0].tolist() == [0.75, 0.75]
    assert GradientDescent(weights(), learning_rate=0.5, **plain).learning_rate == 0.5


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_a_bad_value_is_one_sentence_in_a_script_and_in_the_session(
    monkeypatch, name, text, message
):
    monkeypatch.setenv(name, text)
    with pytest.raises(ParamError) as refused:
        STDPLearner(), NeuromodBus(), GradientDescent(weights())
    assert str(refused.value) == f"{name}: {message}"
    found, complaints = values({name: text}, ParamTree(6))
    assert found == {} and complaints == [f"{name}: {message}; left out"]


def test_the_session_takes_what_names_its_parameters():
    environ = {
        "T4DM_STDP_ENABLED": "no", "T4DM_NEUROMOD_UPDATE_FREQ": " every_step ",
        "T4DM_STDP_LEARNING_RATE": "", "T4DM_LEARNING_RATE": "0.01", "T4DM_RUN_DIR": "/tmp",
    }  # fmt: skip
    found, complaints = values(environ, ParamTree(6))
    assert found == {"stdp.enabled": False, "neuromod.update_freq": 1}
    assert complaints == []


def test_a_training_session_takes_the_learning_rate():
    tree = KIND.tree({"run": "tiny"})
    usual = tree.get("train.learning_rate")
    assert values({"T4DM_LEARNING_RATE": "0.0001"}, tree) == ({"train.learning_rate": 0.0001}, [])
    assert values({"T4DM_LEARNING_RATE": " ", "T4DM_STDP_ENABLED": "no"}, tree) == ({}, [])
    for text, got in (("fast", "'fast'"), ("2", "2.0"), ("nan", "nan"), ("-1", "-1.0")):
        sentence = f"T4DM_LEARNING_RATE: expected a number from 0 to 1, got {got}; left out"
        assert values({"T4DM_LEARNING_RATE": text}, tree) == ({}, [sentence])
    assert tree.get("train.learning_rate") == usual != 0.0001


def test_unknown_names_are_said_with_the_nearest(monkeypatch, caplog):
    sentence = "unknown variable T4DM_NEUROMOD_UPDATE_FERQ; did you mean T4DM_NEUROMOD_UPDATE_FREQ?"
    found, complaints = values({"T4DM_NEUROMOD_UPDATE_FERQ": "5"}, ParamTree(6))
    assert found == {} and complaints == [sentence]
    monkeypatch.setenv("T4DM_NEUROMOD_UPDATE_FERQ", "5")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            STDPLearner(), NeuromodBus()
    assert caplog.messages == [sentence]

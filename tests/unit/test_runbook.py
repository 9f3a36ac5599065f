"""The runbook's code runs, and what it claims is so.  Its commands: tests/api."""

import logging
import re
import subprocess
from pathlib import Path

import pytest
import torch

from t4dm.learning.gradient import GradientDescent
from t4dm.learning.stdp import STDPLearner
from t4dm.live.environment import values
from t4dm.live.tree import ParamTree
from t4dm.spiking.activity import ActivityLog
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.neuromod_bus import NeuromodBus

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: part for part in parts}


def blocks(language: str, text: str) -> list[str]:
    return [code for name, code in BLOCK.findall(text) if name == language]


SECTIONS = sections()
WITH_CODE = [title for title, text in SECTIONS.items() if blocks("python", text)]


def mean(values):
    return sum(values) / len(values)


def no_spikes(ns):
    rates = ns["rates"]
    assert ns["done"].spikes.sum() == 256 and (ns["done"].u > ns["lif"].v_thresh).sum() == 0
    assert rates["N(0, 0.1)"] == rates["constant 0.09"] == 0 < rates["N(0, 0.5)"]
    for cured in ("threshold 0.5", "alpha 0.95"):
        assert rates[f"constant 0.09, {cured}"] > 0
    assert rates["constant 0.09 x 5"] > 0
    assert rates["N(0, 1), alpha 0.8"] == pytest.approx(0.133, abs=0.01)
    assert rates["N(0, 1), alpha 0.99"] == pytest.approx(0.055, abs=0.01)


def too_few(ns):
    assert ns["rates"][0] < 0.06 and mean(ns["rates"][-5:]) == pytest.approx(0.1, abs=0.03)
    assert ns["adjustment"] == 0
    assert 0 < ns["total_loss"] - ns["main_loss"] < 0.01 and ns["norm"] > 0


def runaway(ns):
    calm, wild, reset = (mean(ns[name][-100:]) for name in ("calm", "wild", "reset"))
    assert calm < 0.1 and wild > 0.9 and reset < 0.2
    assert ns["weight"].max() <= 0.3 and ns["weight"].min() < -0.5
    assert len(ns["spike_rates"]) == len(ns["input_seq"]) == 10 and max(ns["spike_rates"]) > 0.5


def stdp(ns):
    assert ns["change"] == pytest.approx(0.023364, abs=1e-6)
    assert ns["new"] == pytest.approx(0.5 + ns["change"])
    assert ns["causal"] == [(10, [15]), (50, [55]), (100, [105])]
    assert ns["wide"].window_function(30) > 0


def frozen(ns):
    assert ns["after"]["DA"] == pytest.approx(ns["before"]["DA"] + 0.3)
    assert ns["rewards"] == [1.0, 0.95, 0.5]
    assert ns["deltas"][0] == 1.0 and ns["deltas"][-1] < 0.01


def diverge(ns):
    assert ns["clamped"] == 0 and ns["u_pre"].isfinite().all()
    assert ns["norms"].isfinite().all() and ns["norms"].min() > 0
    assert ns["train"].learning_rate == 0.001


def attention(ns):
    assert 0.3 < ns["share"] < 0.97
    weights = ns["weights"]
    assert (weights[:, 0, 0] == 1).all() and weights.std() > 0.01
    dense = (torch.rand(48, 256, generator=torch.Generator().manual_seed(1)) < 0.5).float()
    with torch.no_grad():
        assert ns["attention"](dense)[:, 8:].amax(-1).median() > 0.9


def traced(ns):
    assert ns["norm"] > 0 and len(ns["outputs"].spike_trace) == len(ns["model"].spiking_blocks)
    assert ns["model"].spiking_blocks[0].recurrent.weight.max() <= 1


CLAIMS = {
    "Logs": lambda ns: ns["watch"].steps == 600,
    "No spikes": no_spikes,
    "Too few spikes": too_few,
    "Runaway spiking": runaway,
    "STDP changes no weight": stdp,
    "Neuromodulators frozen": frozen,
    "Membranes diverge": diverge,
    "Attention": attention,
    "A language model traced": traced,
}


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    from t4dm.qwen.small import make_small

    return make_small(tmp_path_factory.mktemp("qwen"))


@pytest.mark.parametrize("title", WITH_CODE)
def test_code_runs_and_shows_what_is_claimed(title, request, monkeypatch, caplog):
    if "UnifiedModel" in SECTIONS[title]:
        monkeypatch.setenv("T4DM_QWEN", str(request.getfixturevalue("small_model")))
    namespace: dict = {"__name__": "runbook"}
    for code in blocks("python", SECTIONS[title]):
        exec(compile(code, f"runbook: {title}", "exec"), namespace)  # noqa: S102 - the page is ours
    CLAIMS[title](namespace)


def test_every_section_with_code_has_its_claims_checked():
    assert set(WITH_CODE) == set(CLAIMS)


def test_every_symptom_leads_to_its_section():
    for title, anchor in re.findall(r"\[([^\]]+)\]\(#([a-z-]+)\)", PAGE.read_text()):
        assert title in SECTIONS and anchor == title.lower().replace(" ", "-")


def exports() -> list[tuple[str, str]]:
    code = "\n".join(blocks("sh", PAGE.read_text()))
    return re.findall(r"^export (\w+)=(\S+)$", code, re.MULTILINE)


def test_settings_of_the_environment_are_understood():
    named = dict(exports())
    assert {
        "T4DM_STDP_ENABLED", "T4DM_STDP_LEARNING_RATE", "T4DM_NEUROMOD_ENABLED",
        "T4DM_NEUROMOD_UPDATE_FREQ", "T4DM_LEARNING_RATE",
    } == named.keys()  # fmt: skip
    found, complaints = values(named, ParamTree(6))
    assert complaints == [] and len(found) == 4


def sick_log() -> None:
    """Everything that can be said, said once."""
    lif, watch = LIFNeuron(8, u_max=2.0), ActivityLog("sick")
    for level, steps in ((0.0, 500), (50.0, 100), (float("nan"), 1)):
        for _ in range(steps):
            watch(lif.step(torch.full((8,), level), torch.zeros(8)))
    learner = STDPLearner()
    learner.enabled = False
    learner.update_weight(0.5, torch.tensor([10]), torch.tensor([15]))
    learner.learning_rate = 0.5
    NeuromodBus().inject("DA", 0.3)
    weight = torch.nn.Parameter(torch.ones(2))
    GradientDescent([weight]).step(weight.sum())


def test_the_log_lines_to_look_for_are_really_written(caplog, tmp_path):
    caplog.set_level(logging.INFO)
    sick_log()
    (tmp_path / "t4dm.log").write_text("\n".join(caplog.messages))
    commands = [
        line
        for block in blocks("sh", SECTIONS["Logs"])
        for line in block.splitlines()
        if line.startswith("grep")
    ]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        for alternative in re.findall(r'"(.*)"', command)[0].split("|"):
            assert alternative in done.stdout, alternative
    for quoted in re.findall(r"^\| (`.*?) \|", SECTIONS["Logs"], re.MULTILINE):
        for kind in re.findall(r"`(.*?)`", quoted):
            assert any(kind in message for message in caplog.messages), kind

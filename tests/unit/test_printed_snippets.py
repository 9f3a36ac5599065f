"""Every snippet of the debugging runbook runs as printed (tests/fixtures/debugging_snippets.md).

They run down the page in one session of Python, as a reader pastes them.  Only what cannot run as it
is printed is replaced, by the corrected form that docs/runbook.md has.
"""

import contextlib
import hashlib
import io
import os
import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from t4dm.environment import PARAMETERS
from t4dm.learning.gradient import GradientDescent
from t4dm.learning.stdp import STDPLearner
from t4dm.live.environment import values
from t4dm.live.tree import ParamTree
from t4dm.qwen.small import make_small
from t4dm.spiking.neuromod_bus import NeuromodBus

TESTS = Path(__file__).resolve().parents[1]
PRINTED = TESTS / "fixtures" / "debugging_snippets.md"
CORRECTED = TESTS.parent / "docs" / "runbook.md"
SHA256 = "7ef67f6cf94c5ce5311264fdf9069d357f6ea455aac167d4fcf4fa5647cdcfef"
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

REPLACED = {
    "enumerate(spike_trace.items())": "enumerate(spike_trace.values())",
    "pre_times = [...]": "pre_times = [10, 50, 100]",
    "post_times = [...]": "post_times = [15, 55, 105]",
    "u_trace = [...]": "u_trace = [u := lif(row, u)[1] for row in current]",
    "torch.autograd.is_grad_enabled()": "torch.is_grad_enabled()",  # torch has no such name
}
"""What cannot run, and its corrected form."""

GIVEN = {
    "Issue: Runaway Spiking (> 50% Spike Rate)": """
        input_seq = torch.randn(100, 256)
        main_loss = torch.zeros(())
        """,
    "Issue: Membrane Potentials Diverging": """
        current = torch.randn(100, 256, requires_grad=True)
        params = [current]
        """,
}
"""What the snippets of a section take from the reader's own program: nothing above them made it."""


@dataclass(frozen=True)
class Ran:
    """A section's blocks as printed, what they wrote, and the names they left behind."""

    python: list[str]
    shell: list[str]
    written: str
    names: dict


def sections() -> dict[str, tuple[list[str], list[str]]]:
    """Python and shell blocks under every heading that has some."""
    found = {}
    for part in re.split(r"^### ", PRINTED.read_text(), flags=re.MULTILINE)[1:]:
        blocks = [(kind, textwrap.dedent(code)) for kind, code in BLOCK.findall(part)]
        found[part.splitlines()[0]] = tuple(
            [code for kind, code in blocks if kind == which] for which in ("python", "bash")
        )
    return found


def mended(code: str) -> str:
    for printed, corrected in REPLACED.items():
        code = code.replace(printed, corrected)
    return code


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Every section, run in the order of the page; a small model stands in by T4DM_QWEN."""
    folder = make_small(tmp_path_factory.mktemp("qwen"))
    session: dict = {"__name__": "reader"}
    done = {}
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setenv("T4DM_QWEN", str(folder))
        torch.manual_seed(0)
        for title, (python, shell) in sections().items():
            exec(textwrap.dedent(GIVEN.get(title, "")), session)  # noqa: S102 - the lines above
            with contextlib.redirect_stdout(io.StringIO()) as written:
                for code in python:
                    exec(compile(mended(code), title, "exec"), session)  # noqa: S102 - the page
            done[title] = Ran(python, shell, written.getvalue(), dict(session))
    return done


def numbers(text: str, label: str) -> list[float]:
    """The number behind ``label`` in each line that has it."""
    return [float(found) for found in re.findall(rf"{re.escape(label)}\s*(-?[\d.]+)", text)]


def trace(ran: Ran) -> None:
    assert re.findall(r"Block (\d)", ran.written) == [str(k) for k in range(6)]
    rates = numbers(ran.written, "Block 0:")
    assert 0 < rates[0] < 50
    most = numbers(ran.written, "Max rate:")
    assert len(most) == 6 and most[0] == 1.0 and set(most) <= {0.0, 1.0}, "one text of four tokens"


def membranes(ran: Ran) -> None:
    assert len(numbers(ran.written, "mean_u=")) == 10
    assert sum(numbers(ran.written, "spikes=")) > 0
    assert numbers(ran.written, "Saturated timesteps:") == [0]
    assert -10 <= numbers(ran.written, "  Min:")[0] < 0 < numbers(ran.written, "  Max:")[0] <= 10


def levels(ran: Ran) -> None:
    assert numbers(ran.written, "Dopamine (DA):") == [0.5, 0.8]
    for name in ("Acetylcholine (ACh):", "Norepinephrine (NE):", "Serotonin (5-HT):"):
        assert numbers(ran.written, name) == [0.5]
    assert "NT injection schedule (5 events)" in ran.written
    assert [event["nt"] for event in ran.names["schedule"]] == ["DA", "ACh", "NE", "5HT", "DA"]


def stdp(ran: Ran) -> None:
    assert numbers(ran.written, "Weight change from STDP:") == [0.023364]
    changes = dict(re.findall(r"Δt=\s*(-?\d+) ms: dw=(-?[\d.]+)", ran.written))
    assert changes["5"] == "0.007788" and changes["45"] == "0.000000"
    assert len(re.findall("Δt=", ran.written)) == 9


def homeostasis(ran: Ran) -> None:
    adjustments = numbers(ran.written, "adjustment=")
    assert adjustments == [0.0001, 0.0001, 0.0, -0.0, -0.0, -0.0, 0.0, 0.0, 0.0]
    assert numbers(ran.written, "Final error to target:") == [0.0]


def attention(ran: Ran) -> None:
    weights = ran.names["attention_weights"]
    assert weights.shape == (8, 8, 8) and bool(weights.isfinite().all())
    torch.testing.assert_close(weights.sum(-1), torch.ones(8, 8))
    assert numbers(ran.written, "  Mean:") == [0.125]


def silent(ran: Ran) -> None:
    assert numbers(ran.written, "Spikes with strong input:") == [256]
    assert numbers(ran.written, "Membrane > threshold:") == [0]
    assert numbers(ran.written, "Input mean:") == [10.0]
    assert ran.names["lif"].alpha == 0.95


def runaway(ran: Ran) -> None:
    assert len(ran.names["spike_rates"]) == 100 and 0 < max(ran.names["spike_rates"]) < 1
    assert "Recurrent weight range: -1.000 to 0.500" in ran.written
    assert ran.names["lif"].beta == 2.0
    assert float(ran.names["total_loss"].detach()) == pytest.approx(
        0.01 * float(ran.names["spike_loss"].detach())
    )


def no_change(ran: Ran) -> None:
    assert "STDP enabled: True" in ran.written and "ERROR" not in ran.written
    assert ran.names["new_weight"] == pytest.approx(0.5 + 2 * 0.0077880, abs=1e-6)
    assert re.findall(r"Pre spike at (\d+): (\d) causal", ran.written) == [
        ("10", "1"), ("50", "1"), ("100", "1"),
    ]  # fmt: skip
    assert ran.names["stdp"].window_function(45) > 0


def frozen(ran: Ran) -> None:
    assert "DA before: 0.5, after: 0.8" in ran.written and "ERROR" not in ran.written
    assert "NT injection schedule: [{'nt': 'DA'" in ran.written
    assert numbers(ran.written, "Computed reward:") == [0.95]


def diverging(ran: Ran) -> None:
    assert "Contains NaN: False" in ran.written and "Contains Inf: False" in ran.written
    assert len(ran.names["u_trace"]) == 100 and ran.names["u"].abs().max() <= 10
    (norm,) = numbers(ran.written, "Gradient norms: [")
    assert 0 < norm < 1e4
    assert ran.names["lif"].alpha == 0.8


CLAIMS = {
    "Trace Spiking Block Outputs": trace,
    "Inspect Membrane Potentials": membranes,
    "Check Neuromodulator State": levels,
    "Debug STDP Learning": stdp,
    "Monitor Homeostatic Plasticity": homeostasis,
    "Analyze Attention Weights": attention,
    "Issue: No Spikes (Spike Rate = 0%)": silent,
    "Issue: Runaway Spiking (> 50% Spike Rate)": runaway,
    "Issue: STDP Not Updating Weights": no_change,
    "Issue: Neuromodulator Levels Frozen": frozen,
    "Issue: Membrane Potentials Diverging": diverging,
}


@pytest.mark.parametrize("title", CLAIMS)
def test_a_section_runs_and_prints_what_it_should(ran, title):
    CLAIMS[title](ran[title])


def test_the_snippets_are_as_printed_and_all_of_them_are_run(ran):
    assert hashlib.sha256(PRINTED.read_bytes()).hexdigest() == SHA256
    assert ran.keys() == CLAIMS.keys()
    assert sum(len(section.python) for section in ran.values()) == 26
    assert sum(len(section.shell) for section in ran.values()) == 5


def test_what_is_replaced_is_printed_once_and_corrected_in_the_runbook():
    printed, corrected = PRINTED.read_text(), CORRECTED.read_text()
    for before, after in REPLACED.items():
        assert printed.count(before) == 1
        assert after in corrected, f"docs/runbook.md lacks {after}"
    assert printed.count("[...]") == 3 and GIVEN.keys() <= CLAIMS.keys()


def settings(shell: str) -> dict[str, str]:
    """The ``T4DM_*`` variables that a shell has after running ``shell``."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("T4DM_")}
    done = subprocess.run(
        ["bash", "-c", f"{shell}\nenv"], env=plain, capture_output=True, text=True, check=True
    )
    lines = (line.partition("=") for line in done.stdout.splitlines())
    return {name: text for name, _, text in lines if name in PARAMETERS}


EXPORTS = [shell for _, blocks in sections().values() for shell in blocks if "export" in shell]


def test_every_setting_is_among_the_exports():
    assert {name for shell in EXPORTS for name in settings(shell)} == PARAMETERS.keys()


@pytest.mark.parametrize("shell", EXPORTS)
def test_exported_settings_reach_the_objects_and_the_live_session(monkeypatch, shell):
    exported = settings(shell)
    for name, text in exported.items():
        monkeypatch.setenv(name, text)
    learner, bus = STDPLearner(), NeuromodBus()
    descent = GradientDescent([torch.nn.Parameter(torch.ones(1))])
    assert learner.enabled and bus.params.enabled and bus.params.update_freq == 1
    assert learner.learning_rate == float(exported.get("T4DM_STDP_LEARNING_RATE", 1.0))
    assert descent.learning_rate == float(exported.get("T4DM_LEARNING_RATE", 0.001))
    found, complaints = values(exported, ParamTree(6))
    assert complaints == []
    assert found.keys() == {PARAMETERS[name] for name in exported if name != "T4DM_LEARNING_RATE"}

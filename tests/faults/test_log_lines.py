"""The log lines that the runbook greps for, from a real worker that is made sick in every way.

And the ``T4DM_*`` settings, from the environment of the program to the run.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.supervised import Program
from tests.waiting import eventually

SICK = ["--engine", "tests.sick_engine:SickEngine", "--ring-bytes", str(32 << 20)]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
SETTINGS = {
    "T4DM_STDP_ENABLED": "false",
    "T4DM_STDP_LEARNING_RATE": "0.25",
    "T4DM_NEUROMOD_ENABLED": "true",
    "T4DM_NEUROMOD_UPDATE_FREQ": "5",
    "T4DM_LEARNING_RATE": "fast",  # of training in scripts; a bad value is one sentence all the same
}
LINES = (
    "No spikes detected", "Spike explosion", "Membrane overflow", "Numerical instability",
    "STDP enabled", "STDP disabled", "STDP update skipped: stdp.enabled is off",
    "NT injection: DA \\+0.3",
    "learning_rate changed: homeostasis.learning_rate 0.005 -> 0.02",
)  # fmt: skip


def set_to(**values: float | bool) -> list[dict]:
    return [
        {"type": "set", "path": name.replace("__", "."), "value": value}
        for name, value in values.items()
    ]


SILENT = set_to(
    homeostasis__enabled=False, lif__v_thresh=10.0, input__gain=0.0, sensory__enabled=False
)
WILD = set_to(lif__v_thresh=0.05, input__gain=20.0, recurrent__gain=20.0)
BOUND = set_to(lif__v_thresh=10.0, lif__u_max=0.5, input__gain=20.0)


@pytest.fixture(scope="module")
def sick():
    """(what the program logged, its values and warnings at the start, simulated s) after every trouble."""
    program = Program(SICK, **SETTINGS)
    try:
        status, values = program.live(), program.client.params()["non_default"]

        def do(*commands: dict) -> None:
            answer = program.client.command(list(commands))
            assert answer["ok"], answer

        def until_said(line: str) -> None:
            eventually(lambda: re.search(line, program.log.read_text()), what=line)

        do({"type": "speed", "value": "max"}, {"type": "inject", "nt": "DA", "level": 0.3})
        until_said(LINES[7])
        until_said(LINES[6])
        do(*set_to(stdp__enabled=True, homeostasis__learning_rate=0.02))
        until_said("STDP enabled")
        do(*SILENT)
        until_said(LINES[0])
        do(*WILD)
        until_said(LINES[1])
        do(*BOUND)
        until_said(LINES[2])
        do(*WILD, {"type": "clear", "path": "lif.u_max"})  # a weight that nobody uses does no harm
        program.client.command({"type": "reward", "value": -1})  # writes a NaN: the engine is sick
        until_said(LINES[3])
        now_s = program.client.status()["t_ms"] / 1000
        yield program.log.read_text(), status["warnings"], values, now_s
    finally:
        program.close()


def test_settings_of_the_environment_reach_the_run_and_a_bad_one_is_one_sentence(sick):
    log, warnings, values, _ = sick
    assert values == {
        "stdp.enabled": False, "stdp.learning_rate": 0.25, "neuromod.update_freq": 5,
    }  # fmt: skip
    sentence = "T4DM_LEARNING_RATE: expected a number from 0 to 10, got 'fast'; left out"
    assert warnings == [sentence] and log.count(sentence) == 1


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_written(sick, line):
    assert re.search(line, sick[0])


def test_lines_are_held_back(sick):
    """Thousands of steps were silent, wild and bound; each of five groups says so once in ten seconds."""
    log, *_, now_s = sick
    for line in LINES[:3]:
        assert len(re.findall(line, log)) <= 5 * (now_s / 10 + 1), line


def commands() -> list[str]:
    """The greps of the runbook's section on logs, but for those of training."""
    section = PAGE.read_text().split("## Logs", 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("grep")]


def test_the_runbooks_greps_find_them(sick, tmp_path):
    (tmp_path / "t4dm.log").write_text(sick[0])
    assert len(commands()) == 3
    for command in commands():
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        wanted = set(re.findall(r'"(.*)"', command)[0].split("|")) - {"gradient norm"}
        assert {line for line in wanted if line in done.stdout} == wanted

"""What a killed run wrote after its last checkpoint is taken away, half lines too."""

import io
import json

import pytest

from t4dm.training.run_files import RunFiles
from t4dm.training.trainer import StepReport


def report(step, loss=1.0):
    return StepReport(step, "wake", loss, 0.0, 0.5, 1e-3, 10 * (step + 1), True)


@pytest.fixture
def files(tmp_path):
    made = RunFiles(tmp_path / "run")
    for step in range(6):
        made.add_step(report(step, loss=0.1 + step))
    for step in (2, 4, 6):
        made.add_held_out(step, float(step), 100)
    return made


def test_lines_after_the_checkpoint_are_cut(files):
    files.cut(4)
    assert [one["step"] for one in files.read(files.steps)] == [0, 1, 2, 3]
    assert [one["step"] for one in files.read(files.held_out)] == [2, 4]


def test_a_half_line_is_cut(files):
    with files.steps.open("a") as file:
        file.write('{"step": 3, "lo')
    files.cut(6)
    assert [one["step"] for one in files.read(files.steps)] == [0, 1, 2, 3, 4, 5]


def test_losses_come_back_bit_for_bit(files):
    loss = 0.1 + 0.2 + 1e-17
    files.add_step(report(6, loss))
    assert files.read(files.steps)[-1]["loss"] == loss


def test_totals_begin_at_nothing_and_are_kept(files):
    assert files.totals() == {"cpu_s": 0.0, "wall_s": 0.0}
    files.set_totals(1.5, 2.25)
    assert RunFiles(files.folder).totals() == {"cpu_s": 1.5, "wall_s": 2.25}


def test_what_is_told_is_on_the_screen_and_in_the_log(files):
    screen = io.StringIO()
    files.tell("step 3  wakes up", screen)
    assert screen.getvalue() == (files.folder / "run.log").read_text() == "step 3  wakes up\n"


def test_a_line_is_plain_json(files):
    line = files.steps.read_text().splitlines()[2]
    assert json.loads(line) == {
        "step": 2, "phase": "wake", "loss": 2.1, "penalty": 0.0, "grad_norm": 0.5,
        "learning_rate": 1e-3, "tokens": 30, "applied": True,
    }  # fmt: skip

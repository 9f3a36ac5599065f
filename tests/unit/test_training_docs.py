"""docs/training.md and its pictures are what the result files say."""

import re

from tools import clinic_docs
from tools import write_training_docs as docs


def test_the_page_is_up_to_date():
    assert docs.PAGE.read_text() == docs.training_page(), "run make docs"


def test_the_pictures_are_up_to_date():
    for name, svg in docs.charts().items():
        assert (docs.IMAGES / name).read_text() == svg, f"{name}: run make docs"


def test_what_was_not_measured_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(docs, "RESULTS", tmp_path)
    assert docs.training_page().count("Not measured yet.") == 7
    assert docs.charts() == {}


def test_a_fault_stands_under_the_sound_model_of_its_own_trial():
    made = docs.results("clinic", "")
    table = [line for line in clinic_docs.clinic(made) if re.match(r"\| \d", line)]
    numbers = [int(line.split(" | ")[0][2:]) for line in table]
    assert numbers == [0, *range(1, 9), 0, *range(9, 16), 17, 0, 16]
    beside = next(row["beside"] for row in made["rows"] if row["number"] == 9)
    assert f"| 0 | **sound: brain** | {beside['steps_to_5']} | {beside['final']:.3f}" in table[9]


def test_what_an_older_result_lacks_is_told_row_by_row():
    made = docs.results("live")
    made["result"] = {key: value for key, value in made["result"].items() if key != "input_p95_ms"}
    told = [line for line in clinic_docs.live(made) if "not measured yet |" in line]
    assert any(line.startswith("| from a movement of the pointer") for line in told)

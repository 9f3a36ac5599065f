"""A sample of both campaigns; ``make bench`` runs the whole."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import bench_confusion
import bench_healthy
from damage import DAMAGES, SIX, draw

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels
SAMPLE = (2, 7, 13, 23, 28)  # the small ones among the first cases: shut, runaway, gated, well, cut


@pytest.mark.parametrize("number", SAMPLE)
def test_what_is_called_is_what_was_measured(number, calibrated):
    case = draw(number)
    row = bench_confusion.examine(case, 3000, calibrated)
    assert row["called"] == row["true"] == ([case.aimed] if case.aimed else []), row
    assert not case.aimed or row["cause"] == bench_confusion.CAUSES[case.damage]


@pytest.mark.parametrize(("seed", "kind"), [(1, "text"), (0, "noise")])
def test_healthy_runs_are_left_in_peace(seed, kind, calibrated):
    row = bench_healthy.examine(seed, kind, 4.0, calibrated)
    assert row["graver_than_note"] == 0 and row["waiting"] == "", row["findings"]


def test_cases_are_drawn_from_their_number_and_cover_every_damage():
    assert draw(17) == draw(17)
    drawn = [draw(number) for number in range(100)]
    assert {case.damage for case in drawn} == set(DAMAGES)
    assert {case.aimed for case in drawn} - {""} == set(SIX)
    assert len({case.size for case in drawn}) == 6


def test_the_table_counts_what_was_missed_and_what_was_wrong():
    rows = [
        {"true": ["runaway"], "called": ["runaway"]},
        {"true": ["runaway"], "called": []},
        {"true": [], "called": ["runaway"]},
    ]
    counts = bench_confusion.table(rows)
    assert counts["runaway"] == {
        "right": 1, "missed": 1, "wrong": 1, "precision": 0.5, "recall": 0.5,
    }  # fmt: skip
    assert counts["sparsity"]["precision"] is None

"""A sample of the campaigns; ``make bench`` runs the whole."""

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import bench_confusion
import bench_flapping
import bench_healthy
import numpy as np
import truth
from damage import DAMAGES, SIX, draw

from t4dm.live.tree import ParamTree

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


RESTLESS = (
    32,
    81,
    98,
    168,
    292,
)  # small ones that came and went while what is over was over at once


@pytest.mark.parametrize("number", RESTLESS)
def test_what_is_said_of_settings_that_nobody_changes_stands_still(number, calibrated):
    row = bench_flapping.examine(number, 20.0, calibrated)
    assert row["story"] and row["returns"] + row["gaps"] + row["causes"] <= 1, row["story"]


def test_settings_are_drawn_from_their_number_and_are_valid():
    drawn = [bench_flapping.draw(number) for number in range(60)]
    assert drawn == [bench_flapping.draw(number) for number in range(60)]
    for row in drawn:
        tree = ParamTree(row["size"][0], dt=row["dt"])
        assert all(tree.check(path, value) == value for path, value in row["values"].items())


def standing(*found):
    """A session whose doctor says this: (id, cause, group) each."""
    findings = [
        {"id": id, "severity": "warning", "cause": {"code": cause}, "remedies": [],
         "where": {"group": group}}
        for id, cause, group in found
    ]  # fmt: skip
    return SimpleNamespace(doctor=SimpleNamespace(findings=findings), t_ms=0.0)


def test_what_comes_back_and_what_changes_is_counted():
    watcher = bench_flapping.Watcher()
    for said in ([], [("a", "x", "g")], [], [("a", "x", "g")], [("a", "y", "g"), ("b", "x", "g")],
                 [("a", "y", "h")]):  # fmt: skip
        watcher.see(standing(*said))
    assert dict(watcher.counts) == {
        "returns": 1, "gaps": 1, "causes": 1, "remedies": 0, "places": 1,
    }  # fmt: skip


def test_cases_are_drawn_from_their_number_and_cover_every_damage():
    assert draw(17) == draw(17)
    drawn = [draw(number) for number in range(100)]
    assert {case.damage for case in drawn} == set(DAMAGES)
    assert {case.aimed for case in drawn} - {""} == set(SIX)
    assert len({case.size for case in drawn}) == 6


def test_the_table_counts_what_was_missed_and_what_was_wrong():
    rows = [
        {"true": ["runaway"], "open": [], "now": ["runaway"], "called": ["runaway"]},
        {"true": ["runaway"], "open": [], "now": ["runaway"], "called": []},
        {"true": [], "open": [], "now": [], "called": ["runaway"]},
        {"true": [], "open": ["runaway"], "now": [], "called": ["runaway"]},
    ]
    counts = bench_confusion.table(rows)
    assert counts["runaway"] == {
        "right": 1, "missed": 1, "wrong": 1, "open": 1, "missed_now": 1, "wrong_now": 2,
        "precision": 0.5, "recall": 0.5,
    }  # fmt: skip
    assert counts["sparsity"]["precision"] is None


def test_a_symptom_stands_from_its_limit_of_entering_to_that_of_leaving():
    rate = np.full(6000, 0.02)
    rate[500:650] = 0.005  # a dip too short to be called
    rate[1000:1400] = 0.005
    rate[1400:2000] = 0.012  # not below the limit, and not well again
    found = truth.standing(rate < 0.01, rate < 0.015)
    assert not found[:1199].any() and found[1199:4999].all() and not found[4999:].any()
    assert not truth.standing(rate < 0.004, rate < 0.015).any()


def witness(values, onsets, surprises, levels):
    """One that saw these (T,) and (T, 3) by itself, of a case that sets ``values``."""
    seen = truth.Witness.__new__(truth.Witness)
    seen.case = dataclasses.replace(draw(23), values=values)
    seen._onsets, seen._surprises, seen._levels = onsets, surprises, levels
    return seen


@pytest.mark.parametrize(
    ("values", "called"),
    [
        ({}, [True, True, True]),
        ({"neuromod.DA": 0.5}, [False, True, True]),
        ({f"neuromod.{nt}": 0.5 for nt in truth.LEVELS}, [True, True, True]),
    ],
)
def test_levels_are_called_by_onsets_and_rewards_unless_they_are_held(values, called):
    onsets, surprises = np.zeros(1400), np.zeros(1400)
    onsets[[100, 350]], surprises[[100, 300]] = 1, 0.06
    seen = witness(values, onsets, surprises, np.full((1400, 3), 0.5))
    assert seen._called()[1050].tolist() == called
    assert not seen._called()[1399].any() and not seen._called()[900].any()


def test_each_level_moves_by_itself():
    levels = np.full((1200, 3), 0.5)
    levels[600, 0] = 0.7
    seen = witness({}, np.zeros(1200), np.zeros(1200), levels)
    assert seen._swing()[-1].tolist() == pytest.approx([0.2, 0.0, 0.0])


def test_means_and_largest_values_of_windows():
    values = np.random.default_rng(3).normal(size=(40, 2))
    for row in range(40):
        mean, most = truth._mean(values, 7)[row], truth._most(values, 7)[row]
        if row < 6:
            assert np.isnan(mean).all() and np.isnan(most).all()
        else:
            part = values[row - 6 : row + 1]
            assert np.allclose(mean, part.mean(axis=0)) and (most == part.max(axis=0)).all()


def test_a_block_is_silent_where_it_has_what_to_fire_at():
    fed, quiet = [0.05, 0.05], [0.0, 0.0]
    rate = np.array([[*fed, *quiet], [*quiet, *quiet], [*quiet, *fed], [*fed, *fed]])
    assert truth._silent(rate, 0.001).tolist() == [True, True, False, False]

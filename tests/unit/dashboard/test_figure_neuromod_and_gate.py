"""Neuromodulators and gate: limits, baselines, boluses, gains, openness."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dashboard.figures import gate, neuromod, style
from tests.unit.dashboard.figure_values import THREE, texts, values

ROOT = Path(__file__).resolve().parents[3]


def test_neuromod_limits_are_fixed_and_boluses_marked(window):
    events = [
        {"type": "inject", "step": 1, "nt": "NE", "level": 0.3},
        {"type": "inject", "step": 2, "nt": "5HT", "level": -0.2},
    ]
    figure = neuromod.figure(window(THREE, events=events), {})
    heat, marks = figure["data"]
    assert (heat["zmin"], heat["zmax"]) == (0.0, 1.0)
    assert heat["colorbar"]["ticktext"] == ["0", "0.5", "1"]
    assert values(heat["customdata"]) == pytest.approx(np.full((4, 3), 0.5))
    assert marks["marker"]["symbol"] == ["triangle-up", "triangle-down"]
    assert marks["x"] == [1.0, 2.0]
    assert marks["y"] == [2, 3]
    assert "NE +0.3 | 5-HT −0.2" in texts(figure)


def test_neuromod_is_white_at_each_modulators_baseline(window):
    shown = {"values": {"neuromod.DA_baseline": 0.5, "neuromod.ACh_baseline": 0.25,
                        "neuromod.NE_baseline": 0.75, "neuromod.5HT_baseline": 0.0}}  # fmt: skip
    heat = neuromod.figure(window(THREE), shown)["data"][0]
    # every level is 0.5: ACh is a third of the way from its baseline to 1, NE two thirds to its own
    place = [0.5, 0.5 + 0.5 / 3, 1 / 3, 1 - 0.5 * 0.5 / 0.95]
    assert values(heat["z"])[:, 0] == pytest.approx(place, rel=1e-5)
    assert heat["colorbar"]["ticktext"] == ["0", "base", "1"]


def test_neuromod_ends_stay_fixed_whatever_the_baseline():
    levels = np.array([[0.0, 0.0], [0.2, 0.8], [1.0, 1.0]], np.float32)
    placed = neuromod.shade(levels, neuromod.LEVEL_RANGE, [0.2, 0.8])
    assert placed == pytest.approx(np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]))


@pytest.mark.parametrize(
    ("python", "page"), [("DIVERGING", "DIVERGING"), ("SEQUENTIAL", "CIVIDIS")]
)
def test_colour_scales_are_those_of_the_canvas(python, page):
    code = (ROOT / "assets" / "js" / "colors.mjs").read_text()
    body = re.search(rf"{page}_STOPS = \[(.*?)\];", code, re.DOTALL)
    stops = re.findall(r'\[([\d.]+), "(#\w{6})"\]', body[1])
    assert [[float(at), colour] for at, colour in stops] == getattr(style, python)


def test_neuromod_second_view_shows_gains(window):
    figure = neuromod.figure(window(THREE), {}, view="gains")
    heat = figure["data"][0]
    assert values(heat["z"]) == pytest.approx(np.full((5, 3), 0.5))  # every gain is 1: white
    assert heat["colorbar"]["ticktext"] == ["0", "1", "2"]
    assert figure["layout"]["yaxis"]["ticktext"] == [
        "ACh → thalamic gate  1.00", "NE → LIF in, LIF out  1.00", "DA → LTP (LIF in rec.)  1.00",
        "DA → LTD (LIF in rec.)  1.00", "5-HT → RWKV decay  1.00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "idle", [{"stdp.mode": "three_factor"}, {"stdp.da_gate": 0.9}, {"stdp.enabled": False}]
)
def test_neuromod_gains_without_effect_are_grey(window, idle):
    figure = neuromod.figure(window(THREE), {"values": idle}, view="gains")
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names[2:4] == ["DA → LTP: not applied", "DA → LTD: not applied"]
    grey, heat = (np.isfinite(values(trace["z"])).all(axis=1).tolist() for trace in figure["data"])
    assert heat == [True, True, False, False, True]
    assert grey == [False, False, True, True, False]
    assert figure["data"][0]["colorscale"] == [[0, "#DFE3E8"], [1, "#DFE3E8"]]


def test_gate_is_scaled_to_one_and_a_half(window):
    figure = gate.figure(window([[]] * 5), {})
    heat = figure["data"][0]
    assert values(heat["z"]) == pytest.approx(np.full((4, 2), 1.0))
    assert heat["zmax"] == 1.5
    assert values(figure["data"][-1]["y"]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("view", ["levels", "gains", "lines"])
def test_events_are_labelled_in_one_lane_above_the_levels(window, view):
    """The first of two that would lie over one another; as high as a label where the plot has 104 px."""
    events = [
        {"type": "param", "step": step, "path": path, "old": 1.0, "new": 2.0}
        for step, path in ((10, "lif.beta"), (12, "lif.alpha"), (200, "lif.beta"))
    ]
    made = neuromod.figure(window([[]] * 300, events=events), {}, view=view)["layout"]
    labels = [note for note in made["annotations"] if note.get("name", "").startswith("event")]
    assert [note["visible"] for note in labels] == [True, False, True]
    assert {note["yshift"] for note in labels if note["visible"]} == {-9}
    bottom, top = made["yaxis"]["domain"]
    assert bottom == 0 and (1 - top) * 104 >= 9 + 15 / 2

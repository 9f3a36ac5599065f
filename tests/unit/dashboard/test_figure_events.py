"""Events on the time axis: words, lines, and labels that never lie over each other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dashboard.figures import events, rate


def change(step: int, path: str = "lif.v_thresh", new: Any = 1.5) -> dict[str, Any]:
    return {"type": "param", "step": step, "path": path, "old": 1.0, "new": new}


def labels(figure: dict[str, Any]) -> list[dict[str, Any]]:
    notes = figure["layout"]["annotations"]
    return [note for note in notes if (note.get("name") or "").startswith(events.NAME)]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (change(0), "v_thresh 1 → 1.5"),
        (change(0, "blocks.2.lif_in.v_thresh"), "b2 lif_in.v_thresh 1 → 1.5"),
        (change(0, "stdp.tau_plus", 1e-5), "stdp.tau_plus 1 → 0.00001"),
        (change(0, "neuromod.DA", None), "DA 1 → free"),
        (change(0, "stdp.enabled", False), "stdp.enabled 1 → off"),
        ({"type": "inject", "step": 0, "nt": "5HT", "level": -0.25}, "5-HT −0.25"),
        ({"type": "reward", "step": 0, "r": 1.0}, "reward +1"),
        ({"type": "break", "step": 0, "reason": "rate above 50"}, "break: rate above 50"),
        ({"type": "reset", "step": 0, "seed": 3}, "reset, seed 3"),
        (
            {"type": "finding", "id": "stdp_not_engaging", "state": "cleared"},
            "cleared: STDP not engaging",
        ),
        (
            {"type": "finding", "id": "sparsity", "state": "cleared", "by": "not_firing"},
            "explained by not firing: sparsity",
        ),
        ({"type": "stimulus", "step": 0, "label": "3"}, ""),
    ],
)
def test_each_event_has_its_words(event, told):
    assert events.text_of(event) == told


def test_each_event_has_a_line_of_its_kind(window):
    happened = [
        change(1),
        {"type": "inject", "step": 2, "nt": "ACh", "level": 0.3},
        {"type": "nan", "step": 4, "tensor": "u"},
        {"type": "stimulus", "step": 5, "label": "3"},
    ]
    figure = rate.figure(window([[]] * 10, events=happened), {})
    lines = [s for s in figure["layout"]["shapes"] if s["x0"] == s["x1"]]
    assert [s["x0"] for s in lines] == [1.0, 2.0, 4.0]
    assert [s["line"]["dash"] for s in lines] == ["solid", "5px,3px", "5px,3px"]
    assert [s["line"]["width"] for s in lines] == [1, 1, 2]
    assert lines[1]["line"]["color"] == "#0072B2"


def test_labels_never_overlap(window):
    happened = [change(step, f"stdp.a_{step}") for step in range(0, 300, 7)]
    figure = rate.figure(window([[]] * 300, events=happened), {})
    shown = [note for note in labels(figure) if note["visible"]]
    assert 3 <= len(shown) < len(happened)
    boxes = []
    for note in shown:
        width = (len(note["text"]) + 1) / events.CHARACTERS_ACROSS * 300
        left = note["x"] - width if note["xanchor"] == "right" else note["x"]
        boxes.append((note["yshift"], left, left + width))
    for a, b in itertools.combinations(boxes, 2):
        assert a[0] != b[0] or a[2] <= b[1] or b[2] <= a[1]


def test_a_drag_is_labelled_once(window):
    happened = [change(step, new=1 + step / 100) for step in range(100, 110)]
    figure = rate.figure(window([[]] * 300, events=happened), {})
    assert [note["visible"] for note in labels(figure)] == [True] + [False] * 9


def test_a_label_at_the_end_stands_left_of_its_line(window):
    figure = rate.figure(window([[]] * 300, events=[change(10), change(299, "lif.beta")]), {})
    assert [note["xanchor"] for note in labels(figure)] == ["left", "right"]

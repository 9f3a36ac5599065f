"""Figures are pure functions: what holds of every one, tested with three numbers and Plotly's own validation."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures import rate, style
from dashboard.panels.registry import all_panels
from tests.unit.dashboard.figure_values import THREE, texts, values


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("panel", all_panels(), ids=lambda panel: panel.slug)
def test_every_figure_is_valid_plotly(panel, theme, window):
    events = [
        {"type": "param", "step": 1, "path": "lif.v_thresh", "old": 1.0, "new": 1.1},
        {"type": "inject", "step": 2, "nt": "DA", "level": 0.3},
        {"type": "stimulus", "step": 0, "kind": "digits", "label": "7", "index": 3},
    ]
    for given in (None, window(THREE), window(THREE, events=events), window([[]])):
        figure = panel.figure(given, {}, theme)
        go.Figure(figure)
        for name in ("paper_bgcolor", "plot_bgcolor"):
            assert figure["layout"][name] == "rgba(0,0,0,0)"
        assert figure["layout"]["uirevision"] == panel.slug


def test_time_panels_align(window):
    plots = [p.figure(window(THREE), {}) for p in all_panels() if p.axis == "time"]
    assert len(plots) >= 5
    margins = {(f["layout"]["margin"]["l"], f["layout"]["margin"]["r"]) for f in plots}
    ranges = {tuple(f["layout"]["xaxis"]["range"]) for f in plots}
    assert len(margins) == 1
    assert ranges == {(0.0, 3.0)}
    assert all(f["layout"]["xaxis"]["title"]["text"] == "Time (ms)" for f in plots)


def test_changes_are_labelled_vertical_lines_on_every_time_plot(window):
    events = [{"type": "param", "step": 1, "path": "lif.v_thresh", "old": 1.0, "new": 1.1}]
    for panel in all_panels():
        if panel.axis != "time":
            continue
        figure = panel.figure(window(THREE, events=events), {})
        assert "v_thresh 1 → 1.1" in texts(figure), panel.slug
        assert any(s.get("x0") == s.get("x1") == 1.0 for s in figure["layout"]["shapes"]), (
            panel.slug
        )


def test_user_text_cannot_become_markup(window):
    events = [{"type": "note", "step": 1, "text": '<a href="https://example.org">x</a>'}]
    shown = texts(rate.figure(window(THREE, events=events), {}))
    assert "<a" not in shown
    assert "&lt;a" in shown


def test_typed_arrays_keep_values_and_shape():
    array = np.arange(6, dtype=np.int64).reshape(2, 3)
    encoded = style.typed(array)
    assert encoded["dtype"] == "i4"
    assert encoded["shape"] == "2, 3"
    assert (values(encoded) == array).all()
    with pytest.raises(ValueError, match="no typed array"):
        style.typed(np.array(["a"]))


def test_every_axis_with_ticks_has_a_unit(window):
    for panel in all_panels():
        layout = panel.figure(window(THREE), {})["layout"]
        for name, axis in layout.items():
            if not name.startswith(("xaxis", "yaxis")) or axis.get("visible") is False:
                continue
            named = axis["title"]["text"]
            labelled = axis.get("ticktext") or axis.get("showticklabels") is False
            assert labelled or "(" in named or named in ("Channel", "Pairs in 1 s"), (
                panel.slug,
                name,
            )

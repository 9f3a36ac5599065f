"""The panel door: a file is a panel; what a panel asks for must exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dash import dcc, html

from dashboard.figures import raster, tables
from dashboard.pages import shell
from dashboard.panels.base import KNOWN_PROBES, Panel
from dashboard.panels.registry import all_panels, panel_by_slug

ORDER = [
    "raster", "gate", "rate", "membrane", "neuromod", "weights", "stdp", "stimulus", "receptive",
    "accuracy", "attention", "isi", "regularity",
]  # fmt: skip


def panel(**changes: Any) -> Panel:
    plain: dict[str, Any] = {
        "id": "panel-x", "slug": "x", "title": "X", "figure": raster.figure,
        "table": tables.raster, "needs": ("spikes",), "order": 1,
    }  # fmt: skip
    return Panel(**(plain | changes))


def components(node: Any) -> list[Any]:
    children = getattr(node, "children", None)
    children = (
        [] if children is None else children if isinstance(children, (list, tuple)) else [children]
    )
    return [node, *(found for child in children for found in components(child))]


def test_panels_are_found_in_page_order():
    assert [p.slug for p in all_panels()] == ORDER
    assert [p.id for p in all_panels()] == [f"panel-{slug}" for slug in ORDER]
    assert panel_by_slug("gate").title == "Thalamic gate"
    assert panel_by_slug("nothing") is None


def test_an_unknown_probe_fails_with_the_valid_list():
    with pytest.raises(ValueError, match="unknown probe 'spike'; did you mean 'spikes'") as raised:
        panel(needs=("spike",))
    for probe in KNOWN_PROBES:
        assert probe in str(raised.value)


def test_an_unknown_parameter_fails_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'lif.v_thresh'"):
        panel(controls=("lif.vthresh",))


def test_no_graph_offers_an_upload_to_another_host():
    graphs = [c for c in components(shell.layout(all_panels())) if isinstance(c, dcc.Graph)]
    assert [g.id for g in graphs] == [f"graph-{slug}" for slug in ORDER]
    for graph in graphs:
        assert graph.config["showSendToCloud"] is False
        assert graph.config["plotlyServerURL"] == ""
        assert graph.config["displaylogo"] is False
        assert graph.config["responsive"] is True


def test_the_page_has_its_regions():
    tree = components(shell.layout(all_panels()))
    ids = {getattr(c, "id", None) for c in tree}
    assert ids >= {
        "topbar", "pages", "notices", "board", "controls", "timeline", "strip", "dialogs", "toasts",
    }  # fmt: skip
    sections = [c for c in tree if isinstance(c, html.Section)]
    assert [s.id for s in sections] == [f"panel-{slug}" for slug in ORDER]


def test_the_page_configuration_cannot_break_out_of_its_script_tag():
    parts = dict.fromkeys(
        ("metas", "title", "favicon", "css", "app_entry", "config", "scripts", "renderer"), ""
    )
    page = shell.index_html({"x": "</script><script>alert(1)</script>"}, "/m.mjs", **parts)
    assert page.count("</script>") == 2
    assert "\\u003c/script>" in page


@pytest.mark.parametrize("found", all_panels(), ids=lambda p: p.slug)
def test_tables_have_columns_of_one_length(found, window):
    columns = found.table(window([[0], [], [5, 14]], step0=250))
    assert len({len(column) for column in columns.values()}) == 1
    assert next(iter(columns)) == "time_ms"
    assert all(np.asarray(column).ndim == 1 for column in columns.values())


def test_raster_table_counts_every_spike(window):
    columns = tables.raster(window([[0], [], [5, 14]], step0=100))
    assert columns["time_ms"].tolist() == [100.0, 102.0, 102.0]
    assert columns["neuron"].tolist() == [0, 5, 14]
    assert columns["stage"].tolist() == [0, 1, 3]

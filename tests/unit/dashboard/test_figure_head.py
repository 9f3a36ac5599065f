"""Heads of figures: which blocks are shown, also of what a session does not publish."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dashboard.api.figure_head import head_of, headers_of
from dashboard.panels.registry import panel_by_slug
from t4dm.live.groups import Layout
from tests.unit.dashboard.figure_values import THREE

CLIENT: Any = SimpleNamespace(session="mine")


def head(slug, window):
    panel = panel_by_slug(slug)
    assert panel is not None
    return head_of(CLIENT, panel, window)


def test_blocks_are_told_by_their_own_numbers(window):
    groups = [{"name": f"b{k}", "n": 8, "block": k, "stage": "lif"} for k in (3, 7)]
    found = replace(window(THREE, gate_block=1, weights_block=1), layout=Layout.from_json(groups))
    for slug in ("gate", "weights"):
        told = head(slug, found)
        assert told["blocks"] == [7] and told["shown"]["blocks"] == {"n": 1, "total": 2}
    assert head("raster", found)["blocks"] == [3, 7]


@pytest.mark.parametrize("slug", ["gate", "weights"])
def test_of_what_is_not_published_no_block_is_shown(window, slug):
    none = {"gate": np.zeros((1, 0), "u1"), "gate_mean": np.zeros((1, 0), "f4")}
    none["hist_exc"] = np.zeros((1, 0, 64), "u4")
    told = head(slug, replace(window(THREE), **none))
    assert told["blocks"] == [] and told["shown"]["blocks"] == {"n": 0, "total": 0}


def test_neurons_of_no_block_are_of_none(window):
    lone = replace(window(THREE), layout=Layout.from_json([{"name": "all", "n": 16}]))
    told = head("raster", lone)
    assert told["blocks"] == [] and told["shown"]["neurons"] == {"n": 16, "total": 16}
    meta = head("rate", lone)
    assert meta["blocks"] is None and meta["shown"] == {}
    headers = headers_of({"layout": {"meta": meta}})
    assert not headers.keys() & {"X-T4DM-Blocks", "X-T4DM-Shown", "X-T4DM-Neurons"}

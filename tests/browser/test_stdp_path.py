"""How STDP is computed stands under its panel, and changes with the rule."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import figure_of, send, until


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "lazy, cut windows"),
        ({"stdp.window_pre_to_post": 500, "stdp.window_post_to_pre": 500}, "lazy"),
        ({"stdp.mu": 0.5}, "eager"),
        ({"stdp.mode": "three_factor", "stdp.pairing": "nearest"}, "three-factor, nearest pairs"),
    ],
    ids=str,
)
def test_the_path_stands_in_the_foot_and_in_the_figure(board, values, path):
    send(board, {"type": "replace", "values": values})
    until(board, "path => window.t4dm.app.meta.stdp_path === path", path)
    expect(board.locator("#panel-stdp .panel-foot")).to_contain_text(f"· path: {path} ·")
    notes = figure_of(board, "stdp")["layout"]["annotations"]
    assert any(note["text"].endswith(f"path: {path}") for note in notes)

"""Calls that wait together become one segment, and show what they would have shown apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t4dm.live.publisher_blocks import Block, Publishes, goes_on, joined, segment_of

T, SIZES, WATCH = 25, (6, 3), [1, 7]
PUBLISHES = Publishes(["spikes"], ["fc.weight"], [1.0])


def block(seed: int) -> Block:
    draws = np.random.default_rng(seed)
    spikes = [(draws.random((T, n)) < 0.2).astype(np.float32) for n in SIZES]
    u = draws.random((T, len(WATCH))).astype(np.float32)
    return Block(T, spikes, u, WATCH, np.array([1.0, np.nan]))


def test_calls_joined_show_what_they_show_apart():
    blocks = [replace(block(0), weights=[np.linspace(0, 1, 9)]), block(1), block(2)]
    assert goes_on(blocks[1], blocks[0]) and goes_on(blocks[2], blocks[1])
    whole = segment_of(joined(blocks), 0, 3 * T, 0, PUBLISHES, "step")
    parts = [segment_of(b, 0, T, k * T, PUBLISHES, "step") for k, b in enumerate(blocks)]
    for name in ("spk_n", "spk_id", "rates", "u", "theta", "clamped", "hist_exc", "bounds"):
        apart = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(whole, name), apart, err_msg=name)
    assert whole.meta["hist_steps"] == [0] and whole.hist_exc.sum() == 9


@pytest.mark.parametrize(
    "news",
    [
        {"watch": [1, 2]},
        {"theta": np.array([0.5, np.nan])},
        {"weights": [np.ones(4)]},
        {"gate": np.ones((T, 1, 4))},
        {"events": [{"type": "note", "step": 3}]},
    ],
)
def test_a_call_with_news_begins_a_segment_of_its_own(news):
    assert not goes_on(replace(block(1), **news), block(0))

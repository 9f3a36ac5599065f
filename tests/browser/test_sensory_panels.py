"""The panels of the sensory layer show the sample with which the window ends."""

import numpy as np
import pytest

from t4dm.live import frame
from tests.browser.one_tab import drawn, figure_of, hold, until


@pytest.fixture
def sample(board):
    """The layer as the API gives it for a standing window."""
    until(
        board, "window.t4dm.drawn('receptive')?.n > 0 && window.t4dm.drawn('accuracy')?.points > 0"
    )
    seen = hold(board)
    url = f"/sessions/default/window?from_ms={seen['t0_ms']}&to_ms={seen['t1_ms']}"
    return frame.decode(board.request.get(url).body())


def test_fields_are_those_of_the_window(board, sample):
    _, arrays = sample
    shown = drawn(board, "receptive")
    assert shown["n"] == arrays["neuron_labels"].shape[1]
    assert shown["sum"] == int(arrays["receptive"].sum()) > 0
    counts = [int((arrays["neuron_labels"] == k).sum()) for k in (*range(10), 255)]
    assert shown["drawn"] == sum(min(32, n) for n in counts)
    ticks = figure_of(board, "receptive")["layout"]["yaxis"]["ticktext"]
    assert ticks == [f"{k if k < 10 else 'none'} ({n})" for k, n in enumerate(counts)]


def test_the_course_and_its_score_are_those_of_the_window(board, sample):
    meta, arrays = sample
    shown = drawn(board, "accuracy")
    points = int((~np.isnan(arrays["course"][0, :, 0])).sum())
    assert shown["points"] == points > 0
    assert shown["learned"]["scored"] <= meta["learned"]["scored"]
    foot = board.locator("#panel-accuracy .panel-foot").text_content()
    assert "held-out digits" in foot and "scored" in foot

"""Windows: what merge keeps, cuts and refuses."""

import numpy as np
import pytest

from t4dm.live.frame import decode
from t4dm.live.merge import EVERY, merge, tail
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.params import ParamError
from tests.toy_engine import ToyEngine


@pytest.fixture(scope="module")
def segments():
    engine = ToyEngine(tree=ParamTree(6), seed=1)
    return [engine.advance(n) for n in (8, 13, 64, 64, 1, 64, 50)]


def spikes(segments):
    step = np.concatenate([s.step0 + np.repeat(np.arange(len(s.spk_n)), s.spk_n) for s in segments])
    return step, np.concatenate([s.spk_id for s in segments])


@pytest.mark.parametrize(
    "rows", ["all", "spread:200", "spread:1", "stage:11", "block:2", (9, 3, 700)]
)
def test_rows_show_exactly_their_spikes(segments, rows):
    window = merge(segments, View(rows=rows))
    step, ids = spikes(segments)
    kept = np.isin(ids, window.rows)
    np.testing.assert_array_equal(window.rows[window.spk_row], ids[kept])
    np.testing.assert_array_equal(window.step0 + window.spk_dt.astype(int), step[kept])
    assert window.spk_row.dtype == "u2" and window.spk_dt.dtype == "u2"


def test_spread_is_even_over_the_stages(segments):
    rows = merge(segments).rows
    assert len(rows) == 200
    per_stage = np.bincount(rows // 256, minlength=12)
    assert per_stage.min() >= 16 and per_stage.max() <= 17


def test_stage_and_block_rows(segments):
    assert merge(segments, View(rows="stage:4")).rows.tolist() == list(range(1024, 1280))
    assert merge(segments, View(rows="block:2")).rows.tolist() == list(range(1024, 1536))


def test_only_what_is_asked_for_is_joined(segments):
    view = View(rows="stage:3", gate_block=2)
    whole = merge(segments, view, 5, 200)
    for only in (("spikes",), ("rates", "u"), ("gate", "levels"), ("hist_exc", "attention"), ()):
        window = merge(segments, view, 5, 200, only)
        wanted = {"spk_row", "spk_dt", *only} if "spikes" in only else set(only)
        for name in (*EVERY - {"spikes"}, "spk_row", "spk_dt"):
            array, full = getattr(window, name), getattr(whole, name)
            assert array.dtype == full.dtype and array.shape[1:] == full.shape[1:], name
            np.testing.assert_array_equal(array, full if name in wanted else full[:0])
        assert window.events == whole.events and window.meta == whole.meta
    with pytest.raises(ValueError, match="no arrays \\['spk_row'\\]; there are"):
        merge(segments, view, only=("spk_row",))


def test_merge_in_parts_equals_merge_of_the_whole(segments):
    view = View(rows="all", gate_block=3, attention_block=4)
    whole = merge(segments, view)
    parts = [merge(segments[:3], view), merge(segments[3:], view)]
    for name in ("rates", "u", "theta", "levels", "gains", "gate", "gate_mean", "stim", "clamped",
                 "hist_exc", "hist_inh", "bounds", "pairs", "spk_row", "attention",
                 "attention_keys"):  # fmt: skip
        joined = np.concatenate([getattr(p, name) for p in parts])
        np.testing.assert_array_equal(getattr(whole, name), joined)
    assert whole.events == parts[0].events + parts[1].events
    assert whole.gate.shape == (66, 256) and whole.gate_steps[-1] == 260
    np.testing.assert_array_equal(whole.gate[:2], segments[0].gate[:, 3])
    assert whole.attention.shape == (66, 64) and whole.attention_keys.shape == (66,)
    np.testing.assert_array_equal(whole.attention[:2], segments[0].attention[:, 4])


def test_a_cut_is_exact(segments):
    window = merge(segments, View(rows="all"), 10, 101)
    assert (window.step0, window.step1, len(window.rates)) == (10, 101, 91)
    assert len(window.spk_row) == window.rates.sum()
    assert window.gate_steps.tolist() == list(range(12, 101, 4))
    assert len(window.gate) == len(window.gate_steps)


def test_membranes_follow_a_changing_watch_list():
    engine = ToyEngine(tree=ParamTree(6), seed=1)
    engine.watch = [5, 6]
    first = engine.advance(8)
    engine.watch = [7, 5]
    second = engine.advance(8)
    window = merge([first, second], View(membrane=(5, 7, 9)))
    assert np.isfinite(window.u[:, 0]).all() and np.isnan(window.u[:, 2]).all()
    assert np.isnan(window.u[:8, 1]).all() and np.isfinite(window.u[8:, 1]).all()
    np.testing.assert_array_equal(window.u[8:, 0], second.u[:, 1])


def test_the_default_membranes_are_the_first_six_watched(segments):
    assert merge(segments).membrane.tolist() == segments[0].meta["watch"][:6]


def test_the_frame_holds_the_window(segments):
    window = merge(segments)
    meta, arrays = decode(window.encode({"kind": "keyframe", "seq": 7}))
    assert meta["kind"] == "keyframe" and meta["seq"] == 7
    assert meta["rows"] == window.rows.tolist() and meta["membrane"] == window.membrane.tolist()
    assert (meta["step0"], meta["step1"], meta["dt"], meta["t_ms"]) == (0, 264, 1.0, 264.0)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, getattr(window, name))


def test_a_long_window_counts_steps_in_four_bytes():
    engine = ToyEngine(tree=ParamTree(6), seed=1)
    short = engine.advance(64)
    steps = 65_600
    long = short.crop(0, 64)
    tiled = {
        name: np.concatenate([getattr(long, name)] * (steps // 64))
        for name in ("spk_n", "spk_id", "rates", "u", "theta", "levels", "gains", "stim", "clamped")
    }
    import dataclasses

    window = merge([dataclasses.replace(long, step1=steps, **tiled)], View(rows="all"))
    assert window.spk_dt.dtype == "u4" and window.spk_dt.max() > 65_535


def test_gaps_epochs_and_nothing_are_refused(segments):
    import dataclasses

    with pytest.raises(ValueError, match="not followed"):
        merge([segments[0], segments[2]])
    other = dataclasses.replace(segments[1], epoch=9)
    with pytest.raises(ValueError, match="not followed"):
        merge([segments[0], other])
    with pytest.raises(ValueError, match="no segments"):
        merge([])
    with pytest.raises(ValueError, match="outside"):
        merge(segments, View(), 1000, 2000)
    assert tail([segments[0], segments[2], segments[3]]) == segments[2:4]
    assert tail([]) == []


@pytest.mark.parametrize(
    ("view", "field"),
    [
        (View(rows="stage:12"), "rows"), (View(rows="block:6"), "rows"), (View(rows="spread:0"), "rows"),
        (View(rows="spread:x"), "rows"), (View(rows="stage:-1"), "rows"), (View(rows="some"), "rows"),
        (View(rows=(1, 3072)), "rows"), (View(rows=(1, 1)), "rows"), (View(rows=(-1,)), "rows"),
        (View(membrane=(3072,)), "membrane"), (View(membrane=tuple(range(65))), "membrane"),
        (View(gate_block=6), "gate_block"), (View(attention_block=6), "attention_block"),
         (View(weights_block=-1), "weights_block"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named(segments, view, field):
    with pytest.raises(ParamError) as error:
        merge(segments, view)
    assert error.value.field == field


def test_views_from_query_text():
    assert View.parse("3,17", "5", "2", "1") == View((3, 17), (5,), 2, 1)
    assert View.parse() == View()
    for bad in ({"rows": "3,x"}, {"membrane": "1,,2"}, {"gate_block": "1e3"}, {"membrane": "٣"}):
        with pytest.raises(ParamError):
            View.parse(**bad)

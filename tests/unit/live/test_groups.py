"""Groups of unequal size, and sessions that publish only a part: window, commands, manifest, export."""

import numpy as np
import pytest

from t4dm.commands import BreakOn
from t4dm.live import export, handlers, manifest
from t4dm.live.groups import Layout
from t4dm.live.merge import merge
from t4dm.live.segment import Segment
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.params import ParamError
from tests.uneven_engine import SENSORY, TOTAL, BareEngine, UnevenEngine

STACK = 3072


@pytest.fixture(params=[UnevenEngine, BareEngine])
def session(request):
    return Session("t", request.param(tree=ParamTree(6), seed=3))


@pytest.fixture
def segments(session):
    return [Segment.decode(session.advance(n).encode()) for n in (8, 64, 50, 64, 64)]


def test_ids_run_through_groups_of_any_size():
    layout = Layout.from_json([{"name": "a", "n": 3}, {"name": "b", "n": 1}, {"name": "c", "n": 5}])
    assert [(g.first, g.n) for g in layout.groups] == [(0, 3), (3, 1), (4, 5)]
    assert layout.group_of(range(9)).tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2]
    assert layout.n_total == 9 and layout.blocks == []
    assert layout.neuron_name(5) == "c #1"
    assert [layout.colour(g) for g in layout.groups] == [0, 1, 2]


def test_a_group_without_block_has_the_colour_after_the_last_block():
    listed = Layout.stack(12, 4).to_json() + [{"name": "sensory", "n": 2}]
    layout = Layout.from_json(listed)
    assert [layout.colour(g) for g in layout.groups] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert layout.neuron_name(9) == "block 1 in #1" and layout.groups[3].short == "b1 out"


@pytest.mark.parametrize("listed", [[], [{"name": "a", "n": 0}], [{"name": "a", "n": 65_536}]])
def test_no_neurons_and_too_many_are_refused(listed):
    with pytest.raises(ValueError, match="65535"):
        Layout.from_json(listed)


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        ("all", range(TOTAL)), ("stage:12", range(STACK, TOTAL)), ("stage:3", range(768, 1024)),
        ("block:5", range(2560, STACK)), ((STACK - 1, STACK, TOTAL - 1),) * 2,
    ],
)  # fmt: skip
def test_rows_of_unequal_groups(segments, rows, ids):
    window = merge(segments, View(rows=rows))
    assert window.rows.tolist() == list(ids)
    shown = window.rows[window.spk_row]
    sensory = shown[shown >= STACK] - STACK
    steps = window.step0 + window.spk_dt[shown >= STACK].astype(int)
    assert ((steps + sensory) % 50 == 0).all()
    if rows == "stage:12":
        assert len(sensory) == window.rates[:, 12].sum() > 0


def test_spread_gives_every_group_its_share(segments):
    rows = merge(segments, View(rows="spread:317")).rows
    per_group = np.bincount(merge(segments).layout.group_of(rows), minlength=13)
    np.testing.assert_allclose(per_group, [25.6] * 12 + [10], atol=1)


def test_a_wrong_group_is_named_with_its_range(segments):
    for rows, hi in (("stage:13", 12), ("block:6", 5)):
        with pytest.raises(ParamError) as error:
            merge(segments, View(rows=rows))
        assert error.value.hi == hi


def test_rates_are_per_neuron_of_their_own_group(segments):
    table = export.table(merge(segments), "rate")
    sensory = table["sensory layer rate (Hz)"]
    assert sensory.mean() == pytest.approx(20.0, abs=0.2)
    raster = export.table(merge(segments, View(rows="all")), "raster")
    last = raster[raster["neuron"] >= STACK]
    assert set(last["group"]) == {"sensory layer"} and last["block"].isna().all()


def test_breakpoints_and_watch_know_the_last_group(session):
    handlers.validate(session, handlers.parse({"type": "watch", "neurons": [TOTAL - 1]}))
    with pytest.raises(handlers.Refused, match=f"0 to {TOTAL - 1}"):
        handlers.validate(session, handlers.parse({"type": "watch", "neurons": [TOTAL]}))
    points = session.breakpoints
    points.check(BreakOn(kind="rate", group=12))
    with pytest.raises(ParamError):
        points.check(BreakOn(kind="rate", group=13))
    with pytest.raises(ParamError, match="from 0 to 5"):
        points.check(BreakOn(kind="weight", group=6))


def test_a_rate_is_measured_against_the_size_of_its_group(session):
    points = session.breakpoints
    points.add(BreakOn(kind="rate", group=12, op="above", bound=25, window_ms=50))
    points.add(BreakOn(kind="rate", group=12, op="below", bound=15, window_ms=50))
    for _ in range(4):
        session.advance(64)
    assert session.state == "running", session.reason
    points.add(BreakOn(kind="spike", neuron=TOTAL - 1))
    while session.state == "running":
        session.advance(64)
    assert (session.engine.step - 1 + SENSORY - 1) % 50 == 0


def test_the_manifest_lists_sizes_and_what_is_published(session):
    built = manifest.build(session, {})
    assert (
        built["groups"][12] | {"name": "sensory layer", "n": 100, "first": STACK}
        == built["groups"][12]
    )
    assert built["groups"][3]["n_exc"] == 256
    bare = isinstance(session.engine, BareEngine)
    assert ("gate" in built["probes"]) != bare and ("stimulus" in built["probes"]) != bare
    assert "spikes" in built["probes"]


def test_what_is_not_published_is_zero_wide_and_says_so():
    session = Session("t", BareEngine(tree=ParamTree(6), seed=3))
    segments = [session.advance(64) for _ in range(8)]
    window = merge(segments)
    assert window.gate.shape == (128, 0) and window.levels.shape == (512, 0)
    assert window.hist_exc.shape == (3, 0, 64)
    for slug, word in (
        ("gate", "thalamic gate"),
        ("neuromod", "neuromodulators"),
        ("stimulus", "stimulus"),
    ):
        with pytest.raises(ParamError, match=f"publishes no {word}"):
            export.table(window, slug)
    with pytest.raises(ParamError, match="publishes no thalamic gate"):
        merge(segments, View(gate_block=1))


def test_membranes_of_the_last_group_come_with_its_threshold(session):
    session.watch([TOTAL - 1])
    window = merge([session.advance(64)], View(membrane=(TOTAL - 1,)))
    assert (window.u == 0.25).all()
    table = export.table(window, "membrane")
    assert (table[f"theta {TOTAL - 1} (1)"] == 3.0).all()

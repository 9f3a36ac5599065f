"""The arena as the engine of a run session: its records, its commands, and going on after a kill."""

import numpy as np
import pytest

from t4dm import commands as c
from t4dm.live.arena_engine import ArenaEngine, packed
from t4dm.live.arena_series import SERIES
from t4dm.live.kinds import kind_of
from t4dm.live.record import MAX_ROWS, Record
from t4dm.live.run_session import RunSession
from t4dm.params import ParamError


def engine(seed=0, **values):
    tree = kind_of("arena").tree({})
    for path, value in values.items():
        tree.set(path.replace("__", "."), value)
    return ArenaEngine({}, tree, seed, None)


def run(one, steps):
    return [one.advance() for _ in range(steps)]


def test_every_array_is_as_the_series_declare_it():
    records = run(engine(), 260)
    seen = {name: array for record in records for name, array in record.arrays.items()}
    assert set(seen) == set(SERIES)
    for name, array in seen.items():
        assert f"{array.dtype.kind}{array.dtype.itemsize}" == SERIES[name]["dtype"]
        shape = SERIES[name]["shape"]
        assert array.ndim == len(shape) + SERIES[name]["per_step"]
        assert not SERIES[name]["per_step"] or list(array.shape[1:]) == shape
    for step, record in enumerate(records):
        assert (record.step0, record.step1) == (step, step + 1)
        assert all(len(record.arrays[n]) == 1 for n in SERIES if SERIES[n]["per_step"])
        assert Record.decode(record.encode()).arrays["path"].shape == (1, 4)


def test_two_bits_a_cell_hold_what_fired():
    spikes = np.array([0, 1, 2, 3, 7, 0], np.uint8)
    bytes_ = packed(spikes)
    assert bytes_.tolist() == [0b11100100, 0b0011]
    read = [(bytes_[k >> 2] >> (k & 3) * 2) & 3 for k in range(6)]
    assert read == [0, 1, 2, 3, 3, 0]


def test_a_whole_course_fits_a_record_of_the_ring():
    """20,000 rows and the newest of everything else stay under a block of 1.5 MB."""
    first, last = engine().advance(), run(engine(), 250)[-1]
    rows = sum(a.nbytes for n, a in first.arrays.items() if SERIES[n]["per_step"])
    newest = {n: a.nbytes for one in (first, last) for n, a in one.arrays.items()}
    rest = sum(size for n, size in newest.items() if not SERIES[n]["per_step"])
    assert MAX_ROWS * (rows + 4) + rest < 1_572_864


def test_maps_come_twice_a_second_of_the_clock_whatever_the_pace():
    for pace, expected in ((1.0, 8), (10.0, 1)):
        records = run(engine(agent__pace=pace), 100)
        with_maps = [r.step1 for r in records[1:] if "maps" in r.arrays]
        assert len(with_maps) in (expected - (expected == 1), expected)


def test_how_often_maps_go_out_does_not_touch_the_run():
    one, other = run(engine(agent__pace=1.0), 150), run(engine(agent__pace=20.0), 150)
    for a, b in zip(one, other, strict=True):
        assert (a.arrays["path"] == b.arrays["path"]).all()
        assert (a.arrays["spikes"] == b.arrays["spikes"]).all()


def test_put_and_recall_are_answered_and_told():
    one = engine()
    with pytest.raises(ParamError, match="no episode is stored"):
        one.command(c.Recall())
    with pytest.raises(ParamError, match="0 to 1 m") as refused:
        one.command(c.Put(x=2.0, y=0.5))
    assert (refused.value.field, refused.value.hi) == ("x", 1.0)
    lamp = one.arena.objects[0]
    one.command(c.Put(x=float(lamp[0]), y=float(lamp[1])))
    (record,) = run(one, 1)
    assert [e["type"] for e in record.meta["events"]] == ["put", "stored"]
    stored = record.meta["events"][1]
    _, found = one.command(c.Recall(x=stored["x"], y=stored["y"]))
    assert found["object"] == stored["object"] == "lamp"
    assert found["similarity"] == pytest.approx(1.0, abs=1e-3)
    told = one.asked()
    assert told.step0 == told.step1 and told.meta["events"][0]["type"] == "asked"
    assert one.asked() is None


def test_a_loaded_state_goes_on_bit_for_bit_in_a_session():
    sessions = [RunSession("a", "arena", engine(seed)) for seed in (7, 0)]
    for _ in range(400):
        sessions[0].advance()
    sessions[1].take(sessions[0].checkpoint())
    assert sessions[1].engine.seed == 7
    for _ in range(120):
        a, b = (session.advance() for session in sessions)
        for name in ("path", "nearest", "spikes"):
            np.testing.assert_array_equal(a.arrays[name], b.arrays[name])


def test_parameters_act_from_the_next_step_on():
    one = engine()
    run(one, 5)
    one.tree.set("agent.speed", 1.0)
    one.params_changed(["agent.speed"])
    slow = engine()
    run(slow, 5)
    fast_way, slow_way = (
        np.concatenate([r.arrays["path"] for r in run(e, 50)]) for e in (one, slow)
    )
    length = [np.hypot(*np.diff(way[:, :2], axis=0).T).sum() for way in (fast_way, slow_way)]
    assert length[0] > 3 * length[1]


def test_reset_is_another_arena_with_nothing_in_it():
    one = engine()
    run(one, 300)
    one.reset(4)
    assert (one.seed, one.step, one.progress()["done"]) == (4, 0, 0)
    assert "declared" in one.advance().arrays and one.arena.memory.used == 0


def test_progress_counts_visited_bins():
    one = engine()
    run(one, 200)
    progress = one.progress()
    assert progress["total"] == 625 and 5 < progress["done"] < 300
    assert one.findings() == []


@pytest.mark.parametrize(
    ("path", "value"),
    [("agent.pace", 0.0), ("recall.cue", "who"), ("recall.objects", 11), ("cells.blur", -0.1)],
)
def test_values_out_of_range_are_refused_with_the_range(path, value):
    with pytest.raises(ParamError) as refused:
        kind_of("arena").tree({}).set(path, value)
    assert refused.value.field == path


def test_an_arena_has_no_options():
    with pytest.raises(ParamError, match="no such option"):
        kind_of("arena").checked({"size": 3})

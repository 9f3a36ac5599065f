"""The agent's walk, its maps as they form, and episodes that come back."""

import math

import numpy as np
import pytest

from t4dm.brain import rate_maps
from t4dm.brain import walk as walking
from t4dm.brain.arena import HYSTERESIS, REACH, SIDE_BINS, SLOTS, Arena, Settings
from t4dm.brain.arena_params import DT_S, OBJECTS


def run(arena, steps, settings=None):
    return [arena.advance(settings or Settings()) for _ in range(steps)]


@pytest.fixture(scope="module")
def long_run():
    """Ten minutes of the agent, and what happened."""
    arena = Arena(0)
    moments = run(arena, 15_000)
    return arena, moments, [event for moment in moments for event in moment.events]


def test_walls_mirror_place_and_direction():
    assert walking.mirrored(0.3, 1.0) == (0.3, False)
    for x, folded, odd in ((1.2, 0.8, True), (-0.1, 0.1, True), (2.3, 0.3, False)):
        at, turned = walking.mirrored(x, 1.0)
        assert at == pytest.approx(folded) and turned is odd


def test_speed_turning_and_walls_are_as_declared():
    draws = np.random.default_rng(1)
    walk = walking.begin(draws, 1.0)
    speeds, turns = [], []
    for _ in range(40_000):
        after = walking.advance(walk, draws, DT_S, 1.0, 0.2, 3.0)
        assert 0 <= after.x <= 1 and 0 <= after.y <= 1
        speeds.append(0.2 * math.sqrt(2 / math.pi) * math.hypot(after.a, after.b))
        turns.append(3.0 * after.c)
        walk = after
    assert np.mean(speeds) == pytest.approx(0.2, rel=0.03)
    assert np.std(turns) == pytest.approx(3.0, rel=0.03)
    lag = np.corrcoef(turns[:-1], turns[1:])[0, 1]
    assert lag == pytest.approx(math.exp(-DT_S / walking.TURN_TAU_S), abs=0.02)


def test_the_same_seed_walks_and_fires_the_same_and_another_does_not():
    one, same, other = (run(Arena(seed), 200) for seed in (3, 3, 4))
    assert [m[:4] for m in one] == [m[:4] for m in same]
    assert all((a.spikes == b.spikes).all() for a, b in zip(one, same, strict=True))
    assert [m.x for m in one] != [m.x for m in other]


def test_a_run_goes_on_from_its_state_as_if_it_had_not_stopped():
    arena = Arena(5)
    run(arena, 700)
    kept = arena.state()
    expected = run(arena, 300)
    again = Arena(5)
    again.load_state(kept)
    found = run(again, 300)
    for a, b in zip(expected, found, strict=True):
        assert a[:4] == b[:4] and a.events == b.events and (a.spikes == b.spikes).all()
        assert a.slot == b.slot and (a.similarity == b.similarity or math.isnan(a.similarity))
    assert {k: v.tolist() for k, v in arena.state().items()} == {
        k: v.tolist() for k, v in again.state().items()
    }


def test_coverage_grows_and_never_shrinks():
    arena = Arena(2)
    seen = [arena.coverage]
    for _ in range(5):
        run(arena, 300)
        seen.append(arena.coverage)
    assert seen[0] == 0 and seen == sorted(seen) and seen[-1] > 0.3


def test_the_arena_is_covered_and_place_maps_peak_at_their_declared_centres(long_run):
    """After ten minutes: 95 % of the bins, fields on average within a bin (4 cm)."""
    arena, _, _ = long_run
    assert arena.coverage > 0.95
    assert arena.seconds_map.sum() == pytest.approx(15_000 * DT_S)
    maps = rate_maps.rate_maps(arena.spike_map, arena.seconds_map)
    found = [rate_maps.field_centre(one) for one in maps[: arena.params.n_place]]
    places = np.array(found)[:, ::-1] / SIDE_BINS * arena.side
    away = np.hypot(*(places - arena.formation.place.centre.numpy()).T)
    assert away.mean() < arena.side / SIDE_BINS and away.max() < 0.1


def test_grid_maps_have_the_declared_spacing_module_by_module(long_run):
    """Median of a module within 5 %; every cell of the first two is hexagonal."""
    arena, _, _ = long_run
    maps = rate_maps.rate_maps(arena.spike_map, arena.seconds_map)[arena.params.n_place :]
    correlations = [rate_maps.autocorrelogram(one) for one in maps]
    wide = np.array([rate_maps.spacing(r) for r in correlations]).reshape(4, 9) / SIDE_BINS
    np.testing.assert_allclose(np.median(wide, 1), arena.formation.grid.spacing.numpy(), rtol=0.05)
    assert min(rate_maps.gridness(r) for r in correlations[:18]) > 0.8


def test_time_cells_peak_at_their_declared_times(long_run):
    arena, _, _ = long_run
    rates = rate_maps.tuning(arena.spike_time, arena.seconds_time)
    preferred = arena.formation.time.preferred.numpy()
    later = preferred > 0.75
    peaks = (np.nanargmax(rates, 1) + 0.5) * 0.25
    np.testing.assert_allclose(peaks[later], preferred[later], rtol=0.2)
    assert np.isnan(rates[:, 41:]).all()  # an episode lasts 10 s


def test_blur_takes_the_maps_apart():
    """What place cells are told is off by 20 cm: their maps tell little more than half as much."""
    told = []
    for blur in (0.0, 0.2):
        arena = Arena(1)
        run(arena, 6000, Settings(blur=blur))
        maps = rate_maps.rate_maps(arena.spike_map, arena.seconds_map)[:64]
        told.append(np.nanmean([rate_maps.information(m, arena.seconds_map) for m in maps]))
    assert told[1] < 0.65 * told[0]


def test_what_is_met_is_stored_and_comes_back_at_its_place(long_run):
    arena, moments, events = long_run
    stored = [event for event in events if event["type"] == "stored"]
    recalled = [event for event in events if event["type"] == "recalled"]
    assert {event["object"] for event in stored} == set(OBJECTS[:6])
    assert len(recalled) > len(stored)
    for event in stored:
        place = arena.objects[OBJECTS.index(event["object"])]
        assert math.dist(place, (event["x"], event["y"])) < REACH
    for moment in moments:
        for event in moment.events:
            if event["type"] == "recalled":
                assert event["similarity"] >= 0.85 - 1e-4
                assert math.dist((moment.x, moment.y), (event["x"], event["y"])) < 0.15


def test_a_cue_recalls_exactly_the_episode_that_was_stored_there(long_run):
    """Every stored episode is the answer at its own place, similarity 1 within 1e-4."""
    arena, _, _ = long_run
    slots = np.flatnonzero(arena.memory.stamp.numpy() >= 0)
    assert 6 <= len(slots) <= SLOTS
    for slot in slots:
        kept = arena.episode(int(slot))
        found = arena.recall_at(kept["x"], kept["y"], Settings())
        assert found["slot"] == slot and found["similarity"] == pytest.approx(1.0, abs=1e-4)
        assert found["object"] == kept["object"]


def test_what_is_known_is_not_stored_again():
    """With a low threshold nothing is new after the first; with the highest, every meeting is."""
    counts = []
    for threshold in (0.5, 1.0):
        arena = Arena(0)
        events = [e for m in run(arena, 4000, Settings(threshold=threshold)) for e in m.events]
        counts.append(sum(event["type"] == "stored" for event in events))
    assert 1 <= counts[0] <= 6 and counts[1] > 2 * counts[0]


def test_an_episode_is_recalled_once_a_visit():
    arena = Arena(0)
    moments = run(arena, 6000)
    above, last = -1, None
    for moment in moments:
        if not moment.similarity > 0.85 - HYSTERESIS:
            above = -1
        for event in moment.events:
            if event["type"] == "recalled":
                assert event["slot"] != above
                last = event
            above = event["slot"]
    assert last is not None


def test_time_alone_recalls_what_happened_as_long_after_the_beginning():
    arena = Arena(0)
    run(arena, 6000)
    when = Settings(cue="when")
    found = arena.recall_at(0.01, 0.99, when)
    other = arena.recall_at(0.99, 0.01, when)
    assert found["slot"] == other["slot"]  # the place does not matter
    assert found["elapsed_s"] == pytest.approx(arena.elapsed, abs=1.5)


def test_put_moves_the_agent_and_refuses_what_lies_outside():
    arena = Arena(0)
    arena.put(0.25, 0.75)
    moment = run(arena, 1)[0]
    assert math.dist((moment.x, moment.y), (0.25, 0.75)) < 0.05
    with pytest.raises(ValueError, match="0 to 1 m"):
        arena.put(1.5, 0.5)


def test_without_objects_nothing_is_stored_and_nothing_recalled():
    arena = Arena(0)
    moments = run(arena, 500, Settings(objects=0))
    assert not any(m.events for m in moments) and math.isnan(moments[-1].similarity)
    assert arena.recall_at(0.5, 0.5, Settings()) is None

"""Pacing, with a clock that the test turns."""

import pytest

from t4dm.live.pacing import MAX_CHUNK, Pacer


def drive(pacer, seconds, cost=0.0):
    """Run a model whose steps cost ``cost`` wall seconds; returns (steps, wall seconds)."""
    now, step = 100.0, 0
    while now < 100.0 + seconds:
        n = pacer.chunk(step)
        now += pacer.wait_s(now, n) + n * cost
        step += n
        pacer.done(now, n, n * cost)
    return step, now - 100.0


@pytest.mark.parametrize("speed", [0.1, 0.5, 1.0, 3.0, 20.0, 100.0])
def test_the_asked_speed_is_held(speed):
    pacer = Pacer(speed)
    steps, wall = drive(pacer, 3.0, cost=1e-6)
    assert steps == pytest.approx(1000 * speed * wall, rel=0.03)
    assert pacer.ratio(100.0 + wall) == pytest.approx(speed, rel=0.1)


def test_debt_is_forgotten():
    pacer = Pacer(1.0)
    assert pacer.wait_s(0.0, 8) == pytest.approx(0.008)
    caught_up = 0
    now = 5.0
    while pacer.wait_s(now, 8) == 0.0:
        pacer.done(now, 8, 0.001)
        caught_up += 8
    assert caught_up <= 120, "five seconds were lost and at most a tenth is made up"


@pytest.mark.parametrize("speed", [0.1, 1.0, 7.0, None])
def test_chunks_end_on_the_grid_and_stay_short(speed):
    pacer = Pacer(speed)
    for step in (0, 3, 7, 8, 63):
        n = pacer.chunk(step)
        assert 1 <= n <= MAX_CHUNK
        assert (step + n) % 8 == 0 or n < 8


def test_slow_steps_make_short_chunks_but_whole_tiles():
    pacer = Pacer(100.0)
    for _ in range(100):
        pacer.done(0.0, 10, 0.05)
    assert pacer.chunk(0) == 8


def test_no_wait_at_top_speed_and_no_ratio_at_rest():
    pacer = Pacer(None)
    assert pacer.wait_s(0.0, 64) == 0.0
    pacer.done(1.0, 64, 0.01)
    assert pacer.ratio(1.5) > 0
    assert pacer.ratio(3.0) == 0.0

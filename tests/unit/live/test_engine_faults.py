"""When the whole state of the engine is looked through for NaN."""

from t4dm.live.engine_faults import LOOK_EVERY, is_due


def test_it_is_due_once_in_every_span_whatever_the_chunks():
    for chunk in (1, 3, 8, 16, LOOK_EVERY):
        looks = [is_due(step, step + chunk) for step in range(0, 96 * LOOK_EVERY, chunk)]
        assert sum(looks) == 96


def test_a_chunk_longer_than_the_span_is_always_looked_through():
    assert all(is_due(step, step + 64) for step in range(0, 640, 8))

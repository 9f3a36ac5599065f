"""Windows at the edge of what they can be: finer than a step, coarser than what they hold."""

import pytest

from tests.api.conftest import post
from tests.api.test_rest_read import body, get, still


@pytest.fixture
def standing(client):
    """A run that stands still; the simulated ms of its last step."""
    still(client)
    yield body(client, "/spiking/dopamine-trace")["t_ms"]
    post(client, {"type": "run"})


def test_samples_further_apart_than_the_window_are_its_newest_one(client, standing):
    for last_ms in (1, 7):
        course = body(client, "/spiking/dopamine-trace", every_ms=10_000, last_ms=last_ms)
        on_grid = [t for t in range(int(standing) - last_ms, int(standing)) if t % 10_000 == 0]
        assert course["time_ms"] == (on_grid or [standing - 1])
        assert len(course["levels"]["DA"]) == 1 and course["every_ms"] == 10_000


def test_the_distance_told_is_that_of_the_samples(client, standing):
    course = body(client, "/spiking/ach-levels", every_ms=7, last_ms=70)
    assert course["every_ms"] == 7 and all(t % 7 == 0 for t in course["time_ms"])


def test_a_window_narrower_than_a_step_is_of_that_step(client, standing):
    at = standing - 20
    told = body(client, "/spiking/dopamine-trace", from_ms=at + 0.1, to_ms=at + 0.2)
    assert told["time_ms"] == [at] and told["window"]["n_steps"] == 1
    late = get(client, "/spiking/dopamine-trace", from_ms=standing + 0.1, to_ms=standing + 0.2)
    assert late.status_code == 416

"""Requests are counted by all web processes together, by route and status."""

from __future__ import annotations

import os

from dashboard.traffic import BOUNDS_S, OTHER, RequestCounts

ROUTE = ("GET", "/spiking/stats")


def samples(counts: RequestCounts) -> dict[tuple[str, ...], float]:
    found = {}
    for family in counts.collect():
        for sample in family.samples:
            told = [sample.labels.get(n) for n in ("method", "route", "status", "le")]
            found[(sample.name, *(text for text in told if text is not None))] = sample.value
    return found


def test_answers_are_counted_by_route_and_status():
    counts = RequestCounts([ROUTE, ("PUT", "/sets/<name>")])
    for status in (200, 200, 422):
        counts.add(ROUTE, status, 0.003)
    counts.add(("BREW", "/coffee"), 405, 0.0)
    found = samples(counts)
    assert found["t4dm_http_requests_total", *ROUTE, "200"] == 2
    assert found["t4dm_http_requests_total", *ROUTE, "422"] == 1
    assert found["t4dm_http_requests_total", *OTHER, "405"] == 1
    assert not any("/sets/<name>" in key for key in found)


def test_durations_fall_into_the_buckets_at_or_above_them():
    counts = RequestCounts([ROUTE])
    for seconds in (BOUNDS_S[2], 0.0051, 60.0):
        counts.add(ROUTE, 200, seconds)
    found = samples(counts)
    bucket = ("t4dm_http_request_seconds_bucket", *ROUTE)
    assert [found[*bucket, le] for le in ("0.0025", "0.005", "0.01", "5.0", "+Inf")] == [
        0,
        1,
        2,
        2,
        3,
    ]
    assert found["t4dm_http_request_seconds_count", *ROUTE] == 3
    assert abs(found["t4dm_http_request_seconds_sum", *ROUTE] - 60.0101) < 1e-9


def test_processes_that_are_forked_count_in_the_same_table():
    counts = RequestCounts([ROUTE])
    children = []
    for _ in range(3):
        if (pid := os.fork()) == 0:
            for _ in range(400):
                counts.add(ROUTE, 200, 0.001)
            os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    assert samples(counts)["t4dm_http_requests_total", *ROUTE, "200"] == 1200

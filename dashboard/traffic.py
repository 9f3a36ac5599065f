"""What the web processes answered: requests by route and status, and how long they took.

All workers of one server count in the same anonymous shared memory (they are forked from the process
that imported the app), so that whichever of them is asked for ``/metrics`` tells of all.
"""

# R routes  S statuses, 0 to 599  B buckets of time, the last one open

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from flask import Flask, Response, g, request
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from dashboard.counters import SharedLock

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
STATUSES = 600
OTHER = ("other", "other")  # a path or a method that no route has
Route = tuple[str, str]
NAME = "t4dm_http"


class RequestCounts:
    """Counts of ``routes``, (method, rule) each; what is none of them counts as :data:`OTHER`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: list[Route] = [*sorted(set(routes)), OTHER]
        self._place = {route: k for k, route in enumerate(self.routes)}
        counts, times = len(self.routes) * STATUSES, len(self.routes) * (len(BOUNDS_S) + 1)
        table = mmap.mmap(-1, 8 * (counts + times + len(self.routes)))
        whole = np.frombuffer(table, np.uint64)
        self._answers = whole[:counts].reshape(-1, STATUSES)  # (R, S)
        self._times = whole[counts : counts + times].reshape(-1, len(BOUNDS_S) + 1)  # (R, B)
        self._sums = whole[counts + times :].view(np.float64)  # (R,) seconds
        self._lock = SharedLock()

    def add(self, route: Route, status: int, seconds: float) -> None:
        """One answer more."""
        row = self._place.get(route, len(self.routes) - 1)
        with self._lock.held():
            self._answers[row, min(max(status, 0), STATUSES - 1)] += np.uint64(1)
            self._times[row, bisect_left(BOUNDS_S, seconds)] += np.uint64(1)
            self._sums[row] += seconds

    def collect(self) -> Iterator[Metric]:
        """Prometheus families of every route that was asked for."""
        with self._lock.held():
            answers, times, sums = self._answers.copy(), self._times.copy(), self._sums.copy()
        requests = CounterMetricFamily(
            f"{NAME}_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        lasted = HistogramMetricFamily(
            f"{NAME}_request_seconds", "From the request to its answer.", labels=["method", "route"]
        )
        for row in np.flatnonzero(answers.any(axis=1)).tolist():
            labels = list(self.routes[row])
            for status in np.flatnonzero(answers[row]).tolist():
                requests.add_metric([*labels, str(status)], int(answers[row, status]))
            below = np.cumsum(times[row]).tolist()
            named = zip([*map(str, BOUNDS_S), "+Inf"], below, strict=True)
            lasted.add_metric(labels, list(named), float(sums[row]))
        yield requests
        yield lasted


def install(app: Flask) -> None:
    """Count every answer of ``app`` from :func:`begin` on.

    To be called before the gate is put in, so that what the gate refuses is counted too.
    """

    @app.before_request
    def start() -> None:
        g.begun_s = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        counts = counts_of(app)
        if counts is not None:
            rule = request.url_rule
            method = "GET" if request.method == "HEAD" else request.method
            route = OTHER if rule is None else (method, rule.rule)
            now = time.perf_counter()
            counts.add(route, response.status_code, now - g.get("begun_s", now))
        return response


def begin(app: Flask) -> None:
    """Make the table, a row for each route that ``app`` has by now; before the server forks."""
    app.extensions[NAME] = RequestCounts(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def counts_of(app: Flask) -> RequestCounts | None:
    """The counts of ``app``; None before :func:`begin`."""
    return app.extensions.get(NAME)

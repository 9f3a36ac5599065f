"""A session of a program that hands over its steps itself, where there is no module call to watch.

    session = HandedSession("qwen", groups, tree, apply, probes=["spikes", "u_pre"], weights={})
    while going:
        session.between(per_s=20.0)     # applies waiting changes, stands still while the page holds it
        session.offer(block)            # one call: what it showed

As with :func:`t4dm.live.watch`, the program is its own master: it is never killed or restarted from
outside, and without a dashboard it goes on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from t4dm.live import paths
from t4dm.live.claim import claim
from t4dm.live.client import SessionClient
from t4dm.live.external import ExternalSession, ScriptEngine, default_watch
from t4dm.live.groups import Layout
from t4dm.live.leftovers import is_alive
from t4dm.live.manifest import code_version
from t4dm.live.publisher import Block, Files, Publisher, Publishes
from t4dm.live.segment import HIST_EVERY
from t4dm.live.tree import ParamTree

TICK_S = 0.01
ALONE_S = 5.0
"""A held program goes on when no dashboard has been there for so long."""


class HandedSession:
    """``groups`` as :meth:`t4dm.live.groups.Layout.from_json` takes them; ``apply(values)`` gets changes.

    ``apply`` may refuse with ParamError.  ``weights`` gives each set's name and the end of its axis.
    Raises ValueError for a name that is no name or is taken, OSError where nothing can be written.
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[Mapping[str, Any]],
        tree: ParamTree,
        apply: Callable[[dict[str, Any]], None],
        *,
        probes: Sequence[str],
        weights: Mapping[str, float],
    ) -> None:
        self.run = paths.run_dir()
        self.name = paths.checked_name(name)
        self._lock: int | None = claim(self.run, name)
        layout = Layout.from_json(groups)
        engine = ScriptEngine(
            tree, layout.to_json(), default_watch(layout, range(len(layout.groups))), apply
        )
        epoch = time.monotonic_ns() // 10**8
        self.session = ExternalSession(name, engine, epoch, "call", hold=True)
        more = code_version() | {"every": 1, "script": os.path.basename(sys.argv[0])}
        publishes = Publishes([*probes], [*weights], [*weights.values()], more)
        self.ended = ""
        files = Files(self.run, name)
        self._publisher = Publisher(self.session, files, publishes, self._failed)
        self._due = time.monotonic()

    def _failed(self, why: str) -> None:
        self.ended = why

    @property
    def step(self) -> int:
        """The step that the next block begins with."""
        return self._publisher.recorded

    @property
    def watch(self) -> list[int]:
        """Neurons whose membranes are wanted: the columns of ``Block.u``."""
        return self.session.engine.watch

    @property
    def wants_weights(self) -> bool:
        """Whether a sample of the weights falls on the next step."""
        return self.step % HIST_EVERY == 0

    @property
    def has_dashboard(self) -> bool:
        """Whether a dashboard looks after this run directory now."""
        pid = SessionClient(self.run, self.name).supervisor().get("pid")
        return pid is not None and is_alive(pid)

    def event(self, type: str, **fields: Any) -> None:
        """Write an event at the next step."""
        with self._publisher.lock:
            self.session.event(type, step=self.step, **fields)

    def offer(self, block: Block) -> None:
        """Hand over one call."""
        self._publisher.offer(block)

    def between(self, per_s: float) -> None:
        """Apply what waits; return when the next call is due and nobody holds the program."""
        alone_since: float | None = None
        self._due = max(self._due + 1.0 / per_s, time.monotonic() - 1.0 / per_s)
        while not self.ended:
            self._publisher.serve()
            now = time.monotonic()
            if self._may_go:
                if now >= self._due:
                    return
            elif self._publisher.held:
                alone_since = None if self.has_dashboard else alone_since or now
                if alone_since is not None and now - alone_since > ALONE_S:
                    with self._publisher.lock:
                        self.session.run()
            time.sleep(min(TICK_S, max(0.0, self._due - now)) or TICK_S)

    @property
    def _may_go(self) -> bool:
        """Not held; and where a step may end in a pause, only when every step so far was looked at."""
        if self._publisher.held:
            return False
        watched = self.session.state == "stepping" or self.session.breakpoints.armed
        return self._publisher.caught_up or not watched

    def close(self, how: str = "the program has ended") -> None:
        """Publish what waits and end the session; its last window stays."""
        self._publisher.close(how)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def flat_weights(weights: np.ndarray) -> np.ndarray:
    """A flat copy, at most 65,536 of them, evenly spread."""
    flat = weights.reshape(-1)
    return flat[:: -(-flat.size // 65_536)].copy()

"""A script that allows it is held between two calls of its module, for as long as the page asks for it."""

from __future__ import annotations

import time

from t4dm.live.publisher import Publisher
from t4dm.live.watch_hooks import Fate, has_dashboard, say
from t4dm.live.watch_opening import Settings

HOLD_TICK_S = 0.02
ALONE_S = 5.0  # a held script goes on when no dashboard has been there for so long


def hold(publisher: Publisher, settings: Settings, fate: Fate) -> None:
    """Return when nobody holds the script; changes are applied meanwhile."""
    alone_since = None
    while publisher.held and fate.active:
        time.sleep(HOLD_TICK_S)
        publisher.serve()
        now = time.monotonic()
        if has_dashboard(settings.run, settings.name):
            alone_since = None
        elif alone_since is None:
            alone_since = now
        elif now - alone_since > ALONE_S:
            say(f"the dashboard that held '{settings.name}' has gone; the script goes on")
            with publisher.lock:
                publisher.session.run()

"""gunicorn settings: two gevent workers, so that waiting polls and idle sockets cost nothing.

The app is imported once, before the workers are forked: that halves what a start costs.  gevent
has to have patched the standard library by then.  What the import makes stays for good: looking through
it for garbage would cost a fifth of the start, and unshare its memory in every worker.
"""

from __future__ import annotations

from gevent import monkey  # type: ignore[import-untyped]

monkey.patch_all()

import gc
import os
import sys
from typing import Any

from dashboard.settings import settings_from_env

try:
    _settings = settings_from_env()
except ValueError as error:
    sys.exit(str(error))
if _refusal := _settings.refusal():
    sys.exit(_refusal)

gc.disable()


def when_ready(server: Any) -> None:
    """Before the workers are forked."""
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """In each worker."""
    gc.enable()


def pre_request(worker: Any, request: Any) -> None:
    """Say nothing yet: before the gate has looked at it, a path may hold a key."""


def post_request(worker: Any, request: Any, environ: dict[str, Any], response: Any) -> None:
    """Say at level debug what was asked, as the gate has left it."""
    worker.log.debug("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])


bind = (
    f"[{_settings.host}]:{_settings.port}"
    if ":" in _settings.host
    else (f"{_settings.host}:{_settings.port}")
)
preload_app = True
worker_class = "dashboard.web_worker.QuietWorker"
logger_class = "dashboard.web_worker.QuietLog"
workers = 2
worker_connections = 512
timeout = 30
graceful_timeout = 3
keepalive = 15
control_socket_disable = True
limit_request_line = 8190
limit_request_fields = 64
accesslog = None
loglevel = os.environ.get("T4DM_LOG_LEVEL", "warning")
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(D)s"  # no query: it could hold a key

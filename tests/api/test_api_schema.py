"""schemathesis on our own OpenAPI document: every operation, 50 requests each.

All checks.  That data of the right shape are taken is asked of what is read: times, layers and neurons
are first made those of the run, since whether one is there no document can say.  Bodies name parameters
and files that are there or not, and are answered 422 or 404 as the document says.  Pictures and the
clinic need the jobs process, which does not run here; the whole program draws them in
``tests/faults/test_api_page.py``.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import os
import re

import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import HOST, healthz

EXAMPLES = int(os.environ.get("T4DM_TEST_EXAMPLES", "50"))


def test_every_answer_is_as_the_document_says(app, client):
    def near(environ, start_response):
        ours = {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_ENCODING": "identity"}
        return app(environ | ours, start_response)

    document = schemathesis.openapi.from_wsgi("/openapi.json", near)
    failures, operations = [], [result.ok() for result in document.get_all_operations()]
    for operation in operations:
        try:
            ask(operation, healthz(client)["step"])
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - all are findings
            failures.append(f"{operation.label}: {failure}")
        forget_created(client)
    assert len(operations) >= 30
    assert failures == [], "\n\n".join(failures)


def ask(operation, now):
    """Requests to ``operation`` while the run stands about step ``now``; raises what is wrong."""
    reads = operation.method == "get"
    unasked = [] if reads else [positive_data_acceptance]
    unasked += [not_a_server_error] if operation.path == "/clinic" else []

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def check(case):
        assume((case.query or {}).get("format") not in ("png", "svg"))
        if reads and case.meta.generation.mode.is_positive:
            case.query = of_the_run(case.query or {}, now)
        case.call_and_validate(excluded_checks=unasked)

    check()


def of_the_run(query, now):
    """``query`` with the times, blocks and neurons that a run of six blocks at step ``now`` has."""
    fitting = dict(query)
    for name in ("layer", "gate_block", "weights_block", "attention_block"):
        if name in fitting:
            fitting[name] = int(fitting[name]) % 6
    for name in ("neurons", "rows", "membrane"):
        if digits := re.search(r"\d+", str(fitting.get(name, ""))):
            wanted = int(digits.group()) % 6 + (0 if name == "membrane" else 1)
            kind, colon, _ = str(fitting[name]).rpartition(":")
            fitting[name] = f"{kind}{colon}{min(wanted, 5) if kind else wanted}"
    if not str(fitting.get("neurons", "100")).isdecimal():
        fitting.pop("layer", None)
    if "from_ms" in fitting or "to_ms" in fitting:
        fitting.pop("last_ms", None)
        fitting["from_ms"] = now - 500 + float(fitting.get("from_ms", 0)) % 100
        fitting["to_ms"] = now - 300 + float(fitting.get("to_ms", 0)) % 100
    return fitting


def forget_created(client):
    """No supervisor is here to start what was created, and a session that has not started is 503."""
    for name in client.get("/sessions", headers=HOST).get_json()["sessions"]:
        if name != "default":
            assert client.delete(f"/sessions/{name}", headers=HOST).status_code == 200

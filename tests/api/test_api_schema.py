"""schemathesis on our own OpenAPI document: every operation, 50 requests each.

Every check but that all data of the right shape are taken: whether a time is held or a layer is there
depends on the run, and is answered 416 or 422 as the document says.  Pictures and the clinic need the
jobs process, which does not run here; the whole program draws them in ``tests/faults/test_api_page.py``.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import os

import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import HOST

EXAMPLES = int(os.environ.get("T4DM_TEST_EXAMPLES", "50"))


def test_every_answer_is_as_the_document_says(app, client):
    def near(environ, start_response):
        ours = {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_ENCODING": "identity"}
        return app(environ | ours, start_response)

    document = schemathesis.openapi.from_wsgi("/openapi.json", near)
    failures, operations = [], [result.ok() for result in document.get_all_operations()]
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def check(case):
            assume((case.query or {}).get("format") not in ("png", "svg"))
            without = [not_a_server_error] if case.path == "/clinic" else []
            case.call_and_validate(excluded_checks=[positive_data_acceptance, *without])

        try:
            check()
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - all are findings
            failures.append(f"{operation.label}: {failure}")
        forget_created(client)
    assert len(operations) >= 30
    assert failures == [], "\n\n".join(failures)


def forget_created(client):
    """No supervisor is here to start what was created, and a session that has not started is 503."""
    for name in client.get("/sessions", headers=HOST).get_json()["sessions"]:
        if name != "default":
            assert client.delete(f"/sessions/{name}", headers=HOST).status_code == 200

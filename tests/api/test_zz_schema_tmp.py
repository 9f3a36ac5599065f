"""schemathesis on our own OpenAPI document: every operation, every check, 50 requests each.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

schema = schemathesis.pytest.from_fixture("document")
EXAMPLES = 4


@pytest.fixture(scope="module")
def document(app, worker, folders):
    """The document as the server gives it, called through WSGI."""

    def near(environ, start_response):
        return app(environ | {"REMOTE_ADDR": "127.0.0.1"}, start_response)

    return schemathesis.openapi.from_wsgi("/openapi.json", near)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_the_document_says(case, client):
    case.call_and_validate()

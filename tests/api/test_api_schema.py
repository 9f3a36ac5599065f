"""schemathesis on our own OpenAPI document: 50 requests an operation, 30 as it says, 20 that break it.

All checks.  Data of the right shape are taken, or refused by what the session is or holds at the
moment: 404, 409, 412, or a 422 whose code says so, never as being of the wrong shape.  Pictures and
traces need the whole program and are asked of it in ``tests/faults/test_schema_page.py``; the clinic's
table needs the jobs process, which does not run here, and answers 503.

What is drawn is the same in every run: seeds, and the words that hypothesis takes from the code under
test, are fixed.  ``T4DM_TEST_SEED`` draws others, ``T4DM_TEST_EXAMPLES`` more.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import os
import time
from functools import partial

import pytest
import schemathesis
from hypothesis.internal.conjecture import providers
from schemathesis import GenerationMode

from tests.api.conftest import HOST, healthz, post
from tests.api.schema_cases import SEED, Run, ask, configuration, is_picture, words_of_ours

EXAMPLES = int(os.environ.get("T4DM_TEST_EXAMPLES", "50"))


@pytest.fixture
def same_words(monkeypatch, app):
    """Constants that hypothesis draws from, of the code under test and not of what else is loaded."""
    if SEED is None:
        words = words_of_ours()
        assert words.strings
        monkeypatch.setattr(providers, "_get_local_constants", lambda: words)


def test_every_answer_is_as_the_document_says(app, client, same_words):
    def near(environ, start_response):
        ours = {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_ENCODING": "identity"}
        return app(environ | ours, start_response)

    document = schemathesis.openapi.from_wsgi("/openapi.json", near, config=configuration())
    operations = sorted(
        (result.ok() for result in document.get_all_operations()),
        key=lambda operation: (operation.method != "get", operation.label),
    )
    failures = []
    for operation in operations:
        for mode, examples in modes_of(operation).items():
            now = ready(client)
            creates = operation.label == "POST /sessions"
            try:
                ask(
                    operation, mode, Run(now), examples=examples, leave_out=is_picture,
                    then=partial(forget_created, client) if creates else lambda: None,
                )  # fmt: skip
            except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - all are findings
                failures.append(f"{operation.label}, {mode.value}: {failure}")
                forget_created(client)
    assert len(operations) >= 30
    assert failures == [], "\n\n".join(failures)


def modes_of(operation):
    """How many requests of each shape; what takes nothing cannot be asked wrongly."""
    if not any((operation.query, operation.headers, operation.path_parameters, operation.body)):
        return {GenerationMode.POSITIVE: 1}
    right = EXAMPLES * 3 // 5
    return {GenerationMode.POSITIVE: right, GenerationMode.NEGATIVE: EXAMPLES - right}


def ready(client):
    """The session as at first, with enough steps to ask for; the step it stands at."""
    assert post(client, [{"type": "replace", "values": {}}, {"type": "run"}]).status_code == 200
    assert post(client, [{"type": "speed", "value": 1}]).status_code == 200
    kept = {"values": {"lif.v_thresh": 1.1}}
    assert client.put("/sets/kept", json=kept, headers=HOST).status_code in (200, 201)
    until = time.monotonic() + 60
    while (step := healthz(client)["step"]) < 600:
        assert time.monotonic() < until, "the run stands still"
        time.sleep(0.05)
    return step


def forget_created(client):
    """No supervisor is here to start what was created, and a session that has not started is 503."""
    for name in client.get("/sessions", headers=HOST).get_json()["sessions"]:
        if name != "default":
            assert client.delete(f"/sessions/{name}", headers=HOST).status_code == 200

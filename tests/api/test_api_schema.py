"""schemathesis on our own OpenAPI document: every operation, 50 requests as it says, 50 that break it.

All checks.  Pictures, traces and the clinic's table need the whole program; it is asked in
``tests/faults/test_schema_page.py``.

What is drawn is the same in every run: seeds, and the words that hypothesis takes from the code under
test, are fixed.  ``T4DM_TEST_SEED`` draws others, ``T4DM_TEST_EXAMPLES`` more.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import os
import sys
import time

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants, constants_from_module
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import HOST, healthz, post
from tests.api.schema_cases import Run

EXAMPLES = int(os.environ.get("T4DM_TEST_EXAMPLES", "50"))
SEED = os.environ.get("T4DM_TEST_SEED")
WORDS_FROM = ("dashboard.api.", "t4dm.commands", "t4dm.live.window", "t4dm.live.worker")
IMAGES = ("png", "svg")


@pytest.fixture
def same_words(monkeypatch, app):
    """Constants that hypothesis draws from, of the code under test and not of what else is loaded."""
    if SEED is not None:
        return
    words = Constants()
    for name in sorted(sys.modules):
        if name.startswith(WORDS_FROM):
            words |= constants_from_module(sys.modules[name])
    assert words.strings
    monkeypatch.setattr(providers, "_get_local_constants", lambda: words)


def test_every_answer_is_as_the_document_says(app, client, same_words):
    def near(environ, start_response):
        ours = {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_ENCODING": "identity"}
        return app(environ | ours, start_response)

    document = schemathesis.openapi.from_wsgi("/openapi.json", near)
    operations = sorted(
        (result.ok() for result in document.get_all_operations()),
        key=lambda operation: (operation.method != "get", operation.label),
    )
    failures = []
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            now = ready(client)
            try:
                ask(operation, mode, Run(now))
            except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - all are findings
                failures.append(f"{operation.label}, {mode.value}: {failure}")
            forget_created(client)
    assert len(operations) >= 30
    assert failures == [], "\n\n".join(failures)


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


def ask(operation, mode, run):
    """Requests to ``operation``, of the right or of a wrong shape; raises what is wrong."""
    reads = operation.method == "get"
    unasked = [] if reads else [positive_data_acceptance]
    unasked += [not_a_server_error] if operation.path == "/clinic" else []

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=SEED is None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(mode), another=st.integers(0, 3))
    def check(case, another):
        assume(not is_picture(case))
        if mode.is_positive and another:
            run.fit(case)
        case.call_and_validate(excluded_checks=unasked)

    (check if SEED is None else seed(int(SEED))(check))()


def is_picture(case):
    asked = (case.query or {}).get("format"), str((case.path_parameters or {}).get("file_name"))
    return asked[0] in IMAGES or asked[1].endswith(IMAGES)


def forget_created(client):
    """No supervisor is here to start what was created, and a session that has not started is 503."""
    for name in client.get("/sessions", headers=HOST).get_json()["sessions"]:
        if name != "default":
            assert client.delete(f"/sessions/{name}", headers=HOST).status_code == 200

"""Query strings: what an operation does not declare is refused, before anything is done."""

import pytest

from dashboard.api.openapi import document
from t4dm.live.client import SessionClient
from tests.api.conftest import HOST, healthz

IN_PATH = {"{name}": "default", "{file_name}": "rate.csv"}
ROW = {"input": [0.0] * 64}
POSTS = {
    "/spiking/inject-neuromod": {"nt": "DA", "level": 0.1},
    "/spiking/trace": ROW,
    "/spiking/trace-membrane": ROW,
}


def ask(client, method, path, query, **more):
    return client.open(
        path, method=method, query_string=query, headers=HOST | more.pop("h", {}), **more
    )


def test_every_operation_but_the_probe_refuses_a_field_it_does_not_declare(app, bare):
    asked = []
    for path, methods in document(app)["paths"].items():
        for part, value in IN_PATH.items():
            path = path.replace(part, value)
        asked += [(method.upper(), path) for method in methods]
    assert len(asked) >= 40
    for method, path in asked:
        answer = ask(bare, method, path, {"bogus": "1"})
        if path == "/healthz":
            assert answer.status_code == 200
            continue
        assert answer.status_code == 422, (method, path)
        error = answer.get_json()["error"]
        assert error["field"] == "bogus" and "unknown field 'bogus'" in error["message"]
        assert not error["message"].endswith(": "), "names are announced, and there are none"


def test_nothing_is_done_where_the_query_is_refused(client):
    sessions = client.get("/sessions", headers=HOST).get_json()["sessions"]
    rev = healthz(client)["params_rev"]
    made = ask(client, "POST", "/sessions", {"name": "zz"}, json={"blocks": 1, "n": 16})
    change = {"values": {"lif.beta": 0.5}}
    patched = ask(client, "PATCH", "/sessions/default/params", {"if_rev": 999}, json=change)
    assert (made.status_code, patched.status_code) == (422, 422)
    assert client.get("/sessions", headers=HOST).get_json()["sessions"] == sessions
    assert healthz(client)["params_rev"] == rev


@pytest.mark.parametrize("path", POSTS)
def test_a_post_is_for_the_session_that_query_or_body_names(client, path, monkeypatch):
    told = {"ok": True, "rev": 3, "step": 5, "t_ms": 5.0, "from_step": 5, "steps": 1}
    told |= {"input": "stimulus", "time_ms": [5.0], "stages": [], "membranes": []}
    monkeypatch.setattr(SessionClient, "trace", lambda *_: dict(told))

    def post(query, **in_body):
        return ask(client, "POST", path, query, json=POSTS[path] | in_body)

    assert post({"session_id": "nope"}).status_code == 404
    assert post({"session_id": "nope"}, session_id="").status_code == 404
    for query, in_body in (("default", {}), ("default", {"session_id": "default"}), ("", {})):
        answer = post({"session_id": query}, **in_body)
        assert answer.status_code == 200 and answer.get_json()["session_id"] == "default"
    both = post({"session_id": "nope"}, session_id="default")
    error = both.get_json()["error"]
    assert (both.status_code, error["field"]) == (422, "session_id")
    assert "'nope'" in error["message"] and "'default'" in error["message"]


def test_fields_that_do_not_go_together_are_named(client):
    for query, named in (
        ({"from_ms": 200, "to_ms": 100}, ("from_ms", "to_ms")),
        ({"from_ms": 5, "last_ms": 5}, ("last_ms", "from_ms")),
    ):
        answer = ask(client, "GET", "/spiking/stats", query)
        error = answer.get_json()["error"]
        assert (answer.status_code, error["field"]) == (422, named[0])
        assert all(name in error["message"] for name in named) and "body" not in error["message"]

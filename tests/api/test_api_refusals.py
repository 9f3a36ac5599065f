"""Refusals: their own status for scripts, an answer of 200 for a page that asks for it."""

from typing import Any

import pytest

from tests.api.conftest import HOST, post

QUIET = {"X-T4DM-Refusals": "200"}
REQUESTS = [
    ("/sessions/default/window?from_ms=1e12&to_ms=2e12", 416, "from_ms"),
    ("/sessions/default/frames?rows=stage:99", 422, "rows"),
    ("/sessions/default/panels/raster.json?theme=pink", 422, "theme"),
    ("/sessions/nobody/params", 404, None),
    ("/sets/nothing-of-that-name", 404, None),
]


@pytest.mark.parametrize(("url", "status", "field"), REQUESTS)
def test_a_page_may_ask_for_refusals_in_an_answer_of_200(client, url, status, field):
    plain = client.get(url, headers=HOST)
    quiet = client.get(url, headers=HOST | QUIET)
    assert (plain.status_code, quiet.status_code) == (status, 200)
    told: Any = quiet.get_json()
    assert told["status"] == status
    assert told["error"]["code"] == plain.get_json()["error"]["code"]
    assert told["error"]["field"] == plain.get_json()["error"]["field"] or field is None


def test_a_refused_command_names_field_and_range_in_either(client):
    command = {"type": "inject", "nt": "DA", "level": 7}
    plain, quiet = post(client, command), post(client, command, **QUIET)
    assert (plain.status_code, quiet.status_code) == (422, 200)
    for answer in (plain, quiet):
        error = answer.get_json()["error"]
        assert (error["field"], error["lo"], error["hi"]) == ("level", -1, 1)
    assert quiet.get_json()["status"] == 422


def test_what_is_accepted_is_answered_as_ever(client):
    answer = post(client, {"type": "set", "path": "lif.v_thresh", "value": 1.1}, **QUIET)
    assert answer.status_code == 200
    assert "status" not in answer.get_json()


def test_a_foreign_page_is_forbidden_by_its_status(client):
    answer = post(client, {"type": "pause"}, Origin="http://elsewhere.example", **QUIET)
    assert answer.status_code == 403

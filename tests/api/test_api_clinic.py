"""``/clinic`` without a jobs process: what is told, what is refused."""

import pytest

from dashboard import clinic
from dashboard.api.rest.clinic_answers import ClinicState
from t4dm.live import paths
from tests.api.conftest import HOST


@pytest.fixture
def board(app):
    """What is asked and told, emptied afterwards."""
    cache = clinic.board(paths.run_dir())
    cache.clear()
    yield cache
    cache.clear()


def test_the_table_that_comes_along_is_told(bare, board):
    told = bare.get("/clinic", headers=HOST).get_json()
    ClinicState.model_validate(told)
    assert told["state"] == "idle" and told["progress"] is None and told["rows"] == []
    table = told["finished"]
    assert table["origin"] == "shipped" and [row["number"] for row in table["rows"]] == list(
        range(18)
    )
    assert all(row["error"] for row in table["rows"] if row["kind"] == "error")


def test_without_a_jobs_process_no_table_is_begun(bare, board):
    answer = bare.post("/clinic", json={"steps": 20}, headers=HOST)
    assert answer.status_code == 503 and answer.get_json()["error"]["code"] == "no_jobs"
    assert bare.get("/clinic", headers=HOST).get_json()["state"] == "idle"


def test_one_table_at_a_time_and_one_to_cancel(bare, board, monkeypatch):
    monkeypatch.setattr(clinic, "jobs_running", lambda: True)
    assert bare.delete("/clinic", headers=HOST).status_code == 409
    answer = bare.post("/clinic", json={"steps": 20, "seed": 4}, headers=HOST)
    assert answer.status_code == 201
    assert answer.get_json()["asked"] == {"seed": 4, "steps": 20}
    assert bare.post("/clinic", json={}, headers=HOST).status_code == 409
    cancelled = bare.delete("/clinic", headers=HOST)
    assert cancelled.status_code == 200 and cancelled.get_json()["state"] == "cancelled"
    assert bare.post("/clinic", json={}, headers=HOST).status_code == 201


@pytest.mark.parametrize(
    ("body", "field", "lo", "hi"),
    [({"steps": 19}, "steps", 20, 5000), ({"seed": -1}, "seed", 0, 2**31 - 1), ({"step": 5}, "step", None, None)],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_range(bare, board, body, field, lo, hi):
    answer = bare.post("/clinic", json=body, headers=HOST)
    error = answer.get_json()["error"]
    assert answer.status_code == 422 and error["field"] == field
    assert (error["lo"], error["hi"]) == (lo, hi)


def test_it_needs_the_key(locked_app):
    for method in ("get", "post", "delete"):
        assert getattr(locked_app.test_client(), method)("/clinic", headers=HOST).status_code == 401

"""Named parameter sets and stimulus files."""

from __future__ import annotations

import io
import json

import pytest

from t4dm.live import paths

HOST = {"Host": "localhost"}


def put(client, name, body):
    return client.put(f"/sets/{name}", json=body, headers=HOST)


def send(client, data: bytes, name: str, field: str = "file"):
    return client.post(
        "/sessions/default/uploads", data={field: (io.BytesIO(data), name)}, headers=HOST
    )


def test_a_set_is_kept_listed_loaded_and_deleted(client):
    values = {"lif.v_thresh": 1.5, "blocks.1.lif_out.alpha": 0.5, "neuromod.DA": None}
    assert put(client, "high-1", {"values": values}).status_code == 201
    assert put(client, "high-1", {"values": values}).status_code == 200
    assert "high-1" in client.get("/sets", headers=HOST).get_json()["sets"]
    assert client.get("/sets/high-1", headers=HOST).get_json() == {
        "name": "high-1",
        "values": values,
    }
    assert client.delete("/sets/high-1", headers=HOST).status_code == 200
    assert client.get("/sets/high-1", headers=HOST).status_code == 404
    assert client.delete("/sets/high-1", headers=HOST).status_code == 404


@pytest.mark.parametrize("name", ["-x", "a" * 65, "a.b", "a b", "ä", "..%2f..%2fetc", "%00"])
def test_names_are_checked(client, name):
    answer = put(client, name, {"values": {}})
    assert answer.status_code in (404, 422)
    assert answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"values": {"lif.v_thresh": 99}}, "lif.v_thresh"),
        ({"values": {"lif.nothing": 1}}, "lif.nothing"),
        ({"values": [1]}, "values"),
        ({}, "values"),
        ([], "body"),
        ({"values": {}, "more": 1}, "more"),
    ],
)
def test_values_are_checked_before_they_are_kept(client, body, field):
    answer = put(client, "bad", body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["field"] == field
    assert client.get("/sets/bad", headers=HOST).status_code == 404


@pytest.mark.parametrize(("head", "code"), [({"format": 1}, "damaged"), ({"format": 99}, "newer")])
def test_a_set_that_cannot_be_read_is_said_to_be_so(client, head, code):
    put(client, "torn", {"values": {}})
    (paths.data_dir() / "sets" / "torn.json").write_text(json.dumps(head))
    answer = client.get("/sets/torn", headers=HOST)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["code"] == code
    client.delete("/sets/torn", headers=HOST)


def test_a_table_of_currents_is_taken(client):
    text = ",".join(f"c{i}" for i in range(64)) + "\n" + "\n".join([",".join(["0.5"] * 64)] * 3)
    answer = send(client, text.encode(), "currents.csv")
    assert answer.status_code == 201, answer.data
    told = answer.get_json()
    assert (told["kind"], told["rows"], told["width"]) == ("currents", 3, 64)
    assert (paths.data_dir() / "uploads" / f"{told['file_id']}.npz").is_file()


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"a,b\n1,2\n", "few.csv"), (b"", "empty.csv"), (b"x", "what.exe"), (b"\x80PK", "bad.npz")],
)
def test_a_file_that_is_none_is_refused_with_words(client, data, name):
    answer = send(client, data, name)
    assert answer.status_code == 422
    assert len(answer.get_json()["error"]["message"]) > 10


def test_a_missing_file_and_a_huge_one_are_refused(client):
    assert send(client, b"x", "x.csv", field="other").status_code == 400
    assert send(client, b"1" * 21_000_000, "big.csv").status_code == 413

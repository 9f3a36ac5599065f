"""What sessions of another kind take: 409 with a sentence; what nobody takes, or wrongly: 422."""

from __future__ import annotations

import pytest

from dashboard.api.openapi import document
from tests.api.conftest import HOST, healthz, post


def patch(client, **values):
    return client.patch("/sessions/default/params", json={"values": values}, headers=HOST)


@pytest.mark.parametrize(
    ("command", "status", "field"),
    [
        ({"type": "sample"}, 409, "type"),
        ({"type": "checkpoint", "name": "a"}, 409, "type"),
        ({"type": "checkpoint", "name": "a b"}, 422, "name"),
        ({"type": "sampel"}, 422, "type"),
        ({"type": "set", "path": "train.learning_rate", "value": 0.01}, 409, "train.learning_rate"),
        ({"type": "set", "path": "train.learning_rate", "value": "x"}, 422, "train.learning_rate"),
        ({"type": "clear", "path": "script.gain"}, 409, "script.gain"),
        ({"type": "set", "path": "script.gain", "value": []}, 422, "script.gain"),
        ({"type": "set", "path": "script. ", "value": 1}, 422, "script. "),
        ({"type": "set", "path": "lif.nothing", "value": 1}, 422, "lif.nothing"),
    ],
)
def test_a_command_of_another_kind_is_told_from_a_wrong_one(client, command, status, field):
    before = healthz(client)["params_rev"]
    answer = post(client, command)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["field"]) == (status, field), error
    assert error["code"] == ("other_kind" if status == 409 else "refused")
    assert healthz(client)["params_rev"] == before


def test_changes_and_sets_say_whose_parameter_it_is(client):
    answer = patch(client, **{"reading.pace": 3.0})
    assert answer.status_code == 409
    assert "sessions of kind brain" in answer.get_json()["error"]["message"]
    body = {"values": {"reading.pace": 3.0}}
    assert client.put("/sets/foreign", json=body, headers=HOST).status_code == 409
    assert client.get("/sets/foreign", headers=HOST).status_code == 404


def test_a_whole_number_is_one_however_it_is_written(client):
    text = '{"type": "watch", "neurons": [3.0, 1e2]}'
    answer = client.post("/sessions/default/commands", data=text, headers=HOST)
    assert answer.status_code == 200 and {3, 100} <= set(answer.get_json()["new"])
    text = '{"type": "watch", "neurons": [3.5]}'
    assert client.post("/sessions/default/commands", data=text, headers=HOST).status_code == 422


def test_a_block_has_one_name(client):
    assert patch(client, **{"blocks.0.lif.v_thresh": 1.1}).status_code == 200
    answer = patch(client, **{"blocks.00.lif.v_thresh": 1.1})
    assert answer.status_code == 422 and answer.get_json()["error"]["lo"] == 0


def test_the_document_says_what_each_parameter_takes(app):
    schemas = document(app)["components"]["schemas"]
    spiking, training = schemas["SpikingValues"], schemas["TrainingValues"]
    assert spiking["properties"]["lif.v_thresh"]["minimum"] == 0.05
    assert spiking["additionalProperties"] is False
    assert "train.learning_rate" in training["properties"]
    assert "train.learning_rate" not in spiking["properties"]
    (form,) = (
        schemas[option["$ref"].rpartition("/")[2]]
        for option in schemas["Set"]["anyOf"]
        if "stimulus.text" in str(schemas[option["$ref"].rpartition("/")[2]])
    )
    assert form["properties"]["value"] == {"type": "string", "maxLength": 2000}

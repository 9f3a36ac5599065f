"""Several sessions: a script's beside the supervised one, on the same routes, with the same checks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import t4dm.live
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron
from tests.waiting import eventually

HOST = {"Host": "localhost"}
STEPS = 20


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(6, 30), LIFNeuron(30)

    def forward(self, x: Tensor) -> Tensor:
        u = None
        for _ in range(STEPS):
            spikes, u = self.lif(self.fc(x), u)
        return spikes


@pytest.fixture
def script(folders):
    """A watched module that was called 20 times, its handle, and a road to it over HTTP."""
    net, x = Net(), torch.rand(2, 6) * 4
    with t4dm.live.watch(
        net, "mine", params={"v_thresh": param(1.0, 0.1, 5.0, help="x")}, budget=None
    ) as handle:
        for _ in range(20):
            net(x)
        yield net, handle


def get(client, path):
    return client.get(path, headers=HOST)


def entry(client, name="mine"):
    answer = get(client, "/sessions").get_json()
    assert name in answer["sessions"]
    return next(e for e in answer["entries"] if e["name"] == name)


def held(client):
    def step():
        return get(client, "/healthz").get_json()["sessions"]["mine"]["step"]

    eventually(lambda: step() == 20 * STEPS, "the steps of the script")


def test_a_script_is_listed_beside_the_default_session(client, script):
    held(client)
    assert entry(client)["owner"] == "external"
    assert entry(client, "default")["owner"] == "supervised"
    manifest = get(client, "/sessions/mine").get_json()
    assert [g["name"] for g in manifest["groups"]] == ["lif"] and manifest["axis"] == "step"


def test_a_set_is_checked_as_one_of_the_session_that_it_is_of(client, script):
    held(client)

    def put(url, path, value):
        return client.put(url, json={"values": {path: value}}, headers=HOST)

    assert put("/sets/mine?session_id=mine", "script.v_thresh", 2.0).status_code == 201
    refused = put("/sets/mine?session_id=mine", "script.v_thresh", 50.0)
    assert refused.status_code == 422 and refused.get_json()["error"]["hi"] == 5.0
    assert put("/sets/mine", "script.v_thresh", 2.0).status_code == 409
    assert put("/sets/mine?session_id=nobody", "lif.v_thresh", 1.0).status_code == 404


def test_its_panels_and_the_ones_it_has_not(client, script):
    held(client)
    csv = get(client, "/sessions/mine/panels/raster.csv").text.splitlines()
    assert csv[0] == "time_ms,neuron,stage" and len(csv) > 10
    refused = get(client, "/sessions/mine/panels/gate.csv")
    assert refused.status_code == 422
    assert refused.get_json()["error"]["message"] == "this session publishes no thalamic gate"
    figure = get(client, "/sessions/mine/panels/gate.json").get_json()
    assert figure["layout"]["annotations"][0]["text"] == "this session publishes no thalamic gate"
    raster = get(client, "/sessions/mine/panels/rate.json").get_json()
    assert raster["layout"]["xaxis"]["title"]["text"] == "Step"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"type": "set", "path": "script.v_thresh", "value": 6}, 422, "0.1 to 5"),
        (
            {"type": "set", "path": "lif.v_thresh", "value": 1}, 409,
            "did you mean 'script.v_thresh'",
        ),
        ({"type": "reset"}, 422, "restart the script"),
    ],
)  # fmt: skip
def test_what_it_does_not_take_is_refused_with_the_reason(client, script, body, status, message):
    held(client)
    answer = client.post("/sessions/mine/commands", json=body, headers=HOST)
    assert answer.status_code == status and message in answer.get_json()["error"]["message"]


def test_an_ended_script_says_so_and_keeps_its_last_window(client, script):
    _net, handle = script
    held(client)
    handle.close()
    shown = entry(client)
    assert shown["state"] == "ended" and shown["message"].startswith("ended at ")
    assert "its last window stays" in shown["message"]
    assert get(client, "/sessions/mine/params").get_json()["values"] == {"script.v_thresh": 1.0}
    assert get(client, "/sessions/mine/panels/raster.csv").status_code == 200
    sent = client.post("/sessions/mine/commands", json={"type": "note", "text": "x"}, headers=HOST)
    assert sent.status_code == 503 and "has ended" in sent.get_json()["error"]["message"]


def test_a_file_that_is_no_session_is_not_one(client, folders):
    (folders / "run" / "stray.json").write_text('{"owner": "external"}')
    (folders / "run" / "broken.json").write_text("{")
    assert not {"stray", "broken"} & set(get(client, "/sessions").get_json()["sessions"])
    assert get(client, "/sessions/stray").status_code == 404

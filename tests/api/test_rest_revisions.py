"""Answers made of a window and of the parameters in force, while the two are of different revisions."""

import pytest

from tests.api.conftest import post
from tests.api.test_rest_read import body, still
from tests.waiting import eventually

IN_FORCE = [
    "/spiking/lif-params", "/spiking/neuromodulators", "/spiking/nt-injection-schedule",
    "/learning/stdp-metrics", "/learning/stdp-windows", "/learning/hebbian-trace",
    "/learning/homeostatic-state",
]  # fmt: skip


@pytest.fixture
def ahead(client):
    """A standing run whose threshold was changed after its last step; the revision of that."""
    still(client)
    yield post(client, {"type": "set", "path": "lif.v_thresh", "value": 2.0}).get_json()["rev"]
    post(client, [{"type": "replace", "values": {}}, {"type": "run"}])


@pytest.mark.parametrize("path", IN_FORCE)
def test_the_revision_is_that_of_the_parameters_told(client, ahead, path):
    assert body(client, path)["params_rev"] == ahead


def test_what_homeostasis_adds_is_not_told_of_another_threshold(client, ahead):
    for path in ("/spiking/lif-params", "/learning/homeostatic-state"):
        for stage in body(client, path)["stages"]:
            assert stage["theta"] is not None and stage["theta_h"] is None
            assert stage.get("at_bound") is None
    post(client, {"type": "step", "n": 1})
    told = eventually(
        lambda: [
            stage["theta_h"]
            for stage in body(client, "/spiking/lif-params")["stages"]
            if stage["theta_h"] is not None
        ],
        patience_s=20,
    )
    assert max(map(abs, told)) < 0.5 + 1e-6


@pytest.mark.parametrize("path", ["/learning/weight-deltas", "/spiking/weights"])
def test_the_window_of_samples_is_the_one_asked_for(client, path):
    still(client)
    answer = body(client, path, last_ms=1500)
    assert answer["window"]["n_steps"] == min(1500, answer["step"])
    times = answer.get("sample_ms", [answer["sampled_ms"]] if "sampled_ms" in answer else [])
    assert all(answer["window"]["from_ms"] <= t < answer["window"]["to_ms"] for t in times)

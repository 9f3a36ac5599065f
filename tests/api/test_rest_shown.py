"""n of N: how much an answer lists of what there is, each kind in the same shape."""

import pytest

from dashboard import pictures
from t4dm.live.segment import GATE_EVERY, HIST_EVERY
from tests.api.test_rest_read import READS, body, get, still

BLOCKS, GROUPS, NEURONS = 6, 12, 3072
ALL_BLOCKS = {"n": BLOCKS, "total": BLOCKS}
ONE_BLOCK = {"n": 1, "total": BLOCKS}
KINDS = {
    "/spiking/health": {"findings", "cannot_tell", "rules"},
    "/spiking/stats": {"neurons", "groups"},
    "/spiking/lif-params": {"stages", "parameters"},
    "/spiking/neuromodulators": {"neuromodulators", "gains", "events"},
    "/spiking/weights": {"blocks", "samples", "weights"},
    "/spiking/spike-times": {"neurons", "spikes"},
    "/spiking/attention-weights": {"blocks", "samples"},
    "/spiking/dopamine-trace": {"neuromodulators", "gains", "steps", "events"},
    "/spiking/ach-levels": {"neuromodulators", "gains", "steps", "events"},
    "/spiking/monoamine-trace": {"neuromodulators", "gains", "steps", "events"},
    "/spiking/nt-injection-schedule": {"neuromodulators", "sources", "onsets", "events"},
    "/learning/stdp-metrics": {"blocks", "samples"},
    "/learning/weight-deltas": {"blocks", "samples"},
    "/learning/stdp-windows": {"blocks", "samples"},
    "/learning/hebbian-trace": {"blocks", "samples"},
    "/learning/homeostatic-state": {"blocks", "stages"},
    "/visualization/spike-raster": {"neurons", "blocks", "rows"},
    "/visualization/thalamic-gate": {"blocks", "channels", "steps", "rows"},
    "/visualization/neuromod-heatmap": {"neuromodulators", "gains", "steps", "rows"},
    "/visualization/weight-distribution": {"blocks", "samples", "rows"},
}


def n_of(part, total):
    return {"n": part, "total": total}


@pytest.mark.parametrize("path", KINDS)
def test_every_answer_says_how_much_of_all_it_lists(client, path):
    shown = body(client, path)["shown"]
    assert shown.keys() == KINDS[path]
    for part in shown.values():
        assert part.keys() == {"n", "total"} and 0 <= part["n"] <= part["total"]


def test_no_answer_is_left_out():
    assert {*READS, "/spiking/health"} == KINDS.keys()


@pytest.mark.parametrize("path", [path for path, kinds in KINDS.items() if "blocks" in kinds])
def test_one_block_is_one_of_six(client, path):
    still(client)
    answer = body(client, path, layer=2)
    assert answer["shown"]["blocks"] == ONE_BLOCK
    listed = answer["pairs"] if path.endswith("stdp-windows") else answer.get("blocks")
    if path.endswith("homeostatic-state"):
        assert answer["shown"]["stages"] == n_of(len(answer["stages"]), GROUPS) == n_of(2, GROUPS)
    elif not path.startswith("/visualization/"):
        assert len(listed) == 1 and body(client, path)["shown"]["blocks"] == ALL_BLOCKS


def test_a_course_tells_how_many_of_the_steps_it_keeps(client):
    still(client)
    fine = body(client, "/spiking/ach-levels", last_ms=500, every_ms=1)
    coarse = body(client, "/spiking/monoamine-trace", last_ms=500, every_ms=20)
    assert fine["shown"]["steps"] == n_of(500, 500)
    assert coarse["shown"]["steps"] == n_of(len(coarse["time_ms"]), 500) == n_of(25, 500)
    assert fine["shown"]["neuromodulators"] == n_of(1, 4) and fine["shown"]["gains"] == n_of(1, 5)
    assert coarse["shown"]["neuromodulators"] == n_of(2, 4)


def test_lists_are_as_long_as_is_told(client):
    still(client)
    now = body(client, "/spiking/neuromodulators", last_ms=2000)
    assert now["shown"]["neuromodulators"]["n"] == len(now["levels"]) == 4
    assert now["shown"]["gains"]["n"] == len(now["gains"]) == 5
    assert now["shown"]["events"]["n"] == len(now["events"])
    plan = body(client, "/spiking/nt-injection-schedule")
    assert plan["shown"]["events"]["n"] == len(plan["events"]) <= plan["shown"]["events"]["total"]
    assert plan["shown"]["onsets"]["n"] == len(plan["onsets_ms"])
    assert plan["shown"]["sources"] == n_of(3, 3) == n_of(len(plan["sources"]), 3)
    stages = body(client, "/spiking/lif-params")
    assert stages["shown"]["stages"] == n_of(len(stages["stages"]), GROUPS) == n_of(GROUPS, GROUPS)
    page = body(client, "/spiking/spike-times", neurons="20", limit=7)
    assert page["shown"]["spikes"] == n_of(7, page["spikes"])
    assert page["shown"]["neurons"] == page["neurons"] == n_of(20, NEURONS)


def test_samples_are_those_of_the_window(client):
    still(client)
    course = body(client, "/learning/weight-deltas", last_ms=1000)
    taken = len(course["sample_ms"])
    assert taken == 1000 // HIST_EVERY
    assert course["shown"]["samples"] == n_of(taken, taken)
    newest = body(client, "/spiking/weights", last_ms=1000, layer=1)
    assert newest["shown"]["samples"] == n_of(1, taken)
    (block,) = newest["blocks"]
    counted = sum(block["count_exc"]) + sum(block["count_inh"])
    every = body(client, "/spiking/weights", last_ms=1000)["blocks"]
    total = sum(sum(one["count_exc"]) + sum(one["count_inh"]) for one in every)
    assert newest["shown"]["weights"] == n_of(counted, total) and 0 < counted < total
    looked = body(client, "/spiking/attention-weights", last_ms=100, layer=0)
    assert looked["shown"]["samples"] == n_of(1, looked["blocks"][0]["samples"])


def test_a_window_without_a_sample_lists_none_of_them(client):
    still(client)
    to_ms = body(client, "/learning/weight-deltas", last_ms=1000)["sample_ms"][-1]
    told = body(client, "/spiking/weights", from_ms=to_ms - 20, to_ms=to_ms - 10)
    assert told["blocks"] == [] and told["shown"]["blocks"] == n_of(0, BLOCKS)
    assert told["shown"]["samples"] == told["shown"]["weights"] == n_of(0, 0)


@pytest.mark.parametrize(
    ("what", "query", "blocks"),
    [
        ("thalamic-gate", {}, [0]), ("thalamic-gate", {"layer": 4}, [4]),
        ("weight-distribution", {}, [0]), ("weight-distribution", {"layer": 5}, [5]),
        ("neuromod-heatmap", {}, None), ("spike-raster", {}, [0, 1, 2, 3, 4, 5]),
        ("spike-raster", {"neurons": "stage:3"}, [1]), ("spike-raster", {"neurons": "0,600"}, [0, 1]),
    ],
)  # fmt: skip
def test_a_picture_names_the_blocks_it_shows(client, what, query, blocks):
    path = f"/visualization/{what}"
    still(client)
    data = body(client, path, last_ms=300, limit=5, **query)
    assert data["blocks"] == blocks
    assert data["shown"].get("blocks") == (blocks and n_of(len(blocks), BLOCKS))
    assert data["shown"]["rows"] == n_of(min(5, data["rows"]), data["rows"])
    meta = body(client, path, last_ms=300, format="figure", **query)["layout"]["meta"]
    assert meta["blocks"] == blocks
    of_data = {
        kind: part for kind, part in data["shown"].items() if kind not in ("rows", "samples")
    }
    assert {kind: part for kind, part in meta["shown"].items() if kind != "samples"} == of_data


def test_an_image_names_them_in_its_headers(client, monkeypatch):
    monkeypatch.setattr(pictures, "picture", lambda *_: b"drawn")
    still(client)
    gate = get(client, "/visualization/thalamic-gate", format="png", layer=3, last_ms=300).headers
    assert gate["X-T4DM-Blocks"] == "3"
    channels = 256
    steps = f"{300 // GATE_EVERY} of 300"
    assert (
        gate["X-T4DM-Shown"] == f"blocks 1 of 6, channels {channels} of {channels}, steps {steps}"
    )
    raster = get(client, "/visualization/spike-raster", format="svg", neurons="stage:3").headers
    assert raster["X-T4DM-Shown"] == f"neurons 256 of {NEURONS}, blocks 1 of 6"
    assert raster["X-T4DM-Neurons"] == f"256 of {NEURONS}"
    levels = get(client, "/visualization/neuromod-heatmap", format="png").headers
    assert "X-T4DM-Blocks" not in levels and "neuromodulators 4 of 4" in levels["X-T4DM-Shown"]

"""The read endpoints: paths, models, where their numbers come from, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard import pictures
from dashboard.api.models import Windowed
from dashboard.api.operations import describe_all, spec
from dashboard.api.rest.answers import Neuromodulators, SpikeTimes, Statistics, Table
from dashboard.api.rest.session_answers import Injected
from t4dm.live.frame import decode
from tests.api.conftest import HOST, post

READS = [
    "/spiking/attention-weights", "/spiking/stats", "/spiking/lif-params", "/spiking/neuromodulators", "/spiking/weights",
    "/spiking/spike-times", "/spiking/dopamine-trace", "/spiking/ach-levels",
    "/spiking/monoamine-trace", "/spiking/nt-injection-schedule", "/learning/stdp-metrics",
    "/learning/weight-deltas", "/learning/stdp-windows", "/learning/hebbian-trace",
    "/learning/homeostatic-state", "/visualization/spike-raster", "/visualization/thalamic-gate",
    "/visualization/neuromod-heatmap", "/visualization/weight-distribution",
]  # fmt: skip
SHAPE = {"code", "message", "field", "lo", "hi", "unit", "choices"}


def get(client, path, **query):
    return client.get(path, query_string=query, headers=HOST)


def body(client, path, **query):
    answer = get(client, path, **query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def still(client):
    """A run that stands still, so that two answers are of the same steps."""
    post(client, {"type": "pause"})


def window(client, query):
    meta, arrays = decode(get(client, "/sessions/default/window", **query).data)
    return meta, arrays


@pytest.mark.parametrize("path", READS)
def test_an_answer_is_what_its_model_says(client, app, path):
    answer = body(client, path)
    operation = _operation(app, path)
    name = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    model = _models()[name.rpartition("/")[2]]
    model.model_validate(answer, strict=False)
    assert answer["session_id"] == "default" and answer["t_ms"] == answer["step"]
    assert answer["params_rev"] is not None and answer["units"]["time"] == "ms"
    assert issubclass(model, Windowed) == ("window" in answer)


def _operation(app, path):
    describe_all()
    with app.app_context():
        return spec.spec["paths"][path]["get"]


def _models():
    from dashboard.api.models import Answer

    found, todo = {}, [Answer]
    while todo:
        cls = todo.pop()
        found[cls.__name__] = cls
        todo += cls.__subclasses__()
    return found


@pytest.mark.parametrize("path", READS)
def test_an_empty_session_is_the_default_one_and_others_are_404(client, path):
    assert body(client, path, session_id="")["session_id"] == "default"
    refused = get(client, path, session_id="nobody")
    assert refused.status_code == 404
    error = refused.get_json()["error"]
    assert error["field"] == "session_id" and "default" in error["choices"]


@pytest.mark.parametrize("path", ["/spiking/spike-times", "/visualization/spike-raster"])
@pytest.mark.parametrize("neurons", ["99999,", "3,99999", "stage:99", "block:77"])
def test_neurons_that_are_not_there_are_refused_by_the_name_of_the_request(client, path, neurons):
    refused = get(client, path, neurons=neurons)
    error = refused.get_json()["error"]
    assert (refused.status_code, error["field"]) == (422, "neurons")
    assert error["message"].startswith("neurons: ") and "rows" not in error["message"]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("session_id=../etc", "session_id"),
        ("sesion_id=x", "sesion_id"),
        ("session_id=default&session_id=default", "session_id"),
        ("session_id=%F0%9F%92%A3", "session_id"),
    ],
)
def test_a_wrong_query_names_its_field(client, path, query, field):
    answer = client.get(f"{path}?{query}", headers=HOST)
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert error["field"] == field and set(error) >= SHAPE and field in error["message"]


@pytest.mark.parametrize(
    ("path", "query", "field", "words"),
    [
        ("/spiking/stats", {"last_ms": "0"}, "last_ms", "valid: 1 to 20000"),
        ("/spiking/stats", {"last_ms": "nan"}, "last_ms", "decimal digits"),
        ("/spiking/stats", {"last_ms": "1_000"}, "last_ms", "decimal digits"),
        ("/spiking/stats", {"from_ms": "-1"}, "from_ms", "greater than or equal to 0"),
        ("/spiking/stats", {"from_ms": "5", "last_ms": "5"}, "last_ms", "not both"),
        ("/spiking/stats", {"from_ms": "5", "to_ms": "5"}, "from_ms", "less than to_ms"),
        ("/spiking/spike-times", {"neurons": "a"}, "neurons", "neurons"),
        ("/spiking/spike-times", {"neurons": "0"}, "neurons", "How many"),
        ("/spiking/spike-times", {"neurons": "0,99999"}, "neurons", "0 to 3071"),
        ("/spiking/spike-times", {"limit": "0"}, "limit", "valid: 1 to"),
        ("/spiking/spike-times", {"neurons": "0,1", "layer": "1"}, "layer", "number of neurons"),
        ("/learning/weight-deltas", {"layer": "6"}, "layer", "0 to 5"),
        ("/learning/weight-deltas", {"layer": "two"}, "layer", "whole number"),
        ("/visualization/thalamic-gate", {"layer": "6"}, "layer", "0 to 5"),
        ("/visualization/neuromod-heatmap", {"layer": "1"}, "layer", "unknown field 'layer'"),
        ("/visualization/spike-raster", {"format": "gif"}, "format", "'png'"),
        ("/visualization/spike-raster", {"width": "9"}, "width", "valid: 200 to 4000"),
    ],
)
def test_a_wrong_value_names_its_range(client, path, query, field, words):
    answer = get(client, path, **query)
    assert answer.status_code == 422
    error = answer.get_json()["error"]
    assert error["field"] == field
    assert words in error["message"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_ms": "1e12"}, "from_ms"),
        ({"from_ms": "1e12", "to_ms": "2e12"}, "from_ms"),
        ({"to_ms": "99999999"}, "to_ms"),
        ({"to_ms": "99999999", "last_ms": "100"}, "to_ms"),
        ({"to_ms": "0"}, "to_ms"),
        ({"to_ms": "0.5"}, "to_ms"),
    ],
)
def test_steps_that_are_not_held_are_416_with_the_range_and_the_field_given(client, query, field):
    answer = get(client, "/spiking/stats", **query)
    assert answer.status_code == 416
    error = answer.get_json()["error"]
    assert error["field"] == field
    assert 0 <= error["lo"] < error["hi"] and error["hi"] >= 600


def test_of_a_window_that_reaches_past_the_newest_step_the_held_part_is_told(client):
    still(client)
    newest = body(client, "/spiking/stats")["t_ms"]
    told = body(client, "/spiking/stats", to_ms=newest + 100, last_ms=300)["window"]
    assert told == {"from_ms": newest - 200, "to_ms": newest, "n_steps": 200}
    post(client, {"type": "run"})


def test_spike_rate_has_a_line_of_its_own(client):
    lines = [
        line for line in get(client, "/spiking/stats").text.splitlines() if "spike_rate" in line
    ]
    assert len(lines) == 1
    name, value = lines[0].rstrip(",").split(":")
    assert name.strip() == '"spike_rate"' and 0 < float(value) < 1


def test_statistics_are_those_of_the_window_that_the_page_gets(client):
    still(client)
    stats = Statistics.model_validate(body(client, "/spiking/stats", last_ms=500))
    at = stats.window
    meta, arrays = window(client, {"from_ms": at.from_ms, "to_ms": at.to_ms, "rows": "all"})
    assert stats.spikes == int(arrays["rates"].sum()) == len(arrays["spk_row"])
    assert stats.neurons.total == meta["n_total"] and at.n_steps == 500
    assert stats.spike_rate == pytest.approx(stats.spikes / (500 * meta["n_total"]), abs=1e-6)
    counts = np.bincount(arrays["spk_row"], minlength=meta["n_total"])
    assert stats.silent == (counts == 0).sum()
    first = stats.groups[0]
    assert first.max_hz == pytest.approx(counts[: first.n].max() * 2, abs=1e-3)
    intervals = [
        np.diff(arrays["spk_dt"][arrays["spk_row"] == k].astype(float)) for k in range(first.n)
    ]
    cv = np.mean([gaps.std() / gaps.mean() for gaps in intervals if len(gaps) >= 2])
    assert first.cv_isi == pytest.approx(cv, abs=1e-3)
    counts_in = arrays["rates"][:, 0].astype(float)
    assert first.fano == pytest.approx(counts_in.var() / counts_in.mean(), abs=1e-3)


def test_spike_times_are_those_of_the_window(client):
    still(client)
    times = SpikeTimes.model_validate(body(client, "/spiking/spike-times", neurons="0,1,2"))
    at = times.window
    _, arrays = window(client, {"from_ms": at.from_ms, "to_ms": at.to_ms, "rows": "0,1,2"})
    for row, train in enumerate(times.trains):
        mine = at.from_ms + arrays["spk_dt"][arrays["spk_row"] == row]
        assert train.neuron == row and train.times_ms == mine.tolist()
        assert train.spikes == len(mine)
    assert times.neurons.n == 3 and times.spikes == len(arrays["spk_row"])


def test_pages_of_spikes_add_up_to_the_whole(client):
    still(client)
    whole = SpikeTimes.model_validate(body(client, "/spiking/spike-times", neurons="20"))
    found = {train.neuron: [] for train in whole.trains}
    offset, pages = 0, 0
    while offset is not None:
        page = body(client, "/spiking/spike-times", neurons="20", limit=37, offset=offset)
        for train in page["trains"]:
            found[train["neuron"]] += train["times_ms"]
        offset, pages = page["next_offset"], pages + 1
    assert pages == -(-whole.spikes // 37)
    assert found == {train.neuron: train.times_ms for train in whole.trains}


@pytest.mark.parametrize(
    ("query", "n", "lo", "hi"),
    [
        ({"neurons": "100"}, 100, 0, 3071),
        ({"neurons": "7,"}, 1, 7, 7),
        ({"neurons": "40", "layer": "2"}, 40, 1024, 1535),
        ({"neurons": "stage:3"}, 256, 768, 1023),
        ({"neurons": "block:1"}, 512, 512, 1023),
        ({"neurons": "9999"}, 3072, 0, 3071),
    ],
)
def test_which_neurons(client, query, n, lo, hi):
    answer = body(client, "/spiking/spike-times", last_ms=20, **query)
    ids = [train["neuron"] for train in answer["trains"]]
    assert answer["neurons"] == {"n": n, "total": 3072} and len(ids) == n
    assert min(ids) >= lo and max(ids) <= hi and ids == sorted(ids)


def test_the_raster_is_the_panel_of_the_page(client):
    still(client)
    table = Table.model_validate(body(client, "/visualization/spike-raster", neurons="100"))
    query = {"from_ms": table.window.from_ms, "to_ms": table.window.to_ms, "rows": "spread:100"}
    csv = get(client, "/sessions/default/panels/raster.csv", **query).text.splitlines()
    assert csv[0].split(",") == list(table.columns) and table.rows == len(csv) - 1
    first = [float(text) for text in csv[1].split(",")]
    assert first == [table.columns[name][0] for name in table.columns]
    figure = get(client, "/sessions/default/panels/raster.json", **query).get_json()
    mine = body(
        client, "/visualization/spike-raster", neurons="100", format="figure",
        from_ms=query["from_ms"], to_ms=query["to_ms"],
    )  # fmt: skip
    assert mine == figure


HEAD = (
    "session_id", "epoch", "step", "t_ms", "params_rev", "units", "window", "neurons", "blocks", "shown",
)  # fmt: skip
OF_ITS_OWN = {"window": None, "shown": None}  # of the data from the first sample, by pages
PICTURES = [path for path in READS if path.startswith("/visualization/")]


@pytest.mark.parametrize("path", PICTURES)
def test_a_figure_says_where_it_is_from_as_its_data_do(client, path):
    still(client)
    data = body(client, path)
    figure = body(client, path, format="figure")
    meta = figure["layout"]["meta"]
    assert meta | OF_ITS_OWN == {name: data[name] for name in HEAD} | OF_ITS_OWN
    assert meta["window"]["to_ms"] == data["window"]["to_ms"]
    sample = data["window"]["from_ms"] - meta["window"]["from_ms"]  # of the data: the first one
    assert 0 <= sample < 250 and (sample == 0 or "weight" in path)
    shown = {"n": 100, "total": 3072} if path.endswith("raster") else None
    assert meta["neurons"] == shown and meta["params_rev"] is not None
    assert go.Figure(figure).layout.meta["step"] == data["step"]


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("path", PICTURES)
def test_a_picture_says_where_it_is_from_in_its_headers(client, path, kind, monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "picture", lambda figure, *_: drawn.append(figure) or b"drawn")
    still(client)
    data, answer = body(client, path), get(client, path, format=kind)
    assert answer.data == b"drawn" and "meta" not in drawn[0]["layout"]
    head = answer.headers
    for name, key in (("Step", "step"), ("T-Ms", "t_ms"), ("Params-Rev", "params_rev")):
        assert head[f"X-T4DM-{name}"] == str(data[key])
    shown = "100 of 3072" if path.endswith("raster") else None
    assert head.get("X-T4DM-Neurons") == shown


def test_rows_of_a_table_come_in_pages(client):
    still(client)
    whole = body(client, "/visualization/neuromod-heatmap", last_ms=100)
    part = body(client, "/visualization/neuromod-heatmap", last_ms=100, limit=30, offset=60)
    assert whole["rows"] == 100 and whole["next_offset"] is None and part["next_offset"] == 90
    for name, column in whole["columns"].items():
        assert part["columns"][name] == column[60:90]


def test_neuromodulators_follow_an_injection(client):
    still(client)
    before = Neuromodulators.model_validate(body(client, "/spiking/neuromodulators"))
    answer = client.post(
        "/spiking/inject-neuromod",
        data=b'{"nt": "DA", "level": 0.3, "session_id": ""}',  # as curl -d sends it
        content_type="application/x-www-form-urlencoded",
        headers=HOST,
    )
    assert answer.status_code == 200
    told = Injected.model_validate(answer.get_json())
    assert told.new["nt"] == "DA" and told.session_id == "default"
    assert told.params_rev == told.rev == before.params_rev and told.units["level"] == "1"
    post(client, {"type": "step", "n": 1})
    after = Neuromodulators.model_validate(body(client, "/spiking/neuromodulators"))
    assert after.levels[0].level > before.levels[0].level and after.levels[0].moved
    assert after.events[-1]["nt"] == "DA" and after.events[-1]["level"] == 0.3
    trace = body(client, "/spiking/dopamine-trace")
    assert trace["levels"]["DA"][-1] == after.levels[0].level
    assert [e for e in trace["events"] if e["type"] == "inject"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"nt": "GABA", "level": 0.1}, "nt"),
        ({"nt": "DA", "level": 2}, "level"),
        ({"nt": "DA", "level": "0.1"}, "level"),
        ({"nt": "DA", "lvl": 0.1}, "lvl"),
        ({"level": 0.1}, "nt"),
        ([], "body"),
    ],
)
def test_an_injection_that_is_refused(client, data, field):
    answer = client.post("/spiking/inject-neuromod", data=json.dumps(data), headers=HOST)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["field"] == field


def test_parameters_of_a_stage_follow_a_command(client):
    post(client, {"type": "set", "path": "lif.v_thresh", "value": 1.25})
    done = post(client, {"type": "set", "path": "blocks.2.lif_in.alpha", "value": 0.5}).get_json()
    answer = body(client, "/spiking/lif-params")
    assert answer["params_rev"] == done["rev"]
    assert answer["values"]["v_thresh"] == 1.25 and answer["ranges"]["v_thresh"] == [0.05, 10.0]
    assert answer["overrides"] == {"blocks.2.lif_in.alpha": 0.5}
    stage = next(s for s in answer["stages"] if (s["block"], s["stage"]) == (2, "lif_in"))
    assert stage["alpha"] == 0.5 and stage["v_thresh"] == 1.25
    assert stage["tau_ms"] == pytest.approx(-1 / np.log(0.5), abs=1e-3)


def test_the_rule_shown_is_the_one_in_force(client):
    post(client, {"type": "set", "path": "stdp.enabled", "value": False})
    off = body(client, "/learning/stdp-metrics")
    assert not off["enabled"] and off["words"] == ["STDP off"] and off["a_plus_now"] == 0
    post(client, {"type": "clear", "path": "stdp.enabled"})
    post(client, {"type": "set", "path": "stdp.window_pre_to_post", "value": 10})
    windows = body(client, "/learning/stdp-windows", layer=2)
    change = dict(zip(windows["dt_ms"], windows["change"], strict=True))
    assert change[10.0] > 0 and change[10.5] == 0 and change[-10.5] < 0
    assert list(windows["pairs"]) == ["2"] and sum(windows["pairs"]["2"]) > 0


def test_hebbian_sums_follow_the_pairs(client):
    still(client)
    windows = body(client, "/learning/stdp-windows", layer=0)
    trace = body(client, "/learning/hebbian-trace", layer=0)
    change = dict(zip(windows["dt_ms"], windows["change"], strict=True))
    lags, pairs = windows["pair_dt_ms"], windows["pairs"]["0"]
    up = sum(n * change[float(dt)] for dt, n in zip(lags, pairs, strict=True) if dt > 0)
    down = sum(n * change[float(dt)] for dt, n in zip(lags, pairs, strict=True) if dt < 0)
    (block,) = trace["blocks"]
    assert block["potentiation"][-1] == pytest.approx(up, rel=1e-4)
    assert block["depression"][-1] == pytest.approx(down, rel=1e-4)
    assert trace["sample_ms"][-1] == windows["sampled_ms"]


def test_weight_samples_of_a_span_are_the_same_by_either_road(client):
    still(client)
    stats = body(client, "/spiking/stats", last_ms=1000)["window"]
    near = body(client, "/visualization/weight-distribution", layer=1, last_ms=1000)
    assert near["window"]["to_ms"] == stats["to_ms"]
    meta, arrays = window(
        client, {"from_ms": stats["from_ms"], "to_ms": stats["to_ms"], "weights_block": 1}
    )
    inside = [k for k, step in enumerate(meta["hist_steps"]) if step >= stats["from_ms"]]
    counts = arrays["hist_exc"][inside, 1].ravel().tolist()
    assert near["columns"]["exc_count"] == counts and len(inside) == 4


def test_deltas_say_of_how_many_rows_they_are(client):
    constants = get(client, "/sessions/default").get_json()["constants"]
    told = body(client, "/learning/weight-deltas")["moved_rows"]
    assert told == constants["moved_rows"] == {"n": 64, "total": 200}


def test_a_decimated_course_lies_on_the_absolute_grid(client):
    still(client)
    fine = body(client, "/spiking/ach-levels", last_ms=500, every_ms=1)
    coarse = body(client, "/spiking/ach-levels", last_ms=500, every_ms=20)
    assert coarse["every_ms"] == 20 and len(coarse["time_ms"]) == 25
    levels = dict(zip(fine["time_ms"], fine["levels"]["ACh"], strict=True))
    assert all(t % 20 == 0 for t in coarse["time_ms"])
    assert coarse["levels"]["ACh"] == [levels[t] for t in coarse["time_ms"]]


def test_attention_is_that_of_the_window(client):
    still(client)
    answer = body(client, "/spiking/attention-weights", layer=1)
    query = {"from_ms": answer["window"]["from_ms"], "to_ms": answer["window"]["to_ms"]}
    _, arrays = window(client, query | {"attention_block": 1})
    (block,) = answer["blocks"]
    newest = arrays["attention"][-1, ::-1] / 255
    assert block["weights"] == pytest.approx(newest.tolist(), abs=1e-3)
    assert block["keys"] == arrays["attention_keys"][-1] and block["samples"] == 25
    assert 0 <= block["mean_entropy"] <= 1.1 and block["judged"] <= block["samples"]


def test_health_is_the_report_of_the_worker(client):
    still(client)
    report = body(client, "/spiking/health")
    assert report["severity"] in ("ok", "note", "warning", "critical", "waiting", "untold")
    assert report["step"] <= body(client, "/spiking/stats")["step"]
    assert report["units"]["rate"] == "spikes/neuron/ms" and report["units"]["time"] == "ms"


def test_a_session_without_a_report_or_an_array_says_so(client, app, monkeypatch):
    from dashboard.api.sessions import SessionClient

    status, manifest = SessionClient.status, SessionClient.manifest

    def poor_status(self):
        return {k: v for k, v in status(self).items() if k != "health"}

    def poor_manifest(self):
        told = manifest(self)
        return told | {"probes": {k: v for k, v in told["probes"].items() if k != "attention"}}

    monkeypatch.setattr(SessionClient, "status", poor_status)
    monkeypatch.setattr(SessionClient, "manifest", poor_manifest)
    report = get(client, "/spiking/health")
    assert report.status_code == 503
    assert report.get_json()["error"]["message"] == "this session gives no health report"
    answer = get(client, "/spiking/attention-weights")
    assert answer.status_code == 422
    assert answer.get_json()["error"]["message"] == "this session publishes no spike attention"

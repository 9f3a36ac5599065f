"""Panels over HTTP: figures, numbers, and totals that agree with each other."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import plotly.graph_objects as go
import pytest

HOST = {"Host": "localhost"}
SLUGS = ["raster", "rate", "membrane", "neuromod", "gate", "weights", "stdp", "stimulus"]


def get(client, name, **query):
    return client.get(f"/sessions/default/panels/{name}", query_string=query, headers=HOST)


def newest(client) -> tuple[float, float]:
    answer = client.get("/healthz", headers=HOST).get_json()
    t = answer["sessions"]["default"]["t_ms"]
    return t - 500, t - 100


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("slug", SLUGS)
def test_a_figure_is_plotly_json(client, slug, theme):
    answer = get(client, f"{slug}.json", theme=theme)
    assert answer.status_code == 200
    go.Figure(json.loads(answer.data, parse_constant=no_json))


def no_json(word):
    raise AssertionError(f"{word} is no JSON")


def test_csv_npz_and_figure_count_the_same_spikes(client):
    lo, hi = newest(client)
    query = {"from_ms": lo, "to_ms": hi, "rows": "all"}
    rows = list(csv.DictReader(io.StringIO(get(client, "raster.csv", **query).text)))
    with np.load(io.BytesIO(get(client, "raster.npz", **query).data)) as arrays:
        in_npz = arrays["spk_row"].size
        meta = json.loads(str(arrays["meta"]))
    rates = list(csv.DictReader(io.StringIO(get(client, "rate.csv", **query).text)))
    in_rates = sum(int(v) for row in rates for k, v in row.items() if k.endswith("in_spikes"))
    in_rates += sum(int(v) for row in rates for k, v in row.items() if k.endswith("out_spikes"))
    assert len(rows) == in_npz == in_rates > 1000
    assert (meta["step0"], meta["step1"]) == (lo, hi)
    assert {float(row["time_ms"]) for row in rows} <= set(np.arange(lo, hi).tolist())


def test_files_carry_a_name(client):
    answer = get(client, "gate.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="gate.csv"'
    assert answer.text.startswith("time_ms,mean,g_0,")


def test_options_choose_the_view(client):
    levels = get(client, "neuromod.json").get_json()
    gains = get(client, "neuromod.json", view="gains").get_json()
    assert len(levels["layout"]["yaxis"]["ticktext"]) == 4
    assert len(gains["layout"]["yaxis"]["ticktext"]) == 5


def test_a_title_can_be_left_to_the_page(client):
    assert get(client, "rate.json", title="0").get_json()["layout"]["title"]["text"] == ""
    assert "Population rate" in get(client, "rate.json").get_json()["layout"]["title"]["text"]


@pytest.mark.parametrize(
    ("name", "query", "status", "field"),
    [
        ("nothing.json", {}, 404, "panel"),
        ("raster.exe", {}, 404, "panel"),
        ("raster", {}, 404, "panel"),
        ("raster.json", {"theme": "pink"}, 422, "theme"),
        ("raster.json", {"order": "luck"}, 422, "order"),
        ("raster.json", {"from_ms": "abc"}, 422, "from_ms"),
        ("raster.png", {"width": "1e9"}, 422, "width"),
        ("raster.png", {"scale": "99"}, 422, "scale"),
        ("raster.png", {"width": "4000", "height": "4000", "scale": "4"}, 422, "scale"),
    ],
)
def test_wrong_questions_are_named(client, name, query, status, field):
    answer = get(client, name, **query)
    assert answer.status_code == status
    assert answer.get_json()["error"]["field"] == field


def test_a_picture_without_the_jobs_process_is_503(client):
    answer = get(client, "rate.png")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "no_jobs"


def test_the_same_steps_are_answered_from_the_cache(client, monkeypatch):
    lo, hi = newest(client)
    first = get(client, "rate.json", from_ms=lo, to_ms=hi)
    from dashboard.api import frames

    def fail(*_):
        raise AssertionError("the ring was read again")

    monkeypatch.setattr(frames, "history", fail)
    assert get(client, "rate.json", from_ms=lo, to_ms=hi).data == first.data


def test_a_window_that_is_too_long_is_refused_with_the_limit(client, monkeypatch):
    from dashboard.api import frames

    monkeypatch.setattr(frames, "MAX_WINDOW_MS", 100)
    lo, hi = newest(client)
    answer = get(client, "rate.csv", from_ms=lo, to_ms=hi)
    assert answer.status_code == 422
    assert (answer.get_json()["error"]["field"], answer.get_json()["error"]["hi"]) == ("to_ms", 100)

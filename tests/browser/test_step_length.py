"""A session of half a millisecond's steps: clock, axes, canvases and figures all say ms."""

import numpy as np
import pytest

from tests.browser.one_tab import blank_tab, drawn, figure_of, numbers, until
from tests.browser.recorded import points, record
from tests.waiting import eventually

DT = 0.5
SPAN_MS = 100  # fewer steps than a plot has pixels: every step has a column of its own
HOME = "/sessions/half"
ALL_SHOW = """([slugs, step]) => slugs.every(slug => window.t4dm.drawn(slug)?.step1 === step)"""
FOOT = """slug => document.querySelector(`#panel-${slug} .panel-foot`).textContent"""
TIMED = ["raster", "membrane", "neuromod", "rate"]


def send(page, *commands):
    answer = page.request.post(f"{HOME}/commands", data=list(commands))
    assert answer.ok, answer.text()
    return answer.json()


@pytest.fixture(scope="module")
def half(browser, live_app):
    """A standing run of the session, 1.5 s old, in a tall window."""
    with blank_tab(browser, live_app.url) as (page, _):
        asked = {"name": "half", "blocks": 2, "n": 32, "seed": 3, "dt": DT}
        made = page.request.post("/sessions", data=asked)
        assert made.status == 201 and made.json()["dt"] == DT, made.text()
        eventually(lambda: page.request.get(f"{HOME}/params").ok, "the session", patience_s=180)
        page.set_viewport_size({"width": 1600, "height": 4000})
        page.goto("/?session=half")
        until(
            page,
            "() => window.t4dm?.drawn?.('raster')?.ticks > 0 && Boolean(window.t4dm.app.params)",
        )
        page.evaluate(
            "span => { window.t4dm.app.liveView(); window.t4dm.app.setSpan(span); }", SPAN_MS
        )
        until(page, "() => window.t4dm.app.meta.t_ms > 1500")
        step = send(page, {"type": "pause"})["step"]
        until(page, ALL_SHOW, [TIMED, step])
        page.wait_for_timeout(400)
        yield page


@pytest.fixture(scope="module")
def told(half):
    made = record(half, "gate", "rate", "stdp", "stimulus", "membrane")
    assert made["step1"] - made["step0"] == SPAN_MS / DT == made["span"]
    return made


def ms_of(told, x, w):
    """Where points lie in time, from their place in a plot of ``w`` pixels."""
    return (told["t0"] + np.asarray(x) / w * told["span"]) * DT


def test_clock_and_provenance(half, told):
    meta = half.evaluate("window.t4dm.app.meta")
    assert meta["dt"] == DT and meta["t_ms"] == meta["step1"] * DT
    assert half.evaluate("window.t4dm.app.scene().t1_ms") == meta["t_ms"]
    assert "dt 0.5 ms" in half.locator("body").inner_text()
    lo, hi = meta["held"]
    assert hi == meta["t_ms"] and lo < hi - 1000


def test_lines_lie_where_the_figure_has_them(half, told):
    """The gate's mean and every group's rate: x in ms, y in their unit; 0.02 of a ms is a pixel's part."""
    (line,) = points(told["found"]["gate"])
    w, h = (told["found"]["gate"]["lines"][0][name] for name in "wh")
    mean = next(t for t in figure_of(half, "gate")["data"] if t.get("name") == "mean openness")
    x, y = numbers(mean["x"]), numbers(mean["y"])
    assert np.diff(x) == pytest.approx(2.0)
    inside = line[::2, 0] > 0
    assert ms_of(told, line[::2, 0], w)[inside] == pytest.approx(x[inside], abs=0.02)
    assert 1.5 * (1 - line[::2, 1] / h) == pytest.approx(y, abs=1e-5)
    lines, traces = points(told["found"]["rate"]), figure_of(half, "rate")["data"]
    w, h = (told["found"]["rate"]["lines"][0][name] for name in "wh")
    top = told["boxes"]["rate"]["yaxis"]["range"][1]
    assert len(lines) == len(traces) == 5
    for line, trace in zip(lines, traces, strict=True):
        edges, hz = numbers(trace["x"]), numbers(trace["y"])[:-1]
        assert ms_of(told, line[::2, 0], w) == pytest.approx(edges[:-1], abs=0.02)
        assert top * (1 - line[::2, 1] / h) == pytest.approx(hz, abs=top * 1e-4)
    assert 20 < max(numbers(t["y"]).mean() for t in traces) < 200


def test_stimulus_has_a_point_a_step(half, told):
    trace = next(t for t in figure_of(half, "stimulus")["data"] if t.get("name") == "mean input")
    (line,) = points(told["found"]["stimulus"])
    h = told["found"]["stimulus"]["lines"][0]["h"]
    assert len(line) == 2 * SPAN_MS / DT
    assert 1.02 * (1 - line[::2, 1] / h) == pytest.approx(numbers(trace["y"]), abs=1e-6)
    assert np.diff(numbers(trace["x"])) == pytest.approx(DT)


def test_pairs_stand_at_their_lag(half, told):
    """401 bars over 200 ms, each where the figure has it."""
    panel, box = told["found"]["stdp"], told["boxes"]["stdp"]["xaxis"]
    bars = [rect for rect in panel["rects"] if rect[0] in ("#0072b2", "#e69f00")]
    trace = next(t for t in figure_of(half, "stdp")["data"] if t.get("name") == "observed pairs")
    counts = numbers(trace["y"])
    assert len(bars) == len(counts) == 401 and counts.max() > 0
    heights = np.array([rect[4] for rect in bars])
    assert heights / heights.max() == pytest.approx(counts / counts.max(), abs=1e-6)
    lo, hi = box["range"]
    wide = box["length"] / (hi - lo)
    left = np.array([rect[1] for rect in bars])
    middle = lo + (left - box["at"]) / wide + 0.45 * DT
    lags = trace["x0"] + trace["dx"] * np.arange(401)
    assert lags[[0, -1]].tolist() == [-100.0, 100.0]
    assert middle == pytest.approx(lags, abs=1 / wide)


def test_intervals_reach_to_100_ms(half):
    half.evaluate("document.getElementById('panel-isi').scrollIntoView()")
    half.wait_for_timeout(400)
    told = record(half, "isi")
    bars, _ = figure_of(half, "isi")["data"]
    counts, panel = numbers(bars["y"]), told["found"]["isi"]
    assert len(counts) == 200 and bars["dx"] == DT
    shown = [rect for rect in panel["rects"] if rect[0] == "#0072b2"]
    box = told["boxes"]["isi"]["xaxis"]
    left = np.array([rect[1] for rect in shown])
    ms = (left - box["at"]) / box["length"] * (box["range"][1] - box["range"][0]) + DT / 2
    assert ms == pytest.approx(DT * (1 + counts.nonzero()[0]), abs=0.05)
    assert any(len(path["points"]) == 200 for path in panel["paths"])
    mean = drawn(half, "isi")["mean"] * DT
    assert f"mean {mean:.1f} ms" in half.evaluate(FOOT, "isi")
    half.evaluate("document.getElementById('panel-raster').scrollIntoView()")


def test_samples_are_dated_in_ms(half, told):
    assert "every 2 ms" in half.evaluate(FOOT, "gate")
    assert "every 125 ms" in half.evaluate(FOOT, "weights")
    assert f"in {SPAN_MS} ms" in half.evaluate(FOOT, "raster")


def test_a_step_is_half_a_millisecond(half, told):
    before = half.evaluate("window.t4dm.app.meta.t_ms")
    half.locator('[data-step="10"]').click()
    until(half, "t => window.t4dm.app.meta.t_ms === t", before + 5)


def test_numbers_of_rest_are_those_of_the_page(half, told):
    """The window in view over REST: its ms, and its rate in Hz."""
    to_ms = half.evaluate("window.t4dm.app.meta.t_ms")
    query = f"session_id=half&from_ms={to_ms - 200}&to_ms={to_ms}"
    stats = half.request.get(f"/spiking/stats?{query}").json()
    assert stats["t_ms"] == to_ms and stats["window"] == {
        "from_ms": to_ms - 200, "to_ms": to_ms, "n_steps": 400,
    }  # fmt: skip
    assert stats["rate_hz"] == pytest.approx(stats["spike_rate"] * 2000, abs=0.01)
    times = half.request.get(f"/spiking/spike-times?{query}&neurons=all").json()
    every = [t for train in times["trains"] for t in train["times_ms"]]
    assert to_ms - 200 <= min(every) and max(every) <= to_ms - DT
    assert any(t % 1 == DT for t in every)
    told = half.request.get("/spiking/lif-params?session_id=half").json()
    assert told["stages"][0]["tau_ms"] == pytest.approx(9.4912, abs=1e-3)

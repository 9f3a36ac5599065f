"""Looking at the run without touching it: pause, zoom, rewind, rows, maximise, export, outages."""

import io
import signal
import time

import numpy as np
import pytest
from playwright.sync_api import expect

VIEW = "window.t4dm.app.view"
TRACES = "slug => document.querySelector(`#graph-${slug} .js-plotly-plot`).data.length"
PANELS = ["raster", "membrane", "neuromod", "weights", "gate", "rate", "stdp", "stimulus"]
RANGE = "slug => document.querySelector(`#graph-${slug} .js-plotly-plot`).layout.xaxis.range"


@pytest.fixture(autouse=True)
def following(board):
    """The run goes, the view is live and holds a few seconds of history."""
    board.request.post("/sessions/default/commands", data={"type": "run"})
    board.wait_for_function("window.t4dm.drawn('raster')?.ticks > 0 && window.t4dm.app.meta.held")
    board.wait_for_function(
        "(m => m.held[1] - m.held[0] > 4000)(window.t4dm.app.meta)", timeout=60_000
    )


def run_step(board):
    return board.evaluate("window.t4dm.stats().sim_step")


def wait_traces(board, slug="raster"):
    """Until ``slug`` shows Plotly traces instead of the canvas."""
    board.wait_for_function("s => window.t4dm.drawn(s).live === false", arg=slug)
    assert board.evaluate(TRACES, slug) >= 1


def drag(board, slug, x0, x1):
    """Drag over a share of the plot's width, from ``x0`` to ``x1``."""
    area = board.locator(f"#graph-{slug} .nsewdrag").first.bounding_box()
    y = area["y"] + area["height"] / 2
    board.mouse.move(area["x"] + x0 * area["width"], y)
    board.mouse.down()
    board.mouse.move(area["x"] + x1 * area["width"], y + 1, steps=6)
    board.mouse.up()


def test_a_paused_view_becomes_traces_and_the_run_goes_on(board):
    board.locator(".tl-pause").click()
    wait_traces(board)
    assert (
        board.locator("#panel-raster canvas.film").evaluate("c => c.style.visibility") == "hidden"
    )
    before = run_step(board)
    board.wait_for_function("n => window.t4dm.stats().sim_step > n + 100", arg=before)
    expect(board.locator(".tl-live")).to_contain_text("behind, jump to live")
    board.locator(".tl-live").click()
    board.wait_for_function("window.t4dm.drawn('raster').live")
    assert (
        board.locator("#panel-raster canvas.film").evaluate("c => c.style.visibility") == "visible"
    )
    assert board.evaluate(f"{VIEW}.mode") == "live"


def test_a_pause_makes_every_panel_inspectable_a_few_at_a_time(board):
    board.evaluate(
        """() => { const ask = window.fetch; let open = 0; window.most = 0;
                   window.fetch = async (...a) => {
                       if (!String(a[0]).includes('/panels/')) return ask(...a);
                       window.most = Math.max(window.most, ++open);
                       try { return await ask(...a); } finally { open--; } };
                   window.started = performance.now();
                   window.t4dm.app.on('inspect', () => { window.took = performance.now() - window.started; });
                   window.t4dm.app.pauseView(); }"""
    )
    for slug in PANELS:
        wait_traces(board, slug)
    assert 1 < board.evaluate("window.most") <= 4
    board.wait_for_function("window.took > 0")
    print(f"all panels inspectable after {board.evaluate('window.took'):.0f} ms")


def test_a_paused_stimulus_shows_image_and_trace(board):
    """As live: the image in the margin, inside the panel, and the mean input on the time axis."""
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, "stimulus")
    found = board.evaluate(
        """() => {
            const plot = document.querySelector('#panel-stimulus .panel-plot');
            const area = plot.getBoundingClientRect();
            const axes = plot.querySelector('.nsewdrag').getBoundingClientRect();
            const cells = [...plot.querySelectorAll('.shapelayer path')].map(p => p.getBoundingClientRect())
                .filter(r => r.right <= axes.left && r.width > 2 && r.height > 2);
            return {n: cells.length, left: Math.min(...cells.map(r => r.left)) - area.left,
                    bottom: area.bottom - Math.max(...cells.map(r => r.bottom)),
                    points: plot.querySelector('.js-plotly-plot')._fullData[0].x.length,
                    range: plot.querySelector('.js-plotly-plot').layout.xaxis.range};
        }"""
    )
    assert found["n"] == 65  # 8 x 8 and the frame
    assert found["left"] >= 0 and found["bottom"] >= 0
    assert found["points"] == board.evaluate(f"{VIEW}.span_ms")
    assert found["range"] == board.evaluate(RANGE, "raster")


def test_a_reset_is_a_gap_in_the_timeline(board):
    expect(board.locator(".tl-gap")).to_be_hidden()
    epoch = board.evaluate("window.t4dm.drawn('raster').epoch")
    board.request.post("/sessions/default/commands", data={"type": "reset", "seed": 0})
    board.wait_for_function("e => window.t4dm.drawn('raster').epoch !== e", arg=epoch)
    board.wait_for_function("window.t4dm.app.meta.held[1] > 200")
    gap = board.locator(".tl-gap")
    expect(gap).to_have_text("reset")
    expect(gap).to_have_attribute("title", "reset at 0.00 s: what was before is another run")
    track = board.locator(".tl-track").bounding_box()
    assert track["x"] <= gap.bounding_box()["x"] < track["x"] + 0.2 * track["width"]


def test_a_breakpoint_stands_on_the_time_axis_with_its_reason(board):
    send = lambda *commands: board.request.post("/sessions/default/commands", data=list(commands))
    rate = {"type": "break_on", "kind": "rate", "group": 0, "op": "above", "bound": 65}
    try:
        send(rate)
        board.wait_for_function(
            "window.t4dm.app.meta.state === 'paused' && window.t4dm.app.meta.reason"
        )
        reason = board.evaluate("window.t4dm.app.meta.reason")
        expect(board.locator(".tl-badge")).to_contain_text(reason)
        board.wait_for_function(
            """() => {
                const film = document.querySelector('#panel-rate canvas.film');
                const {data} = film.getContext('2d').getImageData(0, 0, film.width, film.height);
                let alert = 0;
                for (let i = 0; i < data.length; i += 4)
                    if (data[i] === 0xA3 && data[i + 1] === 0x47 && data[i + 2] === 0) alert++;
                return alert > film.height / 4;
            }"""
        )
        figure = board.evaluate("window.t4dm.app.panelFigure('rate')")
        notes = [note["text"] for note in figure["layout"]["annotations"]]
        assert any(note.startswith(f"paused: {reason[:30]}") for note in notes), notes
    finally:
        send({"type": "break_off"}, {"type": "run"})


def test_a_drag_zooms_all_time_panels_and_the_zoom_survives(board):
    drag(board, "raster", 0.2, 0.6)
    board.wait_for_function(f"{VIEW}.mode === 'paused'")
    wait_traces(board)
    wait_traces(board, "gate")
    zoom = board.evaluate(f"{VIEW}.zoom")
    span = board.evaluate(f"{VIEW}.span_ms")
    assert zoom[1] - zoom[0] == pytest.approx(0.4 * span, rel=0.05)
    for slug in ("raster", "membrane", "gate", "rate"):
        wait_traces(board, slug)
        assert board.evaluate(RANGE, slug) == pytest.approx(zoom)
    before = run_step(board)
    board.wait_for_function("n => window.t4dm.stats().sim_step > n + 200", arg=before)
    assert board.evaluate(RANGE, "raster") == pytest.approx(zoom)


def test_a_zoom_in_one_panel_moves_the_others(board):
    board.evaluate("window.t4dm.app.pauseView()")
    for slug in ("raster", "gate"):
        wait_traces(board, slug)
    drag(board, "gate", 0.5, 0.75)
    board.wait_for_function(f"{VIEW}.zoom !== null")
    zoom = board.evaluate(f"{VIEW}.zoom")
    board.wait_for_function(
        """z => { const r = document.querySelector('#graph-raster .js-plotly-plot').layout.xaxis.range;
                  return Math.abs(r[0] - z[0]) < 0.01 && Math.abs(r[1] - z[1]) < 0.01; }""",
        arg=zoom,
    )


def test_rewinding_draws_held_history(board):
    target = board.evaluate("Math.round(window.t4dm.app.meta.held[1] - 2000)")
    board.evaluate("t => window.t4dm.app.seek(t)", target)
    board.wait_for_function("t => window.t4dm.drawn('raster').step1 === t", arg=target)
    assert board.evaluate("window.t4dm.drawn('raster').ticks") > 0
    expect(board.locator(".tl-badge")).to_contain_text("REPLAY")
    wait_traces(board)
    figure = board.evaluate(RANGE, "raster")
    assert figure[1] == target


def test_rewinding_beyond_what_is_held_stops_at_its_end(board):
    board.evaluate("window.t4dm.app.seek(-5)")
    lo, hi = board.evaluate("window.t4dm.app.meta.held")
    assert lo <= board.evaluate(f"{VIEW}.t1_ms") <= hi


@pytest.mark.parametrize(("wish", "got"), [(250, 250), (1, 100), (99999, 10000), ("x", 100)])
def test_the_span_is_held_within_its_bounds(board, wish, got):
    board.evaluate("ms => window.t4dm.app.setSpan(ms)", wish)
    assert board.evaluate(f"{VIEW}.span_ms") == got


def test_a_longer_span_shows_more_steps(board):
    board.locator(".tl-span select").select_option("2000")
    board.wait_for_function(
        "(d => d.step1 - d.step0 === 2000)(window.t4dm.drawn('raster'))", timeout=30_000
    )


def test_rows_of_one_block(board):
    board.get_by_label("Rows", exact=True).select_option("block:2")
    board.wait_for_function("window.t4dm.drawn('raster').rows === 512")
    board.wait_for_function("window.t4dm.drawn('raster').ticks > 0")
    assert set(board.evaluate("window.t4dm.drawn('raster').per_group")) == {"4", "5"}


def test_order_by_rate_puts_the_busiest_rows_first(board):
    board.evaluate("window.t4dm.app.pauseView()")
    board.get_by_label("Order of rows").select_option("rate")
    wait_traces(board)
    figure = board.evaluate("window.t4dm.app.panelFigure('raster')")
    first = figure["data"][0]
    rows = _numbers(first["y"])[::3].round().astype(int)
    counts = np.bincount(rows - rows.min())
    assert (np.diff(counts) <= 0).all()


def test_the_block_of_the_gate_can_be_chosen(board):
    board.locator("#panel-gate").get_by_label("Block", exact=True).select_option("3")
    board.wait_for_function("window.t4dm.drawn('gate').block === 3")


def test_a_click_on_a_row_shows_that_neurons_membrane(board):
    area = board.locator("#graph-raster .nsewdrag").first.bounding_box()
    rows = board.evaluate("window.t4dm.app.meta.rows")
    middle = 62.5 / len(rows)
    board.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] * middle)
    board.wait_for_function(f"{VIEW}.watched !== undefined")
    neuron = board.evaluate(f"{VIEW}.watched")
    assert neuron == rows[62]
    board.wait_for_function("id => window.t4dm.drawn('membrane').neurons[0] === id", arg=neuron)
    board.wait_for_function("window.t4dm.drawn('membrane').n > 0")


def test_maximise_and_back(board):
    board.get_by_label("Maximise Spike raster").click()
    expect(board.locator("#panel-gate")).to_be_hidden()
    wide = board.locator("#panel-raster").bounding_box()["width"]
    board.keyboard.press("Escape")
    expect(board.locator("#panel-gate")).to_be_visible()
    assert board.locator("#panel-raster").bounding_box()["width"] < wide


@pytest.mark.parametrize("slug", PANELS)
def test_npz_downloads_the_window_in_view(board, slug):
    board.evaluate("window.t4dm.app.pauseView()")
    with board.expect_download() as got:
        board.locator(f"#panel-{slug} .panel-tools").get_by_text("NPZ").click()
    path = got.value.path()
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        assert len(arrays.files) > 0


@pytest.mark.parametrize("slug", PANELS)
def test_csv_downloads_the_window_in_view(board, slug):
    board.evaluate("window.t4dm.app.pauseView()")
    lo, hi = board.evaluate("v => [v.t1_ms - v.span_ms, v.t1_ms]", board.evaluate(VIEW))
    with board.expect_download() as got:
        board.locator(f"#panel-{slug} .panel-tools").get_by_text("CSV").click()
    header, *lines = got.value.path().read_text().splitlines()
    assert header.startswith("time_ms,")
    times = [float(line.split(",", 1)[0]) for line in lines]
    assert len(times) > 3
    assert lo <= min(times) and max(times) < hi


@pytest.mark.parametrize(
    ("kind", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"time_ms")]
)
def test_a_panel_is_saved(board, kind, magic):
    with board.expect_download() as got:
        board.locator("#panel-raster .panel-tools").get_by_text(kind).click()
    assert magic in got.value.path().read_bytes()[:400]


def test_a_composed_panel_holds_axes_and_film(board):
    """The picture at scale 2 has the plot's size, and colours of the film as well as the axes'."""
    got = board.evaluate(
        """async () => {
            const plot = document.querySelector('#panel-raster .panel-plot');
            const c = await window.t4dm.app.composePanel('raster', {scale: 2, background: '#ffffff'});
            const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let vermilion = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i] === 0xD5 && data[i + 1] === 0x5E && data[i + 2] === 0) vermilion++;
            return [c.width, c.height, plot.clientWidth, plot.clientHeight, vermilion];
        }"""
    )
    assert got[:2] == [2 * got[2], 2 * got[3]]
    assert got[4] > 100


def test_a_hidden_tab_does_not_poll_and_comes_back_with_one_keyframe(board):
    board.evaluate(
        """() => { window.polls = []; const ask = window.fetch;
                   window.fetch = (...a) => { if (String(a[0]).includes('/frames')) window.polls.push(a[0]);
                                              return ask(...a); };
                   Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});
                   window.away = true; document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    board.wait_for_timeout(700)
    polls = board.evaluate("window.polls.length")
    board.wait_for_timeout(500)
    assert board.evaluate("window.polls.length") == polls
    board.evaluate(
        "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    board.wait_for_function("n => window.polls.length > n + 2", arg=polls)
    first = board.evaluate("n => window.polls[n]", polls)
    assert "after=" not in first
    assert all("after=" in url for url in board.evaluate("n => window.polls.slice(n + 1)", polls))


def test_one_instance_of_the_page_script(board):
    assert board.evaluate("window.t4dm.instances") == 1


def test_the_page_draws_under_its_own_policy(browser, live_app):
    """Without the tests' leave to evaluate text: no violation, and the raster is drawn."""
    with browser.new_context(base_url=live_app.url) as context:
        tab = context.new_page()
        said = []
        tab.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto("/")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            drawn = tab.evaluate("window.t4dm ? window.t4dm.drawn('raster') : null")
            if drawn and drawn["ticks"]:
                break
            tab.wait_for_timeout(100)
        assert drawn and drawn["ticks"] > 0
        assert said == []


def test_each_canvas_covers_its_plot(board):
    for slug in ("raster", "gate", "weights"):
        film, plot = board.evaluate(
            """slug => ['canvas.film', ''].map(s => {
                const r = document.querySelector(`#panel-${slug} .panel-plot ${s}`.trim())
                    .getBoundingClientRect();
                return [r.x, r.y, r.width, r.height].map(Math.round); })""",
            slug,
        )
        assert film == plot


def test_the_page_fits_a_phone(board):
    board.set_viewport_size({"width": 390, "height": 844})
    board.wait_for_function("window.t4dm.drawn('raster').live")
    board.wait_for_timeout(500)
    assert board.evaluate("document.documentElement.scrollWidth") <= 390
    assert board.locator("#panel-raster canvas.film").bounding_box()["width"] > 300


def test_a_killed_worker_is_told_and_the_view_returns(board):
    """Kill -9: the badge says so; then a new process, a new epoch, and frames again."""
    import os

    pid = board.request.get("/healthz").json()["sessions"]["default"]["pid"]
    epoch = board.evaluate("window.t4dm.drawn('raster').epoch")
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    expect(board.locator(".tl-badge")).to_contain_text("STALE", timeout=10_000)
    board.wait_for_function(
        "e => window.t4dm.app.status === 'live' && window.t4dm.drawn('raster').epoch !== e",
        arg=epoch,
        timeout=120_000,
    )
    assert board.request.get("/healthz").json()["sessions"]["default"]["pid"] != pid
    expect(board.locator(".tl-gap")).to_have_text("restart")
    print(f"live again {time.monotonic() - killed:.1f} s after the kill")


def _numbers(typed):
    """The values of a Plotly array: a list, or base64 with its dtype."""
    import base64

    if isinstance(typed, list):
        return np.asarray(typed)
    return np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])

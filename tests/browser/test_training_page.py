"""The Training page on a real worker that trains the run ``tiny``."""

import csv
import json
import os
import re
import signal
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from t4dm.live.record import Record
from tests.browser.one_tab import in_page, until, wait_toast
from tests.browser.run_tab import Sessions, open_run_tab, pause, step_of, wait_step
from tests.browser.test_snapshot import drop

EMPTY = "() => Boolean(document.querySelector('#begin'))"
RUNNING = "() => window.t4dm.app.meta.state === 'running'"


@pytest.fixture(scope="module")
def tab(browser, live_app):
    """A tab on a training session of its own; the spiking session stands meanwhile."""
    with open_run_tab(browser, live_app.url, "/training", EMPTY) as page:
        sessions = Sessions(page)
        sessions.send("default", {"type": "pause"})
        name = sessions.begin(name="looked-at")
        page.goto(f"/training?session={name}")
        wait_step(page, 3)
        yield page
        sessions.remove_all()
        sessions.send("default", {"type": "run"})


@pytest.fixture
def page(tab):
    """The tab with default parameters, running, nothing zoomed, no dialog."""
    sessions = Sessions(tab)
    keep = {"train.total_steps": 100_000}
    sessions.send("looked-at", {"type": "replace", "values": keep}, {"type": "run"})
    tab.set_viewport_size({"width": 1600, "height": 1000})
    tab.evaluate("""() => {
        document.querySelectorAll('dialog[open]').forEach(dialog => dialog.close());
        document.activeElement?.blur();
        window.toasts.length = 0;
        document.getElementById('whole-run').click();
    }""")
    until(
        tab,
        """values => window.t4dm?.app.meta?.state === 'running'
            && JSON.stringify(window.t4dm.app.params?.non_default) === JSON.stringify(values)""",
        keep,
    )
    return tab


def newest(page, slug, name):
    """Count and newest point of a series on a chart."""
    return page.evaluate(
        "([slug, name]) => window.t4dm.drawn(slug).series.find(one => one.name === name)",
        [slug, name],
    )


def test_steps_arrive_and_every_panel_draws(page):
    before = newest(page, "loss", "step")["n"]
    wait_step(page, before + 5)
    for slug in ("loss", "norm", "perplexity", "rate", "speed"):
        assert page.evaluate("slug => window.t4dm.drawn(slug).series.some(s => s.last)", slug), slug
    place = page.evaluate("window.t4dm.drawn('place')")
    assert place["rows"] == 64 and place["cols"] == 32 and place["sum"] > 0
    assert page.evaluate("window.t4dm.drawn('gates')")["rows"] == 2
    assert "no router" in page.evaluate("window.t4dm.drawn('router').note")
    assert newest(page, "loss", "step")["last"][1] < 6.5


def test_the_clock_of_the_step_in_work_goes_on_between_steps(page):
    """With answers held back it is written anew at least ten times; the next one sets it back."""
    held = []
    page.route("**/records**", lambda route: held.append(route))
    told = page.evaluate("""() => new Promise(done => {
        const node = document.getElementById('step-clock'), told = [];
        new MutationObserver((_, observer) => {
            told.push(parseFloat(node.textContent));
            if (told.length === 20) { observer.disconnect(); done(told); }
        }).observe(node, {childList: true});
        setTimeout(() => done(told), 5000);
    })""")
    page.unroute("**/records**")  # what is held goes on
    assert held
    assert sum(later > before for before, later in pairwise(told)) >= 10
    until(
        page, "at => parseFloat(document.getElementById('step-clock').textContent) < at", told[-1]
    )
    pause(page)
    expect(page.locator("#step-clock")).to_have_text("")


def test_sleep_is_shaded(page):
    until(page, "() => window.t4dm.drawn('loss').spans > 0", patience_s=60)
    first = page.evaluate("window.t4dm.course.spans[0]")
    assert first["x0"] == 12 and first["x1"] == 15


def test_the_step_at_which_sleep_began_and_ended_is_read(page):
    """``tiny`` sleeps three steps of fifteen, from step 12 on: 12 to 14, 27 to 29, and so on."""
    seen = page.evaluate("""() => new Promise(done => {
        const seen = new Set(), phase = document.getElementById('phase'), began = performance.now();
        const timer = setInterval(() => {
            seen.add(phase.textContent);
            const both = ['asleep', 'awake'].every(word => [...seen].some(text => text.startsWith(word + ' from')));
            if (both || performance.now() - began > 30000) { clearInterval(timer); done([...seen]); }
        }, 5);
    })""")
    steps = {
        word: {
            int(re.sub(r"\D", "", text)) % 15 for text in seen if text.startswith(f"{word} from")
        }
        for word in ("asleep", "awake")
    }
    assert steps == {"asleep": {12}, "awake": {0}}, seen


def test_the_nav_marks_this_page_and_leads_to_the_others(page):
    expect(page.locator("#pages [aria-current=page]")).to_have_text("Training")
    assert page.locator("#pages a").first.get_attribute("href") == "/"
    assert page.locator("#pages a").last.get_attribute("href") == "/#checklist"


def test_a_reader_who_comes_late_has_the_whole_course(page, browser, live_app):
    done = pause(page)
    shown = page.evaluate("[...window.t4dm.course.of('loss', 0)]")
    with open_run_tab(browser, live_app.url, "/training?session=looked-at") as other:
        wait_step(other, done)
        assert other.evaluate("[...window.t4dm.course.of('loss', 0)]") == shown
        assert other.evaluate("window.t4dm.store.x[0]") == 0


def test_the_csv_has_what_the_stream_has(page):
    done = pause(page)
    with page.expect_download() as download:
        page.locator("#save-csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    rows = list(csv.DictReader(lines))
    record = Record.decode(page.request.get("/sessions/looked-at/records").body())
    scalars = record.arrays["scalars"]
    assert len(rows) == done == len(scalars)
    names = page.evaluate("window.t4dm.course.names")
    for k in (0, done // 2, done - 1):
        assert rows[k]["step"] == str(record.steps[k])
        for i, name in enumerate(names):
            value = rows[k][name]
            if value == "":
                assert scalars[k, 0, i] != scalars[k, 0, i]
            else:
                assert float(value) == pytest.approx(float(scalars[k, 0, i]), rel=1e-6)


def test_a_change_is_queued_then_applied_before_a_step_and_undone(page):
    field = page.locator('[data-param="train.clip"]')
    field.fill("0.5")
    field.press("Enter")
    wait_toast(page, "train.clip 1 → 0.5: applied at step")
    until(page, "() => window.t4dm.app.params.values['train.clip'] === 0.5")
    field.blur()
    until(page, "() => window.t4dm.store.events.some(e => e.path === 'train.clip')")
    event = page.evaluate("window.t4dm.store.events.find(e => e.path === 'train.clip')")
    assert event["new"] == 0.5 and event["step"] <= step_of(page)
    page.locator("body").press("z")
    until(page, "() => window.t4dm.app.params.values['train.clip'] === 1")
    wait_toast(page, "train.clip 0.5 → 1: applied")
    expect(page.locator("#undo")).to_be_disabled()
    page.locator("body").press("y")
    until(page, "() => window.t4dm.app.params.values['train.clip'] === 0.5")
    wait_toast(page, "train.clip 1 → 0.5: applied")
    expect(page.locator("#redo")).to_be_disabled()
    expect(page.locator("#undo")).to_be_enabled()
    page.locator("body").press("z")
    until(page, "() => window.t4dm.app.params.values['train.clip'] === 1")


def test_a_value_out_of_range_is_refused_beside_its_field(page):
    field = page.locator('[data-param="train.learning_rate"]')
    field.fill("7")
    field.press("Enter")
    row = page.locator('.row[data-path="train.learning_rate"]')
    expect(row.locator(".row-message")).to_contain_text("from 0 to 1")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("Escape")
    expect(field).to_have_value("0.003")


def test_what_only_the_worker_can_refuse_is_said_beside_its_field(page):
    """32 times the tokens of this run's own steps: within the range, and more than a step may have."""
    field = page.locator('[data-param="train.batch"]')
    field.fill("512")
    field.press("Enter")
    row = page.locator('.row[data-path="train.batch"]')
    expect(row.locator(".row-word")).to_contain_text("at most 32 sequences")
    expect(field).to_have_value("4")
    field.blur()


def test_keys_pause_step_and_run(page):
    done = pause(page)
    page.locator("body").press(".")
    until(page, "n => window.t4dm.store.n === n", done + 1)
    page.locator("body").press("Space")
    until(page, RUNNING)


def test_hover_reads_every_chart_at_the_same_step(page):
    wait_step(page, 20)
    found = in_page(
        page,
        """const host = document.querySelector('#panel-loss .panel-plot'), box = host.getBoundingClientRect();
        host.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: box.left + 59, clientY: box.top + 40}));
        const pixels = slug => {
            const canvas = document.querySelectorAll(`#panel-${slug} canvas.chart`)[1];
            return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v > 0);
        };
        const shown = [pixels('loss'), pixels('norm'), pixels('rate')];
        host.dispatchEvent(new PointerEvent('pointerleave'));
        return [shown, [pixels('loss'), pixels('norm'), pixels('rate')]];""",
    )
    assert found == [[True, True, True], [False, False, False]]


def test_a_drag_zooms_every_chart_and_a_double_click_shows_all(page):
    wait_step(page, 20)
    box = page.locator("#panel-loss .panel-plot").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 120, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, y, steps=4)
    page.mouse.up()
    until(page, "() => window.t4dm.drawn('loss').xRange[0] > 0")
    zoomed = page.evaluate("window.t4dm.drawn('loss').xRange")
    until(page, "r => window.t4dm.drawn('norm').xRange[0] === r", zoomed[0])
    expect(page.locator("#whole-run")).to_be_visible()
    page.mouse.dblclick(box["x"] + 200, y)
    until(page, "() => window.t4dm.drawn('loss').xRange[0] === 0")


def test_a_text_is_written_on_request_and_compared(page):
    page.locator("#sample-now").click()
    until(page, "() => window.t4dm.drawn('samples').steps.length > 0", patience_s=60)
    first = page.evaluate("window.t4dm.drawn('samples').steps.at(-1)")
    until(page, "n => window.t4dm.app.meta.step1 > n", first + 3)
    page.locator("#sample-now").click()
    until(page, "n => window.t4dm.drawn('samples').steps.at(-1) > n", first, patience_s=60)
    expect(page.locator("#panel-samples .sample-text")).to_contain_text("In the beginning")
    expect(page.locator("#panel-samples ins").first).to_be_attached()
    page.locator(".sample-against").select_option("none")
    expect(page.locator("#panel-samples ins")).to_have_count(0)


def test_a_checkpoint_is_kept_and_branched_from(page):
    page.locator("#keep-name").fill("half-way")
    page.locator("#keep-now").click()
    expect(page.locator(".kept-list .set-name")).to_have_text("half-way")
    page.locator('[data-branch="half-way"]').click()
    page.locator("#branch-name").fill("branched")
    page.locator("#branch-dialog [data-action=go]").click()
    page.wait_for_url("**/training?session=branched", timeout=60_000)
    kept = page.evaluate(
        "async () => (await (await fetch('/sessions/looked-at/records')).arrayBuffer()).byteLength"
    )
    assert kept > 0
    wait_step(page, 1)
    assert page.evaluate("window.t4dm.store.x[0]") == 0
    page.goto("/training?session=looked-at")
    wait_step(page, 3)


def test_going_back_to_a_checkpoint_is_offered_where_one_fits(page):
    """The remedy of over-fitting: off with its reason while no checkpoint is old enough."""
    hindrance = "step => window.t4dm.app.remedies.branch.hindrance({since_step: step})"
    assert "No checkpoint of step 0 or before" in page.evaluate(hindrance, 0)
    kept = Sessions(page).send("looked-at", {"type": "checkpoint", "name": "fits"})["new"]["step"]
    until(page, f"step => ({hindrance})(step) === ''", kept)
    first = page.evaluate("Math.min(...window.t4dm.app.meta.kept.map(({ step }) => step))")
    assert "is kept" in page.evaluate(hindrance, first - 1)
    Sessions(page).send("looked-at", {"type": "forget", "checkpoint": "fits"})


def test_steps_too_short_are_found_and_the_remedy_mends_them(page):
    """A rate of 1e-9: a plateau whose remedy raises the rate, and not one that lowers it."""
    values = {"train.total_steps": 100_000, "train.learning_rate": 1e-9, "sample.every": 0}
    sessions = Sessions(page)
    sessions.send("looked-at", {"type": "replace", "values": values})
    sessions.send("looked-at", {"type": "reset", "seed": 0})
    plateau = "window.t4dm.app.health.report?.findings.find(({ id }) => id === 'training_plateau')"
    until(page, f"() => {plateau}", patience_s=240)
    page.locator("#health-badge").click()
    card = page.locator('#health [data-finding="training_plateau"]')
    expect(card).to_contain_text("The steps are too short")
    card.locator(".remedy-do").click()
    until(page, "() => window.t4dm.app.params.values['train.learning_rate'] === 0.003")
    until(page, f"() => !{plateau}", patience_s=120)
    expect(page.locator("#health .finding-outcome").first).to_contain_text("it worked")
    page.locator("#health-badge").click()


def test_a_worker_that_was_killed_tells_nothing_twice(page):
    sessions = Sessions(page)
    sessions.send("looked-at", {"type": "set", "path": "train.clip", "value": 3.0})
    wait_toast(page, "train.clip")
    until(page, "() => document.getElementById('toasts').textContent === ''", patience_s=60)
    page.evaluate("window.toasts.length = 0")
    epoch = page.evaluate("window.t4dm.store.epoch")
    os.kill(page.request.get("/healthz").json()["sessions"]["looked-at"]["pid"], signal.SIGKILL)
    until(page, "epoch => window.t4dm.store.epoch > epoch", epoch, patience_s=120)
    wait_step(page, page.evaluate("window.t4dm.store.n") + 2)
    assert not [text for text in page.evaluate("window.toasts") if "train.clip" in text]
    assert page.evaluate("window.t4dm.course.marks.some(({ text }) => text.includes('clip'))")


def test_a_name_that_is_taken_is_refused_in_place(page):
    page.locator("#keep-name").fill("no blanks please")
    page.locator("#keep-now").click()
    expect(page.locator("#kept .row-message")).to_contain_text("letters, digits")
    page.locator("#keep-name").fill("")


def test_the_snapshot_says_what_it_shows(page):
    pause(page)
    page.locator("body").press("s")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save JSON").click()
    manifest = json.loads(Path(download.value.path()).read_text())
    assert manifest["page"] == "Training" and manifest["run"] == "tiny"
    assert manifest["seed"] == 0 and manifest["step"] == page.evaluate("window.t4dm.store.n")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_dropped_snapshot_restores_parameters(page):
    manifest = {"format": "t4dm-snapshot", "format_version": 1, "parameters": {"train.clip": 0.25}}
    drop(page, "run.json", json.dumps(manifest).encode())
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("train.clip")
    dialog.locator('[data-action="apply"]').click()
    until(page, "() => window.t4dm.app.params.values['train.clip'] === 0.25")
    drop(page, "currents.csv", b"1,2")
    wait_toast(page, "only snapshots")


def test_the_run_begins_again_from_another_seed(page):
    before = page.evaluate("window.t4dm.store.epoch")
    page.locator("#reset").click()
    page.locator("#again-seed").fill("5")
    page.locator("#again [data-action=again]").click()
    until(page, "epoch => window.t4dm.store.epoch > epoch && window.t4dm.store.x[0] === 0", before)
    until(page, "() => window.t4dm.app.meta.seed === 5")
    expect(page.locator("#run-name")).to_have_text("tiny · seed 5")
    Sessions(page).send("looked-at", {"type": "reset", "seed": 0})
    until(page, "() => window.t4dm.app.meta.seed === 0")
    wait_step(page, 3)


def test_all_panels_fit_at_1600_by_1000_and_a_phone_has_a_drawer(page):
    assert page.evaluate("document.documentElement.scrollHeight") <= 1000
    for section in page.locator("#board > .panel[data-slug]").all():
        area = section.bounding_box()
        assert area["y"] >= 0 and area["y"] + area["height"] <= 1000
        assert area["x"] + area["width"] <= 1600 and area["height"] > 90
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator('[data-param="train.clip"]')).to_be_hidden()
    page.locator(".drawer-open").click()
    expect(page.locator('[data-param="train.clip"]')).to_be_visible()
    page.locator(".drawer-close").click()


def test_the_store_joins_frames_once_and_a_keyframe_replaces_them(page):
    """Overlapping rows count once, columns grow beyond their first room, a thinned course is taken as it is."""
    found = in_page(
        page,
        """const {RecordStore} = await import('/assets/js/run/store.mjs');
        const series = {scalars: {per_step: true}, place: {per_step: false}}, store = new RecordStore();
        const frame = (kind, steps, epoch = 1) => ({
            meta: {kind, epoch, step0: steps[0], step1: steps.at(-1) + 1, events: []},
            arrays: {steps: {data: Uint32Array.from(steps), shape: [steps.length]},
                scalars: {data: Float32Array.from(steps.flatMap(s => [s, -s])), shape: [steps.length, 1, 2]},
                place: {data: Float32Array.from([steps.at(-1)]), shape: [1]}},
        });
        const range = (a, b, by = 1) => Array.from({length: Math.ceil((b - a) / by)}, (_, i) => a + i * by);
        const told = [], tell = () => told.push([store.n, store.x[store.n - 1], store.column('scalars', 1)[store.n - 1],
            store.newest.place.data[0], store.generation]);
        store.take(frame('keyframe', range(0, 1500)), series); tell();
        store.take(frame('frame', range(1490, 1510)), series); tell();
        store.take(frame('keyframe', range(0, 1512, 8)), series); tell();
        store.take(frame('keyframe', range(0, 3), 2), series); tell();
        return [told, store.continues({meta: {epoch: 2, step0: 3}}), store.continues({meta: {epoch: 2, step0: 9}}),
            store.continues({meta: {epoch: 1, step0: 3}})];""",
    )
    assert [row[:4] for row in found[0]] == [
        [1500, 1499, -1499, 1499],
        [1510, 1509, -1509, 1509],
        [189, 1504, -1504, 1504],
        [3, 2, -2, 2],
    ]
    assert len({row[4] for row in found[0]}) == 3
    assert found[1:] == [True, False, False]


def test_axes_end_on_ticks_and_log_axes_hold_what_they_show(page):
    found = in_page(
        page,
        """const {niceRange, axisTicks, extent, niceEnd} = await import('/assets/js/chart-scale.mjs');
        return [niceRange([2.66, 5.7], false), niceRange([0.44, 5.96], true), niceEnd(201),
            axisTicks([0.1, 10], true, 5), axisTicks([0, 0.004], false, 4),
            extent([{x: [0, 1, 2, 3], y: [NaN, 4, Infinity, 9]}], [0, 2], false),
            extent([{x: [0, 1, 2], y: [-1, 0, 2]}], [0, 2], true)];""",
    )
    assert found[0] == [2, 6] and found[1] == [0.2, 10] and found[2] == 500
    assert [text for _, text in found[3]] == ["0.1", "0.3", "1", "3", "10"]
    assert [text for _, text in found[4]] == ["0", "0.001", "0.002", "0.003", "0.004"]
    assert found[5] == [4, 4] and found[6] == [2, 2]


def test_words_that_stay_go_and_come_are_told(page):
    found = in_page(
        page,
        """const {wordDiff, keptShare} = await import('/assets/js/training/words.mjs');
        const parts = wordDiff('In the beginning was light', 'In the end was the light');
        return [parts.map(({kind, text}) => kind + ':' + text.trim()), keptShare(parts),
            parts.filter(p => p.kind !== 'out').map(p => p.text).join('')];""",
    )
    assert found[0] == [
        "same:In the",
        "out:beginning",
        "in:end",
        "same:was",
        "in:the",
        "same:light",
    ]
    assert found[1] == pytest.approx(4 / 6)
    assert found[2] == "In the end was the light"


def test_a_long_course_is_drawn_whole(page):
    """One spike in 20,000 steps is a pixel column, not lost between two."""
    highest = in_page(
        page,
        """const {Chart} = await import('/assets/js/chart.mjs');
        const host = document.createElement('div');
        host.style.cssText = 'position:fixed;left:0;top:0;width:600px;height:200px;visibility:hidden';
        document.body.append(host);
        const n = 20000, x = Float64Array.from({length: n}, (_, i) => i), y = new Float32Array(n).fill(1);
        y[12345] = 9;
        const chart = new Chart(host, {yLabel: 'v'});
        chart.set({series: [{name: 'a', x, y, color: '#FF0000'}]});
        chart.draw();
        const {box, X, Y} = chart.view, canvas = host.querySelector('canvas');
        const ratio = canvas.width / 600, g = canvas.getContext('2d');
        const [r, gr] = g.getImageData(Math.floor(X(12345) * ratio), Math.round(Y(6) * ratio), 1, 1).data;
        host.remove();
        return [r, gr, chart.drawn().series[0].n];""",
    )
    assert highest[0] > 200 and highest[1] < 80 and highest[2] == 20_000


def test_the_page_of_a_session_that_is_gone_says_so(browser, live_app, page):
    gone = "() => window.t4dm?.app.status === 'down'"
    with open_run_tab(browser, live_app.url, "/training?session=nobody", gone) as other:
        expect(other.locator("#state-badge")).to_contain_text("DOWN")
        expect(other.locator("#state-reason")).to_contain_text("no such session")

"""The run from the page: pause, step, seed, speed, breakpoints, a stimulus of one's own."""

import pytest
from playwright.sync_api import expect

from tests.browser.fields import in_force
from tests.browser.one_tab import params, send, until, wait_toast


def open_breakpoints(page):
    page.locator('.group[data-group="breakpoints"]').evaluate("group => { group.open = true; }")
    page.locator("#break-kind").select_option("rate")


def test_breakpoint_pauses_and_says_why(board):
    open_breakpoints(board)
    board.locator("#break-kind").select_option("rate")
    board.locator("#break-bound").fill("65")
    board.locator("#break-add").click()
    expect(board.locator("#state-badge")).to_have_attribute("data-state", "paused")
    expect(board.locator("#state-reason")).to_contain_text("above 65 Hz")
    points = board.locator(".break-list li")
    expect(points).to_have_count(1)
    points.locator("button").click()
    expect(points).to_have_count(0)


def test_a_breakpoint_that_is_true_already_says_so_and_is_set_once(board):
    open_breakpoints(board)
    board.locator("#break-bound").fill("1")
    board.locator("#break-add").click()
    points = board.locator(".break-list li")
    expect(points).to_contain_text("rate above 1 Hz over 100 ms (true already; armed once false)")
    id = board.evaluate("window.t4dm.app.meta.breakpoints[0].id")
    board.locator("#break-add").click()
    expect(board.locator(".break-form .row-message")).to_have_text(
        f"breakpoint {id} is set for this very condition already"
    )
    expect(points).to_have_count(1)
    board.locator("#break-bound").fill("900")
    board.locator("#break-add").click()
    expect(points).to_have_count(2)
    until(board, "window.t4dm.app.meta.breakpoints[1].armed === true")
    assert "true already" not in points.nth(1).text_content()


@pytest.mark.parametrize("kind", ["rate", "membrane", "weight"])
def test_the_form_opens_with_a_bound_that_its_kind_takes(board, kind):
    open_breakpoints(board)
    board.locator("#break-kind").select_option("spike")
    board.locator("#break-kind").select_option(kind)
    board.locator("#break-add").click()
    expect(board.locator(".break-list li")).to_have_count(1)
    expect(board.locator(".break-form .row-message")).to_have_text("")


def test_a_breakpoint_without_a_number_is_refused(board):
    open_breakpoints(board)
    board.locator("#break-bound").fill("lots")
    board.locator("#break-add").click()
    expect(board.locator(".break-form .row-message")).to_contain_text(
        "expected a number from 0 to 1000 Hz per neuron, got lots"
    )


def test_run_pause_step_seed_and_speed(board):
    board.locator("#run-toggle").click()
    expect(board.locator("#state-badge")).to_have_attribute("data-state", "paused")
    health = "fetch('/healthz').then(answer => answer.json()).then(h => h.sessions.default)"
    until(board, f"async () => (await {health}).state === 'paused'")
    before = board.evaluate(health)["step"]
    board.locator('[data-step="10"]').click()
    until(board, f"async step => (await {health}).step === step", before + 10)
    board.locator("#seed").fill("7")
    board.locator("#reset").click()
    until(board, f"async () => (await {health}).step === 0")
    until(board, "() => window.t4dm.app.meta.seed === 7")
    board.locator("#seed").fill("many")
    board.locator("#reset").click()
    expect(board.locator(".bar-message")).to_contain_text("whole number")
    board.locator("#speed").select_option("2")
    until(board, f"async () => (await {health}).speed === 2")
    board.locator("#speed").select_option("1")
    board.locator("#seed").fill("0")
    board.locator("#seed").press("Enter")
    until(board, "() => window.t4dm.app.meta.seed === 0")


def test_a_reset_while_paused_shows_nothing_of_the_run_before(board):
    """Empty panels and no history, until a step is made."""
    drawn = "window.t4dm.drawn('raster')?.epoch"
    send(board, {"type": "pause"})
    until(board, "window.t4dm.app.meta.state === 'paused'")
    epoch = board.evaluate(drawn)
    send(board, {"type": "reset"})
    until(board, "() => window.t4dm.app.store.empty && window.t4dm.app.meta.held[1] === 0")
    expect(board.locator(".tl-where")).to_have_text("held 0.0–0.0 s")
    send(board, {"type": "step", "n": 10})
    until(board, f"before => {drawn} > before", epoch)
    assert board.evaluate("window.t4dm.app.store.step1") == 10
    send(board, {"type": "run"})


def test_a_csv_of_currents_becomes_the_stimulus(board):
    rows = "\n".join(",".join(["0.5"] * 64) for _ in range(20))
    board.set_input_files(
        "#stimulus-file",
        files=[{"name": "drive.csv", "mimeType": "text/csv", "buffer": rows.encode()}],
    )
    in_force(board, "stimulus.kind", "file")
    assert params(board)["values"]["stimulus.file_id"]
    wait_toast(board, "now drives the network")

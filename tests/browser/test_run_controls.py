"""The run from the page: pause, step, seed, speed, breakpoints, a stimulus of one's own."""

from playwright.sync_api import expect

from tests.browser.fields import in_force
from tests.browser.one_tab import params, until, wait_toast


def open_breakpoints(page):
    page.locator('.group[data-group="breakpoints"]').evaluate("group => { group.open = true; }")


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


def test_a_csv_of_currents_becomes_the_stimulus(board):
    rows = "\n".join(",".join(["0.5"] * 64) for _ in range(20))
    board.set_input_files(
        "#stimulus-file",
        files=[{"name": "drive.csv", "mimeType": "text/csv", "buffer": rows.encode()}],
    )
    in_force(board, "stimulus.kind", "file")
    assert params(board)["values"]["stimulus.file_id"]
    wait_toast(board, "now drives the network")

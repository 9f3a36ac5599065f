"""The Training page with two models side by side, before the first session, and after the last."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until
from tests.browser.run_tab import Sessions, open_run_tab, wait_step

EMPTY = "() => Boolean(document.querySelector('#begin'))"


@pytest.fixture(scope="module")
def tab(browser, live_app):
    """A tab on the page of a user who has no training session; the spiking session stands."""
    with open_run_tab(browser, live_app.url, "/training", EMPTY) as page:
        sessions = Sessions(page)
        sessions.send("default", {"type": "pause"})
        yield page
        sessions.remove_all()
        sessions.send("default", {"type": "run"})


@pytest.fixture
def page(tab):
    """The same before every test: no session."""
    Sessions(tab).remove_all()
    return tab


def test_one_click_begins_a_run_and_a_deleted_one_leaves_the_empty_page(page):
    page.goto("/training")
    expect(page.locator("#empty")).to_contain_text("No model is being trained")
    expect(page.locator("#controls")).to_be_hidden()
    page.locator("#begin").click()
    page.wait_for_url("**/training?session=*", timeout=60_000)
    wait_step(page, 2)
    expect(page.locator("#progress-text")).to_contain_text("of 200")
    page.locator("#delete-this").click()
    page.locator("#delete-session [data-action=delete]").click()
    expect(page.locator("#begin")).to_be_visible()
    assert Sessions(page).entries() == []


def test_two_models_share_the_axes_and_a_number_tells_them_apart(page):
    name = Sessions(page).begin(fault="embedding_n01")
    page.goto(f"/training?session={name}")
    wait_step(page, 25)
    named = ["sound: step", "faulty: step", "sound: held out", "faulty: held out"]
    until(
        page,
        "names => names.every(name => window.t4dm.drawn('loss').series.some(one => one.name === name))",
        named,
    )
    until(
        page,
        "() => { const [a, b] = [0, 1].map(r => window.t4dm.course.of('loss', r)[0]); return b > 2 * a; }",
    )
    expect(page.locator("#fault-line")).to_contain_text("Fault 3")
    until(
        page,
        "() => /loss .* sound, .* faulty: [+−]/.test(document.getElementById('apart').textContent)",
    )
    expect(page.locator("#fault-telling")).to_contain_text("first loss 6.95 → 63")
    assert page.evaluate("window.t4dm.drawn('loss').log") is True
    until(page, "() => window.t4dm.drawn('place')?.rows === 128")
    until(page, "() => window.t4dm.drawn('gates')?.rows === 4")


def test_a_fault_that_stops_says_its_error_and_the_sound_run_goes_on(page):
    name = Sessions(page).begin(fault="memory_gate_transposed")
    page.goto(f"/training?session={name}")
    expect(page.locator("#fault-error")).to_be_visible()
    expect(page.locator("#fault-error")).to_contain_text("The faulty run stopped at step")
    expect(page.locator("#fault-error")).to_contain_text("Error")
    before = page.evaluate("window.t4dm.store.n")
    wait_step(page, before + 3)
    assert page.evaluate("window.t4dm.course.marks.some(mark => mark.text === 'faulty stopped')")


def test_the_dialog_refuses_in_place_and_begins_what_was_chosen(page):
    page.goto("/training")
    page.locator("#begin-other").click()
    page.locator("#new-seed").fill("-1")
    page.locator("#new-create").click()
    expect(page.locator(".new-field:has(#new-seed) .row-message")).to_contain_text("from 0 to")
    page.locator("#new-seed").fill("7")
    page.locator("#new-run").select_option("tiny")
    page.locator("#new-name").fill("seven")
    page.locator("#new-create").click()
    page.wait_for_url("**/training?session=seven", timeout=60_000)
    wait_step(page, 1)
    expect(page.locator("#run-name")).to_have_text("tiny · seed 7")


def test_the_board_lists_training_and_shows_no_training_session_of_its_own(page):
    name = Sessions(page).begin(name="elsewhere")
    page.goto("/")
    expect(page.locator("#pages a.page-link", has_text="Training")).to_have_attribute(
        "href", "/training"
    )
    until(page, "() => Boolean(window.t4dm?.app.meta)", patience_s=60)
    page.locator("#open-sessions").click()
    expect(page.locator("#new-session .set-name").first).to_have_text("default")
    assert name not in page.locator("#new-session .set-list").inner_text()

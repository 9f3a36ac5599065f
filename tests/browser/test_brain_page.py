"""The Brain page in a browser: a text is typed, read word by word, and an outcome is learnt from."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until
from tests.browser.run_tab import Sessions, ink, open_run_tab

EMPTY = "() => Boolean(document.querySelector('#begin'))"
DONE = "() => window.t4dm.drawn().n === window.t4dm.drawn().tokens.length"


@pytest.fixture(scope="module")
def tab(browser, live_app):
    """A tab on the page of a user who has no brain; the spiking session stands."""
    with open_run_tab(browser, live_app.url, "/brain", EMPTY) as page:
        sessions = Sessions(page)
        sessions.send("default", {"type": "pause"})
        yield page
        for name in sessions.entries("brain"):
            sessions.request.delete(f"/sessions/{name}")
        sessions.send("default", {"type": "run"})


@pytest.fixture(scope="module")
def begun(tab):
    """The session that one click on the empty page began."""
    expect(tab.locator("#empty")).to_contain_text("No brain is reading")
    tab.locator("#begin").click()
    tab.wait_for_url("**/brain?session=*", timeout=60_000)
    until(
        tab, "() => window.t4dm?.drawn?.().n > 2 && Boolean(window.t4dm.app.params)", patience_s=90
    )
    return tab.evaluate("window.t4dm.app.session")


@pytest.fixture
def page(tab, begun):
    """Its page with default parameters at 50 words a second."""
    Sessions(tab).send(begun, {"type": "replace", "values": {"reading.pace": 50.0}})
    until(tab, "() => window.t4dm.app.params.values['reading.pace'] === 50")
    return tab


def read(page, text):
    page.locator("#brain-text").fill(text)
    page.locator("#brain-read").click()
    until(page, "t => window.t4dm.app.params.values['reading.text'] === t", text)
    until(page, "t => window.t4dm.drawn().tokens[0] === t.split(' ')[0]", text)
    until(page, DONE)


def test_a_typed_text_is_read_and_each_word_has_its_numbers(page):
    read(page, "joy sword zorblax today")
    assert page.evaluate("window.t4dm.drawn().tokens") == ["joy", "sword", "zorblax", "today"]
    valence = page.evaluate("[0, 1, 2].map(i => window.t4dm.page.reading.scalar('valence', i))")
    assert valence[0] > 0.4 and valence[1] < -0.4 and abs(valence[2]) < 1e-4
    page.locator('.read-word[data-i="1"]').click()
    expect(page.locator("#word-title")).to_contain_text("sword")
    expect(page.locator(".region-table")).to_contain_text("hippocampus")
    expect(page.locator("#state-reason")).to_have_text("the text is read")


def test_the_picture_of_the_basal_ganglia_marks_the_region_that_is_released_most(page):
    read(page, "peace and mercy")
    found = page.evaluate("""() => {
        const { reading } = window.t4dm.page;
        const shares = [0, 1, 2].map((r) => reading.at("release", r, 0));
        return { shares, winner: reading.winner(3, 0) };
    }""")
    assert found["winner"] == found["shares"].index(max(found["shares"]))


def test_a_word_is_kept_by_click_and_keys_go_on(page):
    read(page, "peace and mercy")
    page.locator("#panel-feelings .panel-plot").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#word-title")).to_contain_text("and")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#word-title")).to_contain_text("mercy")
    page.keyboard.press("Escape")


def test_an_outcome_is_learnt_and_its_error_told(page):
    read(page, "the river rose")
    before = page.evaluate("window.t4dm.page.reading.scalar('valence', 1)")
    page.locator("#outcome-words").fill("2")
    page.locator("[data-outcome='-1']").click()
    expect(page.locator("#lesson-list")).to_contain_text("river rose")
    expect(page.locator("#lesson-list")).to_contain_text("error -")
    page.locator("#read-again").click()
    until(page, "v => window.t4dm.page.reading.scalar('valence', 1) < v - 0.1", before)


@pytest.mark.parametrize(
    ("text", "sentence"), [("   ", "at least one word"), ("a " * 400, "at most 600 characters")]
)
def test_a_text_that_cannot_be_read_is_refused_in_words(page, text, sentence):
    page.locator("#brain-text").fill(text)
    page.locator("#brain-read").click()
    expect(page.locator("#brain-text-error")).to_contain_text(sentence)
    page.locator("#brain-text").fill("peace")


def test_what_is_learnt_and_what_is_not_is_said(page):
    expect(page.locator("#panel-about")).to_contain_text("weights drawn from the seed")
    expect(page.locator("#panel-about")).to_contain_text("% right")


@pytest.mark.parametrize("width", [390, 1600])
def test_nothing_is_wider_than_the_page(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": 1600, "height": 1000})
    assert wide <= 0


def test_a_text_that_is_cut_is_told_and_shortened(page):
    page.locator("#brain-text").fill("peace, " * 70)
    page.locator("#brain-read").click()
    until(page, "() => window.t4dm.app.health.report?.findings[0]?.id === 'brain_cut'")
    until(page, "() => window.t4dm.app.meta.state === 'paused'")
    expect(page.locator("#health-badge")).to_contain_text("1 note")
    page.locator("#health-badge").click()
    card = page.locator('#health [data-finding="brain_cut"]')
    expect(card).to_contain_text("20 words and marks at the end are not read")
    card.locator(".remedy-do").click()
    until(page, "() => window.t4dm.app.params.values['reading.text'].endsWith('peace,')")
    page.locator("#run-toggle").click()
    until(page, "() => window.t4dm.app.health.report?.findings.length === 0")
    page.locator("#health-badge").click()


def test_signs_beyond_the_alphabet_are_counted_as_the_server_does(page):
    page.locator("#brain-text").fill("\U0001f642 " * 3)
    expect(page.locator("#brain-text-count")).to_have_text("6 of 600 characters")
    read(page, "\U0001f642 peace")
    assert page.evaluate("window.t4dm.drawn().tokens") == ["\U0001f642", "peace"]


def test_words_and_tables_are_in_the_picture_of_a_snapshot(page):
    read(page, "peace and mercy")
    for slug in ("text", "word", "outcome", "about"):
        assert ink(page, slug) > 100, slug

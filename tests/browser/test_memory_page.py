"""The Memory page in a browser: one click begins, maps form, a click puts the agent, memory answers."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until
from tests.browser.run_tab import Sessions, ink, open_run_tab

EMPTY = "() => Boolean(document.querySelector('#begin'))"
READY = "() => Boolean(window.t4dm?.page?.store.newest.maps) && Boolean(window.t4dm.app.params)"
FAST = {"agent.pace": 20.0}


@pytest.fixture(scope="module")
def tab(browser, live_app):
    """A tab on the page of a user who has no arena; the spiking session stands."""
    with open_run_tab(browser, live_app.url, "/memory", EMPTY) as page:
        sessions = Sessions(page)
        sessions.send("default", {"type": "pause"})
        yield page
        remove_all(sessions)
        sessions.send("default", {"type": "run"})


def remove_all(sessions):
    for name in sessions.entries("arena"):
        sessions.request.delete(f"/sessions/{name}")


@pytest.fixture(scope="module")
def begun(tab):
    """The session that one click on the empty page began."""
    expect(tab.locator("#empty")).to_contain_text("No agent is walking")
    expect(tab.locator("#controls")).to_be_hidden()
    tab.locator("#begin").click()
    tab.wait_for_url("**/memory?session=*", timeout=60_000)
    until(tab, READY, patience_s=90)
    return tab.evaluate("window.t4dm.app.session")


@pytest.fixture
def page(tab, begun):
    """Its page, running fast, with the first place cell chosen."""
    Sessions(tab).send(begun, {"type": "replace", "values": FAST}, {"type": "run"})
    tab.evaluate("window.t4dm.page.select(0)")
    until(tab, "() => window.t4dm.app.meta.state === 'running'")
    return tab


def stand(page):
    page.locator("#run-toggle").click()
    until(page, "() => window.t4dm.app.meta.state === 'paused'")
    until(page, "() => window.t4dm.store.step1 === window.t4dm.app.meta.step")


def test_maps_form_and_coverage_grows(page):
    first = page.evaluate("window.t4dm.app.meta.progress.done")
    until(page, f"() => window.t4dm.app.meta.progress.done > {first} + 20", patience_s=60)
    expect(page.locator("#progress-text")).to_contain_text("% of the arena visited")
    assert page.evaluate("window.t4dm.drawn('place').maps") == 100
    assert page.evaluate("window.t4dm.drawn('time').maps") == 16
    assert page.evaluate("window.t4dm.drawn('arena').objects") == 6


def test_what_the_browser_holds_is_what_the_worker_publishes(page):
    """Seconds in the bins add up to the steps; spikes unpacked from two bits are 0 to 3."""
    stand(page)
    held = page.evaluate("""() => {
        const { store, page } = window.t4dm, c = store.column("path", 0);
        return { n: c.length, step: store.step1, inside: c.every((x) => x >= 0 && x <= page.constants.side_m) };
    }""")
    assert held["n"] == held["step"] and held["inside"]


def test_a_click_puts_the_agent_and_one_with_the_other_tool_asks_the_memory(page):
    until(page, "() => window.t4dm.drawn('episodes')?.rows > 0", patience_s=90)
    stand(page)
    box = page.locator("#panel-arena .panel-plot").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    until(page, "() => window.t4dm.store.events.at(-1)?.type === 'put'")
    x, y = page.evaluate("window.t4dm.drawn('arena').here")
    assert abs(x - 0.5) < 0.1 and abs(y - 0.5) < 0.1
    page.locator("#panel-arena input[value=ask]").check()
    page.mouse.click(*middle)
    until(page, "() => window.t4dm.drawn('arena').recall !== null")
    asked = "window.t4dm.store.events.findLast((e) => e.type === 'asked')"
    until(page, f"() => {asked}")
    told = page.evaluate(asked)
    assert told["object"] == page.evaluate("window.t4dm.drawn('arena').recall")
    page.locator("#panel-arena input[value=put]").check()


def test_a_cell_is_chosen_by_click_and_by_key_and_its_numbers_are_told(page):
    page.locator("#panel-grid .panel-plot").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".cell-title")).to_have_text("Grid cell 1 of module 1")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".cell-title")).to_have_text("Grid cell 1 of module 2")
    expect(page.locator(".cell-table")).to_contain_text("0.424 m")
    box = page.locator("#panel-place .panel-plot").bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    expect(page.locator(".cell-title")).to_have_text("Place cell 1")
    expect(page.locator(".cell-table")).to_contain_text("20.0 Hz")


def test_a_threshold_out_of_range_is_refused_beside_its_field(page):
    field = page.locator('[data-param="recall.threshold"]')
    field.fill("2")
    field.press("Enter")
    expect(page.locator('.row[data-path="recall.threshold"] .row-message')).to_contain_text(
        "from 0 to 1"
    )
    field.press("Escape")


def test_reset_begins_another_arena(page):
    before = page.evaluate("Array.from(window.t4dm.store.newest.objects.data)")
    page.locator("#seed").fill("9")
    page.locator("#reset").click()
    until(page, "() => window.t4dm.app.meta.seed === 9 && window.t4dm.store.newest.objects")
    until(
        page,
        "was => { const now = window.t4dm.store.newest.objects; return now && String(Array.from(now.data)) !== String(was); }",
        before,
    )


def test_words_and_keys_of_the_panels(page):
    until(
        page,
        "() => document.querySelector('#panel-arena .chart-host').getAttribute('aria-label').startsWith('The agent is at')",
    )
    assert page.locator("#panel-recall .chart-host").count() == 1
    page.locator("body").press("?")
    expect(page.locator("#help-sheet")).to_contain_text("ask the memory where the agent is")
    page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [390, 1600])
def test_nothing_is_wider_than_the_page(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": 1600, "height": 1000})
    assert wide <= 0


def test_what_is_wrong_is_found_and_its_remedy_clears_it(page):
    """Spikes without a reason, at the agent's fastest pace."""
    values = {"cells.background": 12.0, "agent.pace": 20.0}
    name = page.evaluate("window.t4dm.app.session")
    Sessions(page).send(name, {"type": "replace", "values": values}, {"type": "run"})
    found = "() => window.t4dm.app.health.report?.findings.some(({ id }) => id === 'arena_noise')"
    until(page, found, patience_s=90)
    expect(page.locator("#health-badge")).to_contain_text("1 warning")
    page.locator("#health-badge").click()
    card = page.locator('#health [data-finding="arena_noise"]')
    expect(card).to_contain_text("12")
    card.locator(".remedy-do").click()
    until(page, "() => window.t4dm.app.params.values['cells.background'] === 0.2")
    expect(card.locator(".finding-outcome")).to_contain_text("it worked", timeout=90_000)
    expect(page.locator("#health")).to_contain_text("Firing without reason")
    page.locator("#health-badge").click()
    Sessions(page).send(name, {"type": "replace", "values": {}})


def test_tables_are_in_the_picture_of_a_snapshot(page):
    until(page, "() => window.t4dm.drawn('episodes')?.rows > 0", patience_s=90)
    assert ink(page, "episodes") > 100
    assert page.locator("[data-part]").count() == 1, "the readout below the chosen cell"

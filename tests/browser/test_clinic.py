"""The clinic on the Training page: the table that comes along, sorting, and one made and cancelled here."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from t4dm.ablations import FAULTS

TRIALS = ("transformer", "brain", "no dopamine")


@pytest.fixture(scope="module")
def page(browser: Browser, live_app) -> Iterator[Page]:
    """The Training page, scrolled to the clinic."""
    tab = browser.new_page(viewport={"width": 1600, "height": 1000})
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    tab.goto(f"{live_app.url}/training")
    tab.locator("#clinic").scroll_into_view_if_needed()
    expect(tab.locator("#clinic tbody tr")).to_have_count(len(TRIALS) + len(FAULTS))
    yield tab
    tab.close()
    assert problems == []


def column(page: Page, n: int) -> list[str]:
    return page.locator(f"#clinic tbody tr > :nth-child({n})").all_inner_texts()


def clinic(live_app) -> dict:
    with urllib.request.urlopen(f"{live_app.url}/clinic", timeout=30) as answer:
        return json.load(answer)


def test_every_fault_has_a_row_with_its_number_that_tells(page: Page):
    numbers = [0, *range(1, 9), 0, *range(9, 16), 0, 16, 17]  # each trial's sound model is 0
    assert column(page, 1) == [str(n) for n in numbers]
    for fault in FAULTS:
        row = page.locator(f"#clinic tr[data-name='{fault.ablation.value}']")
        expect(row).to_contain_text(fault.title)
        expect(row.locator(".clinic-telling strong")).to_contain_text("→")
        expect(row.locator("polyline.sound")).to_have_count(1)
        expect(row.locator(".clinic-error")).to_have_count(1 if fault.kind == "error" else 0)


def test_every_trial_has_its_own_sound_row(page: Page, live_app):
    """Held-out losses of the sound rows are those that the faults of the trial are compared with."""
    beside = {row["trial"]: row["beside"] for row in clinic(live_app)["finished"]["rows"][1:]}
    for trial in TRIALS:
        row = page.locator("#clinic tr[data-kind='sound']", has_text=f"the sound model{trial}")
        expect(row.locator("td").nth(4)).to_have_text(f"{beside[trial]['held_out']:.3f}")


def test_a_click_on_a_head_sorts_and_a_second_one_turns_it_round(page: Page):
    page.get_by_role("button", name="Held out").click()
    up = [float(text) for text in column(page, 6) if text != "–"]
    assert up == sorted(up) and len(set(up)) > 5
    page.get_by_role("button", name="Held out").click()
    down = [float(text) for text in column(page, 6) if text != "–"]
    assert down == up[::-1]
    page.locator("#clinic").get_by_role("button", name="No", exact=True).click()


def test_a_table_is_made_here_and_cancelled(page: Page, live_app):
    page.locator("#clinic-run").click()
    expect(page.locator("#clinic-cancel")).to_be_visible()
    expect(page.locator("#clinic-run")).to_be_hidden()
    expect(page.locator("#clinic-state")).to_contain_text("step", timeout=120_000)
    assert clinic(live_app)["state"] == "running"
    page.locator("#clinic-cancel").click()
    expect(page.locator("#clinic-run")).to_be_visible()
    assert clinic(live_app)["state"] == "cancelled"
    expect(page.locator("#clinic tbody tr")).to_have_count(len(TRIALS) + len(FAULTS))


def test_train_both_opens_a_session_with_that_fault(page: Page, live_app):
    page.locator("[data-train='untied_head']").click()
    expect(page.locator("#fault-line")).to_contain_text(
        "output head not tied to the embedding", timeout=120_000
    )
    name = page.evaluate("window.t4dm.app.session")
    request = urllib.request.Request(f"{live_app.url}/sessions/{name}", method="DELETE")
    urllib.request.urlopen(request, timeout=30).close()

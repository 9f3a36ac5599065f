"""The checklist: thirteen ticks of the running session, each with a number and a way to look."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import send, until

LINES = [
    "rate", "lif", "neuromods", "stdp", "trace", "membranes", "timing", "attention", "homeostasis",
    "raster", "input", "gradient", "schedule",
]  # fmt: skip


def line(page, name):
    return page.locator(f'#checklist [data-check="{name}"]')


@pytest.fixture
def checklist(board):
    """The checklist of a healthy session, opened from the nav."""
    until(board, "() => window.t4dm.app.health.report?.severity === 'ok'")
    board.locator("#pages a", has_text="Checklist").click()
    expect(board.locator("#checklist")).to_be_visible()
    return board


def test_a_healthy_session_has_thirteen_ticks_with_numbers(checklist):
    rows = checklist.locator("#checklist [data-check]")
    assert rows.evaluate_all("all => all.map(one => one.dataset.check)") == LINES
    until(
        checklist,
        """() => [...document.querySelectorAll('#checklist [data-check]')].every(row =>
            row.dataset.state === (row.dataset.check === 'gradient' ? 'untold' : 'fine'))""",
    )
    for name in LINES:
        number = line(checklist, name).locator(".check-number").text_content()
        assert (name == "gradient") != any(c.isdigit() for c in number), (name, number)
    expect(line(checklist, "gradient")).to_contain_text("no gradient is computed")
    expect(checklist.locator("#checklist")).to_contain_text(
        "12 fine, 0 to look at, 1 that cannot be told"
    )


def test_ticks_follow_the_session(checklist):
    send(checklist, {"type": "set", "path": "stdp.enabled", "value": False})
    send(checklist, {"type": "set", "path": "lif.beta", "value": 0.9})
    for name in ("stdp", "lif"):
        expect(line(checklist, name)).to_have_attribute("data-state", "look")
    expect(line(checklist, "stdp")).to_contain_text("switched off")
    expect(line(checklist, "lif")).to_contain_text("not the default: lif.beta")
    send(checklist, {"type": "replace", "values": {}})
    for name in ("stdp", "lif"):
        expect(line(checklist, name)).to_have_attribute("data-state", "fine")


def test_what_cannot_be_told_says_why(checklist):
    send(checklist, {"type": "set", "path": "health.enabled", "value": False})
    expect(line(checklist, "membranes")).to_have_attribute("data-state", "untold")
    expect(line(checklist, "membranes")).to_contain_text("health.enabled is off")
    expect(line(checklist, "raster")).to_have_attribute("data-state", "fine")


@pytest.mark.parametrize(
    ("name", "target"),
    [("attention", "#panel-attention"), ("schedule", '[data-param="stdp.learning_rate"]')],
)
def test_each_line_leads_to_what_it_speaks_of(checklist, name, target):
    line(checklist, name).get_by_role("button").click()
    expect(checklist.locator("#checklist")).to_have_count(0)
    expect(checklist.locator(target).first).to_be_focused()
    expect(checklist.locator(target).first).to_be_in_viewport()


def test_every_line_has_a_target_on_the_page(checklist):
    missing = checklist.evaluate(
        """async () => (await import('/assets/js/checklist-lines.mjs')).LINES
            .filter(({link}) => !document.querySelector(link.panel ? `#panel-${link.panel}`
                : `[data-param="${link.control}"]`)).map(({id}) => id)"""
    )
    assert missing == []


def test_the_key_c_opens_it_once_and_escape_closes_it(board):
    board.keyboard.press("c")
    expect(board.locator("#checklist")).to_have_count(1)
    board.keyboard.press("c")
    expect(board.locator("#checklist")).to_have_count(1)
    board.keyboard.press("Escape")
    expect(board.locator("#checklist")).to_have_count(0)

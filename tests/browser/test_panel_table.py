"""A panel as a table: the rows of its CSV in the panel's place, reached and left by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import hold, until

SLUGS = ["raster", "membrane", "neuromod", "weights", "gate", "rate", "stdp", "stimulus"]


@pytest.fixture
def standing(board):
    """A standing run; tables that a test leaves open are closed."""
    hold(board)
    yield board
    board.evaluate(
        "document.querySelectorAll('[data-table][aria-expanded=true]').forEach(b => b.click())"
    )


def csv_of(page, slug):
    """The lines of the panel's CSV over the window in view."""
    window = page.evaluate(
        "(s => ({from_ms: Math.max(0, s.t0_ms), to_ms: s.t1_ms}))(window.t4dm.app.scene())"
    )
    query = {k: v for k, v in page.evaluate("window.t4dm.app.viewQuery()").items() if v is not None}
    return (
        page.request.get(f"/sessions/default/panels/{slug}.csv", params=window | query)
        .text()
        .splitlines()
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_a_panels_table_has_the_rows_of_its_csv(standing, slug):
    button = standing.locator(f'[data-table="{slug}"]')
    button.evaluate("node => node.click()")
    table = standing.locator(f"#table-{slug}")
    expect(table.locator("tbody tr")).not_to_have_count(0)
    head, *rows = csv_of(standing, slug)
    assert table.locator("thead th").all_text_contents() == head.split(",")
    first = table.locator("tbody tr").first
    assert first.locator("th, td").all_text_contents() == rows[0].split(",")
    shown = min(100, len(rows))
    assert table.locator("tbody tr").count() == shown
    expect(table.locator(".table-words")).to_have_text(f"rows 1 to {shown} of {len(rows):,}")
    assert table.locator("caption").text_content().endswith(f"rows 1 to {shown} of {len(rows):,}")
    button.evaluate("node => node.click()")
    expect(table).to_have_count(0)


def test_pages_go_to_the_last_row(standing):
    standing.locator('[data-table="rate"]').click()
    table = standing.locator("#table-rate")
    expect(table.get_by_label("First rows")).to_be_disabled()
    table.get_by_label("Last rows").click()
    rows = csv_of(standing, "rate")[1:]
    last = table.locator("tbody tr").last
    assert last.locator("th, td").all_text_contents() == rows[-1].split(",")
    expect(table.get_by_label("Next rows")).to_be_disabled()
    table.get_by_label("Rows before").click()
    expect(table.locator(".table-words")).to_have_text(f"rows 801 to 900 of {len(rows):,}")


def test_the_keyboard_opens_reads_and_closes_it(standing):
    button = standing.locator('[data-table="gate"]')
    button.focus()
    standing.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    region = standing.get_by_role("region", name="Thalamic gate, table of the window in view")
    expect(region.locator("tbody tr")).not_to_have_count(0)
    for _ in range(30):
        standing.keyboard.press("Tab")
        if region.evaluate("node => node === document.activeElement"):
            break
    expect(region).to_be_focused()
    standing.keyboard.press("End")
    until(standing, "document.querySelector('#table-gate .table-scroll').scrollTop > 0")
    standing.keyboard.press("Escape")
    expect(standing.locator("#table-gate")).to_have_count(0)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_it_follows_the_view_but_not_the_run(board):
    """Another span is read anew; as long as nothing is chosen it stands still."""
    board.locator('[data-table="rate"]').click()
    words = board.locator("#table-rate .table-words")
    expect(words).to_have_text("rows 1 to 100 of 1,000")
    first = board.locator("#table-rate tbody th").first.text_content()
    frames = board.evaluate("window.t4dm.stats().frames")
    until(board, "n => window.t4dm.stats().frames > n + 10", frames)
    assert board.locator("#table-rate tbody th").first.text_content() == first
    board.evaluate("window.t4dm.app.setSpan(300)")
    expect(words).to_have_text("rows 1 to 100 of 300")
    board.locator('[data-table="rate"]').click()

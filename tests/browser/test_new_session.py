"""A session of one's own from the page: refused at the field, created, shown, deleted."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until


@pytest.fixture
def dialog(board):
    board.locator("#open-sessions").click()
    expect(board.locator("#new-session")).to_be_visible()
    return board


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("name", "../x", "expected letters, digits, _ and -"),
        ("blocks", "0", "expected a whole number from 1 to 32, got 0"),
        ("blocks", "two", "expected a whole number from 1 to 32, got two"),
        ("n", "100", "expected a multiple of 16, got 100"),
        ("n", "4096", "expected a whole number from 16 to 2048, got 4096"),
        ("seed", "-1", "expected a whole number from 0 to 2147483647, got -1"),
    ],
)
def test_a_wrong_field_is_refused_there_before_anything_is_sent(dialog, field, text, told):
    sent = []
    note = lambda r: sent.append(r.url) if r.method == "POST" else None
    dialog.on("request", note)
    dialog.locator(f"#new-{field}").fill(text)
    dialog.locator("#new-create").click()
    expect(dialog.locator(f"#new-{field}-message")).to_contain_text(told)
    expect(dialog.locator(f"#new-{field}")).to_be_focused()
    assert dialog.locator('#new-session [aria-invalid="true"]').count() == 1
    dialog.remove_listener("request", note)
    assert sent == []


def test_what_only_the_server_knows_is_refused_at_the_field_too(dialog):
    dialog.locator("#new-name").fill("default")
    dialog.locator("#new-create").click()
    expect(dialog.locator("#new-name-message")).to_contain_text("there is a session 'default'")
    dialog.locator("#new-name").fill("large")
    dialog.locator("#new-blocks").fill("16")
    dialog.locator("#new-n").fill("2032")
    dialog.locator("#new-create").click()
    expect(dialog.locator("#new-name-message")).to_have_text("")
    expect(dialog.locator("#new-n-message")).to_contain_text("MB are allowed in all")


def test_the_size_is_told_and_the_default_session_stays(dialog):
    dialog.locator("#new-blocks").fill("2")
    dialog.locator("#new-n").fill("32")
    expect(dialog.locator("#new-size")).to_contain_text("384 neurons, up to ")
    remove = dialog.locator('[data-delete="default"]')
    expect(remove).to_be_disabled()
    assert remove.get_attribute("title") == "The default session stays."


def test_a_session_is_created_shown_and_deleted(board):
    board.locator("#open-sessions").click()
    for field, text in {"name": "small", "blocks": "2", "n": "32", "seed": "7"}.items():
        board.locator(f"#new-{field}").fill(text)
    board.locator("#new-stimulus").select_option("noise")
    steps = board.locator("#new-dt option").all_text_contents()
    assert steps == ["0.25 ms", "0.5 ms", "1 ms", "2 ms"]
    expect(board.locator("#new-dt")).to_have_value("1")
    board.locator("#new-dt").select_option("2")
    board.locator("#new-create").click()
    board.wait_for_url("**/?session=small")
    until(board, "() => window.t4dm?.drawn?.('raster')?.ticks > 0", patience_s=180)
    until(board, "() => Boolean(window.t4dm.app.manifest)")
    told = board.request.get("/sessions/small/params").json()
    assert told["non_default"] == {"stimulus.kind": "noise"}
    assert board.evaluate("window.t4dm.app.meta.seed") == 7
    assert board.evaluate("window.t4dm.app.meta.dt") == 2
    blocks = board.evaluate("window.t4dm.app.manifest.groups.map(group => group.block)")
    assert blocks[:4] == [0, 0, 1, 1]
    board.locator("#open-sessions").click()
    board.locator('[data-delete="small"]').click()
    lost = board.locator("#delete-session")
    for text in ("lost for good", "its weights", "checkpoints", "1 changed parameter"):
        expect(lost).to_contain_text(text)
    lost.get_by_role("button", name="Delete it").click()
    board.wait_for_url(lambda url: "session=small" not in url)
    until(board, "() => window.t4dm?.app?.session === 'default'")
    assert "small" not in board.request.get("/sessions").json()["sessions"]

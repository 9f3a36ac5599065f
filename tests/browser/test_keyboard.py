"""The keyboard: run, step, view, undo, search, help; letters stay letters while typing."""

from playwright.sync_api import expect

from tests.browser.one_tab import params, remember, until

STATE = "state => window.t4dm.app.meta.state === state"


def health(page):
    return page.request.get("/healthz").json()["sessions"]["default"]


def test_space_runs_and_pauses(board):
    board.keyboard.press("Space")
    until(board, STATE, "paused")
    board.keyboard.press("Space")
    until(board, STATE, "running")


def test_full_stop_makes_one_step(board):
    board.keyboard.press("Space")
    until(board, STATE, "paused")
    before = health(board)["step"]
    board.keyboard.press(".")
    until(board, "step => window.t4dm.app.meta.step1 === step", before + 1)
    assert health(board)["step"] == before + 1


def test_z_and_y_undo_and_redo(board):
    field = board.locator('[data-param="lif.v_thresh"]')
    field.fill("1.35")
    field.press("Enter")
    until(board, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1.35")
    field.blur()
    board.keyboard.press("z")
    until(board, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1")
    expect(board.locator("#redo")).to_be_enabled()
    board.keyboard.press("y")
    until(board, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1.35")


def test_slash_goes_to_the_search(board):
    board.keyboard.press("/")
    expect(board.locator("#param-search")).to_be_focused()
    expect(board.locator("#param-search")).to_have_value("")


def test_letters_stay_letters_in_a_field(board):
    board.locator("#param-search").click()
    board.keyboard.type("s.l z?")
    expect(board.locator("#param-search")).to_have_value("s.l z?")
    expect(board.locator("dialog[open]")).to_have_count(0)
    assert health(board)["state"] == "running"


def test_question_mark_shows_the_sheet_and_escape_gives_the_focus_back(board):
    opener = board.locator("#help")
    opener.focus()
    board.keyboard.press("?")
    sheet = board.locator("#help-sheet")
    expect(sheet).to_contain_text("snapshot of the whole board")
    assert sheet.evaluate("dialog => dialog.contains(document.activeElement)")
    board.keyboard.press("Space")
    board.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(opener).to_be_focused()
    assert health(board)["state"] == "running"


def test_arrows_scroll_a_paused_view_and_l_goes_live(board):
    remember(board, 3000)
    board.evaluate("window.t4dm.app.pauseView()")
    at = board.evaluate("window.t4dm.app.view.t1_ms")
    board.keyboard.press("ArrowLeft")
    until(board, "t => window.t4dm.app.view.t1_ms < t", at)
    board.keyboard.press("l")
    until(board, "() => window.t4dm.app.view.mode === 'live'")


def test_a_modifier_leaves_the_key_to_the_browser(board):
    rev = params(board)["rev"]
    board.keyboard.press("Control+z")
    board.wait_for_timeout(300)
    assert params(board)["rev"] == rev


def test_every_button_and_field_has_a_name(board):
    nameless = board.evaluate(
        """() => [...document.querySelectorAll('#topbar, #controls, #strip, #pages')]
            .flatMap(region => [...region.querySelectorAll('button, input, select, textarea')])
            .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim()
                || node.labels?.length || node.title))
            .map(node => node.outerHTML.slice(0, 120))"""
    )
    assert nameless == []

"""Overrides of one block or stage: shown, cleared, undone."""

from playwright.sync_api import expect

from tests.browser.fields import box, in_force
from tests.browser.one_tab import params


def test_override_of_one_stage_is_shown_and_cleared(board):
    board.locator('.group[data-group="lif"] .scope-select').select_option("2.lif_in")
    path = "blocks.2.lif_in.v_thresh"
    box(board, path).fill("2")
    box(board, path).press("Enter")
    in_force(board, path, 2)
    chip = board.locator('.group[data-group="lif"] .chip')
    expect(chip).to_contain_text("block 2 lif_in.v_thresh 2")
    board.locator('.group[data-group="lif"] .scope-select').select_option("")
    expect(box(board, "lif.v_thresh")).to_have_value("1")
    chip.locator(".chip-clear").click()
    in_force(board, path, None)
    expect(chip).to_have_count(0)


def test_undo_of_a_first_override_clears_it(board):
    board.locator('.group[data-group="lif"] .scope-select').select_option("1.lif")
    path = "blocks.1.lif.alpha"
    box(board, path).fill("0.8")
    box(board, path).press("Enter")
    in_force(board, path, 0.8)
    board.locator("#undo").click()
    in_force(board, path, None)
    assert path not in params(board)["overrides"]
    board.locator("#redo").click()
    in_force(board, path, 0.8)

"""Parameter rows act on the running model: exact numbers, sliders, levels, search."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.fields import box, in_force, message_of
from tests.browser.one_tab import params, send, until

V_THRESH = '[data-param="lif.v_thresh"]'
PARAMS = "fetch('/sessions/default/params').then(answer => answer.json())"


def test_main_groups_are_open_and_others_closed(board):
    for path in ("lif.v_thresh", "stdp.tau_plus", "neuromod.DA"):
        expect(box(board, path)).to_be_visible()
    expect(box(board, "gate.bias")).to_be_hidden()


def test_every_parameter_has_one_field(board):
    board.evaluate("document.querySelectorAll('details.group').forEach(group => group.open = true)")
    specs = params(board)["specs"]
    found = board.evaluate(
        "[...document.querySelectorAll('[data-param]')].map(field => field.dataset.param)"
    )
    assert sorted(found) == sorted(spec["path"] for spec in specs)


def test_enter_applies_and_marks_the_row(board):
    box(board, "lif.v_thresh").fill("1.25")
    box(board, "lif.v_thresh").press("Enter")
    in_force(board, "lif.v_thresh", 1.25)
    row = board.locator(f".row:has({V_THRESH})")
    expect(row).to_have_class(re.compile("row-changed"))
    expect(board.locator(".strip-changed")).to_contain_text("lif.v_thresh 1.25 (1)")
    row.locator(".row-reset").click()
    in_force(board, "lif.v_thresh", 1)
    expect(row).not_to_have_class(re.compile("row-changed"))
    expect(board.locator(".strip-changed")).to_have_text("all defaults")


def test_leaving_the_field_applies(board):
    box(board, "stdp.mu").fill("0.5")
    box(board, "stdp.mu").blur()
    in_force(board, "stdp.mu", 0.5)


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "1e999", "-1", "99999999999999999999", "1,1", "0x10", "--", " "]
)
def test_bad_numbers_are_refused_with_the_range(board, text):
    rev = params(board)["rev"]
    field = box(board, "lif.v_thresh")
    field.fill(text)
    field.press("Enter")
    message = message_of(board, "lif.v_thresh")
    expect(message).to_contain_text("from 0.05 to 10")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert params(board)["rev"] == rev
    field.press("Escape")
    expect(field).to_have_value("1")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_whole_numbers_stay_whole(board):
    field = box(board, "stdp.window_pre_to_post")
    field.fill("20.5")
    field.press("Enter")
    expect(message_of(board, "stdp.window_pre_to_post")).to_contain_text("a whole number")
    field.fill("20")
    field.press("Enter")
    in_force(board, "stdp.window_pre_to_post", 20)


def test_arrows_step_and_shift_steps_ten(board):
    field = box(board, "lif.v_thresh")
    field.press("ArrowUp")
    in_force(board, "lif.v_thresh", 1.01)
    field.press("Shift+ArrowDown")
    in_force(board, "lif.v_thresh", 0.91)


def test_a_slider_acts_while_it_moves_and_undo_takes_back_the_drag(board):
    slider = board.locator(f".row:has({V_THRESH}) .row-slider")
    area = slider.bounding_box()
    middle = area["y"] + area["height"] / 2
    board.mouse.move(area["x"] + 10, middle)
    board.mouse.down()
    board.mouse.move(area["x"] + area["width"] / 2, middle, steps=8)
    until(board, f"async () => (await {PARAMS}).values['lif.v_thresh'] > 3")
    board.mouse.up()
    expect(box(board, "lif.v_thresh")).not_to_have_value("1")
    board.locator("#undo").click()
    in_force(board, "lif.v_thresh", 1)
    expect(box(board, "lif.v_thresh")).to_have_value("1")


def test_search_finds_rows_and_says_when_there_are_none(board):
    search = board.locator("#param-search")
    search.fill("homeostasis.theta")
    expect(box(board, "homeostasis.theta_max")).to_be_visible()
    expect(box(board, "lif.v_thresh")).to_be_hidden()
    search.fill("no such thing")
    expect(board.locator(".search-none")).to_be_visible()
    search.press("Escape")
    expect(box(board, "lif.v_thresh")).to_be_visible()


def test_an_effective_threshold_is_named_where_homeostasis_moves_it(board):
    send(
        board,
        {"type": "set", "path": "homeostasis.learning_rate", "value": 1.0},
        {"type": "set", "path": "homeostasis.target_rate", "value": 0.5},
    )
    expect(message_of(board, "lif.v_thresh")).to_contain_text("effective")


def test_every_number_fits_its_field(board):
    """A large round one, such as a time constant of 1000000 ms, is written short."""
    board.evaluate("document.querySelectorAll('details.group').forEach(group => group.open = true)")
    clipped = board.evaluate(
        """[...document.querySelectorAll('input.row-box')]
            .filter(field => field.scrollWidth > field.clientWidth).map(field => field.value)"""
    )
    assert clipped == []
    assert box(board, "sensory.theta_tau").input_value() == "1e6"

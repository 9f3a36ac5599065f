"""The cards of the neuromodulators: held level, bolus, reward."""

from playwright.sync_api import expect

from tests.browser.fields import box, in_force
from tests.browser.one_tab import until


def test_a_held_level_is_free_when_empty(board):
    field = box(board, "neuromod.DA")
    field.fill("0.9")
    field.press("Enter")
    in_force(board, "neuromod.DA", 0.9)
    field.fill("")
    field.press("Enter")
    in_force(board, "neuromod.DA", None)
    expect(field).to_have_attribute("placeholder", "free")


def test_bolus_and_reward_reach_the_model(board):
    board.evaluate(
        "window.seen = []; window.t4dm.app.on('event', event => window.seen.push(event))"
    )
    card = board.locator('.nt-card[data-nt="DA"]')
    card.locator(".amount .row-box").fill("0.25")
    card.locator('[data-inject="DA"]').click()
    board.locator("[data-reward]").click()
    until(
        board,
        """() => ['inject', 'reward'].every(type => window.seen.some(event => event.type === type))
            && window.seen.find(event => event.type === 'inject').level === 0.25""",
    )


def test_a_bolus_out_of_range_is_refused(board):
    card = board.locator('.nt-card[data-nt="NE"]')
    card.locator(".amount .row-box").fill("7")
    card.locator('[data-inject="NE"]').click()
    expect(card.locator(".amount .row-message")).to_contain_text("from -1 to 1")


def test_the_level_in_force_is_shown_live(board):
    field = box(board, "neuromod.5HT")
    field.fill("0.9")
    field.press("Enter")
    level = board.locator('.nt-card[data-nt="5HT"] .nt-level')
    expect(level).to_have_text("0.90")
    field.fill("")
    field.press("Enter")
    expect(level).not_to_have_text("0.90")

"""What the page says came of a remedy: success only where nothing else was changed, in time."""

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import in_page, params, send, until

STANDS = "id => window.t4dm.app.health.report?.findings.some(f => f.id === id)"
FOLLOWED = """
const {judged, outcomeText} = await import('/assets/js/health-trials.mjs');
const app = {meta: {state: 'running', axis: 'sim_ms'}};
let trial = {id: 'x', label: 'Put it back', epoch: 1, rev: 3, from_ms: 1000, t_ms: 1000,
    outcome: 'watching', anew: false, beyond: [], resets: a};
return b.map(([epoch, t_ms, params_rev, stands, more]) => {
    const report = {epoch, t_ms, params_rev, waiting: '', findings: stands ? [{id: 'x'}] : [], ...more};
    trial = judged(trial, report);
    return [trial.outcome, outcomeText(app, trial)];
});
"""


@pytest.fixture
def patient(board):
    """A healthy session that hurries, its health panel open."""
    send(board, {"type": "speed", "value": 4.0})
    until(board, "() => window.t4dm.app.health.report?.severity === 'ok'")
    board.keyboard.press("h")
    return board


def outcomes(page, *looks, resets=False):
    """Outcome and sentence after each look ``[epoch, t_ms, params_rev, stands]``."""
    return in_page(page, FOLLOWED, resets, looks)


def treat(page, finding, *commands):
    """Have the page apply ``commands`` as a remedy against a finding that stands."""
    in_page(
        page,
        """const {app} = window.t4dm, {treat} = await import('/assets/js/health-trials.mjs');
        await treat(app, app.health.report.findings.find(one => one.id === a),
            {id: 'tried', label: 'Try it', commands: b});""",
        finding,
        commands,
    )


def outcome(page, finding):
    return page.locator(f'#health .finding[data-finding="{finding}"] .finding-outcome')


def test_what_was_called_still_there_is_no_success_later(board):
    told = outcomes(board, [1, 6000, 3, True], [1, 13_000, 3, False])
    assert [one for one, _ in told] == ["still", "late"]
    assert told[1][1] == (
        "Put it back: cleared after 12.00 s simulated, later than the 5 s simulated that it had."
    )


def test_what_went_after_other_changes_is_no_success(board):
    told = outcomes(board, [1, 2000, 3, True], [1, 3000, 4, True], [1, 4000, 4, False])
    assert [one for one, _ in told] == ["watching", "disturbed", "shared"]
    assert told[1][1].endswith("other changes were made since. Whether it helps cannot be told.")
    assert told[2][1] == "Put it back: cleared after 3.00 s simulated, after other changes too."
    assert outcomes(board, [1, 6000, 3, True], [1, 9000, 4, False])[1][0] == "shared"
    assert outcomes(board, [1, 2000, 3, False])[0][0] == "cleared"


def test_a_reset_that_the_remedy_did_not_make_is_another_change(board):
    assert outcomes(board, [2, 3000, 3, False])[0][0] == "shared"
    own = outcomes(board, [1, 9000, 3, True], [2, 3000, 3, False], resets=True)
    assert [one for one, _ in own] == ["watching", "cleared"]
    twice = outcomes(
        board, [2, 900, 3, False, {"waiting": "2 rules wait"}], [3, 3000, 3, False], resets=True
    )
    assert [one for one, _ in twice] == ["watching", "shared"]


def test_a_report_from_before_the_remedy_says_nothing_of_it(board):
    assert outcomes(board, [1, 900, 2, False])[0][0] == "watching"


def test_other_changes_on_the_board_take_the_success_away(patient):
    send(patient, {"type": "set", "path": "stdp.enabled", "value": False})
    until(patient, STANDS, "stdp_not_engaging")
    treat(patient, "stdp_not_engaging", {"type": "set", "path": "lif.beta", "value": 0.95})
    expect(outcome(patient, "stdp_not_engaging")).to_contain_text("watching for 5 s simulated")
    send(patient, {"type": "replace", "values": {}})
    expect(outcome(patient, "stdp_not_engaging")).to_contain_text("after other changes too")


def test_a_remedy_that_resets_is_judged_in_the_new_epoch(patient):
    """Its card stays, says what is waited for, and then that it worked."""
    send(patient, {"type": "set", "path": "stdp.enabled", "value": False})
    until(patient, STANDS, "stdp_not_engaging")
    commands = ({"type": "clear", "path": "stdp.enabled"}, {"type": "reset", "seed": None})
    treat(patient, "stdp_not_engaging", *commands)
    told = outcome(patient, "stdp_not_engaging")
    expect(told).to_contain_text("watching for 5 s simulated")
    card = patient.locator('#health .finding-past .finding[data-finding="stdp_not_engaging"]')
    expect(card.locator(".finding-grade")).to_have_text("before the reset")
    expect(told).to_contain_text("it worked. Cleared after")
    expect(card.locator(".finding-grade")).to_have_text("cleared")


def test_undo_is_promised_for_what_it_takes_back_only(patient):
    """Not for a bolus, for a reset's parameters but not the reset, and not once it takes something else."""
    send(patient, {"type": "set", "path": "stdp.enabled", "value": False})
    until(patient, STANDS, "stdp_not_engaging")
    told = outcome(patient, "stdp_not_engaging")
    treat(patient, "stdp_not_engaging", {"type": "inject", "nt": "DA", "level": 0.1})
    expect(told).to_contain_text("still there after")
    expect(told).not_to_contain_text("Undo")
    treat(patient, "stdp_not_engaging", {"type": "set", "path": "lif.beta", "value": 0.95})
    expect(told).to_contain_text("Undo takes it back.")
    patient.keyboard.press("z")
    until(patient, "() => !('lif.beta' in window.t4dm.app.params.non_default)")
    expect(told).not_to_contain_text("Undo")
    reset = ({"type": "set", "path": "lif.beta", "value": 0.95}, {"type": "reset", "seed": None})
    treat(patient, "stdp_not_engaging", *reset)
    expect(told).to_contain_text("Undo takes its parameters back, not the reset.")
    assert set(params(patient)["non_default"]) == {"stdp.enabled", "lif.beta"}


def test_the_badge_counts_by_severity(board):
    word = """const {summary} = await import('/assets/js/health.mjs');
        return summary({health: {report: {severity: a[0], findings: a.map(severity => ({severity}))}}}).word;"""
    assert in_page(board, word, ["critical", "warning"]) == "1 critical, 1 warning"
    assert in_page(board, word, ["critical", "critical", "note", "note"]) == "2 critical, 2 notes"
    assert in_page(board, word, ["warning", "warning", "note"]) == "2 warnings, 1 note"


@pytest.mark.parametrize(("width", "height"), [(1600, 1000), (1181, 800), (390, 844)])
def test_the_bar_holds_the_longest_count(board, width, height):
    board.set_viewport_size({"width": width, "height": height})
    until(board, "width => document.documentElement.clientWidth === width", width)
    badge = "document.querySelector('#health-badge .badge-word')"
    old = board.evaluate(f"{badge}.textContent")
    board.evaluate(f"{badge}.textContent = '2 critical, 10 warnings, 1 note'")
    right = board.evaluate("document.querySelector('#health-badge').getBoundingClientRect().right")
    wide = board.evaluate(
        "[topbar.scrollWidth - topbar.clientWidth, document.documentElement.scrollWidth]"
    )
    board.evaluate(f"old => {{ {badge}.textContent = old; }}", old)
    assert right <= width and wide[0] <= 0 and wide[1] <= width

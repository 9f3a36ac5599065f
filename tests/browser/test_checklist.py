"""The checklist: thirteen ticks of the running session, each with a number and a way to look."""

import re

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


def test_a_dead_network_is_not_fine(board):
    """The doctor's figures of a network without input, as the lines about weights and raster see it."""
    told = board.evaluate(
        """async () => {
            const {judge, LINES} = await import('/assets/js/checklist-lines.mjs');
            const line = (name) => LINES.find(({id}) => id === name);
            const app = (moved, driven, findings = []) => ({
                params: {values: {'stdp.enabled': true}}, store: {empty: false},
                scene: () => ({rows: Array(200), span_ms: 2000, unit: {steps: 'ms'}, step0: 0,
                    step1: 2000, store: {countSpikes: () => 1}}),
                health: {report: {findings, evidence: {groups: [], weights_moved: moved, driven}}},
            });
            const dead = [{id: 'not_firing', title: 'Not firing', rule: 'rate 0.0 %'}];
            return [judge(app([0, 0], 0.98), line('stdp')), judge(app([0, 0.1], 0.98), line('stdp')),
                judge(app([0, 0], 0), line('stdp')), judge(app([0, 0], 0.98, dead), line('raster')),
                judge(app([0, 0], 0.98), line('raster'))];
        }"""
    )
    assert [one["state"] for one in told] == ["look", "fine", "untold", "look", "fine"]
    assert "no weight moves" in told[0]["number"] and "Not firing" in told[3]["number"]


def test_a_line_is_not_fine_while_its_rules_have_not_answered(board):
    """Cannot tell, wait for data, or have not called yet what the number shows; look stays look."""
    told = board.evaluate(
        """async () => {
            const {judge, LINES} = await import('/assets/js/checklist-lines.mjs');
            const values = {'health.enabled': true, 'health.silent': 0.001, 'health.frozen': 0.002};
            const rested = 'The stimulus rested.';
            const app = (report, rate = 0.08, moved = 0.3) => ({params: {values},
                store: {empty: false, nLevels: 4, levels: new Float32Array(4), step1: 1, capacity: 1},
                health: {report: {findings: [], waiting: '', cannot_tell: [], ...report, evidence:
                    {groups: [], network_rate: rate, rate: [rate], slow_ms: 1000,
                    level_swing: {DA: 0, ACh: moved, NE: 0, '5HT': 0}}}}});
            const blind = (...ids) => ({cannot_tell: ids.map(id => ({id, title: id, why: rested}))});
            const found = {findings: [{id: 'runaway', title: 'Runaway', rule: '90 %'}]};
            const state = (id, ...how) => judge(app(...how), LINES.find(line => line.id === id));
            return [state('rate', {}), state('rate', blind('not_firing', 'sparsity'), 0),
                state('rate', blind('gate_stuck')), state('rate', {waiting: '3 of 13 rules wait'}),
                state('rate', {}, 0), state('rate', {...found, ...blind('sparsity')}),
                state('neuromods', {}), state('neuromods', blind('neuromodulators_frozen'), 0.08, 0),
                state('neuromods', {}, 0.08, 0)];
        }"""
    )
    assert [one["state"] for one in told] == [
        "fine", "untold", "fine", "untold", "untold", "look", "fine", "untold", "untold",
    ]  # fmt: skip
    assert "not_firing, sparsity: cannot tell. The stimulus rested." in told[1]["number"]
    assert told[1]["number"].startswith("0 % of neurons") and "rules wait" in told[3]["number"]
    assert "too short a time" in told[4]["number"] and "Runaway: 90 %" in told[5]["number"]


def test_a_dead_network_that_nobody_drives_has_no_tick_for_its_rate(checklist):
    send(
        checklist,
        {"type": "set", "path": "stimulus.kind", "value": "pulse"},
        {"type": "set", "path": "stimulus.pulse_ms", "value": 50},
        {"type": "set", "path": "stimulus.period_ms", "value": 4000},
        {"type": "set", "path": "homeostasis.enabled", "value": False},
        {"type": "set", "path": "lif.v_thresh", "value": 8},
        {"type": "speed", "value": 4.0},
    )
    for name in ("rate", "neuromods", "membranes"):
        expect(line(checklist, name)).to_have_attribute("data-state", "untold")
        expect(line(checklist, name)).to_contain_text("cannot tell. ")
    expect(line(checklist, "rate")).to_contain_text("0 % of neurons")
    expect(line(checklist, "rate")).to_contain_text("Not firing, ")
    expect(checklist.locator("#health-badge")).to_have_text(re.compile(r"^\d+ rules cannot tell$"))


def test_a_dead_network_is_never_fine_after_a_reset(checklist):
    send(checklist, {"type": "preset", "name": "not_firing"})
    expect(line(checklist, "rate")).to_have_attribute("data-state", "look")
    checklist.evaluate(
        """() => {
            const row = document.querySelector('#checklist [data-check="rate"]');
            window.seen = [];
            new MutationObserver(() => window.seen.push(row.dataset.state))
                .observe(row, {attributes: true, attributeFilter: ['data-state']});
        }"""
    )
    send(checklist, {"type": "speed", "value": 0.4}, {"type": "reset", "seed": None})
    until(checklist, "() => window.seen.at(-1) === 'look'")
    seen = checklist.evaluate("window.seen")
    assert "untold" in seen and "fine" not in seen, seen


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

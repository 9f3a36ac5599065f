"""Health on the page: the badge, findings with remedies that work, marks, breakpoints, pictures."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import drawn, params, send, until
from tests.browser.test_snapshot import embedded, take

BAD = {"type": "set", "path": "stdp.enabled", "value": False}
FINDING = "stdp_not_engaging"
STANDS = "id => window.t4dm.app.health.report?.findings.some(f => f.id === id)"
HEALTHY = "() => window.t4dm.app.health.report?.severity === 'ok'"


@pytest.fixture
def patient(board):
    """A session that was healthy before anything was done to it; rules wait in simulated time, so it hurries."""
    send(board, {"type": "speed", "value": 4.0})
    until(board, HEALTHY)
    return board


def card(page):
    return page.locator(f'#health .finding[data-finding="{FINDING}"]')


def fall_ill(page):
    """STDP off: a finding that needs no other rule to wait for its data."""
    send(page, BAD)
    until(page, STANDS, FINDING)


def test_the_badge_says_healthy_in_shape_and_word_and_opens_the_panel(patient):
    badge = patient.locator("#health-badge")
    expect(badge).to_have_text("healthy")
    expect(badge).to_have_attribute("data-severity", "ok")
    assert badge.locator(".severity-mark").evaluate("mark => getComputedStyle(mark).clipPath") != (
        "none"
    )
    badge.focus()
    patient.keyboard.press("Enter")
    expect(patient.locator("#health")).to_be_visible()
    expect(badge).to_have_attribute("aria-expanded", "true")
    rules = patient.evaluate("window.t4dm.app.config.health.rules.length")
    assert rules >= 6
    expect(patient.locator(".health-say")).to_have_text(
        re.compile(rf"^Healthy: {rules} rules checked at t = [\d.]+ s\.$")
    )
    patient.keyboard.press("Escape")
    expect(patient.locator("#health")).to_be_hidden()
    expect(badge).to_be_focused()


def test_a_report_is_asked_for_only_when_its_mark_moved(patient):
    asked = []
    note = lambda r: asked.append(r.url) if "/spiking/health" in r.url else None
    patient.on("request", note)
    mark = patient.evaluate("window.t4dm.app.meta.health")
    now = patient.evaluate("window.t4dm.stats().sim_step")
    until(patient, "now => window.t4dm.stats().sim_step > now + 2500", now)
    assert patient.evaluate("window.t4dm.app.meta.health") == mark and asked == []
    fall_ill(patient)
    patient.remove_listener("request", note)
    assert patient.evaluate("window.t4dm.app.meta.health") != mark and asked


def test_a_finding_is_explained_and_its_remedy_mends_it_and_is_undone(patient):
    patient.keyboard.press("h")
    fall_ill(patient)
    expect(patient.locator("#health-badge")).to_have_text("1 warning")
    expect(patient.locator("#health-badge")).to_have_attribute("data-severity", "warning")
    found = patient.evaluate("window.t4dm.app.health.report.findings[0]")
    assert found["cause"]["code"] == "disabled"
    shown = card(patient)
    for text in (found["title"], "warning", found["rule"], found["cause"]["text"]):
        expect(shown).to_contain_text(text)
    remedy = found["remedies"][0]
    expect(shown).to_contain_text(remedy["expect"])
    expect(shown.locator("code").first).to_have_text("clear stdp.enabled")
    shown.get_by_role("button", name=f"Do it: {remedy['label']}").click()
    until(patient, "() => window.t4dm.app.params.values['stdp.enabled'] === true")
    expect(shown.locator(".finding-outcome")).to_contain_text("watching for 5 s simulated")
    expect(shown.locator(".finding-outcome")).to_contain_text(
        re.compile(r"it worked\. Cleared after [\d.]+ s simulated"), timeout=60_000
    )
    expect(shown).to_have_attribute("data-state", "cleared")
    expect(patient.locator(".finding-past .finding")).to_have_count(1)
    expect(patient.locator("#health-badge")).to_have_text("healthy")
    patient.keyboard.press("z")
    until(patient, "() => window.t4dm.app.params.values['stdp.enabled'] === false")


def test_a_remedy_that_does_not_last_says_so(patient):
    patient.keyboard.press("h")
    fall_ill(patient)
    card(patient).locator(".remedy-do").first.click()
    outcome = card(patient).locator(".finding-outcome")
    expect(outcome).to_contain_text("it worked")
    send(patient, BAD)
    expect(outcome).to_contain_text("is found again")


def test_a_remedy_is_judged_after_five_simulated_seconds(board):
    """Still there, cleared late, and, after a reset, not before the rules have their data."""
    outcomes = board.evaluate(
        """async () => {
            const {judged} = await import('/assets/js/health-trials.mjs');
            const trial = {id: 'x', epoch: 1, from_ms: 1000, outcome: 'watching', anew: false};
            const report = (t_ms, ids, epoch = 1, waiting = '') =>
                ({t_ms, epoch, waiting, findings: ids.map(id => ({id}))});
            const still = judged(trial, report(6000, ['x']));
            const late = judged(still, report(9000, ['y']), 8500);
            const reset = judged({...trial, resets: true}, report(700, [], 2, 'two rules wait'));
            return [judged(trial, report(5900, ['x'])).outcome, still.outcome, late.outcome,
                late.after_ms, reset.outcome, judged(reset, report(900, [], 2, 'wait')).outcome,
                judged(reset, report(2000, [], 2)).outcome];
        }"""
    )
    assert outcomes == ["watching", "still", "late", 7500, "watching", "watching", "cleared"]


def test_a_finding_that_is_held_is_neither_healed_nor_still_there(board):
    """Looks that cannot tell stretch the five seconds, and the page says what it waits for."""
    outcomes, text = board.evaluate(
        """async () => {
            const {judged, outcomeText} = await import('/assets/js/health-trials.mjs');
            let trial = {id: 'x', label: 'Put it back', epoch: 1, from_ms: 1000, t_ms: 1000,
                outcome: 'watching', anew: false};
            const outcomes = [];
            let text = '';
            for (const [t_ms, held] of [[2000, false], [5000, true], [9000, true], [12900, false],
                    [13000, true], [13200, false]]) {
                trial = judged(trial, {t_ms, epoch: 1, waiting: '', findings: [{id: 'x', held}]});
                outcomes.push(trial.outcome);
                if (t_ms === 9000) {
                    text = outcomeText({meta: {state: 'running', axis: 'sim_ms'}}, trial);
                }
            }
            const over = judged(trial, {t_ms: 14000, epoch: 1, waiting: '', findings: []}, 13900);
            return [[...outcomes, over.outcome, over.after_ms], text];
        }"""
    )
    watched = ["watching"] * 5
    assert outcomes == [*watched, "still", "late", 12_900]
    assert "Put it back: applied at" in text and "cannot tell" in text
    assert "waits until it can" in text


def test_a_finding_that_another_explains_is_not_called_healed(board):
    """Nor is it right after that other one went: its own rule looks first."""
    told = board.evaluate(
        """async () => {
            const {judged, outcomeText} = await import('/assets/js/health-trials.mjs');
            const app = {meta: {state: 'running', axis: 'sim_ms'}};
            let trial = {id: 'sparsity', label: 'Put it back', epoch: 1, from_ms: 1000, t_ms: 1000,
                outcome: 'watching', anew: false};
            const other = {id: 'not_firing', title: 'Not firing'};
            const explained = [{id: 'sparsity', explained_by: 'not_firing', why: '', since_ms: 1500}];
            const told = [];
            for (const [t_ms, ids, blind] of [[1400, [{id: 'sparsity'}], []], [2200, [other], explained],
                    [9000, [other], explained], [9500, [], []], [10100, [], []]]) {
                trial = judged(trial, {t_ms, epoch: 1, waiting: '', findings: ids, cannot_tell: blind},
                    2100);
                told.push([trial.outcome, outcomeText(app, trial)]);
            }
            return told;
        }"""
    )
    assert [outcome for outcome, _ in told] == (
        ["watching", "explained", "explained", "explained", "cleared"]
    )
    assert "now explained by Not firing" in told[1][1] and "it worked" not in told[1][1]
    assert "it worked" in told[4][1]


def test_a_remedy_is_no_success_while_its_own_rule_cannot_tell(board):
    """Neither after the finding that explained it is over, nor after a reset."""
    told = board.evaluate(
        """async () => {
            const {judged, outcomeText} = await import('/assets/js/health-trials.mjs');
            const blind = (by) => [{id: 'sparsity', explained_by: by, why: 'The stimulus rested.'}];
            const other = [{id: 'not_firing', title: 'Not firing'}];
            const begun = {id: 'sparsity', label: 'Put it back', epoch: 1, from_ms: 1000,
                t_ms: 1000, outcome: 'watching', anew: false};
            const told = [];
            const follow = (looks, resets = false) => {
                let trial = {...begun, resets};
                for (const [epoch, t_ms, findings, cannot_tell] of looks) {
                    const report = {t_ms, epoch, waiting: '', findings, cannot_tell};
                    trial = judged(trial, report, 2200);
                    const app = {meta: {state: 'running', axis: 'sim_ms'}, health: {report}};
                    told.push([trial.outcome, outcomeText(app, trial)]);
                }
            };
            follow([[1, 2200, other, blind('not_firing')], [1, 2600, [], blind(null)],
                [1, 8300, [], blind(null)], [1, 8400, [], []], [1, 9300, [], []]]);
            follow([[2, 2100, [], blind(null)], [2, 9000, [], blind(null)], [2, 9100, [], []]], true);
            return told;
        }"""
    )
    assert [outcome for outcome, _ in told] == (
        [*["explained"] * 4, "cleared", "watching", "watching", "cleared"]
    )
    for _, text in (told[2], told[6]):
        assert "The rule cannot tell at the moment. The stimulus rested." in text
        assert "it worked" not in text
    assert "was explained by Not firing, which is over" in told[2][1]


def test_an_event_says_by_what_its_finding_is_explained(board):
    told = board.evaluate(
        """async () => {
            const {eventText} = await import('/assets/js/marks/events.mjs');
            const over = {type: 'finding', id: 'sparsity', state: 'cleared'};
            return [eventText({...over, by: 'not_firing'}), eventText(over)];
        }"""
    )
    assert told == ["explained by not firing: sparsity", "cleared: sparsity"]


def test_what_another_finding_explains_is_listed_as_such(patient):
    """Sparsity, whose weakest remedy makes it worse: the network falls silent altogether."""
    send(patient, {"type": "reset"})
    patient.keyboard.press("h")
    send(patient, {"type": "preset", "name": "sparsity"})
    until(patient, STANDS, "sparsity")
    patient.evaluate(
        """async () => {
            const {app} = window.t4dm, {treat} = await import('/assets/js/health-trials.mjs');
            const finding = app.health.report.findings.find(one => one.id === 'sparsity');
            await treat(app, finding, {id: 'worse', label: 'Make it worse',
                commands: [{type: 'set', path: 'input.gain', value: 0}]});
        }"""
    )
    until(patient, STANDS, "not_firing")
    gone = patient.locator('#health .finding-past .finding[data-finding="sparsity"]')
    expect(gone.locator(".finding-grade")).to_have_text("explained")
    expect(gone.locator(".finding-where")).to_contain_text("explained by Not firing at")
    outcome = gone.locator(".finding-outcome")
    expect(outcome).to_contain_text("now explained by Not firing")
    expect(outcome).to_have_attribute("data-outcome", "explained")


def test_rules_that_cannot_tell_are_listed_with_why_and_since_when(patient):
    """From a fresh start: thresholds that fell while the network was silent saturate it for a while."""
    send(patient, {"type": "reset"})
    patient.keyboard.press("h")
    blind = patient.locator("#health .health-blind")
    expect(blind).to_be_hidden()
    send(
        patient,
        {"type": "set", "path": "stimulus.kind", "value": "pulse"},
        {"type": "set", "path": "stimulus.pulse_ms", "value": 50},
        {"type": "set", "path": "stimulus.period_ms", "value": 4000},
    )
    line = blind.locator('li[data-rule="not_firing"]')
    expect(line).to_contain_text(
        re.compile(
            r"^Not firing: cannot tell since t = [\d.]+ s\."
            r" The stimulus rested for [\d.]+ of the last [\d.]+ s: too little of it to judge by\.$"
        )
    )
    expect(patient.locator(".health-say")).to_contain_text("cannot tell")
    badge = patient.locator("#health-badge")
    expect(badge).to_have_text(re.compile(r"^[1-9]\d* rules cannot tell$"))
    expect(badge).to_have_attribute("data-severity", "waiting")
    expect(badge).to_have_attribute("title", re.compile("Not firing: cannot tell. The stimulus"))
    told = patient.evaluate("fetch('/spiking/health').then(answer => answer.json())")
    assert told["severity"] == "untold" and told["findings"] == []
    assert {"id", "title", "why", "explained_by", "since_step", "since_ms"} == set(
        next(one for one in told["cannot_tell"] if one["id"] == "not_firing")
    )
    send(patient, {"type": "clear", "path": "stimulus.kind"})
    expect(blind.locator('li[data-rule="not_firing"]')).to_have_count(0)
    expect(badge).to_have_text("healthy")


def test_a_list_of_commands_is_undone_at_once(board):
    board.evaluate(
        """async () => {
            const {together} = await import('/assets/js/api.mjs');
            await together([{type: 'set', path: 'lif.v_thresh', value: 1.4},
                {type: 'set', path: 'lif.beta', value: 0.7}], {label: 'both'});
        }"""
    )
    assert params(board)["non_default"] == {"lif.v_thresh": 1.4, "lif.beta": 0.7}
    board.keyboard.press("z")
    until(board, "() => Object.keys(window.t4dm.app.params.non_default).length === 0")
    board.keyboard.press("y")
    until(board, "() => window.t4dm.app.params.values['lif.beta'] === 0.7")
    assert params(board)["non_default"] == {"lif.v_thresh": 1.4, "lif.beta": 0.7}


def test_rows_are_marked_and_the_find_is_on_the_time_axis(patient):
    assert patient.evaluate("[...window.t4dm.app.scene().ailing()]") == []
    patient.evaluate("window.t4dm.app.setSpan(10000)")
    fall_ill(patient)
    groups = patient.evaluate("window.t4dm.app.health.report.findings[0].groups")
    until(patient, "() => window.t4dm.app.scene().ailing().size > 0")
    marked = patient.evaluate("[...window.t4dm.app.scene().ailing()]")
    assert marked == [[g, "warning"] for g in groups]
    until(patient, "() => window.t4dm.drawn('raster').ailing.size > 0")
    found = "e => e.type === 'finding' && e.state === 'found'"
    until(patient, f"() => window.t4dm.app.store.events.some({found})")
    text = patient.evaluate(
        f"""async () => (await import('/assets/js/marks/events.mjs'))
            .eventText(window.t4dm.app.store.events.findLast({found}))"""
    )
    assert text == "found: STDP not engaging"
    assert drawn(patient, "raster")["rows"] == 200


def test_a_finding_becomes_a_breakpoint_and_stops_the_run(patient):
    patient.keyboard.press("h")
    fall_ill(patient)
    stop = card(patient).locator(".finding-break")
    stop.click()
    expect(stop).to_have_attribute("aria-pressed", "true")
    points = "[...document.querySelectorAll('.break-list li span')].map(n => n.textContent)"
    until(patient, f"() => {points}.some(text => text.includes('finding: STDP not engaging'))")
    send(patient, {"type": "clear", "path": "stdp.enabled"})
    until(patient, HEALTHY)
    send(patient, BAD)
    until(patient, "() => window.t4dm.app.meta.state === 'paused'")
    assert FINDING in patient.evaluate("window.t4dm.app.meta.reason")
    stop.click()
    until(patient, "() => window.t4dm.app.meta.breakpoints.length === 0")


def test_a_preset_breaks_it_and_the_healthy_one_mends_it(patient):
    patient.keyboard.press("h")
    menu = patient.locator("#health-preset")
    names = menu.locator("option").evaluate_all("all => all.map(one => one.value)")
    assert names[0] == "healthy" and {"not_firing", "runaway", "membranes_diverging"} <= set(names)
    menu.select_option("neuromodulators_frozen")
    patient.locator("#health-preset-apply").click()
    until(patient, STANDS, "neuromodulators_frozen")
    assert params(patient)["non_default"] == {"neuromod.enabled": False}
    menu.select_option("healthy")
    patient.locator("#health-preset-apply").click()
    until(patient, HEALTHY)
    assert params(patient)["non_default"] == {}
    patient.keyboard.press("z")
    until(patient, "() => window.t4dm.app.params.non_default['neuromod.enabled'] === false")


def test_the_snapshot_carries_badge_and_findings(patient):
    fall_ill(patient)
    told = embedded(take(patient))["health"]
    assert (told["kind"], told["word"]) == ("warning", "1 warning")
    (finding,) = told["findings"]
    assert finding["id"] == FINDING and finding["cause"] == "disabled"
    assert finding["rule"] in told["texts"][0]
    head = patient.evaluate(
        """async texts => {
            const {drawPicture} = await import('/assets/js/picture.mjs');
            const drawn = [], proto = CanvasRenderingContext2D.prototype, fill = proto.fillText;
            proto.fillText = function (text, ...more) { drawn.push(text); fill.call(this, text, ...more); };
            drawPicture({panels: [], width: 900, height: 10, scale: 1}, {title: 't', badge: {kind: 'live', word: 'LIVE', shape: 'o'},
                health: {kind: 'warning', word: '1 warning'}, findings: texts, strip: '', note: '', footer: ''});
            proto.fillText = fill;
            return drawn.join(' ');
        }""",
        told["texts"],
    )
    assert "1 warning" in head and " ".join(told["texts"][0].split()) in head
    json.dumps(told)


def test_the_bar_holds_the_longest_word_at_1600_wide(board):
    board.evaluate(
        "document.querySelector('#health-badge .badge-word').textContent = '13 rules cannot tell'"
    )
    bar = board.evaluate("(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])(topbar)")
    assert bar[0] <= bar[1]

"""The controls act on the running model: exact numbers, sliders, overrides, undo, sets, two tabs."""

import math
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import open_tab, params, reset, send, until

V_THRESH = '[data-param="lif.v_thresh"]'
PARAMS = "fetch('/sessions/default/params').then(answer => answer.json())"


@pytest.fixture(scope="module")
def tab(browser, live_app):
    with open_tab(browser, live_app.url) as page:
        yield page


@pytest.fixture
def board(tab):
    """The live page with default parameters."""
    reset(tab)
    return tab


def wait_value(page, path, value):
    """Until the worker holds ``value`` (or the path is no override any more, for None)."""
    until(
        page,
        f"""async ([path, value]) => {{
            const {{values, overrides}} = await {PARAMS};
            return (overrides[path] ?? values[path] ?? null) === value;
        }}""",
        [path, value],
    )


def box(page, path):
    return page.locator(f'[data-param="{path}"]')


def message_of(page, path):
    return page.locator(f'.row:has([data-param="{path}"]) .row-message')


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
    wait_value(board, "lif.v_thresh", 1.25)
    row = board.locator(f".row:has({V_THRESH})")
    expect(row).to_have_class(re.compile("row-changed"))
    expect(board.locator(".strip-changed")).to_contain_text("lif.v_thresh 1.25 (1)")
    row.locator(".row-reset").click()
    wait_value(board, "lif.v_thresh", 1)
    expect(row).not_to_have_class(re.compile("row-changed"))
    expect(board.locator(".strip-changed")).to_have_text("all defaults")


def test_leaving_the_field_applies(board):
    box(board, "stdp.mu").fill("0.5")
    box(board, "stdp.mu").blur()
    wait_value(board, "stdp.mu", 0.5)


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
    wait_value(board, "stdp.window_pre_to_post", 20)


def test_arrows_step_and_shift_steps_ten(board):
    field = box(board, "lif.v_thresh")
    field.press("ArrowUp")
    wait_value(board, "lif.v_thresh", 1.01)
    field.press("Shift+ArrowDown")
    wait_value(board, "lif.v_thresh", 0.91)


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
    wait_value(board, "lif.v_thresh", 1)
    expect(box(board, "lif.v_thresh")).to_have_value("1")


def test_a_held_level_is_free_when_empty(board):
    field = box(board, "neuromod.DA")
    field.fill("0.9")
    field.press("Enter")
    wait_value(board, "neuromod.DA", 0.9)
    field.fill("")
    field.press("Enter")
    wait_value(board, "neuromod.DA", None)
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


def test_override_of_one_stage_is_shown_and_cleared(board):
    board.locator('.group[data-group="lif"] .scope-select').select_option("2.lif_in")
    path = "blocks.2.lif_in.v_thresh"
    box(board, path).fill("2")
    box(board, path).press("Enter")
    wait_value(board, path, 2)
    chip = board.locator('.group[data-group="lif"] .chip')
    expect(chip).to_contain_text("block 2 lif_in.v_thresh 2")
    board.locator('.group[data-group="lif"] .scope-select').select_option("")
    expect(box(board, "lif.v_thresh")).to_have_value("1")
    chip.locator(".chip-clear").click()
    wait_value(board, path, None)
    expect(chip).to_have_count(0)


def test_undo_of_a_first_override_clears_it(board):
    board.locator('.group[data-group="lif"] .scope-select').select_option("1.lif")
    path = "blocks.1.lif.alpha"
    box(board, path).fill("0.8")
    box(board, path).press("Enter")
    wait_value(board, path, 0.8)
    board.locator("#undo").click()
    wait_value(board, path, None)
    assert path not in params(board)["overrides"]
    board.locator("#redo").click()
    wait_value(board, path, 0.8)


def test_search_finds_rows_and_says_when_there_are_none(board):
    search = board.locator("#param-search")
    search.fill("homeostasis.theta")
    expect(box(board, "homeostasis.theta_max")).to_be_visible()
    expect(box(board, "lif.v_thresh")).to_be_hidden()
    search.fill("no such thing")
    expect(board.locator(".search-none")).to_be_visible()
    search.press("Escape")
    expect(box(board, "lif.v_thresh")).to_be_visible()


def test_a_change_from_elsewhere_shows_and_spares_the_field_being_typed_in(board):
    field = box(board, "lif.v_thresh")
    field.fill("1.7")
    send(
        board,
        {"type": "set", "path": "lif.v_thresh", "value": 1.3},
        {"type": "set", "path": "lif.beta", "value": 0.5},
        who="lab-script",
    )
    expect(box(board, "lif.beta")).to_have_value("0.5")
    expect(board.locator("#toasts")).to_contain_text("lab-script set lif.beta: 1 → 0.5")
    expect(field).to_have_value("1.7")
    field.press("Escape")
    expect(field).to_have_value("1.3")


def test_two_tabs_stay_in_step(board):
    other = board.context.new_page()
    other.goto("/")
    expect(box(other, "lif.alpha")).to_have_value("0.9")
    box(board, "lif.alpha").fill("0.85")
    box(board, "lif.alpha").press("Enter")
    other.bring_to_front()
    expect(box(other, "lif.alpha")).to_have_value("0.85")
    who = board.evaluate("window.t4dm.app.who")
    expect(other.locator("#toasts")).to_contain_text(f"{who} set lif.alpha: 0.9 → 0.85")
    expect(board.locator("#toasts")).not_to_contain_text("set lif.alpha")
    assert other.evaluate("window.t4dm.app.who") != who
    other.close()


def test_sets_are_saved_previewed_loaded_and_deleted(board):
    box(board, "lif.v_thresh").fill("1.4")
    box(board, "lif.v_thresh").press("Enter")
    wait_value(board, "lif.v_thresh", 1.4)
    board.locator("#open-sets").click()
    board.locator("#set-name").fill("high-one")
    board.locator('[data-set="save"]').click()
    line = board.locator('.set-list li[data-name="high-one"]')
    expect(line).to_be_visible()
    send(board, {"type": "replace", "values": {"stdp.mu": 0.3}})
    expect(box(board, "stdp.mu")).to_have_value("0.3")
    line.locator('[data-set="load"]').click()
    table = board.locator(".change-table")
    expect(table).to_contain_text("lif.v_thresh")
    expect(table).to_contain_text("stdp.mu")
    assert params(board)["values"]["stdp.mu"] == 0.3
    board.locator('[data-action="apply"]').click()
    wait_value(board, "lif.v_thresh", 1.4)
    wait_value(board, "stdp.mu", 0)
    line.locator('[data-set="delete"]').click()
    board.locator('[data-action="delete"]').click()
    expect(line).to_have_count(0)


def test_a_bad_set_name_is_explained(board):
    board.locator("#open-sets").click()
    board.locator("#set-name").fill("../etc")
    board.locator('[data-set="save"]').click()
    expect(board.locator("#sets-dialog .row-message")).to_contain_text("letters, digits")


def test_a_link_carries_the_set_and_asks_first(board):
    link = board.evaluate(
        """async () => (await import('/assets/js/share.mjs'))
            .asLink(location.href, {'lif.v_thresh': 1.6, 'stimulus.text': 'naïve <b>'}, null)"""
    )
    board.goto("about:blank")
    board.goto(link)
    dialog = board.locator("dialog[open]")
    expect(dialog).to_contain_text("lif.v_thresh")
    expect(dialog).to_contain_text("naïve <b>")
    assert params(board)["values"]["lif.v_thresh"] == 1
    dialog.locator('[data-action="apply"]').click()
    wait_value(board, "lif.v_thresh", 1.6)
    assert "#set=" not in board.url


@pytest.mark.parametrize("fragment", ["#set=!!!", "#set=AAAA", "#set=eyJ2YWx1ZXMiOjF9"])
def test_a_damaged_link_is_refused(board, fragment):
    board.goto("about:blank")
    board.goto(f"/{fragment}")
    expect(board.locator("#toasts")).to_contain_text("The link cannot be used")


def test_python_and_curl_do_what_the_set_does(board):
    """The copied Python, run as a script would run it, sets the very values."""
    values = {"lif.v_thresh": 1.15, "stdp.enabled": False, "stimulus.text": 'it\'s "q" é'}
    url = board.evaluate("location.origin")
    python, curl = board.evaluate(
        """async ([values, url]) => {
            const share = await import('/assets/js/share.mjs');
            return [share.asPython(url, 'default', values), share.asCurl(url, 'default', values)];
        }""",
        [values, url],
    )
    subprocess.run([sys.executable, "-c", python], check=True, capture_output=True)
    assert params(board)["non_default"] == values
    assert "'\\''" in curl and f"{url}/sessions/default/commands" in curl


def open_breakpoints(page):
    page.locator('.group[data-group="breakpoints"]').evaluate("group => { group.open = true; }")


def test_breakpoint_pauses_and_says_why(board):
    open_breakpoints(board)
    board.locator("#break-kind").select_option("rate")
    board.locator("#break-bound").fill("65")
    board.locator("#break-add").click()
    expect(board.locator("#state-badge")).to_have_attribute("data-state", "paused")
    expect(board.locator("#state-reason")).to_contain_text("above 65 Hz")
    points = board.locator(".break-list li")
    expect(points).to_have_count(1)
    points.locator("button").click()
    expect(points).to_have_count(0)


def test_a_breakpoint_without_a_number_is_refused(board):
    open_breakpoints(board)
    board.locator("#break-bound").fill("lots")
    board.locator("#break-add").click()
    expect(board.locator(".break-form .row-message")).to_contain_text(
        "expected a number from 0 to 1000 Hz per neuron, got lots"
    )


def test_run_pause_step_seed_and_speed(board):
    board.locator("#run-toggle").click()
    expect(board.locator("#state-badge")).to_have_attribute("data-state", "paused")
    health = "fetch('/healthz').then(answer => answer.json()).then(h => h.sessions.default)"
    until(board, f"async () => (await {health}).state === 'paused'")
    before = board.evaluate(health)["step"]
    board.locator('[data-step="10"]').click()
    until(board, f"async step => (await {health}).step === step", before + 10)
    board.locator("#seed").fill("7")
    board.locator("#reset").click()
    until(board, f"async () => (await {health}).step === 0")
    until(board, "() => window.t4dm.app.meta.seed === 7")
    board.locator("#seed").fill("many")
    board.locator("#reset").click()
    expect(board.locator(".bar-message")).to_contain_text("whole number")
    board.locator("#speed").select_option("2")
    until(board, f"async () => (await {health}).speed === 2")
    board.locator("#speed").select_option("1")
    board.locator("#seed").fill("0")
    board.locator("#seed").press("Enter")
    until(board, "() => window.t4dm.app.meta.seed === 0")


def test_a_csv_of_currents_becomes_the_stimulus(board):
    rows = "\n".join(",".join(["0.5"] * 64) for _ in range(20))
    board.set_input_files(
        "#stimulus-file",
        files=[{"name": "drive.csv", "mimeType": "text/csv", "buffer": rows.encode()}],
    )
    wait_value(board, "stimulus.kind", "file")
    assert params(board)["values"]["stimulus.file_id"]
    expect(board.locator("#toasts")).to_contain_text("now drives the network")


def test_theme_is_kept(board):
    scheme = "document.documentElement.dataset.mantineColorScheme"
    before = board.evaluate(scheme)
    board.locator("#theme").click()
    after = board.evaluate(scheme)
    assert {before, after} == {"light", "dark"}
    board.reload()
    expect(box(board, "lif.v_thresh")).to_be_visible()
    assert board.evaluate(scheme) == after


def _luminance(colour):
    channels = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast_and_size(board, scheme):
    """Every visible text of the page's own: at least 12 px and 4.5:1 on the ground behind it."""
    board.evaluate(f"document.documentElement.dataset.mantineColorScheme = '{scheme}'")
    board.wait_for_timeout(300)
    texts = board.evaluate(
        """() => {
            const ground = node => {
                for (; node; node = node.parentElement) {
                    const colour = getComputedStyle(node).backgroundColor;
                    if (!/, 0\\)$/.test(colour)) return colour;
                }
                return 'rgb(255, 255, 255)';
            };
            const own = node => [...node.childNodes].some(c => c.nodeType === 3 && c.data.trim());
            return [...document.querySelectorAll('#app *')]
                .filter(n => own(n) && n.offsetParent && !n.closest('.js-plotly-plot, .sr-only, :disabled, option, optgroup'))
                .map(n => ({text: n.textContent.trim().slice(0, 30), ink: getComputedStyle(n).color,
                    ground: ground(n), size: parseFloat(getComputedStyle(n).fontSize)}));
        }"""
    )
    assert len(texts) > 60
    for item in texts:
        light, dark = sorted(map(_luminance, (item["ink"], item["ground"])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, item
        assert item["size"] >= 12 and math.isfinite(item["size"]), item


def test_phone_has_the_controls_in_a_drawer(board):
    board.set_viewport_size({"width": 390, "height": 844})
    expect(box(board, "lif.v_thresh")).to_be_hidden()
    assert board.evaluate("document.documentElement.scrollWidth") <= 390
    board.locator(".drawer-open").click()
    expect(box(board, "lif.v_thresh")).to_be_visible()
    board.locator(".drawer-close").click()
    expect(box(board, "lif.v_thresh")).to_be_hidden()


def test_all_panels_and_controls_fit_at_1600_by_1000(board):
    assert board.evaluate("document.documentElement.scrollHeight") <= 1000
    for panel in board.locator("#board .panel").all():
        area = panel.bounding_box()
        assert area["y"] >= 0 and area["y"] + area["height"] <= 1000
        assert area["x"] + area["width"] <= 1600 and area["height"] > 90


def test_the_level_in_force_is_shown_live(board):
    field = box(board, "neuromod.5HT")
    field.fill("0.9")
    field.press("Enter")
    level = board.locator('.nt-card[data-nt="5HT"] .nt-level')
    expect(level).to_have_text("0.90")
    field.fill("")
    field.press("Enter")
    expect(level).not_to_have_text("0.90")


def test_an_effective_threshold_is_named_where_homeostasis_moves_it(board):
    send(
        board,
        {"type": "set", "path": "homeostasis.learning_rate", "value": 1.0},
        {"type": "set", "path": "homeostasis.target_rate", "value": 0.5},
    )
    expect(message_of(board, "lif.v_thresh")).to_contain_text("effective")

"""The first look: five live panels, and a control that empties the raster and fills it again."""

import pytest

from tests.browser.one_tab import until

PANELS = ["panel-raster", "panel-membrane", "panel-neuromod", "panel-weights", "panel-gate"]
STATS = "window.t4dm.stats()"


def type_number(page, path, text):
    box = page.locator(f'input[data-param="{path}"]').first
    box.fill(text)
    box.press("Enter")


def wait_for_value(page, path, value):
    """Until the worker has acknowledged ``path = value``."""
    until(
        page,
        """async ([path, value]) => {
            const answer = await fetch('/sessions/default/params');
            return (await answer.json()).values[path] === value;
        }""",
        [path, value],
    )


def spikes_after(page, skip, steps):
    """Spikes of all stages in ``steps`` simulated ms, ``skip`` ms from now, from the record's rates."""
    return page.evaluate(
        """async ([skip, steps]) => {
            const wire = await import('/assets/js/wire.mjs');
            const decode = async url => wire.decode(await (await fetch(url)).arrayBuffer());
            const start = window.t4dm.stats().sim_step + skip;
            while (window.t4dm.stats().sim_step < start + steps)
                await new Promise(done => setTimeout(done, 50));
            const url = `/sessions/default/window?from_ms=${start}&to_ms=${start + steps}`;
            const {arrays} = await decode(url);
            return arrays.rates.data.reduce((sum, n) => sum + n, 0);
        }""",
        [skip, steps],
    )


def test_five_panels_and_frames(board):
    for panel in PANELS:
        assert board.locator(f"#{panel}").is_visible(), panel
    before = board.evaluate(f"{STATS}.frames")
    until(board, f"n => {STATS}.frames > n + 10", before)
    stats = board.evaluate(STATS)
    assert set(stats) >= {"fps", "latency_ms", "frames", "dropped", "sim_step", "params_rev"}
    assert set(stats["latency_ms"]) >= {"p50", "p95"}


@pytest.mark.parametrize("path", ["lif.v_thresh", "stdp.tau_plus", "neuromod.DA"])
def test_parameters_have_their_input(board, path):
    assert board.locator(f'input[data-param="{path}"]').count() >= 1


def test_the_lif_group_is_open(board):
    assert board.locator('input[data-param="lif.v_thresh"]').first.is_visible()


def test_a_high_threshold_empties_the_raster_and_a_low_one_fills_it(board):
    usual = spikes_after(board, 0, 600)
    assert usual > 0
    type_number(board, "lif.v_thresh", "5")
    wait_for_value(board, "lif.v_thresh", 5)
    assert spikes_after(board, 400, 600) < 0.2 * usual
    type_number(board, "lif.v_thresh", "1")
    wait_for_value(board, "lif.v_thresh", 1)
    assert spikes_after(board, 400, 600) > 0.3 * usual


def test_the_picture_is_drawn(board):
    """Some canvas over the raster holds more than one colour."""
    until(
        board,
        """() => [...document.querySelectorAll('#panel-raster canvas')].some(canvas => {
            if (!canvas.width || !canvas.height) return false;
            const context = canvas.getContext('2d');
            const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let i = 0; i < pixels.length; i += 4)
                seen.add(pixels[i] << 24 | pixels[i + 1] << 16 | pixels[i + 2] << 8 | pixels[i + 3]);
            return seen.size > 2;
        })""",
    )


def test_one_instance_of_the_page_script(board):
    assert board.evaluate("window.t4dm.instances") == 1


def test_plotly_is_fetched_once_and_ahead(fresh):
    """The page's hint and the later request of Dash name the same file."""
    found = fresh.evaluate(
        """() => performance.getEntriesByType('resource').filter(e => e.name.includes('plotly.min'))
            .map(e => e.initiatorType)"""
    )
    assert found == ["link"]

"""A script of one's own on the page: it appears, is shown, is touched, and has ended."""

import threading

import pytest
import torch
from playwright.sync_api import expect
from torch import Tensor, nn

import t4dm.live
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron
from tests.browser.one_tab import open_tab, until


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif = nn.Linear(6, 40), LIFNeuron(40)

    def forward(self, x: Tensor) -> Tensor:
        u = None
        for _ in range(20):
            spikes, u = self.lif(self.fc(x), u)
        return spikes


@pytest.fixture
def script(live_app, monkeypatch):
    """A watched module that is called ten times a second; ``stop()`` ends it."""
    monkeypatch.setenv("T4DM_RUN_DIR", str(live_app.run_dir))
    net, x, end = Net(), torch.rand(2, 6) * 4, threading.Event()
    threshold = {"v_thresh": param(1.0, 0.1, 5.0, help="Threshold.")}
    handle = t4dm.live.watch(net, "mine", params=threshold)

    def run():
        while not end.wait(0.1):
            net(x)

    thread = threading.Thread(target=run)
    thread.start()

    def stop():
        end.set()
        thread.join()
        handle.close()

    net.stop = stop
    yield net
    stop()


def test_a_script_appears_is_touched_and_ends_without_a_reload(browser, live_app, script):
    with open_tab(browser, live_app.url) as page:
        expect(page).to_have_title("default · t4dm")
        picker = page.locator("#session-picker")
        expect(picker).to_be_visible()
        expect(picker.locator("option")).to_have_text(["default", "mine"])
        picker.select_option("mine")
        page.wait_for_url("**/?session=mine")
        expect(page).to_have_title("mine · t4dm")
        until(page, "() => window.t4dm?.drawn?.('raster')?.ticks > 0")
        assert page.evaluate("() => Object.keys(window.t4dm.drawn('raster').per_group)") == ["0"]
        expect(page.locator("#panel-gate .panel-foot")).to_have_text(
            "this session publishes no thalamic gate"
        )
        expect(page.locator("#sim-time")).to_contain_text("step ")
        expect(page.locator("#run-toggle")).to_be_disabled()
        assert "did not allow" in page.locator("#run-toggle").get_attribute("title")
        box = page.locator('[data-param="script.v_thresh"]').first
        box.fill("4")
        box.press("Enter")
        until(page, "() => window.t4dm.app.params?.values['script.v_thresh'] === 4")
        assert script.lif.v_thresh == 4.0
        script.stop()
        expect(page.locator("#state-badge")).to_contain_text("ENDED")
        expect(page.locator("#timeline")).to_contain_text("its last window stays")
        expect(picker.locator("option").nth(1)).to_have_text("mine (ended)")

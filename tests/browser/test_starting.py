"""The page before there is a worker: it says what happens, logs no error, and comes alive by itself."""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until
from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
WHY = "worker starting: the first start compiles the kernels and calibrates the network"
WEB = ["-m", "gunicorn", "-c", "dashboard/gunicorn_conf.py", "dashboard.server:server"]
WORKER = ["-m", "t4dm.live.worker", "--fresh", "--engine", "tests.toy_engine:ToyEngine"]


@pytest.fixture
def web_alone():
    """The web process without a worker: its address and the environment of a worker for it."""
    folder = Path(tempfile.mkdtemp(prefix="t4dm-"))  # short: socket paths have a limit
    port = free_port()
    env = os.environ | {"PORT": str(port), "T4DM_HOST": "127.0.0.1"}
    env |= {"T4DM_RUN_DIR": str(folder / "run"), "T4DM_DATA_DIR": str(folder / "data")}
    web = subprocess.Popen([sys.executable, *WEB], cwd=ROOT, env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(url, web), "an answer of the web process")
        yield url, env
    finally:
        _end(web)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url, web):
    assert web.poll() is None, "the web process ended"
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=30).close()
    except OSError:
        return False
    return True


def _end(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_the_page_explains_a_worker_that_starts_and_then_comes_alive(browser, web_alone):
    url, env = web_alone
    with browser.new_context(base_url=url) as context:
        tab = context.new_page()
        said = []
        tab.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto("/")
        expect(tab.locator("#state-reason")).to_have_text(WHY)
        expect(tab.locator("#state-badge")).to_contain_text("STARTING")
        expect(tab.locator(".tl-badge")).to_contain_text(WHY)
        expect(tab.locator("#panel-raster .panel-foot")).to_have_text(WHY)
        expect(tab.locator("#run-toggle")).to_be_disabled()
        tab.wait_for_timeout(1500)
        assert said == []
        worker = subprocess.Popen([sys.executable, *WORKER], cwd=ROOT, env=env)
        try:
            until(tab, "() => window.t4dm.drawn('raster')?.ticks > 0")
            expect(tab.locator('[data-param="lif.v_thresh"]')).to_be_enabled()
            expect(tab.locator("#run-toggle")).to_be_enabled()
            expect(tab.locator("#state-reason")).to_have_text("")
            assert said == []
        finally:
            _end(worker)


def test_while_the_worker_restarts_the_page_says_so_and_asks_nothing_of_it(browser, web_alone):
    url, env = web_alone
    worker = subprocess.Popen([sys.executable, *WORKER], cwd=ROOT, env=env)
    try:
        with browser.new_context(base_url=url) as context:
            tab = context.new_page()
            said = []
            tab.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
            tab.goto("/")
            until(tab, "() => window.t4dm?.app.params && window.t4dm.app.manifest")
            until(tab, "() => window.t4dm.app.status === 'live'")
            said.clear()
            worker.kill()
            worker.wait()
            until(tab, "() => window.t4dm.app.meta.worker.age_s > 0.7")
            tab.evaluate("window.t4dm.app.params.rev = -1")
            expect(tab.locator("#state-reason")).to_have_text("the worker is restarting")
            tab.wait_for_timeout(1500)
            worker = subprocess.Popen([sys.executable, *WORKER], cwd=ROOT, env=env)
            until(tab, "() => window.t4dm.app.status === 'live'")
            until(tab, "() => window.t4dm.app.params.rev !== -1")
            assert said == []
    finally:
        _end(worker)


def test_a_refusal_of_the_stream_is_told_from_no_answer(browser, web_alone):
    url, _ = web_alone
    with browser.new_context(base_url=url) as context:
        tab = context.new_page()
        tab.route("**/frames?*", lambda route: route.fulfill(status=503, body="{}"))
        tab.goto("/")
        expect(tab.locator("#state-reason")).to_have_text("the worker is restarting")
        tab.route("**/frames?*", lambda route: route.abort())
        expect(tab.locator("#state-reason")).to_have_text("no answer from the server")


def test_a_server_that_falls_silent_during_the_start_is_not_called_a_start(browser, web_alone):
    url, _ = web_alone
    with browser.new_context(base_url=url) as context:
        tab = context.new_page()
        tab.goto("/")
        expect(tab.locator("#state-reason")).to_have_text(WHY)
        tab.route("**/frames?*", lambda route: route.abort())
        expect(tab.locator("#state-reason")).to_have_text("no answer from the server")

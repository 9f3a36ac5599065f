"""What there is to say of the session's files: a disk that takes nothing, a file not used, a replay."""

import json
import struct

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until

UNSAVED = "not kept since 12:00:00: No space left on device"
UNUSED = "checkpoint checkpoint-00000007.t4c was not used: its hash differs"
REPLAY = "bringing the run back to step 5000: 1200 is reached, about 3 s to go"


def changed(body, change):
    """A frame whose meta ``change`` has altered; the arrays stay where they are, behind the header."""
    length = struct.unpack_from("<I", body, 4)[0]
    header = json.loads(body[8 : 8 + length])
    change(header["meta"])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return body[:4] + struct.pack("<I", len(text)) + text + body[8 + length :]


@pytest.fixture
def told(board):
    """A tab whose frames say what the test wants: ``told["change"]`` alters the meta of each."""
    held = {"change": lambda meta: None, "page": board}

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, body=changed(response.body(), lambda m: held["change"](m)))

    board.route("**/frames?*", answer)
    yield held
    board.unroute_all(behavior="ignoreErrors")


def test_a_disk_that_takes_nothing_is_said_for_as_long_as_it_does(told):
    line = told["page"].locator("#files-trouble")
    expect(line).to_be_hidden()
    told["change"] = lambda meta: meta.update(files=[UNSAVED])
    expect(line).to_be_visible()
    expect(line).to_have_text(UNSAVED)
    expect(line).to_have_attribute("role", "alert")
    expect(told["page"].locator("#toasts .toast", has_text=UNSAVED)).to_have_count(1)
    told["change"] = lambda meta: None
    expect(line).to_be_hidden()


def test_a_file_that_was_not_used_is_told_once(told):
    told["change"] = lambda meta: meta.update(files=[UNUSED])
    page = told["page"]
    toasts = page.locator("#toasts .toast", has_text=UNUSED)
    expect(toasts).to_have_count(1)
    step = page.evaluate("window.t4dm.stats().sim_step")
    until(page, "n => window.t4dm.stats().sim_step > n + 200", step)
    assert page.evaluate("text => document.body.textContent.split(text).length - 1", UNUSED) <= 1
    expect(page.locator("#files-trouble")).to_be_hidden()


def test_a_replay_says_how_far_it_is(told):
    def replaying(meta):
        gone = {"alive": False, "message": REPLAY, "age_s": 2.0, "pid": None, "restarts": 1}
        meta.update(kind="status", state="starting", worker=gone)

    told["change"] = replaying
    expect(told["page"].locator(".tl-badge")).to_contain_text("bringing the run back to step 5000")

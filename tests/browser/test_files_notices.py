"""What there is to say of the session's files: a disk that takes nothing, a file not used, a replay."""

import json
import struct

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import until
from tests.browser.run_tab import Sessions

UNSAVED = "not kept since 12:00:00: No space left on device"
UNUSED = (
    "checkpoint checkpoint-00000007.t4c was not used: its hash differs; "
    "checkpoint-00000006.t4c, from before it, is in use"
)
PHONE = {"width": 390, "height": 844}
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
    board.route("**/frames?*", answering(held))
    yield held
    board.unroute_all(behavior="ignoreErrors")


def answering(held):
    """A route that answers as the server does, with the meta altered by ``held["change"]``."""

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, body=changed(response.body(), lambda m: held["change"](m)))

    return answer


def unsaved(meta):
    meta.update(files=[UNSAVED])


def expect_in_view(line):
    """Between top and bottom of the window, and nothing lies over it."""
    expect(line).to_be_in_viewport(ratio=1)
    assert line.evaluate("""node => {
        const { left, top, width, height } = node.getBoundingClientRect();
        return node.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    }""")


def test_a_disk_that_takes_nothing_is_said_for_as_long_as_it_does(told):
    line = told["page"].locator("#files-trouble")
    expect(line).to_be_hidden()
    told["change"] = unsaved
    expect(line).to_be_visible()
    expect(line).to_have_text(UNSAVED)
    expect(line).to_have_attribute("role", "alert")
    told["change"] = lambda meta: None
    expect(line).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, {"width": 1600, "height": 1000}], ids=["390", "1600"])
def test_a_disk_that_takes_nothing_is_in_view_wherever_one_has_scrolled_to(told, size):
    page = told["page"]
    page.set_viewport_size(size)
    told["change"] = unsaved
    line = page.locator("#files-trouble")
    expect_in_view(line)
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect_in_view(line)


def test_a_file_that_was_not_used_is_told_until_it_is_dismissed(told):
    told["change"] = lambda meta: meta.update(files=[UNUSED])
    page = told["page"]
    said = page.locator("#notices .notice", has_text=UNUSED)
    expect(said).to_have_count(1)
    step = page.evaluate("window.t4dm.stats().sim_step")
    until(page, "n => window.t4dm.stats().sim_step > n + 200", step)
    expect(said).to_have_count(1)
    expect(page.locator("#files-trouble")).to_be_hidden()
    page.reload()
    said.get_by_role("button", name="Dismiss").click()
    expect(said).to_have_count(0)
    page.reload()
    until(
        page,
        "window.t4dm?.app.meta?.files?.length === 1 && Boolean(document.querySelector('#sim-time')?.value)",
    )
    expect(said).to_have_count(0)


@pytest.mark.parametrize(
    ("kind", "path", "run"), [("training", "/training", "tiny"), ("arena", "/memory", None)]
)
def test_other_pages_say_what_their_session_cannot_keep(browser, live_app, kind, path, run):
    page = browser.new_page(base_url=live_app.url, viewport=PHONE)
    sessions, held = Sessions(page), {"change": lambda meta: None}
    name = sessions.begin(kind=kind, run=run, params={})
    page.route("**/records?*", answering(held))
    page.goto(f"{path}?session={name}")
    line = page.locator("#files-trouble")
    expect(line).to_be_hidden()
    held["change"] = unsaved
    expect(line).to_have_text(UNSAVED)
    expect_in_view(line)
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    live_app.ask("DELETE", f"/sessions/{name}")


def test_a_replay_says_how_far_it_is(told):
    def replaying(meta):
        gone = {"alive": False, "message": REPLAY, "age_s": 2.0, "pid": None, "restarts": 1}
        meta.update(kind="status", state="starting", worker=gone)

    told["change"] = replaying
    expect(told["page"].locator(".tl-badge")).to_contain_text("bringing the run back to step 5000")

"""What the copy buttons put on the clipboard: the set as link, Python, curl; the snapshot's picture."""

import ast
import base64
import json
import re
import shlex

import pytest

from tests.browser.one_tab import send, until, wait_toast

VALUES = {"lif.v_thresh": 1.3}


@pytest.fixture
def board(board, live_app):
    """The page with one changed parameter and leave to use the clipboard."""
    board.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_app.url)
    send(board, {"type": "replace", "values": VALUES})
    until(board, "() => window.t4dm.app.params.non_default['lif.v_thresh'] === 1.3")
    return board


def from_link(text):
    found = re.search(r"#set=([\w-]+)$", text)[1]
    return json.loads(base64.urlsafe_b64decode(found + "=" * (-len(found) % 4)))["values"]


def from_python(text):
    return ast.literal_eval(re.search(r"values = (\{.*?\n\})", text, re.DOTALL)[1])


def from_curl(text):
    words = shlex.split(text, comments=True)
    assert words[0] == "curl" and words[-1].endswith("/sessions/default/commands")
    return json.loads(words[words.index("-d") + 1])["values"]


@pytest.mark.parametrize(
    ("name", "read"), [("link", from_link), ("Python", from_python), ("curl", from_curl)]
)
def test_the_set_is_copied(board, name, read):
    board.locator("#open-sets").click()
    board.locator(f'[data-copy="{name.lower()}"]').click()
    wait_toast(board, f"Copied as {name}.")
    assert read(board.evaluate("navigator.clipboard.readText()")) == VALUES


@pytest.mark.parametrize("name", ["Python", "curl"])
def test_the_seed_is_an_optional_line_of_its_own(board, name):
    board.locator("#open-sets").click()
    board.locator(f'[data-copy="{name.lower()}"]').click()
    wait_toast(board, f"Copied as {name}.")
    lines = board.evaluate("navigator.clipboard.readText()").splitlines()
    (line,) = [line for line in lines if "reset" in line]
    seed = board.evaluate("window.t4dm.app.meta.seed")
    assert line.startswith("# ") and f'"seed":{seed}' in line.replace(" ", "")


def test_the_picture_of_the_snapshot_is_copied(board):
    board.keyboard.press("s")
    board.locator('#snapshot-dialog [data-action="copy"]').click()
    wait_toast(board, "Picture copied.")
    width, height = board.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const picture = await createImageBitmap(await item.getType('image/png'));
            return [picture.width, picture.height];
        }"""
    )
    assert width > 1200 and height > 800
    board.keyboard.press("Escape")

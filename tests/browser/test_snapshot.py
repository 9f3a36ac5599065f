"""The snapshot: one PNG of the board that says what it is and can be opened again."""

import base64
import json
import struct
import time
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.one_tab import params, send, until

PAD, TITLE = 16, 74  # around the board, and the height of title and parameters above it
META = "(({seed, epoch}) => ({seed, epoch}))(window.t4dm.app.meta)"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def chunks(png):
    """(kind, data) of every chunk; fails on a bad CRC."""
    assert png.startswith(SIGNATURE)
    at, found = 8, []
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        body = png[at + 4 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (zlib.crc32(body),)
        found.append((body[:4], body[4:]))
        at += 12 + size
    return found


def embedded(png):
    """The manifest inside a picture."""
    texts = [data for kind, data in chunks(png) if kind == b"iTXt"]
    (text,) = [data for data in texts if data.startswith(b"t4dm\0")]
    return json.loads(text[len(b"t4dm\0\0\0\0\0") :])


def png_with(text):
    """A smallest PNG that carries ``text`` as the page's own would."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    note = chunk(b"iTXt", b"t4dm\0\0\0\0\0" + text.encode())
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return SIGNATURE + header + note + pixels + chunk(b"IEND", b"")


def manifest(**more):
    base = {"format": "t4dm-snapshot", "format_version": 1, "parameters": {}, "seed": None}
    return json.dumps(base | more)


def drop(page, name, data):
    """Drop a file of these bytes on the page."""
    page.evaluate(
        """([name, text]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
            for (const type of ['dragover', 'drop'])
                document.body.dispatchEvent(
                    new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: transfer}));
        }""",
        [name, base64.b64encode(data).decode()],
    )


def take(page, note=""):
    """Press S, write the note, save; returns the PNG's bytes."""
    page.keyboard.press("s")
    page.locator("#snapshot-dialog").wait_for()
    if note:
        page.locator("#snapshot-note").fill(note)
    with page.expect_download() as download:
        page.locator('#snapshot-dialog [data-action="png"]').click()
    page.keyboard.press("Escape")
    expect(page.locator("#snapshot-dialog")).to_have_count(0)
    return Path(download.value.path()).read_bytes()


def test_the_manifest_says_all_that_the_picture_must(board):
    send(board, {"type": "set", "path": "lif.v_thresh", "value": 1.2})
    until(board, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1.2")
    found = embedded(take(board, "threshold up, \u2192 fewer spikes"))
    assert found["parameters"] == {"lif.v_thresh": 1.2}
    assert found["note"] == "threshold up, \u2192 fewer spikes"
    assert found["config_digest"] == params(board)["digest"]
    wanted = {"version", "commit", "seed", "dt_ms", "t_ms", "step", "utc", "session", "id", "state"}
    assert wanted <= set(found) and found["t_ms"] > 0 and found["state"]["word"] == "LIVE"


def test_injections_in_view_are_in_the_manifest(board):
    send(board, {"type": "inject", "nt": "DA", "level": 0.3})
    until(board, "() => window.t4dm.app.store.events.some(e => e.type === 'inject')")
    (given,) = embedded(take(board))["given"]
    assert given.startswith("DA +0.3 @ ") and given.endswith(" s")


def test_the_picture_shows_every_panel(board):
    png = take(board)
    width, height = struct.unpack(">II", png[16:24])
    areas = [panel.bounding_box() for panel in board.locator("#board .panel").all()]
    left, top = min(a["x"] for a in areas), min(a["y"] for a in areas)
    across = max(a["x"] + a["width"] for a in areas) - left
    down = max(a["y"] + a["height"] for a in areas) - top
    scale = width / (across + 2 * PAD)
    assert scale >= 1 and height > scale * (down + TITLE)
    boxes = [[a["x"] - left + PAD, a["y"] - top + TITLE, a["width"], a["height"]] for a in areas]
    colours = board.evaluate(
        """async ([text, boxes]) => {
            const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
            const picture = await createImageBitmap(new Blob([bytes]));
            const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
            context.drawImage(picture, 0, 0);
            return boxes.map(box => {
                const {data} = context.getImageData(...box);
                const seen = new Set();
                for (let i = 0; i < data.length; i += 4)
                    seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
                return seen.size;
            });
        }""",
        [base64.b64encode(png).decode(), [[round(scale * side) for side in box] for box in boxes]],
    )
    assert all(count > 8 for count in colours), colours


def test_it_works_without_the_network_once_the_page_is_there(board):
    """Panels, texts and PNG are made in the browser: nothing but parameters is asked for.

    Frames and the list of sessions go on being asked for, as always.
    """
    asked = []
    board.on("request", lambda request: asked.append(request.url))
    started = time.monotonic()
    board.locator("#snapshot").click()
    board.locator("#snapshot-dialog").wait_for()
    print(f"snapshot after {time.monotonic() - started:.2f} s")
    board.keyboard.press("Escape")
    others = [url for url in asked if not url.startswith("blob:") and not url.startswith("data:")]
    usual = [url for url in others if "/frames?" in url or url.endswith("/sessions")]
    more = [url for url in others if url not in usual]
    assert all(url.endswith("/params") for url in more), more


def test_the_json_is_the_embedded_manifest(board):
    board.keyboard.press("s")
    with board.expect_download() as download:
        board.locator('[data-action="json"]').click()
    beside = json.loads(Path(download.value.path()).read_text())
    with board.expect_download() as download:
        board.locator('[data-action="png"]').click()
    assert embedded(Path(download.value.path()).read_bytes()) == beside
    board.keyboard.press("Escape")


def test_a_dropped_snapshot_restores_parameters_and_seed(board):
    send(
        board,
        {"type": "reset", "seed": 11},
        {"type": "set", "path": "lif.v_thresh", "value": 1.45},
        {"type": "set", "path": "blocks.3.lif_out.beta", "value": 0.7},
    )
    until(
        board,
        "() => window.t4dm.app.meta.seed === 11 && window.t4dm.app.params.values['lif.v_thresh'] === 1.45",
    )
    png = take(board, "<img src=x onerror=alert(1)>")
    send(board, {"type": "replace", "values": {"stdp.mu": 0.2}}, {"type": "reset", "seed": 5})
    until(
        board,
        "() => window.t4dm.app.meta.seed === 5 && window.t4dm.app.params.values['stdp.mu'] === 0.2",
    )
    drop(board, "board.png", png)
    dialog = board.locator("dialog[open]")
    for text in ("lif.v_thresh", "block 3 lif_out.beta", "stdp.mu", "11 after", "<img src=x"):
        expect(dialog).to_contain_text(text)
    assert params(board)["values"]["stdp.mu"] == 0.2
    dialog.locator('[data-action="apply"]').click()
    until(board, "() => window.t4dm.app.meta.seed === 11")
    assert params(board)["non_default"] == {"lif.v_thresh": 1.45, "blocks.3.lif_out.beta": 0.7}
    send(board, {"type": "reset", "seed": 0})


def test_values_alone_leave_seed_and_run_as_they_are(board):
    before = board.evaluate(META)
    drop(board, "a.json", manifest(parameters={"lif.v_thresh": 1.35}, seed=77).encode())
    board.locator('dialog[open] [data-action="values"]').click()
    until(board, "() => window.t4dm.app.params.values['lif.v_thresh'] === 1.35")
    frames = board.evaluate("window.t4dm.stats().frames")
    until(board, "n => window.t4dm.stats().frames > n + 5", frames)
    assert board.evaluate(META) == before


def test_a_snapshot_out_of_range_is_refused_with_the_range(board):
    rev = params(board)["rev"]
    drop(board, "a.json", manifest(parameters={"lif.v_thresh": 30.0}).encode())
    board.locator('dialog[open] [data-action="apply"]').click()
    expect(board.locator(".toast-error")).to_contain_text(
        "lif.v_thresh: expected a number from 0.05 to 10"
    )
    assert params(board)["rev"] == rev


def test_cancel_changes_nothing(board):
    rev = params(board)["rev"]
    drop(board, "a.json", manifest(parameters={"lif.v_thresh": 3.0}, seed=3).encode())
    board.locator('dialog[open] [data-action="null"]').click()
    assert params(board)["rev"] == rev


GOOD = png_with(manifest(parameters={"lif.v_thresh": 2.0}))
HOSTILE = {
    "empty.png": (b"", "neither PNG nor JSON|JSON is damaged"),
    "text.png": (b"\x89PN not a picture", "not a PNG"),
    "cut.png": (GOOD[:60], "ends in the middle"),
    "crc.png": (GOOD.replace(b"v_thresh", b"v_thrush"), "part is damaged"),
    "length.png": (SIGNATURE + b"\xff\xff\xff\xffIHDR", "ends in the middle"),
    "plain.png": (SIGNATURE + chunk(b"IEND", b""), "carries no t4dm snapshot"),
    "json.png": (png_with("{nope"), "JSON is damaged"),
    "other.json": (b'{"a": 1}', "no t4dm snapshot"),
    "null.json": (b"null", "no t4dm snapshot"),
    "deep.json": (b"[" * 50_000, "JSON is damaged"),
    "bytes.json": (b"\xff\xfe\x00", "neither PNG nor JSON"),
    "list.json": (manifest(parameters=[1]).encode(), "holds no parameters"),
    "proto.json": (
        b'{"format":"t4dm-snapshot","format_version":1,"parameters":{"__proto__":1}}',
        "no parameter name",
    ),
    "object.json": (manifest(parameters={"lif.v_thresh": {"a": 1}}).encode(), "no number"),
    "huge.json": (
        manifest(parameters={"lif.v_thresh": 1}).replace(": 1}", ": 1e999}").encode(),
        "no number",
    ),
    "seed.json": (manifest(seed=-1).encode(), "seed is not a whole number"),
    "new.json": (manifest(format_version=9).encode(), "newer version"),
    "page.html": (b"<script>alert(1)</script>", "only PNG, JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(board, name):
    data, reason = HOSTILE[name]
    rev = params(board)["rev"]
    drop(board, name, data)
    toast = board.locator(".toast-error")
    expect(toast).to_be_visible()
    assert any(part in toast.inner_text() for part in reason.split("|")), toast.inner_text()
    expect(board.locator("dialog[open]")).to_have_count(0)
    assert params(board)["rev"] == rev


def test_unknown_parameters_are_named_before_anything_is_sent(board):
    drop(board, "x.json", manifest(parameters={"lif.nothing": 1}).encode())
    dialog = board.locator("dialog[open]")
    expect(dialog).to_contain_text("lif.nothing")
    expect(dialog).to_contain_text("unknown here")
    board.keyboard.press("Escape")


def test_a_snapshot_of_another_step_says_that_the_run_will_be_another(board):
    drop(board, "half.json", manifest(parameters={"lif.v_thresh": 1.35}, dt_ms=0.5).encode())
    dialog = board.locator("dialog[open]")
    expect(dialog).to_contain_text("made in steps of 0.5 ms; those of this session last 1 ms")
    board.keyboard.press("Escape")
    drop(board, "one.json", manifest(parameters={"lif.v_thresh": 1.35}, dt_ms=1).encode())
    expect(dialog).to_contain_text("lif.v_thresh")
    expect(dialog).not_to_contain_text("made in steps")
    board.keyboard.press("Escape")

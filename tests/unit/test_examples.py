"""The examples: each runs, writes its picture, and the committed one still shows the same data."""

from __future__ import annotations

import json
import runpy
import struct
import sys
import zlib
from pathlib import Path

import kaleido
import pytest

from t4dm.live import paths

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("one_neuron", "raster", "stdp_window", "neuromodulated_learning", "watch_your_own_model",
         "trace_a_qwen_block", "mend_over_http")  # fmt: skip
OVER_HTTP = ("mend_over_http",)  # which need a running program


@pytest.fixture(scope="module")
def browser():
    """One browser draws all pictures."""
    kaleido.start_sync_server(silence_warnings=True)
    yield
    kaleido.stop_sync_server(silence_warnings=True)


@pytest.fixture
def ran(browser, request, tmp_path, monkeypatch, tmp_path_factory):
    """The folder into which the example of that name wrote."""
    name = request.param
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    run = tmp_path_factory.mktemp("x")
    monkeypatch.setenv("T4DM_RUN_DIR", str(run))
    monkeypatch.setattr(paths, "SHARED_MEMORY", run / "none")
    address = [request.getfixturevalue("live_app").url] if name in OVER_HTTP else []
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path), *address])
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    return tmp_path, name


def pixels(path: Path) -> tuple[int, int, int]:
    """Width, height and the number of different byte values in the picture of a PNG file."""
    data, at, packed = path.read_bytes(), 8, b""
    width, height = struct.unpack(">II", data[16:24])
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    return width, height, len(set(zlib.decompress(packed)))


@pytest.mark.parametrize("ran", NAMES, indirect=True)
def test_an_example_draws_what_the_docs_show(ran):
    folder, name = ran
    width, height, values = pixels(folder / f"{name}.png")
    assert (width, height) == (1650, 780) and values > 40, "an empty picture"
    drawn = json.loads((folder / f"{name}.json").read_text())
    shown = json.loads((ROOT / "docs" / "img" / f"{name}.json").read_text())
    tolerance = 0.25 if name == "watch_your_own_model" else 0.02  # training rounds differently
    assert len(drawn) == len(shown)
    for now, then in zip(drawn.values(), shown.values(), strict=True):
        assert now == pytest.approx(then, rel=tolerance, abs=0.05)
    assert sum(trace[0] for trace in drawn.values()) > 50


def test_every_picture_is_on_its_page_and_every_example_short():
    page = (ROOT / "docs" / "examples.md").read_text()
    for name in NAMES:
        assert f"img/{name}.png" in page and f"`{name}.py`" in page
        assert (ROOT / "docs" / "img" / f"{name}.png").stat().st_size > 10_000
        assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) <= 60

"""What a window's picture needs from before: samples of the weights, the stimulus shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t4dm.live.lead import LEAD_MS, with_lead
from t4dm.live.merge import merge
from t4dm.live.ring_reader import RingReader
from t4dm.live.ring_writer import RingWriter
from t4dm.live.segment import HIST_EVERY, MATRIX_EVERY, Segment, grid
from t4dm.live.view import View
from t4dm.live.window import Window

PART = 50


def segment(step0: int, step1: int, events: list[dict[str, Any]], epoch: int = 1) -> Segment:
    """Two stages of two neurons; each sample of the weights counts its own step."""
    steps, hists = step1 - step0, grid(step0, step1, HIST_EVERY)
    tg, samples = len(grid(step0, step1, 4)), len(hists)
    counts = np.zeros((samples, 1, 64), "<u4")
    counts[:, 0, 0] = hists
    return Segment(
        step0=step0, step1=step1, epoch=epoch,
        spk_n=np.zeros(steps, "<u2"), spk_id=np.zeros(0, "<u2"), rates=np.zeros((steps, 2), "<u2"),
        u=np.zeros((steps, 1), "<f4"), theta=np.ones((steps, 2), "<f4"),
        levels=np.zeros((steps, 4), "<f4"), gains=np.ones((steps, 5), "<f4"),
        gate=np.zeros((tg, 1, 2), "u1"), gate_mean=np.zeros((tg, 1), "<f4"),
        stim=np.zeros((steps, 64), "u1"), clamped=np.zeros((steps, 2), "<u2"),
        hist_exc=counts, hist_inh=counts, bounds=np.zeros((samples, 1, 2), "<f4"),
        pairs=np.zeros((samples, 1, 201), "<u4"),
        matrix=np.full((len(grid(step0, step1, MATRIX_EVERY)), 1, 2, 2), step0 // 1000, "u1"),
        attention=np.zeros((tg, 1, 64), "u1"), attention_keys=np.zeros((tg, 1), "u1"),
        attention_heads=np.full((len(grid(step0, step1, MATRIX_EVERY)), 1, 2, 64, 64), step0 // 1000, "u1"),
        meta={"watch": [0], "epoch": epoch, "w_hi": 1.0 + step0, "w_max": 1.0,
              "events": [e for e in events if step0 <= e["step"] < step1]},
    )  # fmt: skip


def run(path: Path, first: int, last: int, events: list[dict[str, Any]]) -> RingReader:
    """A ring of the steps [first, last) in parts of 50."""
    writer = RingWriter(path, bytes=16 << 20, retain_steps=100_000)
    for step in range(first, last, PART):
        part = segment(step, step + PART, events)
        writer.append(part.step0, part.step1, 1, part.encode())
    return RingReader(path)


def window(reader: RingReader, step0: int, step1: int, view: View | None = None) -> Window:
    held = [Segment.decode(data) for data in reader.range(1, step0, step1)]
    return merge(held, view or View(), step0, step1)


def test_the_matrix_before_a_window_comes_where_it_is_asked_for(tmp_path):
    reader = run(tmp_path / "ring", 0, 6_000, [])
    asked = View(weights_view="matrix")
    led = with_lead(window(reader, 4_200, 4_500, asked), reader)
    assert led.matrix.tolist() == [[[4, 4], [4, 4]]]
    assert (led.meta["matrix_step"], led.meta["matrix_w_hi"]) == (4_000, 1.0 + 4_000)
    own = with_lead(window(reader, 4_975, 5_500, asked), reader)
    assert own.meta["matrix_step"] == 5_000 and own.matrix[0, 0, 0] == 5
    before = with_lead(window(reader, 4_025, 4_075, asked), reader)
    assert before.meta["matrix_step"] == 4_000, "a segment that reaches into the window"
    plain = with_lead(window(reader, 4_200, 4_500), reader)
    assert plain.matrix.size == 0 and "matrix_step" not in plain.meta


def test_the_heads_before_a_window_come_likewise(tmp_path):
    reader = run(tmp_path / "ring", 0, 6_000, [])
    asked = View(attention_view="matrix")
    led = with_lead(window(reader, 4_200, 4_500, asked), reader)
    assert led.attention_heads.shape == (1, 2, 64, 64) and led.attention_heads[0, 0, 0, 0] == 4
    assert led.meta["attention_step"] == 4_000 and led.matrix.size == 0
    own = with_lead(window(reader, 4_975, 5_500, asked), reader)
    assert own.meta["attention_step"] == 5_000 and own.attention_heads[0, 0, 0, 0] == 5
    plain = with_lead(window(reader, 4_200, 4_500), reader)
    assert plain.attention_heads.size == 0 and "attention_step" not in plain.meta


def onset(step: int, kind: str = "stimulus") -> dict[str, Any]:
    return {"type": kind, "step": step, "label": str(step)}


def test_samples_of_the_last_ten_seconds_come_with_a_short_window(tmp_path):
    reader = run(tmp_path / "ring", 0, 12_000, [])
    led = with_lead(window(reader, 11_725, 12_000), reader)
    assert led.hist_steps.tolist() == list(range(2_000, 12_000, 250))
    assert led.hist_exc[:, 0, 0].tolist() == led.hist_steps.tolist()
    assert led.meta["hist_w_hi"] == [1.0 + step for step in range(2_000, 12_000, 250)]
    assert (led.step0, led.n_steps) == (11_725, 275)
    assert len(led.hist_steps) * HIST_EVERY == LEAD_MS


def test_only_what_is_held_comes(tmp_path):
    reader = run(tmp_path / "ring", 1_000, 2_000, [])
    led = with_lead(window(reader, 1_900, 2_000), reader)
    assert led.hist_steps.tolist() == [1_000, 1_250, 1_500, 1_750]


@pytest.mark.parametrize("kind", ["stimulus", "rest"])
def test_the_newest_onset_before_the_window_comes(tmp_path, kind):
    events = [onset(110), onset(400, kind), {"type": "note", "step": 450, "text": "x"}, onset(990)]
    reader = run(tmp_path / "ring", 0, 1_000, events)
    led = with_lead(window(reader, 700, 1_000), reader)
    assert [(e["type"], e["step"]) for e in led.events] == [(kind, 400), ("stimulus", 990)]


def test_an_onset_just_before_the_first_step_is_before_it(tmp_path):
    """In the middle of a part of the record that the window cuts."""
    reader = run(tmp_path / "ring", 0, 1_000, [onset(719), onset(720)])
    led = with_lead(window(reader, 720, 1_000), reader)
    assert [e["step"] for e in led.events] == [719, 720]


def test_an_onset_of_more_than_ten_seconds_ago_is_not_looked_for(tmp_path):
    reader = run(tmp_path / "ring", 0, 11_000, [onset(100)])
    assert with_lead(window(reader, 10_500, 11_000), reader).events == []


def test_a_window_of_the_whole_record_has_no_lead(tmp_path):
    reader = run(tmp_path / "ring", 0, 500, [onset(0)])
    whole = window(reader, 0, 500)
    led = with_lead(whole, reader)
    assert led.hist_step0 is None and led.events == whole.events

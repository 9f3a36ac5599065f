"""The page's codec reads what Python writes, and its store joins frames into one record."""

import numpy as np
import pytest

from t4dm.live import frame
from tests.browser.one_tab import in_page

DTYPES = ["u1", "<u2", "<u4", "<i4", "<f4", "<f8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_page_decodes_what_python_encodes(tab, dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    data = frame.encode({"note": "é", "n": 1}, {"odd": np.arange(3, dtype="u1"), "x": values})
    got = in_page(
        tab,
        """const wire = await import('/assets/js/wire.mjs');
           const f = wire.decode(new Uint8Array(a).buffer);
           return {meta: f.meta, shape: f.arrays.x.shape, data: [...f.arrays.x.data]};""",
        list(data),
    )
    assert got == {"meta": {"note": "é", "n": 1}, "shape": [2, 3], "data": [0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize("damage", [b"", b"XXXX\0\0\0\0", b"T4F1\xff\xff\0\0"])
def test_the_page_refuses_what_is_no_frame(tab, damage):
    told = in_page(
        tab,
        """const wire = await import('/assets/js/wire.mjs');
           try { wire.decode(new Uint8Array(a).buffer); return 'accepted'; }
           catch (error) { return error.message; }""",
        list(damage),
    )
    assert "frame" in told


def test_an_array_that_is_cut_short_is_named(tab):
    data = frame.encode({}, {"spk_row": np.arange(8, dtype="<u2")})[:-8]
    told = in_page(
        tab,
        """const wire = await import('/assets/js/wire.mjs');
           try { wire.decode(new Uint8Array(a).buffer); return 'accepted'; }
           catch (error) { return error.message; }""",
        list(data),
    )
    assert "spk_row" in told


STORE = """
const {Store} = await import('/assets/js/store.mjs');
const part = (kind, step0, step1, rows = [5, 9]) => {
  const T = step1 - step0, gates = Math.ceil(step1 / 4) - Math.ceil(step0 / 4);
  const col = (Type, n, w, f) => ({shape: [n, w], data: Type.from({length: n * w}, (_, i) => f(i))});
  return {
    meta: {kind, epoch: 1, step0, step1, rows, membrane: [7], events: [], hist_steps: []},
    arrays: {
      spk_row: {shape: [T], data: Uint16Array.from({length: T}, (_, i) => (step0 + i) % 2)},
      spk_dt: {shape: [T], data: Uint16Array.from({length: T}, (_, i) => i)},
      rates: col(Uint16Array, T, 2, i => step0 + (i >> 1)), u: col(Float32Array, T, 1, i => step0 + i),
      theta: col(Float32Array, T, 2, () => 1), levels: col(Float32Array, T, 4, () => 0.5),
      gains: col(Float32Array, T, 5, () => 1), stim: col(Uint8Array, T, 64, () => 0),
      gate: col(Uint8Array, gates, 3, i => Math.ceil(step0 / 4) + Math.floor(i / 3)),
      gate_mean: col(Float32Array, gates, 1, () => 1),
    },
  };
};
"""


def test_the_store_joins_parts_and_wraps_around(tab):
    """Steps 10-25 in two parts, in a ring of 8: the last 8 stay, in their slots."""
    got = in_page(
        tab,
        STORE
        + """const store = new Store(8);
        store.append(part('keyframe', 10, 17)); store.append(part('frame', 17, 25));
        const spikes = []; store.eachSpike(0, 99, (row, step) => spikes.push([row, step]));
        const u = []; for (let s = store.step0; s < store.step1; s++) u.push(store.u[s % 8]);
        return {step0: store.step0, step1: store.step1, spikes, u, n: store.countSpikes(20, 23),
                gate: [20, 24].map(s => store.gate[(s / 4 % 2) * 3])};""",
    )
    assert (got["step0"], got["step1"], got["n"]) == (17, 25, 3)
    assert got["u"] == list(range(17, 25))
    assert got["spikes"] == [[step % 2, step] for step in range(17, 25)]
    assert got["gate"] == [5, 6]


def test_the_store_takes_no_frame_after_a_hole_or_for_other_rows(tab):
    got = in_page(
        tab,
        STORE
        + """const store = new Store(64);
        store.append(part('keyframe', 0, 8));
        const hole = store.append(part('frame', 9, 12));
        const rows = store.append(part('frame', 8, 12, [1, 2]));
        const good = store.append(part('frame', 8, 12));
        store.append(part('keyframe', 40, 44));
        return [hole, rows, good, store.step0, store.step1];""",
    )
    assert got == [False, False, True, 40, 44]

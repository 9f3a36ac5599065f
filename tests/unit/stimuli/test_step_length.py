"""A stimulus lasts, and means, the same in time whatever the step."""

import numpy as np
import pytest

from t4dm.live.tree import ParamTree
from t4dm.stimuli.file import StimulusFile
from t4dm.stimuli.registry import make_stimulus

DTS = [0.25, 0.5, 2.0]


def rows_of(dt, ms, data_dir=None, **values):
    tree = ParamTree(1, dt=dt)
    for name, value in values.items():
        tree.set(f"stimulus.{name}", value)
    source = make_stimulus(tree, 3, data_dir)
    return (*source.rows(0, int(ms / dt)), source.share)


@pytest.mark.parametrize("dt", DTS)
def test_digits_come_at_their_times_with_their_rate(dt):
    """250 ms shown, 50 ms of rest; spikes a ms within 5 % of those of 1 ms steps over 6 s."""
    rows, events, rest, share = rows_of(dt, 6000)
    plain, told, _, _ = rows_of(1.0, 6000)
    assert [e["t_ms"] for e in events] == [e["t_ms"] for e in told]
    assert [e["step"] * dt for e in events] == [e["t_ms"] for e in events]
    assert [e.get("index") for e in events] == [e.get("index") for e in told]
    assert share == 1.0 and rest.mean() == pytest.approx(50 / 300)
    assert rows.sum() == pytest.approx(plain.sum(), rel=0.05)


@pytest.mark.parametrize("dt", DTS)
def test_currents_carry_the_same_charge_a_millisecond(dt):
    """Pulse and sine summed over a period, times what a row acts with: as at 1 ms."""
    for kind in ("constant", "pulse"):
        rows, _, _, share = rows_of(dt, 400, kind=kind)
        plain, _, _, _ = rows_of(1.0, 400, kind=kind)
        assert share == dt
        assert share * rows.sum() == pytest.approx(plain.sum(), rel=1e-5)
    rows, _, _, _ = rows_of(dt, 400, kind="sine")
    plain, _, _, _ = rows_of(1.0, 400, kind="sine")
    wide, short = (1, int(1 / dt)) if dt < 1 else (int(dt), 1)
    np.testing.assert_allclose(rows[::short], plain[::wide], atol=1e-5)


@pytest.mark.parametrize("dt", DTS)
def test_noise_has_the_spread_of_a_millisecond(dt):
    """Charge of 2 ms: mean 2 * amplitude, variance 2 * noise_std ** 2, within 3 % (64,000 draws)."""
    rows, _, _, share = rows_of(dt, 4000, kind="noise", amplitude=0.3, noise_std=0.5)
    charge = (share * rows.astype(float)).reshape(2000, int(2 / dt), 64).sum(axis=1)
    assert charge.mean() == pytest.approx(0.6, abs=0.01)
    assert charge.var() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("dt", DTS)
def test_a_file_is_played_a_row_a_millisecond(dt, tmp_path):
    """Three passes of five ms: the currents' charge and every spike, onsets within their step."""
    values = np.zeros((5, 64), np.uint8)
    values[[0, 1, 4], [3, 3, 9]] = 1, 2, 1
    for kind, whole in (("spikes", 1.0), ("currents", dt)):
        kept = StimulusFile(kind, "f", values if kind == "spikes" else values.astype(np.float32))
        file_id = kept.save(tmp_path)
        asked = {"kind": "file", "file_id": file_id, "amplitude": 1.0}
        rows, events, _, share = rows_of(dt, 30, tmp_path, **asked)
        assert share == whole
        np.testing.assert_allclose(share * rows.sum(axis=0), 6.0 * values.sum(axis=0), atol=1e-5)
        assert [e["index"] for e in events] == list(range(6))
        late = [5 * e["index"] - e["t_ms"] for e in events]
        assert all(0 <= ms < max(dt, 1e-9) or ms == 0 for ms in late), late

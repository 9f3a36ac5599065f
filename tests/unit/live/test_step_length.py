"""A session whose steps are not 1 ms: what is written in ms stays so, from engine to doctor."""

import json

import numpy as np
import pytest

from t4dm.commands import BreakOn
from t4dm.live import handlers, manifest
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.doctor_bins import Bins
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.merge import merge
from t4dm.live.observations import Observer
from t4dm.live.pacing import Pacer
from t4dm.live.registry import SPEC, Registry, SessionSpec
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.live.view import View
from t4dm.live.worker import make_engine
from t4dm.params import ParamError

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

CONFIG = StackConfig(2, 32, 4)
DTS = [0.25, 0.5, 2.0]


def new_session(folder, dt, **values):
    tree = ParamTree(2, dt=dt)
    for path, value in values.items():
        tree.set(path.replace("__", "."), value)
    return Session("t", Engine(CONFIG, tree, 3, folder))


def run(session, ms):
    """Segments of the next ``ms``."""
    end, made = session.engine.step + round(ms / session.dt), []
    while session.engine.step < end and session.state == "running":
        made.append(session.advance(min(64, end - session.engine.step)))
    return made


@pytest.mark.parametrize("dt", DTS)
def test_levels_decay_in_ms(dt, calibrated):
    """A bolus of dopamine falls to 1/e of itself in ``DA_tau``, 200 ms."""
    session = new_session(calibrated, dt, stimulus__kind="constant", sensory__enabled=False)
    session.engine.inject("DA", 0.4)
    levels = np.concatenate([s.levels[:, 0] for s in run(session, 400)]) - 0.5
    at = round(200 / dt)
    assert levels[0] == pytest.approx(0.4)
    assert levels[at] == pytest.approx(0.4 / np.e, rel=1e-5)


@pytest.mark.parametrize("dt", DTS)
def test_a_stage_fires_at_the_hz_it_has_at_1_ms(dt, calibrated):
    """Calibrated to a mean of 80 Hz on digits; the mean of the stages within 20 %."""
    means = []
    for each in (1.0, dt):
        session = new_session(calibrated, each)
        run(session, 600)
        rates = np.concatenate([s.rates[:, :4] for s in run(session, 1800)])
        means.append(rates.mean() / 32 / each * 1000)
    assert means[1] == pytest.approx(means[0], rel=0.2)


@pytest.mark.parametrize("dt", DTS)
def test_everything_that_is_told_is_in_ms(dt, calibrated):
    session = new_session(calibrated, dt)
    segments = run(session, 1200)
    window = merge(segments, View(rows="all"))
    assert session.t_ms == 1200 and window.dt == dt
    assert window.t_ms[-1] == 1200 - dt and window.header()["t_ms"] == 1200
    events = [e for s in segments for e in s.meta["events"]]
    assert {"stimulus", "rest"} <= {e["type"] for e in events}
    assert all(e["t_ms"] == e["step"] * dt for e in events)
    assert [e["t_ms"] for e in events if e["type"] == "stimulus"] == [0, 300, 600, 900]
    assert session.event("note", text="x")["t_ms"] == 1200
    assert window.pairs.shape[2] == 2 * round(100 / dt) + 1
    told = manifest.build(session, {})
    assert told["dt"] == told["constants"]["dt_ms"] == dt
    alpha = next(spec for spec in told["specs"] if spec["path"] == "lif.alpha")
    assert alpha["default"] == pytest.approx(0.9**dt, abs=1e-6)


@pytest.mark.parametrize("dt", DTS)
def test_pairs_are_those_of_a_second_within_100_ms(dt, calibrated):
    """Counted anew from the spikes of LIF in of block 0: pre excitatory, no self pairs."""
    session = new_session(calibrated, dt)
    segments = run(session, 1300)
    n_exc, steps, span = session.engine.n_exc, round(1300 / dt), round(100 / dt)
    fired = np.zeros((steps, 32), np.int64)
    for s in segments:
        when = np.repeat(np.arange(s.step0, s.step1), s.spk_n)
        mine = s.spk_id < 32
        fired[when[mine], s.spk_id[mine]] = 1
    at = max(t for s in segments for t in s.meta["hist_steps"])
    last = fired[max(0, at - round(1000 / dt)) : at]
    wanted = np.zeros(2 * span + 1, np.int64)
    for lag in range(1, min(span, len(last) - 1) + 1):
        early, late = last[:-lag], last[lag:]
        same = (early[:, :n_exc] * late[:, :n_exc]).sum()
        wanted[span + lag] = early[:, :n_exc].sum(1) @ late.sum(1) - same
        wanted[span - lag] = late[:, :n_exc].sum(1) @ early.sum(1) - same
    sampled = [s for s in segments if len(s.pairs)][-1].pairs[-1, 0]
    assert wanted.sum() > 0
    np.testing.assert_array_equal(sampled, wanted)


@pytest.mark.parametrize("dt", DTS)
def test_the_doctor_looks_every_100_ms_and_judges_in_hz(dt, calibrated):
    session = new_session(calibrated, dt)
    run(session, 3000)
    status = session.doctor.status()
    assert status["t_ms"] == 3000 and status["waiting"] == ""
    assert 0.04 < status["evidence"]["network_rate"] < 0.12  # a ms
    handlers.apply(session, handlers.parse([{"type": "preset", "name": "not_firing"}]), "tab")
    run(session, 2000)
    (found,) = [f for f in session.doctor.findings if f["id"] == "not_firing"]
    assert found["since_ms"] == found["since_step"] * dt
    assert 3000 < found["since_ms"] < 5000 and found["cause"]["code"] == "threshold"


def test_a_bin_of_two_ms_steps_pairs_each_query_with_its_own_step(calibrated):
    """50 steps of 2 ms: every other bin begins between two samples of attention."""
    session = new_session(calibrated, 2.0)
    segments = run(session, 200)
    bins = Bins(session.layout, 0, 2.0)
    ends = [end for segment in segments for end in bins.take(segment)]
    assert ends == [50, 100] and bins.steps == 50
    gates = np.concatenate([s.gate_mean for s in segments])
    gains = np.concatenate([s.gains for s in segments])
    second = [t for t in range(0, 100, 4) if t >= 50]
    wanted = (gates[[t // 4 for t in second]] / gains[second, :1]).mean(0)
    np.testing.assert_allclose(bins.stacked().gate[1], wanted, rtol=1e-6)


@pytest.mark.parametrize("dt", DTS)
def test_a_rate_breakpoint_counts_in_hz_over_ms(dt, calibrated):
    """It waits for a whole window, then stops where the window's rate first passes the bound."""
    free = new_session(calibrated, dt)
    counts = np.concatenate([s.rates[:, 0] for s in run(free, 600)]).astype(float)
    width = round(50 / dt)
    hz = np.convolve(counts, np.ones(width), "valid") / 32 / 50 * 1000
    bound = float(np.median(hz))
    armed = int(np.argmax(hz <= bound))
    wanted = armed + int(np.argmax(hz[armed:] > bound)) + width - 1
    session = new_session(calibrated, dt)
    asked = BreakOn(kind="rate", group=0, op="above", bound=bound, window_ms=50)
    session.breakpoints.add(asked)
    run(session, 600)
    assert session.state == "paused" and session.engine.step - 1 == wanted
    assert f"at step {wanted} ({wanted * dt:.10g} ms)" in session.reason


def test_the_log_speaks_of_silence_after_500_ms(calibrated, caplog):
    session = new_session(calibrated, 0.5, lif__v_thresh=10.0, homeostasis__enabled=False)
    observer = Observer(session)
    with caplog.at_level("WARNING"):
        for segment in run(session, 480):
            observer.take(segment)
        assert "No spikes" not in caplog.text
        for segment in run(session, 40):
            observer.take(segment)
    assert "for 500 ms or more" in caplog.text


@pytest.mark.parametrize("dt", DTS)
def test_a_state_resumes_bit_for_bit_and_fits_no_other_step(dt, calibrated, tmp_path):
    session = new_session(calibrated, dt)
    run(session, 300)
    store = CheckpointStore(tmp_path)
    store.save(session.checkpoint())
    run(session, 300)
    other = new_session(calibrated, dt)
    assert other.resume(store, None) == round(300 / dt) and other.t_ms == 300
    run(other, 300)
    assert other.engine.spike_hash() == session.engine.spike_hash()
    assert new_session(calibrated, 1.0).resume(store, None) is None and store.refused


@pytest.mark.parametrize("dt", [0.25, 2.0])
def test_the_asked_speed_is_held(dt):
    """As simulated over real time; the clock is the test's."""
    pacer, now, step = Pacer(1.0, dt / 1000), 100.0, 0
    while now < 103.0:
        n = pacer.chunk(step)
        now += pacer.wait_s(now, n) + n * 1e-6
        step += n
        pacer.done(now, n, n * 1e-6)
    assert step * dt == pytest.approx(1000 * (now - 100.0), rel=0.03)
    assert pacer.ratio(now) == pytest.approx(1.0, rel=0.1)
    assert Pacer(1.0, dt / 1000).chunk(0) == (32 if dt < 1 else 4), "8 ms"


def test_what_was_asked_for_is_kept_and_started(tmp_path, calibrated):
    registry = Registry(tmp_path)
    asked = registry.create(SessionSpec("fine", 2, 32, 3, dt=0.5), [])
    assert Registry(tmp_path).load("fine") == asked
    engine = make_engine("t4dm.live.engine:Engine", 3, calibrated, asked)
    assert engine.dt == engine.tree.dt == 0.5
    with pytest.raises(ParamError) as refused:
        registry.create(SessionSpec("coarse", 2, 32, 3, dt=0.3), [])
    assert refused.value.field == "dt"


def test_a_file_of_1_ms_is_what_older_versions_read(tmp_path):
    registry = Registry(tmp_path)
    registry.create(SessionSpec("one", 2, 32), [])
    registry.create(SessionSpec("half", 2, 32, dt=0.5), [])
    one, half = (
        json.loads((tmp_path / "sessions" / name / SPEC).read_text()) for name in ("one", "half")
    )
    assert "dt" not in json.dumps(one) and '"dt": 0.5' in json.dumps(half)
    assert SessionSpec("", 6, 256, dt=0.25).bytes > SessionSpec("", 6, 256).bytes

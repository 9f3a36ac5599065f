"""The doctor of a live session: when it looks, what it waits for, what it says of it."""

import json

import numpy as np
import pytest

from t4dm.health.params import BIN_MS
from t4dm.live import handlers
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.doctor import Doctor
from t4dm.live.engine import Engine, StackConfig
from t4dm.live.frame import dumps
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.sick_engine import SickEngine
from tests.toy_engine import ToyEngine

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

CONFIG = StackConfig(2, 32, 4)


def new_session(calibrated, kind=Engine):
    return Session("t", kind(CONFIG, ParamTree(2), 3, calibrated))


def do(session, *body):
    commands = handlers.parse(list(body))
    handlers.validate(session, commands)
    return handlers.apply(session, commands, "tab")


def run(session, steps, chunks=(64,)):
    end, k = session.engine.step + steps, 0
    while session.engine.step < end:
        session.advance(min(chunks[k % len(chunks)], end - session.engine.step))
        k += 1


def findings(session):
    return [event for event in session.log if event["type"] == "finding"]


def set_(path, value):
    return {"type": "set", "path": path, "value": value}


def test_chunks_and_pauses_change_nothing_of_what_is_found(calibrated):
    told = []
    for chunks in ((64,), (1, 7, 50, 3, 64), (10,)):
        session = new_session(calibrated)
        run(session, 1300, chunks)
        do(session, set_("homeostasis.enabled", False), set_("lif.v_thresh", 9.0))
        run(session, 1250, chunks)
        do(session, set_("lif.v_thresh", 1.0))
        run(session, 1650, chunks)
        events = [{k: v for k, v in e.items() if k != "n"} for e in findings(session)]
        told.append(json.dumps([events, session.doctor.status()], default=str))
    assert told[0] == told[1] == told[2]
    assert '"not_firing"' in told[0] and '"cleared"' in told[0]


def test_it_waits_for_data_and_says_so_anew_after_a_reset(calibrated):
    session = new_session(calibrated)
    do(session, set_("homeostasis.enabled", False), set_("lif.v_thresh", 9.0))
    status = session.doctor.status()
    assert status["severity"] == "waiting" and "0 of 2000 ms" in status["waiting"]
    run(session, 1000)
    assert session.doctor.findings == []  # settling, then a window, then confirmed
    run(session, 200)
    assert [f["id"] for f in session.doctor.findings] == ["not_firing"]
    assert session.doctor.status()["severity"] == "critical"
    do(session, {"type": "reset", "seed": None})
    status = session.doctor.status()
    assert (status["severity"], status["findings"], status["step"]) == ("waiting", [], 0)
    run(session, 2100)
    assert session.doctor.waiting == ""


def test_a_finding_is_told_in_the_segment_at_its_step_and_in_the_log(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False))
    told = []
    while not told and session.engine.step < 3000:
        segment = session.advance(64)
        told = [e for e in segment.meta["events"] if e["type"] == "finding"]
    event = told[0]
    assert segment.step0 <= event["step"] < segment.step1 and (event["step"] + 1) % BIN_MS == 0
    assert (event["id"], event["state"], event["cause"]) == (
        "stdp_not_engaging",
        "found",
        "disabled",
    )
    assert event["severity"] == "warning" and event["where"]["block"] == 0 and event["rule"]
    standing = session.doctor.findings[0]
    assert standing["since_step"] == event["step"]


def test_a_nan_is_found_at_once_and_a_reset_ends_it(calibrated):
    session = new_session(calibrated, SickEngine)
    run(session, 200)
    do(session, {"type": "reward", "value": -1.0})
    run_until = session.engine.step + 64
    while session.finite and session.engine.step < run_until:
        session.advance(8)
    found = session.doctor.findings[0]
    assert (found["id"], found["severity"]) == ("not_finite", "critical")
    assert "recurrent.weight" in found["numbers"]["tensor"]
    assert found["numbers"]["step"] == findings(session)[-1]["step"]
    do(session, *found["remedies"][0]["commands"])
    assert session.finite and session.state == "running" and session.doctor.findings == []


PULSES = (
    set_("stimulus.kind", "pulse"), set_("stimulus.period_ms", 3000), set_("stimulus.pulse_ms", 1500),
)  # fmt: skip


@pytest.mark.parametrize("kind", ["digits", "text"])
def test_a_healthy_network_is_left_in_peace_by_long_rests(calibrated, kind):
    session = new_session(calibrated)
    do(session, set_("stimulus.kind", kind), set_("stimulus.rest_ms", 1500))
    run(session, 4600)
    assert [e["id"] for e in findings(session) if e["severity"] != "note"] == []


@pytest.mark.parametrize(
    ("ill", "commands"),
    [
        (
            "neuromodulators_frozen",
            (set_("neuromod.enabled", False), set_("stimulus.image_ms", 750)),
        ),
        (
            "not_firing",
            (set_("input.gain", 0.0), *PULSES),
        ),
        ("stdp_not_engaging", (set_("stdp.enabled", False), *PULSES)),
        ("attention_collapse", (set_("attention.sharpness", 0.0), *PULSES)),
        ("neuromodulators_frozen", (set_("neuromod.reward_gain", 0.0),)),
    ],
)
def test_what_is_ill_all_the_time_is_found_once_and_stands(calibrated, ill, commands):
    session = new_session(calibrated)
    do(session, *commands)
    run(session, 4600)
    assert [e["state"] for e in findings(session) if e["id"] == ill] == ["found"]
    assert ill in {f["id"] for f in session.doctor.findings}


def test_levels_without_onsets_are_found_once_though_rewards_move_dopamine(calibrated):
    session = new_session(calibrated)
    do(session, set_("neuromod.onset_ACh", 0.0), set_("neuromod.onset_NE", 0.0))
    run(session, 2000)
    for _ in range(3):
        do(session, {"type": "reward", "value": 1.0})
        run(session, 1200)
    told = [e for e in findings(session) if e["id"] == "neuromodulators_frozen"]
    assert [(e["state"], e["cause"]) for e in told] == [("found", "unconnected")]
    do(session, *session.doctor.findings[0]["remedies"][0]["commands"])
    run(session, 1200)
    assert session.doctor.findings == []


def test_rules_that_cannot_tell_are_named_with_why_and_since_when(calibrated):
    session = new_session(calibrated)
    do(session, set_("stimulus.kind", "pulse"), set_("stimulus.pulse_ms", 50),
       set_("stimulus.period_ms", 4000))  # fmt: skip
    run(session, 5000)
    told = {one["id"]: one for one in session.doctor.status()["cannot_tell"]}
    silent = told["not_firing"]
    assert silent["since_ms"] == 1000 and silent["since_step"] == 1000  # its first look
    assert silent["why"] == (
        "The stimulus rested for 4.4 of the last 4.5 s: too little of it to judge by."
    )
    assert silent["title"] == "Not firing" and silent["explained_by"] is None
    assert "fewer than two stimuli began" in told["neuromodulators_frozen"]["why"]
    assert "gate_stuck" not in told
    do(session, set_("stimulus.kind", "digits"))
    run(session, 2000)
    assert "not_firing" not in {one["id"] for one in session.doctor.status()["cannot_tell"]}


def test_a_rule_that_another_explains_says_by_which(calibrated):
    session = new_session(calibrated)
    do(session, set_("homeostasis.enabled", False), set_("lif.v_thresh", 9.0))
    run(session, 2500)
    told = {one["id"]: one for one in session.doctor.status()["cannot_tell"]}
    assert told["sparsity"]["explained_by"] == "not_firing"
    assert told["sparsity"]["why"] == "Explained by: Not firing."
    assert "not_firing" not in told


def test_a_finding_that_another_explains_ends_with_its_name(calibrated):
    session = new_session(calibrated)
    run(session, 1000)
    do(session, set_("homeostasis.enabled", False), set_("lif.v_thresh", 3.0))
    run(session, 2500)
    assert [event["id"] for event in findings(session)] == ["sparsity"]
    do(session, set_("lif.v_thresh", 9.0))
    run(session, 3000)
    ended = [event for event in findings(session) if event["state"] == "cleared"]
    assert [(event["id"], event["by"]) for event in ended] == [("sparsity", "not_firing")]
    assert not any("by" in event for event in findings(session) if event["state"] == "found")


def test_a_dead_network_that_nobody_drives_is_not_called_healthy(calibrated):
    """Pulses of 50 ms every 4 s: too little of it to judge by, as the report says after 2 s."""
    session = new_session(calibrated)
    do(session, set_("stimulus.kind", "pulse"), set_("stimulus.pulse_ms", 50),
       set_("stimulus.period_ms", 4000), set_("homeostasis.enabled", False),
       set_("lif.v_thresh", 8.0))  # fmt: skip
    told = []
    for _ in range(60):
        run(session, 100, (50,))
        status = session.doctor.status()
        told.append(status["severity"])
        assert status["findings"] == []
    blind = {one["id"]: one["since_ms"] for one in status["cannot_tell"]}
    assert {"not_firing", "sparsity"} <= set(blind)
    since = min(blind["not_firing"], blind["sparsity"]) + 2000
    assert told[-1] == "untold" and told.index("untold") * 100 + 100 == since
    assert set(told[int(since / 100) - 1 :]) == {"untold"}
    do(session, set_("stimulus.kind", "noise"), set_("lif.v_thresh", 1.0))
    run(session, 3000)
    assert session.doctor.status()["severity"] not in ("untold", "waiting")


def test_a_list_that_is_refused_leaves_the_doctor_as_it_was(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False))
    run(session, 2200)
    before = session.doctor.status()
    with pytest.raises(handlers.Refused):
        do(session, {"type": "reset", "seed": None}, set_("stimulus.file_id", "nowhere"),
           set_("stimulus.kind", "file"))  # fmt: skip
    assert session.doctor.status() == before and before["findings"]


def test_a_resumed_session_waits_for_data(calibrated, tmp_path):
    session = new_session(calibrated)
    run(session, 1150)
    store = CheckpointStore(tmp_path)
    store.save(session.checkpoint())
    other = new_session(calibrated)
    assert other.resume(store, None) == 1150
    assert other.doctor.status()["severity"] == "waiting"
    run(other, 49)
    assert "0 of 2000 ms" in other.doctor.waiting  # the bin in which it began is not whole
    run(other, 101)
    assert "100 of 2000 ms" in other.doctor.waiting


def test_switched_off_it_forgets_what_it_found(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False))
    run(session, 2200)
    assert session.doctor.findings
    do(session, set_("health.enabled", False))
    run(session, 64)
    assert session.doctor.findings == [] and session.doctor.waiting == "health.enabled is off"


def test_rules_whose_evidence_a_session_lacks_are_not_asked():
    session = Session("t", ToyEngine(tree=ParamTree(6)))
    run(session, 2000)
    found = {f["id"] for f in session.doctor.findings}
    assert "not_firing" not in found and "stdp_not_engaging" not in found
    assert session.doctor.status()["evidence"]["u_high"] == [None] * len(session.layout.groups)


def test_a_tree_without_health_parameters_has_no_doctor():
    from t4dm.spiking.params import LIFParams

    doctor = Doctor(ParamTree(1, (LIFParams,)), [{"name": "a", "n": 4}], 0)
    assert doctor.rules == [] and doctor.status()["severity"] == "waiting"
    assert "no health rules" in doctor.waiting


def test_the_status_is_small_plain_json(calibrated):
    session = new_session(calibrated)
    do(session, set_("homeostasis.enabled", False), set_("lif.v_thresh", 9.0))
    run(session, 2500)
    text = dumps(session.doctor.status())
    assert "NaN" not in text and len(text) < 16_000
    json.loads(text)


# -- breakpoints and presets ---------------------------------------------------------------------


def break_on(**more):
    return {"type": "break_on", "kind": "finding", **more}


def test_a_finding_pauses_the_run_at_the_very_step_of_its_look(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False), break_on(finding="stdp_not_engaging"))
    while session.state == "running" and session.engine.step < 3000:
        session.advance(64)
    assert session.state == "paused" and session.engine.step % BIN_MS == 0
    assert session.reason.startswith("stdp_not_engaging: weights moved")
    assert session.log[-1]["type"] == "break" and session.log[-1]["id"] == 1


@pytest.mark.parametrize(
    ("body", "pauses"),
    [
        ({"finding": "any"}, True),
        ({"finding": "any", "severity": "critical"}, False),
        ({"finding": "runaway"}, False),
    ],
)
def test_a_breakpoint_waits_for_its_own_finding_and_severity(calibrated, body, pauses):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False), break_on(**body))
    while session.state == "running" and session.engine.step < 2200:
        session.advance(64)
    assert (session.state == "paused") is pauses


def test_a_breakpoint_on_an_unknown_finding_is_refused(calibrated):
    session = new_session(calibrated)
    with pytest.raises(handlers.Refused) as refusal:
        do(session, break_on(finding="not_firin"))
    assert "did you mean 'not_firing'" in refusal.value.error["message"]
    do(session, break_on(finding="not_firing"))
    assert session.breakpoints.copy().to_json()[0]["finding"] == "not_firing"


def test_a_preset_answers_what_was_and_what_is_and_is_undone_by_replace(calibrated):
    session = new_session(calibrated)
    do(session, set_("attention.kappa", 2.0), set_("blocks.1.lif_in.v_thresh", 3.0))
    before, after = do(session, {"type": "preset", "name": "not_firing"})[0]
    assert before == {"attention.kappa": 2.0, "blocks.1.lif_in.v_thresh": 3.0}
    assert after == session.tree.non_default()
    assert after["lif.v_thresh"] == 8.0 and after["attention.kappa"] == 2.0
    assert "blocks.1.lif_in.v_thresh" not in after  # presets do not add up
    do(session, {"type": "replace", "values": before})
    assert session.tree.non_default() == before
    do(session, {"type": "preset", "name": "healthy"})
    assert session.tree.non_default() == {"attention.kappa": 2.0}


def test_an_unknown_preset_is_refused_by_name(calibrated):
    session = new_session(calibrated)
    with pytest.raises(handlers.Refused) as refusal:
        do(session, {"type": "preset", "name": "not_fireing"})
    assert "did you mean 'not_firing'" in refusal.value.error["message"]


# -- what the engine measures for it -------------------------------------------------------------


def test_the_range_of_u_pre_is_that_of_all_neurons(calibrated):
    engine = Engine(CONFIG, ParamTree(2), 3, calibrated)
    engine.watch = list(range(4 * 32))
    for n in (5, 64, 30):
        segment = engine.advance(n)
        rows = np.flatnonzero(np.arange(segment.step0, segment.step1) % 4 == 0)
        u = segment.u[rows].reshape(len(rows), 4, 32)
        np.testing.assert_array_equal(segment.u_range[:, :4, 0], u.max(axis=2))
        np.testing.assert_array_equal(segment.u_range[:, :4, 1], u.min(axis=2))
        np.testing.assert_allclose(segment.u_range[:, :4, 2], u.mean(axis=2), atol=1e-5)
        assert np.isnan(segment.u_range[:, 4]).all()


def test_moved_is_the_mean_change_of_the_true_weights(calibrated):
    engine = Engine(CONFIG, ParamTree(2), 3, calibrated)
    weights, moved = [], []
    while engine.step < 1001:
        if engine.step % 250 == 0:
            weights.append(np.stack([engine.recurrent(b) for b in range(2)]))
        n = 1 if engine.step % 250 == 0 else 250 - engine.step % 250
        segment = engine.advance(min(n, 64))
        moved.extend(segment.moved.tolist())
    assert np.isnan(moved[0]).all()
    rows = engine.n_exc  # fewer than are sampled: all of them are looked at
    for k in range(1, 5):
        change = np.abs(weights[k] - weights[k - 1])[:, :rows].sum((1, 2)) / (rows * 31)
        np.testing.assert_allclose(moved[k], change, rtol=1e-4)


def test_steps_done_anew_measure_the_same_change(calibrated):
    engine = Engine(CONFIG, ParamTree(2), 3, calibrated)
    while engine.step < 480:
        engine.advance(min(64, 480 - engine.step))
    before = engine.snapshot()
    once = engine.advance(40).moved
    engine.restore(before)
    np.testing.assert_array_equal(engine.advance(64).moved, once)
    assert (once > 0).all()


def test_the_report_says_how_many_rules_answered(calibrated):
    session = new_session(calibrated)
    every = len(session.doctor.rules)
    assert session.doctor.status()["rules"] == {"n": 0, "total": every}
    run(session, 3000)
    status = session.doctor.status()
    blind = len(status["cannot_tell"])
    assert status["rules"] == {"n": every - blind, "total": every}


def test_a_finding_that_stands_ends_in_an_event_where_the_rules_are_switched_off(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False))
    run(session, 2200)
    do(session, set_("health.enabled", False))
    run(session, 64)
    assert [(e["id"], e["state"]) for e in findings(session)] == [
        ("stdp_not_engaging", "found"), ("stdp_not_engaging", "cleared"),
    ]  # fmt: skip

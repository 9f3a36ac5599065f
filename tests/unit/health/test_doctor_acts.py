"""What the doctor makes of what is done from outside: remedies, their undoing, boluses, a rhythm."""

import pytest

from tests.unit.health.test_doctor import PULSES, do, findings, new_session, run, set_

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels


def test_a_new_finding_is_seen_under_the_settings_in_force_or_for_as_long_as_its_window(calibrated):
    def found_at(drag):
        """The step at which silence is found that begins at 3000."""
        session = new_session(calibrated)
        do(session, set_("homeostasis.enabled", False))
        run(session, 3000)
        for k in range(20):
            if not k or drag:
                do(session, set_("lif.v_thresh", 9.0 - 0.01 * k))
            run(session, 100)
        return findings(session)[0]["step"]

    assert 3500 <= found_at(drag=False) < 3700  # the window lies behind the change by then
    assert found_at(drag=True) <= found_at(drag=False) + 200  # a slider that is moved on and on


def test_nothing_is_called_well_in_a_rhythm_of_acts_that_change_nothing_of_it(calibrated):
    session = new_session(calibrated)
    run(session, 1000)
    do(session, set_("blocks.0.lif_out.v_thresh", 10.0), set_("homeostasis.enabled", False))
    severities, standing = [], {}
    for k in range(120):
        if k % 10 == 0:
            do(session, set_("stimulus.noise_std", 0.3 + 0.01 * (k % 20)),
               {"type": "inject", "nt": "5HT", "level": 0.1})  # fmt: skip
        run(session, 100)
        severities.append(session.doctor.status()["severity"])
        standing[session.engine.step] = {f["id"] for f in session.doctor.findings}
    first = next(k for k, grade in enumerate(severities) if grade in ("warning", "critical"))
    assert first < 25 and "ok" not in severities[first:]
    for event in findings(session):
        assert event.get("by") is None or event["by"] in standing[event["step"] + 1], event


def test_only_what_is_done_about_a_finding_lets_it_end_sooner(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False))
    run(session, 2600)
    spans = []
    for command in (
        {"type": "inject", "nt": "DA", "level": 0.1}, set_("lif.beta", 0.99), set_("stdp.enabled", True),
    ):  # fmt: skip
        do(session, command)
        run(session, 100)
        spans += [f["over_after_ms"] for f in session.doctor.findings]
    assert spans == [3000, 3000, 500]


def test_a_cause_that_changes_in_a_rhythm_of_other_acts_is_told(calibrated):
    session = new_session(calibrated)
    run(session, 1000)
    for k in range(140):
        if k % 5 == 0:
            do(session, set_("stimulus.noise_std", 0.3 + 0.01 * (k % 2)))
        if k == 0:
            do(session, set_("stdp.da_gate", 1.0))
        if k == 60:
            do(session, {"type": "clear", "path": "stdp.da_gate"}, set_("stdp.learning_rate", 0.0))
        run(session, 100)
    found = next(f for f in session.doctor.findings if f["id"] == "stdp_not_engaging")
    assert found["cause"]["code"] == "rate"
    assert found["remedies"][0]["commands"] == [{"type": "clear", "path": "stdp.learning_rate"}]


def test_a_remedy_undone_at_once_leaves_what_it_was_for(calibrated):
    session = new_session(calibrated)
    do(session, set_("blocks.0.lif_out.v_thresh", 10.0))
    run(session, 4000)
    assert [f["id"] for f in session.doctor.findings] == ["silent_stage"]
    do(session, {"type": "clear", "path": "blocks.0.lif_out.v_thresh"})
    run(session, 200)
    do(session, set_("blocks.0.lif_out.v_thresh", 10.0))
    for _ in range(60):
        run(session, 100)
        assert session.doctor.status()["severity"] in ("warning", "critical")


def test_rewards_and_boluses_by_hand_are_told_apart_from_those_of_the_task(calibrated):
    session = new_session(calibrated)
    do(session, set_("stimulus.kind", "noise"))
    run(session, 100)
    do(session, {"type": "inject", "nt": "NE", "level": -0.3}, {"type": "reward", "value": 0.5})
    run(session, 100)
    bins = session.doctor._bins.stacked()
    assert bins.rewards.tolist() == [0.0, 0.0]
    assert bins.injected[-1].tolist() == pytest.approx([0.5, 0.0, 0.3, 0.0])


def test_a_cure_leaves_the_cause_and_brings_no_echo_in_a_longer_window(calibrated):
    session = new_session(calibrated)
    do(session, set_("stdp.enabled", False), set_("health.clear_ms", 200))
    run(session, 1000)
    wild = {"homeostasis.enabled": False, "lif.beta": 0.0, "lif.v_thresh": 0.05}
    do(session, *(set_(path, value) for path, value in wild.items()))
    run(session, 1000)
    found = next(f for f in session.doctor.findings if f["id"] == "runaway")
    assert found["cause"]["code"] == "reset"
    do(session, *({"type": "clear", "path": path} for path in wild))
    cured, shown = session.engine.step, []
    while any(f["id"] == "runaway" for f in session.doctor.findings):
        shown += [f for f in session.doctor.findings if f["id"] == "runaway"]
        run(session, 100)
    assert {f["cause"]["code"] for f in shown} == {"reset"} and len(shown) >= 4
    assert all(f["remedies"] == found["remedies"] for f in shown)
    assert shown[-1]["numbers"] != found["numbers"]
    run(session, 2000)
    after = [e for e in findings(session) if e["step"] >= cured and e["id"] != "stdp_not_engaging"]
    assert [(e["id"], e["state"], e["cause"]) for e in after] == [("runaway", "cleared", "reset")]


def test_a_remedy_in_a_pause_is_told_apart_from_one_that_worked(calibrated):
    session = new_session(calibrated)
    do(session, set_("input.gain", 0.0), *PULSES)
    run(session, 2000)
    do(session, set_("input.gain", 1.0))
    run(session, 1000)  # to the end of the pause
    assert [(f["id"], f["held"]) for f in session.doctor.findings] == [("not_firing", True)]
    run(session, 1200)
    assert "not_firing" not in {f["id"] for f in session.doctor.findings}

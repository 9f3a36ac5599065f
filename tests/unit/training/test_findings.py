"""Each finding appears when its number leaves its limit, and not before; each has a remedy that fits."""

import json
import math

import pytest

from t4dm.params import ParamError
from t4dm.training.findings import HIGH, LOW, RECENT, Scored, Step, findings
from t4dm.training.params import LiveTrainParams, TrainParams
from t4dm.training.remedies import LONG

PARAMS = TrainParams(learning_rate=1e-3, clip=1.0)


def course(losses, norm=1.0, **more):
    return [Step(s, loss, norm, **more) for s, loss in enumerate(losses)]


def falling(n, start=5.0, slope=0.01):
    return [start - slope * s for s in range(n)]


def ids(found):
    return [one.id for one in found]


def test_a_sound_run_has_no_findings():
    scored = [Scored(100, 4.2), Scored(200, 3.6), Scored(300, 3.2)]
    assert findings(course(falling(300)), scored, PARAMS) == []


def test_too_short_a_run_has_no_findings():
    assert findings([], [], PARAMS) == []
    assert findings(course(falling(RECENT - 1), norm=99.0), [], PARAMS) == []


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        (HIGH * 1.01, ["training_exploding"]),
        (HIGH, []),
        (LOW, []),
        (LOW * 0.99, ["training_vanishing"]),
    ],
)
def test_the_band_of_the_gradient_norm(norm, expected):
    assert ids(findings(course(falling(40), norm=norm), [], PARAMS)) == expected


def test_one_wild_step_is_no_explosion():
    steps = course(falling(60))
    steps[50] = Step(50, 9.0, 800.0)
    assert findings(steps, [], PARAMS) == []


def test_an_explosion_tells_since_when_and_offers_the_clip_only_if_it_is_open():
    steps = course(falling(40)) + [Step(40 + s, 5.0, 50.0) for s in range(RECENT)]
    (found,) = findings(steps, [], TrainParams(clip=0.0))
    assert found.since_step == 40
    assert [remedy.id for remedy in found.remedies] == ["lower_rate", "again", "clip"]
    (clipped,) = findings(steps, [], PARAMS)
    assert [remedy.id for remedy in clipped.remedies] == ["lower_rate", "again"]


def rates(remedies):
    """The learning rate that each remedy sets, None where it sets none."""
    return [
        next((c["value"] for c in one.commands if c.get("path") == "train.learning_rate"), None)
        for one in remedies
    ]


def test_a_rate_far_above_the_usual_goes_back_to_it_and_one_near_it_is_halved():
    wild = course(falling(40), norm=50.0)
    (found,) = findings(wild, [], TrainParams(learning_rate=0.3), PARAMS)
    assert rates(found.remedies) == [1e-3, 1e-3]
    (found,) = findings(wild, [], TrainParams(learning_rate=1.5e-3), PARAMS)
    assert rates(found.remedies) == [7.5e-4, 7.5e-4]
    assert found.remedies[1].commands[-1] == {"type": "reset"}


def test_a_rate_that_is_far_too_low_is_raised_and_not_lowered():
    flat = course([3.0 + 0.01 * (s % 2) for s in range(2 * LONG)])
    (found,) = findings(flat, [], TrainParams(learning_rate=1e-9), PARAMS)
    assert found.cause["code"] == "rate_too_low" and rates(found.remedies) == [1e-3]
    (found,) = findings(flat, [], TrainParams(learning_rate=2e-3), PARAMS)
    assert found.cause["code"] == "no_progress" and rates(found.remedies) == [
        pytest.approx(2e-3 / 3)
    ]


def test_a_schedule_that_is_over_goes_on():
    flat = course([3.0 + 0.01 * (s % 2) for s in range(2 * LONG)], rate=1e-6)
    (found,) = findings(flat, [], PARAMS)
    assert found.cause["code"] == "rate_too_low"
    (command,) = found.remedies[0].commands
    assert (command["path"], command["value"]) == ("train.total_steps", 4 * LONG)


def test_an_explosion_by_the_pull_of_ewc_is_told_from_one_by_the_rate():
    pulled = course(falling(40), norm=1e6, penalty=1e9)
    (found,) = findings(pulled, [], PARAMS.model_copy(update={"ewc_strength": 1e9}), PARAMS)
    assert found.cause["code"] == "pull_too_strong"
    assert found.remedies[0].commands[0] == {
        "type": "set", "path": "train.ewc_strength", "value": 0.0,
    }  # fmt: skip
    (found,) = findings(course(falling(40), norm=1e6), [], PARAMS)
    assert found.cause["code"] == "steps_too_large"


def test_vanishing_tells_a_job_done_from_a_model_that_is_stuck():
    (done,) = findings(course([0.2] * 40, norm=0.01), [], PARAMS)
    assert (done.severity, done.cause["code"]) == ("note", "nothing_left")
    assert done.remedies[0].commands[0]["type"] == "pause"
    (stuck,) = findings(course(falling(40), norm=0.01), [], PARAMS)
    assert (stuck.severity, stuck.cause["code"]) == ("warning", "nothing_flows")
    assert stuck.remedies[0].commands[-1] == {"type": "reset"}


def test_a_step_not_applied_is_critical_and_comes_first():
    steps = course(falling(40), norm=50.0)
    steps[-3] = Step(37, math.nan, math.inf, applied=False)
    found = findings(steps, [], PARAMS)
    assert ids(found) == ["training_nan", "training_exploding"]
    assert found[0].severity == "critical" and found[0].since_step == 37
    assert found[0].numbers["grad_norm"] is None and found[0].numbers["loss"] is None


def test_a_step_not_applied_long_ago_is_forgotten():
    steps = course(falling(60))
    steps[10] = Step(10, math.nan, math.nan, applied=False)
    assert findings(steps, [], PARAMS) == []


def test_a_plateau_needs_two_flat_stretches_awake():
    flat = course([3.0 + 0.01 * (s % 2) for s in range(2 * LONG)])
    (found,) = findings(flat, [], PARAMS)
    assert found.id == "training_plateau" and found.since_step == LONG
    assert findings(flat[1:], [], PARAMS) == []
    asleep = [Step(one.step, one.loss, one.grad_norm, asleep=True) for one in flat]
    assert findings(asleep, [], PARAMS) == []


def test_slow_but_certain_progress_is_no_plateau():
    slow = course([3.0 - 2e-5 * s for s in range(2 * LONG)])
    assert findings(slow, [], PARAMS) == []


def test_a_flat_loss_near_nothing_is_a_job_done():
    assert findings(course([0.1] * (2 * LONG)), [], PARAMS) == []


def test_over_fit_needs_held_out_to_rise_while_training_falls():
    steps = course(falling(300))
    rising = [Scored(100, 3.9), Scored(200, 4.0), Scored(300, 4.2)]
    (found,) = findings(steps, rising, PARAMS)
    assert found.id == "training_over_fit" and found.since_step == 100
    assert findings(steps, [Scored(100, 3.9), Scored(200, 3.91), Scored(300, 3.92)], PARAMS) == []
    assert findings(steps, [Scored(100, 3.9), Scored(200, 4.3), Scored(300, 3.95)], PARAMS) == []
    stays = [Scored(100, 3.9), Scored(150, 4.4), Scored(200, 4.3), Scored(300, 4.2)]
    assert ids(findings(steps, stays, PARAMS)) == ["training_over_fit"], "noise does not clear it"
    live = LiveTrainParams(weight_decay=0.0, dropout=0.15)
    held = findings(steps, rising, live)[0].remedies[1].commands
    assert [(c["path"], c["value"]) for c in held] == [
        ("train.weight_decay", 0.1), ("train.dropout", 0.3),
    ]  # fmt: skip
    both_rise = course([2.0 + 0.01 * s for s in range(300)])
    assert "training_over_fit" not in ids(findings(both_rise, rising, PARAMS))


def test_commands_of_every_remedy_are_valid_and_the_finding_is_json():
    wild = course(falling(40), norm=50.0)
    wild[-1] = Step(39, math.inf, math.nan, applied=False)
    flat, faint = course([3.0] * (2 * LONG)), course(falling(40), norm=0.01)
    rising = [Scored(100, 3.9), Scored(200, 4.0), Scored(300, 4.2)]
    runs = [(wild, []), (flat, []), (faint, []), (course(falling(300)), rising)]
    seen = set()
    for params in (PARAMS, TrainParams(learning_rate=1.0, clip=0.0, weight_decay=1.0)):
        for steps, scored in runs:
            for found in findings(steps, scored, params):
                seen.add(found.id)
                told = json.loads(json.dumps(found.as_json(), allow_nan=False))
                assert told["remedies"] and told["cause"]["text"] and told["rule"]
                for command in (c for one in told["remedies"] for c in one["commands"]):
                    if command["type"] in ("pause", "reset"):
                        continue
                    group, name = command["path"].split(".")
                    assert (group, command["type"]) == ("train", "set")
                    try:
                        TrainParams(**{name: command["value"]})
                    except (ParamError, ValueError) as error:
                        raise AssertionError(f"{found.id}: {command}") from error
    assert len(seen) == 5

"""A NaN in the live model: told by name, run no further, cured by a reset, never on the disk."""

import re

import pytest

from t4dm.live import paths
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.ring_reader import RingReader
from t4dm.live.segment import Segment
from tests.supervised import Program
from tests.waiting import eventually

SICK = ["--engine", "tests.sick_engine:SickEngine", "--ring-bytes", str(32 << 20)]
TENSOR = "blocks.1.recurrent.weight"


@pytest.fixture
def program():
    program = Program([*SICK, "--checkpoint-s", "0.1"])
    yield program
    program.close()


def fall_ill(program):
    """Write the NaN; the status once the run stands."""
    assert program.client.command({"type": "reward", "value": -1})["ok"]

    def paused():
        status = program.client.status()
        return status if status["state"] == "paused" else None

    return eventually(paused, what="a pause")


def events_of(program):
    reader = RingReader(paths.ring_path(program.run, "default"))
    return [e for data in reader.since(0) for e in Segment.decode(data).meta["events"]]


def test_a_nan_pauses_by_name_and_only_a_reset_cures_it(program):
    client = program.client
    program.live()
    status = fall_ill(program)
    found = re.fullmatch(rf"{re.escape(TENSOR)} is not finite at step (\d+)", status["reason"])
    assert found and not status["finite"]
    step = int(found[1])
    events = [e for e in events_of(program) if e["type"] in ("nan", "break")]
    assert [(e["type"], e["step"]) for e in events] == [("nan", step), ("break", step)]
    assert events[0]["tensor"] == TENSOR and events[1]["reason"] == status["reason"]

    for command in ({"type": "run"}, {"type": "step", "n": 8}):
        refused = client.command(command)
        assert not refused["ok"]
        assert f"{status['reason']}; reset the run first" in refused["error"]["message"]
    assert client.status()["step"] == status["step"]

    assert client.command([{"type": "reset"}, {"type": "run"}])["ok"]
    eventually(lambda: client.status()["step"] > 200, what="two hundred steps")
    assert client.status()["finite"] and client.status()["reason"] == ""


def test_the_last_finite_checkpoint_is_kept(program):
    program.live()
    eventually(lambda: program.client.status()["checkpoint"]["step"], what="a checkpoint")
    bad = fall_ill(program)
    program.end()
    kept = CheckpointStore(paths.session_data(program.data, "default")).load(lambda c: None)
    assert kept is not None and kept.finite and 0 < kept.meta["step"] < bad["step"]
    program.start()
    status = program.live()
    assert (status["resumed_step"], status["finite"]) == (kept.meta["step"], True)
    assert program.client.command({"type": "run"})["ok"]
    eventually(lambda: program.client.status()["step"] > bad["step"], what="steps beyond the NaN")

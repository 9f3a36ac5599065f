"""The live session of a language model: what lies in its ring, and what its commands do."""

import threading

import numpy as np
import pytest

from t4dm.live import paths
from t4dm.live.client import SessionClient
from t4dm.live.segment import GATE_EVERY, Segment
from t4dm.qwen import live
from t4dm.qwen.reading import Reading

TEXT = "Spikes tell the time of things."


@pytest.fixture
def run_dir(tmp_path_factory, monkeypatch):
    """A run directory of its own, with a path short enough for a socket."""
    run = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("T4DM_RUN_DIR", str(run))
    return run


@pytest.fixture
def opened(run_dir, make_model):
    """A session ``q`` that is read as fast as it can be."""
    reading = Reading(make_model())
    reading.apply({"script.text": TEXT, "script.new_tokens": 3, "script.tokens_per_s": 1000.0})
    session = live.LiveReading(reading, "q")
    yield session
    session.close("the test is over")


def segments(run_dir):
    reader = SessionClient(run_dir, "q").reader()
    return [Segment.decode(data) for data in reader.since(0)]


def ask(run_dir, opened, body):
    """The answer to a request, with tokens read meanwhile."""
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(SessionClient(run_dir, "q").command(body, "test"))
    )
    thread.start()
    while thread.is_alive():
        opened.turn()
    return answers[0]


def test_the_ring_holds_what_the_tokens_did(run_dir, opened, monkeypatch):
    tokens = []
    take = opened.reading.next
    monkeypatch.setattr(opened.reading, "next", lambda: tokens.append(take()) or tokens[-1])
    for _ in range(12):
        opened.turn()
    opened.close("done")
    made = segments(run_dir)
    assert made[0].step0 == 0 and made[-1].step1 == 12
    assert [g.name for g in made[0].layout.groups] == [
        "block 0 LIF in", "block 0 LIF out", "block 1 LIF in", "block 1 LIF out",
    ]  # fmt: skip
    rates = np.concatenate([segment.rates for segment in made])
    assert rates.tolist() == [[int(part.sum()) for part in token.spikes()] for token in tokens]
    assert rates.sum() > 20
    ids = np.concatenate([segment.spk_id for segment in made])
    fired = [np.flatnonzero(np.concatenate(token.spikes(), axis=1)) for token in tokens]
    assert ids.tolist() == np.concatenate(fired).tolist()
    watch = made[0].meta["watch"]
    u = np.concatenate([segment.u for segment in made])
    assert np.array_equal(u, np.concatenate([token.membranes()[:, watch] for token in tokens]))
    gate = np.concatenate([segment.gate for segment in made])
    expected = np.concatenate([token.gates() for token in tokens[::GATE_EVERY]])
    assert gate.shape == (3, 2, 32)
    np.testing.assert_allclose(gate / 255 * 1.5, expected, atol=0.004)
    attention = np.concatenate([segment.attention for segment in made])
    expected = np.concatenate([token.attention(64) for token in tokens[::GATE_EVERY]])
    assert attention.shape == (3, 2, 64)
    np.testing.assert_allclose(attention / 255, expected, atol=0.51 / 255)
    np.testing.assert_allclose(expected.sum(axis=2), 1.0, atol=1e-5)
    keys = np.concatenate([segment.attention_keys for segment in made])
    assert keys.tolist() == [[min(64, token.index + 1)] * 2 for token in tokens[::GATE_EVERY]]
    assert made[0].hist_exc.sum() + made[0].hist_inh.sum() == 2 * 32 * 32
    assert made[0].hist_inh.sum() == 2 * 6 * 31
    stimuli = [e for s in made for e in s.meta["events"] if e["type"] == "stimulus"]
    assert [e["label"] for e in stimuli] == [token.label for token in tokens]
    assert [e["step"] for e in stimuli] == list(range(12))


def test_a_manifest_offers_what_is_published_and_what_can_be_changed(run_dir, opened):
    manifest = SessionClient(run_dir, "q").manifest()
    published = ["attention", "gate", "spikes", "theta", "u_pre", "weights"]
    assert sorted(manifest["probes"]) == published
    assert manifest["axis"] == "call" and manifest["owner"] == "external"
    specs = {spec["path"]: spec for spec in manifest["specs"]}
    assert specs["script.v_thresh"]["lo"] == 0.05 and specs["script.v_thresh"]["hi"] == 10.0
    assert specs["script.text"]["kind"] == "text"
    assert manifest["params"]["values"]["script.text"] == TEXT
    assert manifest["params"]["values"]["script.new_tokens"] == 3


def test_commands_act_on_the_reading(run_dir, opened):
    answer = ask(run_dir, opened, {"type": "set", "path": "script.v_thresh", "value": 9.0})
    assert answer["ok"] and answer["old"] == 1.0 and answer["new"] == 9.0
    assert opened.model.settings.v_thresh.tolist() == [9.0] * 4
    answer = ask(run_dir, opened, {"type": "set", "path": "script.text", "value": "New words."})
    assert answer["ok"] and opened.reading.values["text"] == "New words."


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("script.v_thresh", 99.0, "10"),
        ("script.text", " ", "expected 1 to 4000 characters"),
        ("script.v_tresh", 1.0, "did you mean 'script.v_thresh'"),
    ],
)
def test_refusals_say_why_and_change_nothing(run_dir, opened, path, value, told):
    answer = ask(run_dir, opened, {"type": "set", "path": path, "value": value})
    assert not answer["ok"] and told in answer["error"]["message"]
    assert opened.reading.values["text"] == TEXT
    assert opened.model.settings.v_thresh.tolist() == [1.0] * 4


def test_it_stands_still_on_request_and_steps_exactly(run_dir, opened, monkeypatch):
    monkeypatch.setattr(type(opened.session), "has_dashboard", True)
    client = SessionClient(run_dir, "q")
    over = threading.Event()
    thread = threading.Thread(target=lambda: [opened.turn() for _ in iter(over.is_set, True)])
    thread.start()
    session = opened.session
    try:
        assert client.command({"type": "pause"}, "test")["ok"]
        begun = client.command({"type": "step", "n": 3}, "test")["old"]
        while session.session.state != "paused":
            over.wait(0.01)
        assert session.session.engine.step == session.step == begun + 3
        over.wait(0.2)
        assert session.step == begun + 3
    finally:
        over.set()
        client.command({"type": "run"}, "test")
        thread.join()


def test_without_a_dashboard_a_held_reading_goes_on(run_dir, opened, monkeypatch):
    monkeypatch.setattr("t4dm.live.handed.ALONE_S", 0.05)
    assert ask(run_dir, opened, {"type": "pause"})["ok"]
    before = opened.session.step
    assert opened.turn() and opened.turn()
    assert opened.session.step == before + 2


def test_the_command_says_in_a_sentence_what_is_missing(run_dir, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.delenv("T4DM_QWEN", raising=False)
    assert live.main([]) == live.NO_MODEL
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "hf download Qwen/Qwen2.5-3B-Instruct" in told


def test_a_name_that_is_taken_or_no_name_is_refused(run_dir, opened, small_folder, capsys):
    for name in ("q", "default", "a b"):
        size = ["--blocks", "1", "--neurons", "16"]
        assert live.main(["--model", str(small_folder), "--name", name, *size]) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_ends_the_session(run_dir, small_folder, capsys, monkeypatch):
    turns = iter([True, True])

    def turn(self):
        if next(turns, None) is None:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr(live.LiveReading, "turn", turn)
    given = ["--model", str(small_folder), "--name", "q", "--blocks", "1", "--neurons", "16"]
    assert live.main(given) == 0
    assert "session 'q' is open" in capsys.readouterr().out
    assert SessionClient(run_dir, "q").status()["state"] == "ended"
    assert not paths.socket_path(run_dir, "q").exists()

"""A training run that is killed outright goes on with the same losses, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from t4dm.training import checkpoint
from t4dm.training.runs import RUNS

ROOT = Path(__file__).resolve().parents[2]
STEPS, EVERY, KILLED_AFTER = 32, 10, 14  # it sleeps first before step 12


def command(folder):
    return [
        sys.executable, "benchmarks/train_text.py", "tiny", "--out", str(folder),
        "--steps", str(STEPS), "--checkpoint-every", str(EVERY),
    ]  # fmt: skip


def lines(folder):
    path = folder / "steps.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_killed_run_goes_on_with_the_same_losses(tmp_path):
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(command(whole), cwd=ROOT, env=env, check=True, capture_output=True)

    process = subprocess.Popen(command(broken), cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while lines(broken) < KILLED_AFTER and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it was killed"
    written = lines(broken)
    assert KILLED_AFTER <= written < STEPS
    assert checkpoint.load(broken / "run.ckpt", RUNS["tiny"].material().train).step_number < written

    subprocess.run(command(broken), cwd=ROOT, env=env, check=True, capture_output=True)
    log = (broken / "run.log").read_text()
    assert "goes on from the checkpoint" in log and "falls asleep" in log
    assert (broken / "steps.jsonl").read_bytes() == (whole / "steps.jsonl").read_bytes()
    assert (broken / "held_out.jsonl").exists() == (whole / "held_out.jsonl").exists()
    parts = [
        checkpoint.load(f / "run.ckpt", RUNS["tiny"].material().train) for f in (whole, broken)
    ]
    first, again = ([p.detach().numpy().tobytes() for p in t.model.parameters()] for t in parts)
    assert first == again

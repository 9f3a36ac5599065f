"""A session whose worker is killed again and again, and the run of the same commands that is not."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.live import handlers, paths
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.client import SessionClient, WorkerDown
from t4dm.live.session import Session
from t4dm.live.worker import make_engine, warm_up

ROOT = Path(__file__).resolve().parents[1]
SMALL = "tests.sick_engine:SickEngine"  # two blocks of 32
SEED = 5
START_S = 240.0
PATHS = ("lif.v_thresh", "lif.beta", "stdp.tau_plus", "neuromod.DA")
SPAN = {"lif.v_thresh": (0.6, 1.2), "lif.beta": (0.3, 0.9), "stdp.tau_plus": (10, 40),
        "neuromod.DA": (0.2, 0.8)}  # fmt: skip


@dataclass
class Killed:
    """A worker of its own, started again after every death; ``ops`` is what it acknowledged."""

    engine: str = SMALL
    checkpoint_s: float = 0.3
    environment: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    ops: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="t4dm-"))
        self.run, self.data = self.folder / "run", self.folder / "data"
        self.client = SessionClient(self.run)
        self.rng = random.Random(self.seed)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> bool:
        """Start the worker and wait for it; False where it died before it answered."""
        self.run.mkdir(parents=True, exist_ok=True)
        env = os.environ | self.environment | {"OMP_NUM_THREADS": "1"} | environment
        env |= {"T4DM_RUN_DIR": str(self.run), "T4DM_DATA_DIR": str(self.data)}
        command = [sys.executable, "-m", "t4dm.live.worker", "--engine", self.engine]
        command += ["--ring-bytes", str(16 << 20), "--checkpoint-s", str(self.checkpoint_s)]
        began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=log)
        while time.monotonic() < began + START_S:
            if self.process.poll() is not None:
                self.deaths += 1
                return False
            status = self.client.status()
            if status.get("pid") == self.process.pid and status.get("state") != "starting":
                return True
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def again(self) -> dict[str, Any]:
        """The status after a restart without faults."""
        assert self.start(), (self.folder / "log").read_text()[-2000:]
        return self.client.status()

    def ask(self, body: Any) -> dict[str, Any] | None:
        """The answer; None where the worker died over it."""
        assert self.process is not None
        try:
            answer = self.client.command(body, timeout=60)
        except WorkerDown:
            self.process.wait(60)
            self.deaths += 1
            return None
        assert answer["ok"], answer
        return answer

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)
        self.deaths += 1

    def begin(self) -> None:
        """At step 0 of a known seed, paused and at full speed."""
        self.again()
        wanted = [
            {"type": "pause"},
            {"type": "reset", "seed": SEED},
            {"type": "speed", "value": "max"},
        ]
        assert self.ask(wanted)

    def change(self) -> list[dict[str, Any]]:
        """A parameter with a value that it has not had, and a bolus."""
        path = PATHS[self.rng.randrange(len(PATHS))]
        lo, hi = SPAN[path]
        value = round(self.rng.uniform(lo, hi), 9)
        nt = self.rng.choice(["DA", "ACh", "NE", "5HT"])
        bolus = {"type": "inject", "nt": nt, "level": round(self.rng.uniform(-0.3, 0.5), 6)}
        return [{"type": "set", "path": path, "value": value}, bolus]

    def advance(self, n: int) -> None:
        """A change and ``n`` steps, whatever the worker dies of meanwhile."""
        change, step = self.change(), self.client.status()["step"]
        body, until = [*change, {"type": "step", "n": n}], step + n
        while True:
            if self.ask(body) is not None:
                break
            status = self.again()
            if self.client.params()["values"][change[0]["path"]] != change[0]["value"]:
                assert (status["step"], status["state"]) == (step, "paused"), status
                continue  # wholly old
            if status["step"] == until:
                break
            body = [{"type": "step", "n": until - status["step"]}]
        self.ops.append((step, change))

    def run_and_kill(self) -> None:
        """Running, with changes at steps that only the answers tell; a kill between two of them."""
        assert self.ask({"type": "run"})
        for k in range(3):
            time.sleep(self.rng.uniform(0.0, 0.4))
            if k == 1:
                known = self.client.status()["step"]
                self.kill()
                status = self.again()
                assert status["step"] <= known + 10**6 and status["state"] == "running"
            change = self.change()
            answer = self.ask(change)
            assert answer is not None
            self.ops.append((answer["step"], change))
        assert self.ask({"type": "pause"})

    def die_at(self, point: int) -> None:
        """A kill, and a worker that dies at its ``point``-th write, fsync or rename, at work or not."""
        self.kill()
        deaths = self.deaths
        if not self.start(T4DM_CRASH_AT=str(point)):
            self.again()
        while self.deaths == deaths:
            self.advance(self.rng.randrange(20, 90))

    def end(self) -> dict[str, np.ndarray]:
        """The state that is left on the disk by a worker that ends in order."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(60) == 0
        kept = CheckpointStore(paths.session_data(self.data, "default")).load(lambda c: None)
        assert kept is not None
        return kept.arrays

    def reference(self, step: int) -> dict[str, np.ndarray]:
        """The state after the same changes at the same steps, in a run that nobody killed."""
        engine = make_engine(self.engine, 0, self.data)
        session = Session("reference", engine)
        warm_up(engine)
        session.reset(SEED, "reference")
        for at, change in [*self.ops, (step, [])]:
            while session.engine.step < at:
                session.advance(min(64, at - session.engine.step))
            if change:
                handlers.apply(session, handlers.parse(change), "reference")
        return session.engine.state()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Names of the arrays of two states that are not bit for bit the same."""
    if one.keys() != other.keys():
        return sorted(one.keys() ^ other.keys())
    return [k for k in one if k != "json" and one[k].tobytes() != other[k].tobytes()]


def compare(killed: Killed) -> list[str]:
    """Ends the session; the arrays that differ from the run that nobody killed."""
    state = killed.end()
    return differing(state, killed.reference(int(state["step"][0])))

"""Hostile requests to every operation and mutated bodies to Dash's callback route.

    python benchmarks/bench_fuzz.py [--share 1.0] [--callbacks 2000]

Every value of ``tests/hostile.py`` goes into every path, query and body field of our own OpenAPI
document and into the headers, and mutated bodies to ``/_dash-update-component``.  The page has no
callbacks on the server, so that every one of those bodies is refused by the guard
(``dashboard/callbacks.py``) before Dash sees it; that it is, is what they show.  The jobs process runs
beside, so that tables may be asked for as well.  No answer may be a 5xx, take 2 s, show the inside, or
change anything with a 4xx; afterwards every array of the worker's state must be, bit for bit, that of a
session that did again what was accepted and never saw the rest.  Writes ``benchmarks/results/fuzz.json``.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from report import machine, write

from dashboard.pictures import jobs_running
from tests.fuzzing import WELL, Input, Report, Target, callback_inputs, hostile_inputs
from tests.hostile import BODIES, VALUES
from tests.killing import Killed

SEED = 21
ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0


@contextmanager
def jobs() -> Iterator[None]:
    """The jobs process as the Procfile starts it, for the run directory of the environment."""
    command = ["nice", "-n", "10", sys.executable, "-m", "dashboard.jobs"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        began = time.monotonic()
        while not jobs_running():
            assert process.poll() is None, "the jobs process ended"
            assert time.monotonic() < began + START_S, "the jobs process does not begin"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def campaign(target: Target, inputs: Iterable[Input]) -> dict[str, Any]:
    """Send ``inputs``; counts and what went wrong."""
    report = Report()
    for request in inputs:
        target.send(request, report)
    return {
        "tried": report.tried,
        "accepted": report.accepted,
        "no_jobs": report.no_jobs,
        "answers": {str(code): n for code, n in sorted(report.answers.items())},
        "slowest_s": round(report.slowest_s, 3),
        "run_unharmed": target.unharmed(),
        "troubles": report.troubles[:50],
        "troubles_total": len(report.troubles),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the hostile values")
    parser.add_argument("--callbacks", type=int, default=2000)
    args = parser.parse_args()
    session = Killed(engine=WELL, checkpoint_s=1000.0)
    os.environ |= {"T4DM_RUN_DIR": str(session.run), "T4DM_DATA_DIR": str(session.data)}
    for name in ("T4DM_API_KEY", "T4DM_VIEW_KEY"):
        os.environ.pop(name, None)
    target = Target(session)
    rng = random.Random(SEED)
    try:
        every = list(hostile_inputs(target.document))
        sampled = every if args.share >= 1 else rng.sample(every, round(args.share * len(every)))
        values = {"values": len({repr(v) for v in VALUES}), "bodies": len(BODIES)}
        with jobs():
            hostile = campaign(target, sampled) | values | {"of": len(every)}
            callbacks = campaign(target, callback_inputs(rng, args.callbacks))
        callbacks["server_callbacks"] = len(target.page.callback_map)
    finally:
        target.close()
    write("fuzz", {"machine": machine(), "hostile": hostile, "callbacks": callbacks})
    for name, part in (("hostile", hostile), ("callbacks", callbacks)):
        print(name, {k: v for k, v in part.items() if k != "troubles"})
        for trouble in part["troubles"]:
            print("  ", trouble)
        assert part["troubles_total"] == 0 and part["run_unharmed"], name
        assert part["no_jobs"] == 0, "the jobs process was not there all the time"


if __name__ == "__main__":
    main()

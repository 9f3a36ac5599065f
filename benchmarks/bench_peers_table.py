"""The whole table of peers in one go: A, A2 and B at N = 256, 1000 and 4000, and C.

    PEERS_VENVS=FOLDER python benchmarks/bench_peers_table.py PEERS_BENCH.py [--minutes 12] [--only "B 1000"]

Of each cell every library that can run here gets a worker of its own; the workers are made ready side by
side, then timed one at a time, block after block in turns, so that all see the same noise of the machine.
A block has as many steps as the library does in about ``--block-s`` (EXPECTED); the median of the blocks
counts.  What is passed over is in the result with its reason (SKIPPED).  A cell for which no time is left
keeps its older rows.  Then the curve of cost against firing (bench_scaling.py) is measured anew.
Writes benchmarks/results/peers.json and scaling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench_peers import HERE, OURS, PEERS
from report import RESULTS, machine, write

SIZES = (256, 1000, 4000)
CELLS = [(work, n) for n in SIZES for work in ("B", "A", "A2")] + [("C", 256)]
EXPECTED: dict[str, dict[str, tuple[float, float, float]]] = {
    "A": {
        "t4dm": (1.2e6, 1.1e5, 4e3), "snntorch": (2150, 2150, 220), "norse": (3900, 2100, 220),
        "spikingjelly": (3300, 2100, 200), "sinabs": (2000, 1500, 200), "bindsnet": (4800, 1600, 200),
        "nest": (9900, 740, 50), "nengo": (1000, 500, 50), "brian2_cpp": (1e5, 5000, 300),
        "jax_dense": (2e5, 9400, 250), "brainevent": (13000, 10000, 2000),
        "torch_naive": (12000, 3700, 200), "torch_tuned": (18000, 6700, 200),
    },
    "A2": {
        "t4dm": (6e5, 1.5e5, 5e3), "bindsnet": (1700, 170, 10), "nest": (30000, 3800, 200),
        "nengo": (1000, 300, 20), "brian2_cpp": (2e5, 50000, 2000), "brainevent": (12000, 8000, 1700),
        "torch_csr": (18000, 5000, 300), "torch_gather": (17000, 7500, 900),
    },
    "B": {
        "t4dm": (2.8e5, 3e4, 1500), "t4dm_cut": (2e5, 2e4, 900), "t4dm_mu": (7e4, 3e3, 200),
        "snntorch": (1250, 100, 2), "norse": (1700, 210, 2), "spikingjelly": (1370, 300, 2),
        "bindsnet": (2000, 550, 19), "nest": (2200, 160, 6), "brian2_cpp": (7700, 270, 10),
        "jax_dense": (49000, 3500, 85), "brainevent": (2000, 1250, 24), "torch_naive": (4600, 130, 2),
        "torch_tuned": (8600, 1600, 41), "torch_gather": (5000, 1000, 30),
    },
    "C": {
        "c_t4dm": (29, 0, 0), "snntorch": (5, 0, 0), "norse": (4, 0, 0), "spikingjelly": (10, 0, 0),
        "sinabs": (5, 0, 0), "c_torch_naive": (8, 0, 0), "c_torch_compile": (10, 0, 0),
        "c_jax": (35, 0, 0),
    },
}  # fmt: skip
"""Steps a second that size a block, by workload and N; a wrong one only makes it longer or shorter."""
_SLOW = "about two steps a second: its row alone would take more than a minute"
_BUILD = "builds 16 million synapses one by one: minutes and gigabytes before the first step"
SKIPPED: dict[tuple[str, int], dict[str, str]] = {
    ("B", 4000): dict.fromkeys(("snntorch", "norse", "spikingjelly", "torch_naive"), _SLOW)
    | {"nest": _BUILD},
    ("A", 4000): {"nest": _BUILD, "nengo": _SLOW},
    ("A2", 4000): {"nest": "builds 1.6 million synapses one by one", "bindsnet": _SLOW},
}
KEPT_OF = ("impl", "workload", "n", "steps_per_s", "min", "max", "blocks", "steps", "rate")


class Library:
    """One worker process of the benchmark program, made ready in the background."""

    def __init__(self, name: str, work: str, n: int, options: argparse.Namespace) -> None:
        self.name = name
        self.times: list[float] = []
        self.rate: float | None = None
        expected = EXPECTED[work].get(name, (1000.0, 100.0, 10.0))[SIZES.index(n)]
        self.steps = max(2 if work == "C" else 4, min(200_000, int(expected * options.block_s)))
        command = [
            _python(options.benchmark, name), str(options.benchmark), "--worker", "--impl", name,
            "--workload", work, "--n", str(n), "--threads", "1", "--steps", str(self.steps),
            "--block-s", str(options.block_s), "--entry", str(HERE / "peers_entry.py"),
        ]  # fmt: skip
        one = {f"{lib}_NUM_THREADS": "1" for lib in ("OMP", "MKL", "OPENBLAS")}
        path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
        env = os.environ | one | {"JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore", "PATH": path}
        self.process = subprocess.Popen(
            command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, word: str = "") -> dict[str, Any]:
        """Send ``word`` and read the next line; an empty answer where the worker died."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            if word:
                self.process.stdin.write(f"{word}\n")
                self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line.strip() else {}

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def _python(benchmark: Path, name: str) -> str:
    """The interpreter in which the benchmark program runs this library."""
    if "t4dm" in name:
        return sys.executable
    code = f"import runpy; m = runpy.run_path({str(benchmark)!r}); print(m['REG'][{name!r}].venv)"
    venv = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = Path(os.environ["PEERS_VENVS"]) / venv.stdout.strip() / "bin" / "python"
    return str(found) if found.exists() else sys.executable


def cell(work: str, n: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of one workload and size: measured, failed or passed over."""
    skipped = SKIPPED.get((work, n), {})
    rows = [
        {"impl": name, "workload": work, "n": n, "passed_over": why}
        for name, why in skipped.items()
    ]
    names = [x for x in f"{OURS[work]},{PEERS[work]}".split(",") if x not in skipped]
    if options.impl:
        names = [name for name in names if name in options.impl.split(",")]
    workers = [Library(name, work, n, options) for name in names]
    ready = []
    try:
        for worker in workers:
            told = worker.ask()
            if told.get("ok"):
                worker.rate = told.get("rate")
                ready.append(worker)
            else:
                why = told.get("err", "its worker died")
                rows.append({"impl": worker.name, "workload": work, "n": n, "error": why})
        for _ in range(options.repeats):
            for worker in ready:
                took = worker.ask("go").get("t")
                if took:
                    worker.times.append(took)
    finally:
        for worker in workers:
            worker.end()
    for worker in ready:
        if not worker.times:
            why = "its worker died in its first block"
            rows.append({"impl": worker.name, "workload": work, "n": n, "error": why})
            continue
        speeds = [worker.steps / took for took in worker.times]
        made = (worker.name, work, n, statistics.median(speeds), min(speeds), max(speeds))
        rows.append(
            dict(zip(KEPT_OF, (*made, len(speeds), worker.steps, worker.rate), strict=True))
        )
    return rows


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("benchmark", type=Path)
    ask.add_argument("--minutes", type=float, default=12.0, help="no cell is begun after that")
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--block-s", type=float, default=0.25)
    ask.add_argument("--only", default="", help='one cell, "B 1000"')
    ask.add_argument("--impl", default="", help="some libraries only")
    ask.add_argument("--no-scaling", action="store_true")
    options = ask.parse_args()
    path = RESULTS / "peers.json"
    runs = json.loads(path.read_text())["runs"] if path.exists() else {}
    given, until = sys.argv[2:], time.monotonic() + 60 * options.minutes
    for work, n in CELLS:
        key = f"{work} {n}"
        if options.only not in ("", key) or time.monotonic() > until:
            continue
        begun = time.monotonic()
        command = " ".join(["python benchmarks/bench_peers_table.py PEERS_BENCH.py", *given])
        runs[key] = {
            "command": command, "machine": machine(), "rows": cell(work, n, options),
        }  # fmt: skip
        for row in runs[key]["rows"]:
            print(f"{key:8s} {row['impl']:16s}", row.get("steps_per_s") or row, flush=True)
        print(f"{key}: {time.monotonic() - begun:.0f} s", flush=True)
    sys.argv[1:] = ["PEERS_BENCH.py", *given]
    write("peers", {"runs": dict(sorted(runs.items()))})
    if not options.no_scaling and not options.only:
        script = [sys.executable, str(HERE / "bench_scaling.py"), "--seconds", "0.3"]
        subprocess.run(script, check=True)


if __name__ == "__main__":
    main()

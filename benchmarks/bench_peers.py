"""Side by side with other spiking libraries: collect the lines of a peers benchmark into one result.

    PEERS_VENVS=FOLDER python benchmarks/bench_peers.py PEERS_BENCH.py [--workload B --n 1000 ...]

``PEERS_BENCH.py`` is the benchmark program (one worker process a library, timed blocks in turns, one JSON
line a row); ``peers_entry.py`` brings t4dm in.  Each run replaces the rows of its workload and size in
``benchmarks/results/peers.json``, so that a long table can be made in pieces; rows of one workload and size
always come from one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import RESULTS, machine, write

HERE = Path(__file__).resolve().parent
OURS = {"A": "t4dm", "A2": "t4dm", "B": "t4dm,t4dm_cut,t4dm_mu", "B2": "t4dm", "C": "c_t4dm"}
PEERS = {
    "A": "snntorch,norse,spikingjelly,sinabs,bindsnet,nest,nengo,brian2_cpp,jax_dense,brainevent,"
    "brainpy,annarchy,torch_naive,torch_tuned,torch_compile",
    "A2": "bindsnet,nest,nengo,brian2_cpp,brainevent,brainpy,annarchy,torch_compile,torch_csr,"
    "torch_gather",
    "B": "snntorch,norse,spikingjelly,bindsnet,nest,brian2_cpp,jax_dense,brainevent,torch_naive,"
    "torch_tuned,torch_compile,torch_gather,annarchy",
    "B2": "nest,brian2_cpp",
    "C": "snntorch,norse,spikingjelly,sinabs,c_torch_naive,c_torch_compile,c_jax",
}
KEPT = (
    "impl",
    "workload",
    "n",
    "steps_per_s",
    "min",
    "max",
    "steps_per_cpu_s",
    "rate",
    "other_cpu",
)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of one workload and size, all from one run."""
    names = options.impl or f"{OURS[options.workload]},{PEERS[options.workload]}"
    command = [
        sys.executable, str(options.benchmark), "--entry", str(HERE / "peers_entry.py"),
        "--impl", names, "--workload", options.workload, "--n", str(options.n), "--threads", "1",
        "--repeats", str(options.repeats), "--block-s", str(options.block_s),
    ]  # fmt: skip
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for row in found:
        print(row["impl"], row.get("steps_per_s", row.get("error")))
    return [
        {name: row[name] for name in (*KEPT, "error") if name in row and row[name] is not None}
        for row in found
    ]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("benchmark", type=Path, nargs="?")
    ask.add_argument("--workload", default="B", choices=list(OURS))
    ask.add_argument("--n", type=int, default=1000)
    ask.add_argument("--impl", default="")
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--block-s", type=float, default=0.7)
    options = ask.parse_args()
    if options.benchmark is None:
        print("passed over: bench_peers.py needs the path of a peers benchmark and PEERS_VENVS")
        return
    n = 256 if options.workload == "C" else options.n
    options.n = n
    path = RESULTS / "peers.json"
    runs = json.loads(path.read_text())["runs"] if path.exists() else {}
    words = ["python benchmarks/bench_peers.py PEERS_BENCH.py", *sys.argv[2:]]
    runs[f"{options.workload} {n}"] = {
        "command": " ".join(words), "machine": machine(), "rows": measure(options),
    }  # fmt: skip
    sys.argv[1:] = ["PEERS_BENCH.py", "..."]
    write("peers", {"runs": dict(sorted(runs.items()))})


if __name__ == "__main__":
    main()

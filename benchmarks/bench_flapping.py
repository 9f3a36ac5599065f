"""Does what the doctor says stand still while nobody changes anything?  Hundreds of settings at random.

    python benchmarks/bench_flapping.py [--first 0] [--cases 200] [--seconds 20] [--processes 2]

Configuration k is drawn from seed k: a size, a length of step, a seed and one to three parameters, any of
those that there are, blocks' own included, at values anywhere in their range.  They are set at the first
step and left alone.  Of everything graver than a note is counted: ``returns``, findings that were over and
came back; ``gaps``, how often a session that was called ill was called well and ill again;
``causes``, how often a finding that stands told another cause; ``remedies``, how often its remedies became
other ones; ``places``, how often it named another stage first.  Writes benchmarks/results/flapping.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from clinic import command, open_session, run
from report import machine, write

from t4dm.health.params import BIN_MS
from t4dm.live.engine import StackConfig
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree

SIZES = ((6, 256), (6, 256), (2, 32), (1, 128), (4, 128))  # blocks and their neurons
STEPS_MS = (1.0, 1.0, 1.0, 0.5, 2.0)
SEEDS = 6
KNOBS = (1, 1, 1, 2, 3)
UNTOUCHED = ("health", "sensory")  # rules, and a layer of which no rule but one asks
FACTOR = 20.0  # times or a part of the default, for half of the numbers
OVERRIDES = 0.2  # share of the parameters of a stage or block that are set for one alone
COUNTS = ("returns", "gaps", "causes", "remedies", "places")


def draw(number: int) -> dict[str, Any]:
    """Configuration ``number``."""
    rng = np.random.default_rng([11, number])
    blocks, neurons = SIZES[rng.integers(len(SIZES))]
    dt = float(rng.choice(STEPS_MS))
    tree = ParamTree(blocks, dt=dt)
    specs = [s for s in tree.specs() if s.group not in UNTOUCHED and s.kind != "text"]
    values: dict[str, Any] = {}
    for _ in range(int(rng.choice(KNOBS))):
        spec = specs[rng.integers(len(specs))]
        values[_path(rng, spec, blocks)] = _value(rng, spec)
    if values.get("stimulus.kind") == "file":
        values["stimulus.kind"] = "constant"
    return {
        "case": number, "size": [blocks, neurons], "dt": dt, "seed": int(rng.integers(SEEDS)),
        "values": values,
    }  # fmt: skip


def _path(rng: np.random.Generator, spec: Any, blocks: int) -> str:
    if spec.group not in ("lif", "gate") or rng.random() >= OVERRIDES:
        return str(spec.path)
    owner = rng.choice(("lif_in", "lif_out")) if spec.group == "lif" else spec.group
    return f"blocks.{rng.integers(blocks)}.{owner}.{spec.name}"


def _value(rng: np.random.Generator, spec: Any) -> Any:
    if spec.kind == "bool":
        return not spec.default
    if spec.kind == "choice":
        return str(rng.choice([c for c in spec.choices if c != spec.default]))
    usual = 0.5 if spec.default is None else spec.default
    value = rng.uniform(spec.lo, spec.hi)
    if usual and rng.random() < 0.5:
        value = usual * float(np.exp(rng.uniform(-np.log(FACTOR), np.log(FACTOR))))
    value = min(spec.hi, max(spec.lo, value))
    return round(value) if spec.kind == "int" else round(float(value), 4)


class Watcher:
    """What is said from look to look."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        self.story: list[str] = []
        self._before: dict[str, tuple[str, str, str]] = {}
        self._over: set[str] = set()
        self._was_well_after_ill = False

    def see(self, session: Session) -> None:
        now = {
            f["id"]: (f["cause"]["code"], _mends(f["remedies"]), f["where"]["group"])
            for f in session.doctor.findings
            if f["severity"] != "note"
        }
        before = self._before
        came, went = now.keys() - before.keys(), before.keys() - now.keys()
        self.counts["returns"] += len(came & self._over)
        self.counts["gaps"] += bool(now and self._was_well_after_ill)
        self._was_well_after_ill = not now and (bool(before) or self._was_well_after_ill)
        self._over |= went
        for id in now.keys() & before.keys():
            for k, name in enumerate(("causes", "remedies", "places")):
                self.counts[name] += now[id][k] != before[id][k]
        if now != before:
            said = ", ".join(f"{id} ({'; '.join(told)})" for id, told in now.items())
            self.story.append(f"{session.t_ms / 1000:.1f} {said or 'well'}")
        self._before = now


def _mends(remedies: list[dict[str, Any]]) -> str:
    return ", ".join(remedy["label"] for remedy in remedies)


def examine(number: int, seconds: float, folder: Path) -> dict[str, Any]:
    """One row: the configuration, the counts and the story of what was said."""
    torch.set_num_threads(1)
    row = draw(number)
    session = open_session(StackConfig(*row["size"]), row["seed"], folder, row["dt"])
    command(session, *({"type": "set", "path": p, "value": v} for p, v in row["values"].items()))
    watcher = Watcher()
    for _ in range(round(1000 * seconds / BIN_MS)):
        run(session, round(BIN_MS / row["dt"]))
        watcher.see(session)
        if not session.finite:
            break
    return row | dict(watcher.counts) | {"story": watcher.story}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--first", type=int, default=0, help="number of the first configuration")
    ask.add_argument("--cases", type=int, default=200)
    ask.add_argument("--seconds", type=float, default=20.0)
    ask.add_argument("--processes", type=int, default=2)
    options = ask.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.processes) as pool:
        look = partial(examine, seconds=options.seconds, folder=Path(folder))
        for row in pool.map(look, range(options.first, options.first + options.cases)):
            rows.append(row)
            restless = {name: row[name] for name in COUNTS if row[name]}
            if restless:
                print(row["case"], row["size"], row["dt"], row["seed"], row["values"], restless)
                print("   " + "; ".join(row["story"]), flush=True)
    ill = sum(bool(row["story"]) for row in rows)
    totals = {name: sum(row[name] for row in rows) for name in COUNTS}
    restless = {name: sum(bool(row[name]) for row in rows) for name in COUNTS}
    print(f"{ill} of {len(rows)} ill; in all {totals}; in how many sessions {restless}")
    write("flapping", {
        "machine": machine(), "first": options.first, "cases": options.cases,
        "seconds": options.seconds, "ill": ill, "in_all": totals, "sessions": restless,
        "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()

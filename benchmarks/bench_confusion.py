"""Does the doctor find what is wrong, and only that?  One hundred damaged configurations.

    python benchmarks/bench_confusion.py [--first 0] [--cases 100] [--run-ms 3500]

Configuration k is drawn from seed k: ``--first 100`` takes a hundred that no rule was written beside.
Each runs from its first step with its damage; at the end the findings that stand, notes apart, are
compared with what was measured (benchmarks/damage.py has the damages, truth.py the measures and what
counts as true).  For each of the six symptoms: right, missed, wrongly called, precision and recall, and
``open`` where the truth lies on a limit.  ``wrong_now`` and ``missed_now`` are the same against the last
second alone, whatever came before.  ``cause_right`` counts the damages that were called by their own
cause.  Writes benchmarks/results/confusion.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from clinic import open_session, put, run
from damage import SIX, Case, draw
from report import machine, write
from truth import SETTLE, Witness

CAUSES = {
    "high threshold": "threshold", "input cut": "input", "gate shut": "gate",
    "one block silent": "threshold", "raised threshold": "threshold", "weak input": "input",
    "strong leak": "leak", "strong recurrence": "feedback", "no reset": "reset",
    "low threshold": "threshold", "strong input": "input", "learning off": "disabled",
    "no rate": "rate", "gated": "gated", "narrow windows": "window", "bus off": "disabled",
    "levels held": "held", "not connected": "unconnected", "no leak, no clamp": "leak",
    "flood, no clamp": "drive",
}  # fmt: skip


def examine(case: Case, run_ms: int, folder: Path) -> dict[str, Any]:
    """One row: what was called and what is true."""
    session = open_session(case.config, case.number % 3, folder)
    put(session, {"stimulus.kind": case.stimulus} | case.values)
    run(session, SETTLE)
    witness = Witness(session, case)
    run(session, run_ms - SETTLE, witness.see, chunk=1)
    standing = [f for f in session.doctor.findings if f["severity"] != "note"]
    truth = witness.truth()
    causes = {f["id"]: f["cause"]["code"] for f in standing}
    return {
        "case": case.number,
        "size": list(case.size),
        "stimulus": case.stimulus,
        "damage": case.damage,
        "aimed": case.aimed,
        "values": case.values,
        "true": [name for name in SIX if truth[name]],
        "open": [name for name in SIX if truth[name] is None],
        "now": [name for name, here in witness.now().items() if here],
        "called": [name for name in SIX if name in causes],
        "beside": sorted(set(causes) - set(SIX)),
        "cause": causes.get(case.aimed),
        "rules": {f["id"]: f["rule"] for f in standing},
    }


def table(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Counts, precision and recall of each symptom; None where nothing was called or true."""
    found = {}
    for name in SIX:
        judged = [row for row in rows if name not in row["open"]]
        right, missed, wrong = _counts(judged, "true", name)
        _, missed_now, wrong_now = _counts(rows, "now", name)
        found[name] = {
            "right": right, "missed": missed, "wrong": wrong, "open": len(rows) - len(judged),
            "missed_now": missed_now, "wrong_now": wrong_now,
            "precision": right / (right + wrong) if right + wrong else None,
            "recall": right / (right + missed) if right + missed else None,
        }  # fmt: skip
    return found


def _counts(rows: list[dict[str, Any]], truth: str, name: str) -> tuple[int, int, int]:
    """How often ``name`` was called rightly, missed, and called wrongly."""
    right = sum(name in row[truth] and name in row["called"] for row in rows)
    missed = sum(name in row[truth] and name not in row["called"] for row in rows)
    wrong = sum(name not in row[truth] and name in row["called"] for row in rows)
    return right, missed, wrong


def causes_right(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Of the damages whose symptom was called: how many by their own cause."""
    called = [row for row in rows if row["aimed"] and row["aimed"] in row["called"]]
    right = [row for row in called if row["cause"] == CAUSES[row["damage"]]]
    return {"called": len(called), "cause_right": len(right)}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--first", type=int, default=0, help="number of the first configuration")
    ask.add_argument("--cases", type=int, default=100)
    ask.add_argument("--run-ms", type=int, default=3500)
    options = ask.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.first, options.first + options.cases):
            row = examine(draw(number), options.run_ms, Path(folder))
            rows.append(row)
            differs = set(row["true"]) ^ set(row["called"])
            sign = "!" if differs - set(row["open"]) else "?" if row["open"] else " "
            print(
                f"{sign} {number:3d} {row['damage']:20s} {row['stimulus']:7s} {row['size']}"
                f" true {row['true']} open {row['open']} called {row['called']} cause {row['cause']}"
                f" {row['beside']}",
                flush=True,
            )
    symptoms = table(rows)
    for name, counts in symptoms.items():
        print(f"{name:24s} {counts}")
    print(causes_right(rows))
    write("confusion", {
        "machine": machine(), "first": options.first, "cases": options.cases, "run_ms": options.run_ms,
        "symptoms": symptoms, "causes": causes_right(rows), "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""A stand-in for the clinic's child: a run every tenth of a second, kept in ``runs-kept``.

Seed 7 stops for ever at the third run, seed 8 until there is a file ``go-on``; seed 13 fails.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

RUNS = 5


def main() -> None:
    ask = argparse.ArgumentParser()
    for name in ("--folder", "--seed", "--steps", "--parent"):
        ask.add_argument(name, required=True)
    asked = ask.parse_args()
    folder, seed = Path(asked.folder), int(asked.seed)
    if seed == 13:
        sys.exit("RuntimeError: no luck")
    kept = folder / "runs-kept"
    kept.mkdir(parents=True, exist_ok=True)
    for done in range(RUNS):
        if os.getppid() != int(asked.parent):
            sys.exit(3)
        rows = [{"name": one.stem} for one in sorted(kept.iterdir())]
        put(folder / "rows.json", rows)
        told = {"seed": seed, "steps": int(asked.steps), "name": f"run {done}", "done": done}
        put(folder / "progress.json", told | {"total": RUNS, "step": 0, "share": done / RUNS})
        while seed == 8 and done == 2 and not (folder / "go-on").exists():
            time.sleep(0.02)
        if not (kept / str(done)).exists():
            time.sleep(3600.0 if seed == 7 and done == 2 else 0.1)
            (kept / str(done)).write_text(str(os.getpid()))
    table = {"run": "clinic", "seed": seed, "steps": 1, "target_loss": 5.0, "rows": []}
    put(folder / "table.json", table)


def put(path: Path, value: object) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.replace(path)


if __name__ == "__main__":
    main()

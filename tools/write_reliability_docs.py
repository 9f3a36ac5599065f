"""Write docs/reliability.md from the files in ``benchmarks/results``: ``make docs``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "benchmarks" / "results"
HEAD = """# Reliability

What was tried on purpose, and how it went: written from `benchmarks/results/*.json` by `make docs`. Each file holds the machine and the command.
The tests run a seeded share of each campaign (`tests/faults`, `tests/api`).

| tried | how many | outcome | repeat with |
|---|---|---|---|"""
FOOT = """
## What is promised
- **Parameters.** A change that was answered with `"ok": true` and no `"durable": false` is on the disk. After any kill the worker's `rev` is that one or a newer one, and its values are the acknowledged ones. A change that was not answered is there wholly or not at all.
- **The run.** After a kill the last checkpoint is loaded and every acknowledged request is applied again at its step, up to the last step that was acknowledged: spikes, weights and all other state are those of a run that was not killed, bit for bit. Checkpoints are so frequent that this takes less than 3 s: one is begun after 2 s of the engine's own time, sooner by as much as the disk takes to write one (a disk that needs longer than 1.3 s for one is written to all the time, and the replay is that much longer); the page says how far it is, and how many seconds it will take. What was shown after the last acknowledged request runs again, with the same numbers.
- **Files.** Each is written beside its place, synced, renamed, and its folder synced; a checkpoint has a SHA-256 over header and data, a log line a CRC-32. A checkpoint that does not verify is put aside as `*.bad`, the one before is used, and the page says so. Files that a newer version wrote are left untouched, and that session does not start.
- **New sessions.** A creation that is killed leaves the whole session, or its name free and, at the program's next start, no folder. Sent again with its `Idempotency-Key`, a creation or a branch finds what the first one made, named or not, and makes it where there is nothing.
- **A full disk.** The run goes on, answers carry `"durable": false`, the page says what is not kept and why, and saving goes on by itself, within a second or two of there being space.
- **A run that became NaN or Inf** is not brought back to that moment: it goes on from the last finite checkpoint.

Fault points for tests of your own: `T4DM_CRASH_AT=n` ends a process at its n-th write, fsync or rename, `T4DM_FULL_AT=n-m` finds the disk full from the n-th to the m-th.
"""
TRUTH = """What is true of a run is measured by other means than the doctor's (`benchmarks/truth.py`): from the spikes themselves, the engine's own membranes and levels at every step, and whole weight matrices.
A symptom is there by the words its rule is published with ([health.md](health.md)): it begins beyond the limit of entering and lasts until the measure is back behind the limit of leaving. A measure that lies on a limit is neither ill nor well: where limits 10 % lower or 10 % higher would give another answer the truth of that symptom is *open*, for all six alike, and a call of it counts neither as right nor as wrong."""


def reliability_page() -> str:
    """The whole page as Markdown."""
    rows = [*_fuzz(), *_kill(), *_crowd(), *_health()]
    return "\n".join([HEAD, *rows, "", *_symptoms()]) + "\n" + FOOT


def _load(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())


def _row(what: str, count: str, outcome: str, command: str) -> str:
    return f"| {what} | {count} | {outcome} | `{command}` |"


def _fuzz() -> list[str]:
    found = _load("fuzz")
    rows = []
    hostile = found["hostile"]
    names = {
        "hostile": f"{hostile['values']} hostile values and {hostile['bodies']} bodies in every path, "
        "query, body field and header of every operation",
        "callbacks": "mutated bodies to Dash's callback route (the page has no callbacks on the "
        "server: what is tried is the guard before it)",
    }
    for name, what in names.items():
        part = found[name]
        failures = sum(n for code, n in part["answers"].items() if int(code) >= 500)
        failures -= part["no_jobs"]
        harm = (
            "as if it had never seen what was refused, every array bit for bit"
            if part["run_unharmed"]
            else "**changed**"
        )
        outcome = (
            f"{failures} server errors, {part['troubles_total']} other faults, slowest answer "
            f"{part['slowest_s']:.2f} s; the run {harm}"
        )
        if part["no_jobs"]:
            outcome += (
                f"; {part['no_jobs']} times 503, as the process that makes tables did not run"
            )
        if part["accepted"] == 0:
            outcome += "; every one refused"
        rows.append(_row(what, f"{part['tried']:,}", outcome, found["command"]))
    return rows


def _kill() -> list[str]:
    found = _load("kill")
    moments, points = found["random_moments"], found["write_points"]
    return [
        _row("kills at random moments", str(moments["kills"]), _same(moments), found["command"]),
        _row(
            "kills at write, fsync and rename 1, 2, 3, …", str(points["points"]), _same(points),
            found["command"],
        ),
        *_replays(found),
        *_creations(found),
    ]  # fmt: skip


def _replays(found: dict[str, Any]) -> list[str]:
    """What is run again after kills of a fast run; nothing where the campaign is of an older form."""
    part = found.get("long_runs")
    if part is None:
        return []
    again = (
        f"at most {max(part['took_s']):.1f} s, for {max(part['steps_again']):,} steps run again (goal:"
        f" 3 s); {_same(part)}"
    )
    what = "kills after 4 to 9 s of running as fast as it goes"
    return [_row(what, str(part["kills"]), again, found["command"])]


def _creations(found: dict[str, Any]) -> list[str]:
    """Sessions whose making was killed; nothing where the campaign is of an older form."""
    ways = {
        "created": "creations of a session over HTTP, killed at each write, fsync and rename",
        "branched": "branches of a session, killed at each write, fsync and rename up to the answer",
    }
    rows = []
    for way, what in ways.items():
        parts = [p for name, p in found.get("creations", {}).items() if name.startswith(way)]
        if not parts:
            continue
        kills, made = (sum(part[key] for part in parts) for key in ("kills", "made_before"))
        troubles = sum(len(part["troubles"]) for part in parts)
        outcome = (
            f"{kills - made} times nothing was there and the name free, {made} times the whole session;"
            f" asked again with its key each is there once, no folder left over: {troubles} faults"
        )
        rows.append(_row(what, str(kills), outcome, found["command"]))
    return rows


def _same(part: dict[str, Any]) -> str:
    differing = part["arrays_that_differ"]
    how = f"**{len(differing)} arrays differ**" if differing else "every array equal"
    after = f"after {part['requests']} changes " if "requests" in part else ""
    return f"{after}{how} to the run that nobody killed"


def _crowd() -> list[str]:
    found = _load("rest")
    at_1x, unpaced = found["crowd_at_1x"], found["crowd_unpaced"]
    what = f"{at_1x['clients']} clients at 1 request/s each for {at_1x['seconds']:g} s, at 1x, then unpaced"
    errors = at_1x["server_errors"] + unpaced["server_errors"]
    slower = f"simulation {100 * unpaced['slower_by']:.0f} % slower (goal: 15 % at most)"
    count = f"{at_1x['requests'] + unpaced['requests']:,}"
    return [_row(what, count, f"{errors} server errors; {slower}", found["command"])]


def _health() -> list[str]:
    found, healthy, flapping = _load("confusion"), _load("healthy"), _load("flapping")
    symptoms = found["symptoms"].values()
    right, missed, wrong = (sum(s[key] for s in symptoms) for key in ("right", "missed", "wrong"))
    outcome = f"{right} findings right, {missed} missed, {wrong} wrong"
    what = "randomly damaged networks, each symptom found or not"
    runs = healthy["runs"]
    called = sum(run["graver_than_note"] for run in runs)
    peace = f"healthy runs of {runs[0]['seconds']:g} s simulated"
    return [
        _row(what, str(found["cases"]), outcome, found["command"]),
        _row(peace, str(len(runs)), f"{called} findings graver than a note", healthy["command"]),
        _row(
            f"random settings, left alone for {flapping['seconds']:g} s simulated",
            str(flapping["cases"]), _restless(flapping), flapping["command"],
        ),
    ]  # fmt: skip


def _restless(flapping: dict[str, Any]) -> str:
    """What did not stand still of what the doctor said."""
    counts, sessions = flapping["in_all"], flapping["sessions"]
    return (
        f"{flapping['ill']} were called ill; in {sessions['returns']} of them a finding was over and came"
        f" back ({counts['returns']} times in all), in {sessions['gaps']} the session was called well in"
        f" between; other causes {counts['causes']}, other remedies {counts['remedies']} times, another stage"
        f" named first {counts['places']} times in {sessions['places']} sessions"
    )


def _symptoms() -> list[str]:
    found = _load("confusion")
    causes, last = found["causes"], found["first"] + found["cases"] - 1
    drawn = (
        f"Configurations {found['first']} to {last} of `benchmarks/damage.py`, each drawn from its"
        " number, one after the other; no rule and no limit was set with them in view."
    )
    own = (
        f"{causes['cause_right']} of {causes['called']} damages that were called were called by their"
        " own cause. The aim is 0.95 of precision and recall each."
    )
    lines = [
        f"| `{name}` | {s['right']} | {s['missed']} | {s['wrong']} | {s['open']} |"
        f" {_share(s['precision'])} | {_share(s['recall'])} |"
        for name, s in found["symptoms"].items()
    ]
    wrong, missed = (
        sum(s[key] for s in found["symptoms"].values()) for key in ("wrong_now", "missed_now")
    )
    at_once = (
        f"Against the last second alone, whatever came before, {wrong} calls would be wrong and {missed}"
        " missing: findings outlast a dip by intent, so that they do not come and go."
    )
    return [
        "## Findings right",
        "",
        drawn,
        own,
        "",
        TRUTH,
        at_once,
        "",
        "| symptom | right | missed | wrong | open | precision | recall |",
        "|---|---|---|---|---|---|---|",
        *lines,
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    PAGE.write_text(reliability_page())
    sys.stdout.write(f"written: {PAGE.relative_to(ROOT)}\n")

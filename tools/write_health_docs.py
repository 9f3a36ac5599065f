"""Write docs/health.md from the rules, their causes and the presets: ``make docs``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from t4dm.health.evidence import HELD, LIT_MS, LIT_SHARE
from t4dm.health.finding import Rule, rules
from t4dm.health.params import BIN_MS, HealthParams
from t4dm.health.presets import PRESETS, Preset
from t4dm.live.doctor import UNTOLD_MS, VITAL

_VITAL = " or ".join(f"`{id}`" for id in VITAL)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "health.md"
HEAD = f"""# Health

What the doctor of a live session looks for, by which rule, and what it proposes. Written from `t4dm/health/` by `make docs`;
the thresholds are parameters, group `health` of [parameters.md](parameters.md), and stand here with their defaults.

The worker looks every {BIN_MS} ms of simulated time on the absolute grid of steps, at bins of that length: chunks, pacing and pauses change nothing of what is found.
A finding is told once a rule has held for `health.confirm_ms`; most rules are left at another threshold than they are entered.
A rate that swings about the threshold of entering from look to look is not told: it has to stay beyond it.
It is over once it has not been seen for `health.clear_ms`, where part of one of its remedies was done since it was found and stands. Where nothing was, a symptom has little reason to end, and it has to be away for `health.steady_ms`.
What comes back swings: it then has to be away for twice as long as it was the last time, and as it had to be, up to `health.longest_ms`, until a remedy was done whole. A finding says so: `returns` is how often it came back, `away_ms` for how long it has not been seen, `over_after_ms` after how long away it is over. Its `rule` holds the numbers of the look at which it was last seen.
What stands becomes graver once that has held for `health.confirm_ms`, and milder by the same spans as it would be over. It goes on naming the same stage while that is ill itself, until another is half as bad again.
Another cause than the one told, or other remedies, have to be seen for `health.steady_ms` (`health.clear_ms` where anything was set or injected) before they are told; the values in remedies are reckoned when it is found and anew after a change. While the window of a rule reaches behind a change of a parameter, a new finding has to be seen for the length of that window besides; changes that follow one another within 2 s count as one, that of the first. Until the window of a rule lies wholly behind the change, or behind a part of its remedy, what was found before the change keeps cause and remedies, and so does the event of its end: old spikes under new parameters explain nothing. Its numbers go on.
A look has a third answer, that it cannot tell: the stimulus rests, or nothing calls for what the rule looks for. It counts neither as seen nor as unseen, so what stands is held (`held` is true) and nothing is found or over because of a pause. Such rules stand under `cannot_tell`, each with `why` and `since_ms`, and so do those that are not asked while a finding explains theirs (`explained_by`).
Rates of a stimulus that pauses for {LIT_MS} ms or more (`stimulus.rest_ms`, between pulses) are those of its time alone: a window needs {LIT_MS} ms of stimulus, and reaches further back, over at most {HELD * BIN_MS / 1000:g} s, until {LIT_SHARE:.0%} of its length are stimulus. A silence longer than the stimulus's own pauses is none of them.
The first `health.settle_ms` after a start, a reset or a worker that was started again are not judged, nothing is remembered of before, and a rule waits until its window is full; until then the status says how much is missing.
Where nothing is found, but {_VITAL} has not been able to tell for {UNTOLD_MS / 1000:g} s, the `severity` of the report is `untold` and not `ok`: a network that is dead behind a resting stimulus is not called healthy. The finding that ends because another explains it has that one's id as `by` in its event.
Where that other one ends under the settings that it was found with, and what it explained is there yet by its limit of leaving, this is found at the same look: nothing is called healthy in between.
A finding has a severity (note, warning, critical), a place, the rule with its numbers, the likely cause told apart by evidence, and remedies: lists of ordinary commands, applied as one and undone as one.
A note is no illness: a stage somewhat above its band, say. Everything above is.

The status of a session has it all under `health`; each finding and its end is an event of type `finding` on the time axis; `{{"type": "break_on", "kind": "finding", "finding": "any", "severity": "warning"}}` pauses the run at the step of the look.

## Drive

Causes of silence and of too many spikes are told apart by the *drive* of a stage, its mean current in units of `theta * (1 - alpha)` at the defaults, 0.1, where a constant current begins to fire by itself.
It follows from what is measured: in a steady state the mean of `u_pre = alpha * u + I` with `u = u_pre - beta * theta * s` gives `I = (1 - alpha) * mean(u_pre) + alpha * beta * theta * rate`.
The recurrent part of it is `(0.5 + NE) * recurrent.gain * rate * mean(W)`.
What is quiet is put down to the parameter off its default that makes it hardest to fire, in the stage itself or in one before it that fires below twice the floor of its band: by 2 for a threshold of 2 or a gain of 0.5. The cause that stands is kept until another is 1.5 times as strong; only where none is changed do the figures alone decide.
Where membranes are clamped the estimate is too small, and a finding says "at least"; what a block passes on is never negative, so that the drive is at least its recurrent part.
What fires too much is put down to a parameter off its default that drives it, and of several to the one that lifts most; only where none is changed do the figures alone decide. The first remedy puts back all of them."""
FOOT = """## Presets that make it ill

`{"type": "preset", "name": …}` puts one in force, `healthy` takes what presets touch back; both are undone like any change.
Each is found within 2 s of simulated time; in force from the first step on, within 2.5 s, since the first `health.settle_ms` are not judged. The first remedy of the finding heals it within 5 s.
`tests/unit/health/test_presets.py` runs all of them on the default network from three starts: two seeds, one of them from its first step too, the remedy 0.2 to 2.5 s after the finding; sparsity, which lies between two limits, under four seeds more.

| preset | parameters | found as | cause |
|---|---|---|---|"""
CAMPAIGNS = """## How often it is right

`python benchmarks/bench_healthy.py` runs healthy networks and counts what is called above a note; `python benchmarks/bench_confusion.py` damages a hundred configurations at random and compares what is called with what other means measure; `python benchmarks/bench_flapping.py` draws settings at random, leaves them alone and counts what comes back, and what changes its cause, remedies or place.
Their results lie in `benchmarks/results/` as `healthy.json`, `confusion.json` and `flapping.json`; `tests/unit/health/test_campaigns.py` runs a sample of each."""


def health_page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD, "", *map(_rule, rules()), FOOT, *map(_preset, PRESETS), "", CAMPAIGNS, ""]
    return "\n".join(parts)


def _rule(rule: Rule) -> str:
    rows = [f"| `{code}` | {text} |" for code, text in rule.causes.items()]
    lines = [
        f"## {rule.title}",
        f"`{rule.id}`, {rule.severity}. {_with_numbers(rule.text)}{_instead(rule)}",
        "",
        "| cause | says |",
        "|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def _with_numbers(text: str) -> str:
    """``health.silent`` with its default behind it."""
    specs = {spec.path: spec for spec in HealthParams.specs()}

    def told(match: re.Match[str]) -> str:
        spec = specs[match[1]]
        unit = f" {spec.unit}" if spec.unit == "ms" else "/s" if spec.unit == "1/s" else ""
        return f"`{match[1]}` ({spec.default:g}{unit})"

    return re.sub(r"`(health\.\w+)`", told, text)


def _instead(rule: Rule) -> str:
    if not rule.instead:
        return ""
    names = ", ".join(f"`{name}`" for name in rule.instead)
    echo = ", or, after a change of parameters, its window reaches back to one that was"
    echo = echo if rule.echoes else ""
    return f" Not looked for while it is explained by {names}{echo}."


def _preset(preset: Preset) -> str:
    values = ", ".join(f"`{path}` {_value(value)}" for path, value in preset.values.items())
    return f"| `{preset.name}` | {values} | `{preset.finding}` | `{preset.cause}` |"


def _value(value: bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def main() -> int:
    PAGE.write_text(health_page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

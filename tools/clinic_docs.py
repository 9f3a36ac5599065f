"""The sections of docs/training.md on the clinic and on training live, from their result files."""

from __future__ import annotations

from typing import Any

TRIALS = (
    ("transformer", "the hippocampal transformer in float32", "1 to 8"),
    ("brain", "the same, a natural brain before its head, bfloat16, K = 5, 8 of 3 experts asked for", "9 to 15, 17"),
    ("no dopamine", "the same brain with tonic dopamine 0: no region is released", "16"),
)  # fmt: skip
LIVE = (
    ("repaints_a_s", "repaints a second: animation frames in which the clock of the step in work moved on", "at least {:g}", "{:.0f}"),
    ("fps", "animation frames a second that the page had meanwhile, the pointer moving over a chart", "at least {:g}", "{:.0f}"),
    ("input_p95_ms", "from a movement of the pointer to the frame with its readout, 95 %", "{:g} ms", "{:.0f} ms"),
    ("on_screen_p95_ms", "a finished step is on screen, 95 %", "{:g} ms", "{:.0f} ms"),
    ("queued_p95_ms", "a command is answered as queued, 95 %", "{:g} ms", "{:.0f} ms"),
    ("applied_late", "commands applied later than before the next step", "{:g}", "{:g}"),
    ("reader_slows_by", "one reader of the stream slows training by", "at most {:.0%}", "{:.1%}"),
)  # fmt: skip


def clinic(made: dict[str, Any]) -> list[str]:
    """The table of seventeen faults."""
    trials = [f"| {name} | {what} | {faults} |" for name, what, faults in TRIALS]
    return [
        "## The clinic: seventeen faults beside the sound model",
        "",
        (f"Run `{made['run']}`: {made['steps']} steps, seed {made['seed']}, everything on; a faulty model and its sound one learn from the same seed and text. "
         f"A tenth of the text and a vocabulary of 1024 (ln V = 6.93) make a run of seconds in which loss 5 means something: knowing how frequent each token is gives {made['unigram']:.2f}."),
        "",
        "| trial | what is trained | faults |", "|---|---|---|", *trials,
        "",
        "| no | fault | to loss 5 | final | held out | norm: median / largest | what tells it apart: sound → faulty | by its curve? |",
        "|---|---|---|---|---|---|---|---|",
        *_by_trial(made["rows"]),
        "",
        *[f"Fault {row['number']} stops with `{row['error']}`" + ("." if row is made["rows"][-1] else "  ")
          for row in made["rows"] if row["error"]],
        "",
        ("*To loss 5*: first step at which the mean of 25 wake losses is below it; *final*: mean of the last 50 wake losses; norms after the first 20 steps, before clipping. "
        "*By its curve*: final or held-out loss is further from the sound run's than twice the spread of sound runs of three seeds (two with a brain). Where it says no, nobody would find the fault by looking at the loss: the measure is needed. "
        "Fault 6 leaves every number of training as it is, as each text is there as long as the whole context; it shows once a text grows, as in writing: its measure is of the codes themselves. "
        "The measure of fault 14 is taken where the brain stands, of what the last layer gives it before the first step, when that is still small; 0.1 is the weight of what the regions add."),
    ]  # fmt: skip


def _by_trial(rows: list[dict[str, Any]]) -> list[str]:
    """The faults of each trial under the sound model that they are compared with."""
    lines = []
    for name, *_ in TRIALS:
        faulty = [row for row in rows if row["trial"] == name and row["beside"]]
        if faulty:
            sound = {"number": 0, "title": f"**sound: {name}**", "telling": None}
            lines += [_row(faulty[0]["beside"] | sound), *map(_row, faulty)]
    return lines


def _row(row: dict[str, Any]) -> str:
    steps = "–" if row["steps_to_5"] is None else str(row["steps_to_5"])
    norm = f"{_number(row['norm_median'])} / {_number(row['norm_max'])}"
    telling, tells, told = "", "", row["telling"]
    if told:
        tells = {True: "yes", False: "no", None: "it stops"}[row["curve_tells"]]
        telling = f"{told['name']}: {_number(told['sound'])} → {_number(told['faulty'])}"
    cells = [row["number"], row["title"], steps, _loss(row["final"]), _loss(row["held_out"]), norm]
    return "| " + " | ".join(map(str, [*cells, telling, tells])) + " |"


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1000 else f"{value:.3g}"


def live(made: dict[str, Any]) -> list[str]:
    """What the page does while a model learns."""
    found, goals = made["result"], made["goals"]
    rows = []
    for key, what, goal, value in LIVE:
        told = value.format(found[key]) if key in found else "not measured yet"
        if key == "queued_p95_ms" and "queued_max_ms" in found:
            told += f"; the slowest {found['queued_max_ms']:.0f} ms"
        rows.append(f"| {what} | {goal.format(goals[key]) if key in goals else ''} | {told} |")
    quick = found["tiny_drawn_a_s"]
    tiny = f"{quick:.0f} times a second" if quick else "not measured yet"
    return [
        "## Live",
        "",
        (f"The whole program with a session that trains `{made['run']}` on one thread, and the Training page in headless Chromium (`benchmarks/bench_training_live.py`). "
         f"{found['steps_a_s']:.1f} steps a second alone. Charts are drawn anew when a step is finished: {found['drawn']:.1f} times a second here; of `tiny`, whose steps are many times quicker: {tiny}."),
        "",
        "| what | goal | measured |", "|---|---|---|", *rows,
    ]  # fmt: skip

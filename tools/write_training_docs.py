"""Write docs/training.md and its pictures from ``benchmarks/results/training_*``: ``make docs``."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tools.clinic_docs import clinic, live
from tools.training_chart import training_chart
from tools.training_session_docs import sessions

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "training.md"
IMAGES = ROOT / "docs" / "img"
RESULTS = ROOT / "benchmarks" / "results"
HEAD = """# Training

The hippocampal transformer ([language.md](language.md)) trained on real text. Written from `benchmarks/results/training_*` by `make docs`: the numbers as they came out.

## Text and vocabularies
| | what | licence | where |
|---|---|---|---|
| text | American Standard Version, 1901, 4.15 million characters | public domain | `t4dm/training/texts/`, 0.9 MB, with source and SHA-256 |
| 32,000 tokens | byte-pair encoding with byte fallback that ships in the package `mistral-common` | Apache-2.0 | `t4dm/training/vocabularies/`, 0.3 MB |
| 4096 tokens | byte-level byte-pair encoding | learnt by the run from its training part | the run |

Both vocabularies go through Hugging Face `tokenizers` and give every text back exactly. Nothing is fetched.

## Commands
    python benchmarks/train_text.py memorise --out runs/memorise --publish
    python benchmarks/train_text.py read --out runs/read --publish
    python benchmarks/bench_training.py
    python benchmarks/bench_training_ewc.py
    python benchmarks/bench_training_recall.py
    python benchmarks/bench_clinic.py
    python benchmarks/bench_training_live.py
    make docs

A run tells its loss, its gradient norms and the time left every 25 steps, falling asleep and waking up when it does, and writes a checkpoint every 100 steps (`run.ckpt`, safetensors: the weights are `model.…` in it). Ended in any way, `kill -9` included, the same command goes on from the last checkpoint with the same losses, bit for bit.
`steps.jsonl` in its folder has every step's loss, gradient norm, rate and phase; `run.log` what was told.
"""
HOW = """## How the numbers are taken
Loss at step s: mean of the last 50 wake steps up to it. Held-out loss: windows of 128 tokens side by side, each begun without history, while the counting models always see the two tokens before; the memory bank is as the training left it.
Unigram: counts plus one. Trigram: interpolated modified Kneser-Ney (`t4dm/training/ngram.py`). Both are counted on the whole training part.
distinct-2: different pairs of neighbouring words over all pairs, in ten texts of 100 tokens that go on from the first three words of held-out lines; beside it the same of held-out text of that length. Temperature 0.8, the 40 likeliest tokens.
"""


def results(name: str, prefix: str = "training_") -> dict[str, Any]:
    """One results file; empty where the program that writes it has not run yet."""
    path = RESULTS / f"{prefix}{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def course(name: str) -> dict[str, np.ndarray]:
    """Every step of a run."""
    with np.load(RESULTS / f"training_{name}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def charts() -> dict[str, str]:
    """File name and SVG text of every picture of the page."""
    made = {}
    for name in ("memorise", "read"):
        if run := results(name):
            title = f"{name}: vocabulary {run['model']['vocab_size']:,}, {run['text']['train_tokens']:,} tokens"
            levels = {"goal": 3.0} if name == "memorise" else run["counting"]
            made[f"training_{name}.svg"] = training_chart(title, course(name), levels)
    return made


def training_page() -> str:
    """The whole page as Markdown."""
    memorise, read, speed, ewc, recall = map(
        results, ("memorise", "read", "speed", "ewc", "recall")
    )
    table, shown = results("clinic", ""), results("live")
    runs = [run for run in (memorise, read) if run]
    parts: list[list[str]] = [
        _memorise(memorise) if memorise else _missing("(a) memorise"),
        _read(read) if read else _missing("(b) read"),
        _shared(runs) if runs else [],
        *map(_samples, runs[::-1]),
        _speed(speed) if speed else _missing("Beside a plain GPT"),
        _forgetting(ewc) if ewc else _missing("Does EWC keep an old task?"),
        _recall(recall) if recall else _missing("What the memory is worth"),
        clinic(table) if table else _missing("The clinic"),
        live(shown) if shown else _missing("Live"),
    ]
    blocks = ["\n".join(part) for part in parts if part]
    return "\n\n".join([HEAD.rstrip(), sessions().rstrip(), *blocks, HOW])


def _missing(title: str) -> list[str]:
    return [f"## {title}", "", "Not measured yet."]


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    head = ["| what | goal | measured |", "|---|---|---|"]
    return head + [f"| {what} | {goal} | {measured} |" for what, goal, measured in rows]


def _memorise(made: dict[str, Any]) -> list[str]:
    text = made["text"]
    steps = made["first_below_3"]
    below = "not reached" if steps is None else f"step {steps}"
    held = made["held_out_at"].get("1000")
    beside = f"{held['loss']:.2f}" if held else "not yet scored"
    what = f"## (a) memorise: {text['train_tokens']:,} tokens, a 32,000-token vocabulary"
    passes = made["tokens"] / text["train_tokens"]
    return [
        what,
        "",
        (f"The first {text['train_tokens']:,} tokens ({text['train_characters']:,} characters) seen {passes:.1f} times over. "
        "What low loss shows here is memory, not understanding: the text right after it stays far above."),
        "",
        "![Loss and gradient norm of the run memorise](img/training_memorise.svg)",
        "",
        *_table([
            ("loss of the first step", "10.3 ± 0.3", f"{made['first_loss']:.2f} (ln V = {made['ln_vocabulary']:.2f})"),
            ("mean of 50 wake steps below 3.0", "within 1000 steps", below),
            ("loss at step 1000", "< 3.0", _at(made, "1000")),
            ("loss of the trained text afterwards, every window once", "", f"{made['trained_text_loss']:.2f}"),
            (f"loss of the {text['held_out_tokens']:,} tokens after it", "", beside),
        ]),
    ]  # fmt: skip


def _read(made: dict[str, Any]) -> list[str]:
    text, counted, held = made["text"], made["counting"], made["held_out_at"]

    def scored(step: str) -> str:
        return f"{held[step]['loss']:.3f}" if step in held else "not yet run"

    rows = [
        ("training loss at 1000 / 5000 steps", "falls", f"{_at(made, '1000')} / {_at(made, '5000')}"),
        ("held-out loss at 1000 steps", f"< unigram {counted['unigram']:.3f}", scored("1000")),
        ("held-out loss at 5000 steps", f"< trigram {counted['trigram']:.3f}", scored("5000")),
    ]  # fmt: skip
    if "5000" in held:
        rows.append(
            ("held-out perplexity after 5000 steps", "", f"{math.exp(held['5000']['loss']):.1f}")
        )
    variety = made["distinct_2"]
    rows.append((
        f"distinct-2 after {made['steps']} steps", "",
        f"{variety['model']:.3f}; held-out text {variety['held_out_text']:.3f}",
    ))  # fmt: skip
    return [
        f"## (b) read: {text['train_tokens']:,} tokens, a 4096-token vocabulary",
        "",
        (
            f"The whole text but its last tenth ({text['held_out_tokens']:,} tokens: the epistles and what follows), which is scored and never learnt from. "
            "The style of that part differs from most of the rest, for the counting models as well."
        ),
        "",
        "![Loss and gradient norm of the run read](img/training_read.svg)",
        "",
        *_table(rows),
    ]


def _at(made: dict[str, Any], step: str) -> str:
    return f"{made['loss_at'][step]:.3f}" if step in made["loss_at"] else "not yet run"


def _shared(runs: list[dict[str, Any]]) -> list[str]:
    rows = []
    for what, value in (
        ("gradient norm before clipping, after the first 20 steps: smallest / median / largest; steps outside 0.1 to 10", _norms),
        ("CPU seconds for 1000 steps, one thread (goal: 15 minutes on two cores)", _seconds),
        ("parameters; width, layers, heads, place cells, context, batch", _shape),
        ("peak rate, warm-up, schedule, weight decay, clip", _schedule),
        ("sleeps: first at step, steps of one, how many", _sleeps),
        ("round trip of the text through the vocabulary", _exact),
    ):  # fmt: skip
        rows.append(f"| {what} | {' | '.join(value(run) for run in runs)} |")
    names = " | ".join(run["run"] for run in runs)
    return ["## The runs", "", f"| | {names} |", "|---" * (len(runs) + 1) + "|", *rows]


def _norms(made: dict[str, Any]) -> str:
    norm = made["grad_norm"]
    found = " / ".join(f"{norm[key]:.2f}" for key in ("smallest", "median", "largest"))
    return f"{found}; {norm['outside_the_band']}"


def _seconds(made: dict[str, Any]) -> str:
    return f"{1000 * made['seconds']['cpu_s'] / made['steps']:.0f}"


def _shape(made: dict[str, Any]) -> str:
    model, train = made["model"], made["train"]
    shape = [model[key] for key in ("dim", "n_layers", "n_heads", "n_place")]
    shape += [train["context"], train["batch"]]
    return f"{made['parameters']:,}; {', '.join(map(str, shape))}"


def _schedule(made: dict[str, Any]) -> str:
    train = made["train"]
    return (
        f"{train['learning_rate']:g}, {train['warmup']} steps, cosine to "
        f"{train['final_share']:g} of it at {train['total_steps']}, {train['weight_decay']:g}, {train['clip']:g}"
    )


def _sleeps(made: dict[str, Any]) -> str:
    if not made["sleeps"]:
        return "none yet"
    first, after = made["sleeps"][0]
    return f"{first}, {after - first}, {len(made['sleeps'])}"


def _exact(made: dict[str, Any]) -> str:
    return "exact" if made["text"]["round_trip_exact"] else "NOT exact"


def _samples(made: dict[str, Any]) -> list[str]:
    lines = [f"### Samples of `{made['run']}` after {made['steps']} steps, raw", ""]
    for one in made["samples"]:
        quoted = one["text"].replace("\n", "\n    ")
        lines += [f"    {quoted}", ""]
    return lines[:-1]


def _speed(made: dict[str, Any]) -> list[str]:
    rows = []
    for row in made["rows"]:
        plain = f"{row['plain_tokens_a_cpu_s']:,.0f}"
        for what, key in (("all but EWC", ""), ("everything, EWC too", "ewc_")):
            speed, ratio = "not measured yet", ""
            if f"{key}ratio" in row:
                speed, ratio = f"{row[f'{key}tokens_a_cpu_s']:,.0f}", f"{row[f'{key}ratio']:.2f}"
            rows.append(f"| {row['run']} | {what} | {speed} | {plain} | {ratio} |")
    return [
        "## Beside a plain GPT",
        "",
        "The same width, depth, heads, context, batch and vocabulary (`benchmarks/plain_gpt.py`), in turns in one process on one thread; ours with prosody, memory and sleep on, and with EWC too: its pull in every step, Fisher information at the end of each sleep. Goal: a ratio of 0.8.",
        "",
        "| size of run | what is on | tokens a CPU second | plain GPT | ratio |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _forgetting(made: dict[str, Any]) -> list[str]:
    rows = []
    for mean in made["means"]:
        each = [row for row in made["rows"] if row["strength"] == mean["strength"]]
        seeds = " / ".join(f"{row['forgetting']:.2f}" for row in each)
        name = "none" if mean["strength"] == 0 else f"{mean['strength']:g}"
        rows.append(f"| {name} | {mean['forgetting']:.2f} | {seeds} | {mean['learnt']:.2f} |")
    steps = made["steps_a_task"]
    return [
        "## Does EWC keep an old task?",
        "",
        (
            f"Task A: the beginning of the text above ({made['tokens'][0]:,} tokens); task B: that of Python's own documentation (`pydoc_data.topics`, {made['tokens'][1]:,} tokens). {steps} steps of A, Fisher information and anchor, {steps} steps of B without sleep. "
            "Forgetting is how much the held-out loss of A rises, learnt how much that of B falls, in nat a token."
        ),
        "",
        f"| strength | forgetting, mean of {made['seeds']} seeds | each seed | learnt of B |",
        "|---|---|---|---|",
        *rows,
    ]


def _recall(made: dict[str, Any]) -> list[str]:
    rows = []
    for row in made["rows"]:
        passages, facts = row["passages"], row["facts"]
        losses = " | ".join(f"{passages[name]:.3f}" for name in ("without", "others_read", "read"))
        right = " | ".join(
            f"{facts[name] * made['facts']:.0f}" for name in ("found", "answered", "without")
        )
        rows.append(f"| {row['step']:,} | {losses} | {right} |")
    return [
        "## What the memory is worth",
        "",
        (
            f"Passages: {made['groups']} times {made['passages']} windows of {made['context']} tokens of held-out text, read once, every token stored; their loss in nat a token without the bank, with one that holds the twenty passages after them, and with one that holds themselves. "
            f"Facts: {made['facts']} of six random tokens, told once each, with 640 tokens of other text stored after them; the first five are asked, the sixth is the answer. "
            "Found: the best recalled event is the answer; answered: the answer is the likeliest token."
        ),
        "",
        "| trained for steps | loss without | others read | read once before | facts found | answered | answered without the bank |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    for file_name, svg in charts().items():
        (IMAGES / file_name).write_text(svg)
    PAGE.write_text(training_page())
    sys.stdout.write(f"written: {PAGE.relative_to(ROOT)}\n")

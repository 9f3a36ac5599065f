"""Write docs/performance.md from the files in ``benchmarks/results``: ``make docs``."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
HEAD = """# Performance

Measured, not promised: written from `benchmarks/results/*.json` by `make docs`. Each file holds the machine, its load and the command;
`make bench` repeats them, but those beside other programs, which need these installed. Headless Chromium draws without a GPU, on two cores that also run the model.

| what | goal | measured | repeat with `python benchmarks/` |
|---|---|---|---|"""


def performance_page() -> str:
    """The whole page as Markdown."""
    rows = [
        *_page(),
        *_snapshot(),
        *_start(),
        *_engine(),
        *_kernel(),
        *_interruptions(),
        *_stream(),
        *_memory(),
        *_rest(),
        *_watch(),
        *_model(),
        *_digits(),
    ]
    return "\n".join([HEAD, *rows, "", *_budget(), "", *_peers(), "", *_scaling(), ""])


def _load(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text())


def _row(what: str, goal: str, measured: str, script: str) -> str:
    return f"| {what} | {goal} | {measured} | `{script}` |"


def _page() -> list[str]:
    result, script = _load("page")["result"], "bench_page.py"
    latency = f"{result['latency_p50_ms']:.1f} / {result['latency_p95_ms']:.1f} ms"
    typed = f"{result['applied_p95_ms']:.0f} / {result['seen_p95_ms']:.0f} ms"
    slid = f"{result['slider_applied_p95_ms']:.0f} / {result['slider_seen_p95_ms']:.0f} ms"
    unpaced = f"{result['unpaced_times_real_time']:.1f}x at {result['unpaced_fps']:.0f} fps"
    return [
        _row("live page, all panels, 1x", "30 fps", f"{result['fps']:.1f} fps", script),
        _row("worker to painted pixel, p50 / p95", "30 / 80 ms", latency, script),
        _row("typed value to applied / seen, p95", "50 / 150 ms", typed, script),
        _row("moved slider to applied / seen, p95", "50 / 150 ms", slid, script),
        _row("unpaced with one viewer", "2x real time, 30 fps", unpaced, script),
    ]


def _interruptions() -> list[str]:
    result, script = _load("interruptions")["result"], "bench_interruptions.py"
    worker, web = result["worker"], result["web"]["both and their master"]
    told = f"{worker['told_s']['slowest']:.1f} / {worker['live_again_s']['slowest']:.1f} s"
    meanwhile = f"page live after {web['page_live_s']:.1f} s, run at {web['times_real_time']:.2f}x"
    left = f"{result['ctrl_c_s']:.1f} s, {result['left_after_ctrl_c']} left"
    return [
        _row(
            "`kill -9` of the worker: page says so / live again, slowest", "2 / 10 s", told, script
        ),
        _row("`kill -9` of the whole web process", "the run does not notice", meanwhile, script),
        _row("Ctrl-C until no process is left", "10 s", left, script),
    ]


def _watch() -> list[str]:
    result, parts = _load("watch")["result"], []
    for size in ("typical", "small"):
        wall, cpu = (result[size][clock]["overhead_percent"] for clock in ("wall", "processor"))
        every, control = (
            result[size]["processor"][which]["overhead_percent"]
            for which in ("every_call", "control")
        )
        recorded = result[size]["calls_recorded_percent"]
        in_all = result[size]["processor"]["in_all_percent"]
        parts.append(
            f"{size} {cpu:.1f} % of processor time ({in_all:.1f} % in all), {wall:.1f} % on the clock, "
            f"{recorded:.0f} % of its calls recorded (with every call {every:.1f} %; "
            f"two networks not watched differ by {control:.1f} %)"
        )
    what = "watching a training script, steps of 784-1000-10 and of 64-256-10"
    return [_row(what, "5 %", "; ".join(parts), "bench_watch.py")]


def _snapshot() -> list[str]:
    result, script = _load("snapshot")["result"], "bench_snapshot.py"
    live, paused, pause = (
        result[name]["slowest"] for name in ("snapshot_live_s", "snapshot_paused_s", "pause_s")
    )
    return [
        _row(
            "snapshot of the board, live / paused, slowest",
            "3 / 3 s",
            f"{live:.2f} / {paused:.2f} s",
            script,
        ),
        _row(
            "pause until every panel can be inspected, slowest", "1.5 s", f"{pause:.2f} s", script
        ),
    ]


def _start() -> list[str]:
    later = _load("start")["later"]
    page = max(start["page_s"] for start in later)
    frame = max(start["first_frame_s"] for start in later)
    measured = f"{page:.2f} / {frame:.2f} s"
    return [_row("second start: page / first frame", "4 / 6 s", measured, "bench_start.py")]


def _engine() -> list[str]:
    result = _load("engine")
    measured = f"{result['steps_per_s']:.0f} steps/s, {result['steps_per_cpu_s']:.0f} a CPU second"
    what = "6 x 256, STDP, all modulators, unpaced, one thread"
    return [_row(what, "3000 steps/s", measured, "bench_engine.py")]


def _kernel() -> list[str]:
    rows = {row["what"]: row for row in _load("kernel")["results"]}
    same, cut = rows["kernel"]["ratio"], rows["kernel, windows cut at 100 ms"]["ratio"]
    measured = (
        f"{same:.0f}x; {cut:.0f}x with the windows cut at 100 ms, which torch's are not. This torch changes "
        "its weights in place; the one that picks rows by index stands in the table of peers, and is faster"
    )
    what = "LIF + dense recurrence + STDP, N = 1000, the kernels in a loop of their own, against tuned torch"
    return [_row(what, "20x", measured, "bench_kernel.py")]


def _stream() -> list[str]:
    result = _load("stream")
    slowest = min(result[speed]["slowest_fps"] for speed in ("speed 1.0", "speed max"))
    slowed = max(result[speed]["slowed_percent"] for speed in ("speed 1.0", "speed max"))
    measured = f"slowest {slowest:.1f} fps, {slowed:.0f} % slower"
    what = "16 readers at 10 fps"
    return [_row(what, "all >= 9 fps, at most 15 % slower", measured, "bench_stream.py")]


def _memory() -> list[str]:
    result = _load("memory")
    parts = [
        f"{name.split(' ')[0]} {values['private_mb_a_minute']:+.2f}"
        for name, values in result["processes"].items()
        if "gunicorn" in name or "worker" in name
    ]
    measured = f"MB a minute over {result['minutes']:g} min: {', '.join(parts)}"
    return [_row("memory with one viewer", "flat", measured, "bench_memory.py")]


def _rest() -> list[str]:
    found, script = _load("rest"), "bench_rest.py"
    small = [row for row in found["gets"] if row["goal_ms"] < 100]
    large = next(row for row in found["gets"] if row["goal_ms"] >= 100)
    slow = [row["path"].split("?")[0] for row in small if row["p95_ms"] > row["goal_ms"]]
    worst = max(small, key=lambda row: row["p95_ms"])
    over = f"; over it: {', '.join(slow)}" if slow else ""
    measured = f"slowest {worst['p95_ms']:.0f} ms ({worst['path'].split('?')[0]}){over}"
    crowd = found["crowd_unpaced"]
    slower = f"{100 * crowd['slower_by']:.0f} % slower, {crowd['server_errors']} server errors"
    few = f"{worst['goal_ms']:.0f} ms"
    return [
        _row(f"{len(small)} small GETs beside a live viewer, p95 of each", few, measured, script),
        _row("raster of 1000 ms x 1000 neurons, p95", f"{large['goal_ms']:.0f} ms",
             f"{large['p95_ms']:.0f} ms", script),
        _row(f"{crowd['clients']} clients at 1 request/s", "at most 15 % slower", slower, script),
    ]  # fmt: skip


def _model() -> list[str]:
    healthy, equality = _load("healthy"), _load("equality")
    runs, beside = equality["runs"], equality["one_spike_more"]
    rates = [row["rate"] for row in healthy["stages"] if row["stage"].startswith("block")]
    band = f"{min(rates):.1%} to {max(rates):.1%}"
    exact = [run for run in runs if run["dtype"] == "float64"]
    gap = max(run["largest_weight_gap_before_it"] for run in exact)
    flips = sum(run["first_flipped_spike_step"] is not None for run in exact)
    together, control = equality["pooled"]["float32"], equality["pooled"]["one_spike_more"]
    flipped = [
        r for r in runs if r["dtype"] == "float32" and r["first_flipped_spike_step"] is not None
    ]
    double = f"{flips} flipped spikes in {len(exact)} runs, largest gap {gap:.1e}"
    own = max(run["rate_error"] for run in beside)
    worst = max((run["rate_error"] for run in flipped), default=0.0)
    float32 = (
        f"network {together['rate_error']:.2%}, stage {together['largest_stage_rate_error']:.2%} "
        f"at worst; {together['runs'] - len(flipped)} of them without any flip, a single one "
        f"{worst:.2%} at worst. Control, the kernel beside itself with one spike more: "
        f"{control['rate_error']:.2%}, {control['largest_stage_rate_error']:.2%}, "
        f"a single one {own:.2%}"
    )
    pool = f"kernel against torch, float32, rates of {together['runs']} runs together"
    script = "bench_equality.py"
    return [
        _row("every stage's rate at default settings", "2 to 15 %", band, "bench_healthy.py"),
        _row("kernel against torch, float64", "same spikes, weights 1e-9", double, script),
        _row(pool, "1 %, 5 % a stage", float32, script),
    ]


def _digits() -> list[str]:
    result, peer = _load("digits"), _load("peer_digits_bindsnet")
    rows = {row["condition"]: row for row in result["conditions"]}
    whole = rows["with reward and STDP"]
    measured = f"{whole['mean']:.1%} (SD {whole['standard_deviation']:.1%})"
    less = " / ".join(f"{rows[f'without {name}']['mean']:.1%}" for name in ("reward", "STDP"))
    seeds = [run["seed"] for run in peer["runs"]]
    ours = statistics.mean(whole["held_out"][result["seeds"].index(seed)] for seed in seeds)
    both = f"{ours:.1%} against {peer['held_out_mean']:.1%}"
    what = f"held-out digits, {result['neurons']} neurons, {result['passes']} passes"
    which = f"seeds {', '.join(map(str, seeds))}"
    beside = f"beside BindsNET {peer['bindsnet']} DiehlAndCook2015, same splits, mean of {which}"
    script = "bench_digits.py"
    return [
        _row(f"{what}, mean of {len(result['seeds'])} seeds", "80 %", measured, script),
        _row("the same without reward / without STDP", "lower", less, script),
        _row(beside, "no worse", both, "peer_digits_bindsnet.py"),
    ]


def _budget() -> list[str]:
    parts = _load("engine")["budget_us_per_step"]
    rows = [f"| {name} | {cost:.1f} |" for name, cost in parts.items()]
    return ["## Where a step of the default stack goes", "", "| part | µs |", "|---|---|", *rows]


PEERS = """## Beside other libraries

Steps a second, one thread, about 7 % firing, medians of blocks timed in turns; one column is one run. A: LIF + dense recurrence.
A2: 10 % of the connections. B: A + pair STDP at every step. C: a surrogate-gradient training step (two layers of 256, batch 32, 100 steps).
Each library runs its own neuron and its own STDP, which are t4dm's equations where it has them: BindsNET, NEST, Nengo and ANNarchy reset to a value instead of subtracting the threshold; NEST and ANNarchy draw the noise inside, which is part of their time, and NEST computes in float64.
Other programs ran on the machine meanwhile, so read the ratios within a column. Repeat with `PEERS_VENVS=FOLDER python benchmarks/bench_peers_table.py PEERS_BENCH.py`. PEERS_BENCH.py is the peers' benchmark program, which has an entry a library and is not part of this repository; FOLDER holds the virtual environments that its entries name, and a library whose environment is missing is tried in the running one and told as failed. t4dm's entry is `benchmarks/peers_entry.py`.
"""
OURS = {"t4dm": "**t4dm**", "c_t4dm": "**t4dm**", "t4dm_cut": "t4dm, windows cut at 100 ms",
        "t4dm_mu": "t4dm, mu = 0.5 (event replay)", "brian2_cpp": "Brian2, C++",
        "jax_dense": "JAX", "c_jax": "JAX", "snntorch": "snnTorch", "spikingjelly": "SpikingJelly",
        "bindsnet": "BindsNET", "nest": "NEST", "torch_tuned": "torch, in place",
        "torch_gather": "torch, rows by index", "c_torch_naive": "torch, step by step",
        "c_torch_compile": "torch.compile", "torch_compile": "torch.compile",
        "torch_naive": "torch, plain", "brainpy": "BrainPy", "annarchy": "ANNarchy"}  # fmt: skip


def _peers() -> list[str]:
    runs = _load("peers")["runs"]
    order = sorted(runs, key=lambda key: (key.split()[0], int(key.split()[1])))
    speeds: dict[str, dict[str, float]] = {}
    for key in order:
        for row in runs[key]["rows"]:
            if "steps_per_s" in row:
                name = OURS.get(row["impl"], row["impl"])
                speeds.setdefault(name, {})[key] = row["steps_per_s"]
    names = sorted(speeds, key=lambda name: "t4dm" not in name)
    rows = [
        f"| {name} | {' | '.join(_speed(speeds[name].get(key)) for key in order)} |"
        for name in names
    ]
    others = [
        [speeds[n][key] for n in names if "t4dm" not in n and key in speeds[n]] for key in order
    ]
    ratios = [
        f"{speeds['**t4dm**'][key] / max(peers):.1f}x" if peers else ""
        for key, peers in zip(order, others, strict=True)
    ]
    return [
        PEERS,
        f"| | {' | '.join(key.split()[0] if key[0] == 'C' else key for key in order)} |",
        "|---" * (len(order) + 1) + "|",
        *rows,
        f"| t4dm over the best other | {' | '.join(ratios)} |",
        *_passed_over(runs, order),
    ]


def _passed_over(runs: dict[str, Any], order: list[str]) -> list[str]:
    """A line a cell for what was left out of it, and why."""
    lines = []
    for key in order:
        rows = runs[key]["rows"]
        out = [(r["impl"], r.get("passed_over") or r.get("error")) for r in rows]
        out = [(name, why) for name, why in out if why]
        if out:
            told = "; ".join(f"{OURS.get(name, name)}: {why}" for name, why in out)
            lines.append(f"{key} without {told}.")
    return ["", *lines] if lines else []


def _speed(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _scaling() -> list[str]:
    rows = _load("scaling")["rows"]
    lines = [
        f"| {row['n']:,} | {row['fired']:.1%} | {row['steps_per_s']:,.0f} | "
        f"{row['bound_steps_per_s']:,.0f} |"
        for row in rows
    ]
    return [
        "## Cost grows with spikes",
        "",
        "Workload B with every spike forced, so that exactly the stated share fires; the bound is one reading and one writing of each row that",
        "fires at the speed this machine does it, measured in between (`bench_scaling.py`). It is as noisy as the machine; rows that stay in the cache between steps can beat it.",
        "",
        "![Steps a second over the number of neurons for four firing rates, each beside its memory bound](img/scaling.png)",
        "",
        "| N | firing | steps/s | memory bound |",
        "|---|---|---|---|",
        *lines,
    ]


if __name__ == "__main__":
    PAGE.write_text(performance_page())
    sys.stdout.write(f"written: {PAGE.relative_to(ROOT)}\n")

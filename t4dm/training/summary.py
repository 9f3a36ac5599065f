"""What came out of a run: losses beside counting models, norms, samples, variety.

    perplexity  exp(mean loss), nat a token, over the whole held-out text
    distinct-2  different pairs of words over all pairs of words (Li et al. 2016)
Every number is taken from the run's files and its last weights; nothing is smoothed or left out.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from t4dm.hippocampal.generate import generate
from t4dm.training.ngram import Trigram, unigram_losses
from t4dm.training.run_files import RunFiles
from t4dm.training.runs import Material, NamedRun
from t4dm.training.trainer import Trainer

WINDOW = 50  # steps that "loss at step s" is a mean of
UNSTEADY = 20  # steps before the band of the gradient norm holds
BAND = (0.1, 10.0)
TEMPERATURE, TOP_K = 0.8, 40
SAMPLE_TOKENS, VARIETY_SAMPLES, VARIETY_TOKENS = 60, 10, 100
SAMPLE_SEED = 1234


def summary(run: NamedRun, material: Material, trainer: Trainer, files: RunFiles) -> dict[str, Any]:
    """Everything that the results file holds of a finished run."""
    steps, scored = files.read(files.steps), files.read(files.held_out)
    held_out = [one for one in scored if one["step"] in run.whole_at]
    return {
        "run": run.name,
        "what": run.what,
        "seed": trainer.seed,
        "text": {
            "train_characters": len(material.raw[0]),
            "train_tokens": len(material.train),
            "held_out_characters": len(material.raw[1]),
            "held_out_tokens": len(material.held_out),
            "round_trip_exact": _round_trip(material),
        },
        "model": trainer.model.params.model_dump(),
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "train": trainer.params.model_dump(),
        "steps": len(steps),
        "tokens": steps[-1]["tokens"],
        "seconds": files.totals(),
        "first_loss": steps[0]["loss"],
        "ln_vocabulary": math.log(run.model.vocab_size),
        "loss_at": {str(at): loss_at(steps, at) for at in _stations(len(steps))},
        "held_out_at": {str(one["step"]): one for one in held_out},
        "first_below_3": _first_below(steps, 3.0),
        "grad_norm": norms(steps),
        "sleeps": sleeps(steps),
        "counting": counting(material, run.model.vocab_size, trainer.params.context),
        "trained_text_loss": trainer.evaluate(material.train, at_most=400),
        "samples": samples(run, material, trainer),
        "distinct_2": variety(material, trainer),
    }


def loss_at(steps: list[dict[str, Any]], at: int) -> float:
    """Mean loss of the last ``WINDOW`` wake steps up to step ``at``."""
    awake = [one["loss"] for one in steps[:at] if one["phase"] == "wake"]
    return float(np.mean(awake[-WINDOW:]))


def norms(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Smallest, median, largest gradient norm before clipping, and how many left the band."""
    found = np.array([one["grad_norm"] for one in steps[UNSTEADY:]] or [math.nan])
    outside = (found < BAND[0]) | (found > BAND[1])
    return {
        "after_step": UNSTEADY,
        "smallest": float(found.min()),
        "median": float(np.median(found)),
        "largest": float(found.max()),
        "outside_the_band": int(outside.sum()),
        "largest_in_the_first_steps": max(one["grad_norm"] for one in steps[:UNSTEADY]),
    }


def sleeps(steps: list[dict[str, Any]]) -> list[list[int]]:
    """[first step asleep, first step awake again] of every sleep."""
    phases = [one["phase"] for one in steps]
    edges = [s for s in range(1, len(phases)) if phases[s] != phases[s - 1]]
    edges = [*edges, len(phases)] if len(edges) % 2 else edges
    return [[first, after] for first, after in zip(edges[::2], edges[1::2], strict=True)]


def counting(material: Material, vocab_size: int, context: int) -> dict[str, float]:
    """Unigram and trigram loss on the held-out tokens that the model is scored on."""
    train, ids = material.train.ids, material.held_out.ids
    scored = slice(1, 1 + (len(ids) - 1) // context * context)
    trigram = Trigram(train, vocab_size).losses(train[-2:], ids)
    unigram = unigram_losses(train, ids, vocab_size)
    return {"unigram": float(unigram[scored].mean()), "trigram": float(trigram[scored].mean())}


def written(material: Material, trainer: Trainer, prompt: str, n: int, seed: int) -> str:
    """``prompt`` and ``n`` tokens after it."""
    tokenizer = material.tokenizer
    ids = tokenizer.encode(prompt)
    memory = trainer.memory if trainer.params.use_memory else None
    more = generate(
        trainer.model, ids, n, tokenizer.piece, temperature=TEMPERATURE, top_k=TOP_K,
        generator=torch.Generator().manual_seed(seed), memory=memory,
    )  # fmt: skip
    return tokenizer.decode([*ids, *more])


def samples(run: NamedRun, material: Material, trainer: Trainer) -> list[dict[str, str]]:
    """One raw sample a fixed prompt."""
    return [
        {"prompt": p, "text": written(material, trainer, p, SAMPLE_TOKENS, SAMPLE_SEED + i)}
        for i, p in enumerate(run.prompts)
    ]


def distinct_2(texts: list[str]) -> float:
    """Different neighbouring word pairs over all of them; 0 where there is none."""
    words = [text.split() for text in texts]
    pairs = [pair for one in words for pair in pairwise(one)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def variety(material: Material, trainer: Trainer) -> dict[str, float]:
    """distinct-2 of what the model writes, and of as many pieces of held-out text of that length."""
    lines = [line for line in material.raw[1].splitlines() if len(line.split()) > 4]
    openings = [" ".join(line.split()[:3]) for line in lines][:VARIETY_SAMPLES]
    ours = [
        written(material, trainer, opening, VARIETY_TOKENS, SAMPLE_SEED + 100 + i)
        for i, opening in enumerate(openings)
    ]
    n_words = round(float(np.mean([len(text.split()) for text in ours])))
    words = material.raw[1].split()
    starts = np.linspace(0, max(0, len(words) - n_words), len(ours), dtype=int)
    theirs = [" ".join(words[start : start + n_words]) for start in starts]
    return {"model": distinct_2(ours), "held_out_text": distinct_2(theirs)}


def _round_trip(material: Material) -> bool:
    parts = ((material.train, material.raw[0]), (material.held_out, material.raw[1]))
    return all(material.tokenizer.decode(text.ids.tolist()) == raw for text, raw in parts)


def _stations(n: int) -> list[int]:
    return sorted({at for at in (50, 100, 250, 500, 1000, 2000, 3000, 4000, 5000) if at <= n} | {n})


def _first_below(steps: list[dict[str, Any]], loss: float) -> int | None:
    """The first step at which the mean of the last ``WINDOW`` wake losses is below ``loss``."""
    awake = [(one["step"] + 1, one["loss"]) for one in steps if one["phase"] == "wake"]
    for end in range(WINDOW, len(awake) + 1):
        if np.mean([value for _, value in awake[end - WINDOW : end]]) < loss:
            return awake[end - 1][0]
    return None

"""``/training``: a language model while it learns, and a faulty one beside it."""

from __future__ import annotations

from typing import Any, get_args

from dashboard.pages.catalogue import Page, Section, health_rules
from t4dm.ablations import FAULTS
from t4dm.live.training_kind import RUN_NAMES
from t4dm.training.runs import RUNS

SECTIONS = (
    Section(
        "loss", "Loss", "Cross-entropy a token: each step, the mean of the last 50, and held out"
    ),
    Section("samples", "Samples", "What the model writes, and what changed between two steps"),
    Section("norm", "Gradient norm", "Before clipping; a sound run stays within 0.1 to 10"),
    Section("place", "Place cells", "Activity of the place cells for the tokens of one window"),
    Section("perplexity", "Perplexity", "exp(loss): the number of tokens it hesitates between"),
    Section("theta", "Theta and gamma", "Phase of both rhythms at each token"),
    Section("prosody", "Prosody", "What is read from the text beside its tokens"),
    Section("rate", "Learning rate", "Rate of each step"),
    Section("speed", "Tokens a second", "Of the worker's own clock, whole steps"),
    Section("gates", "Gates", "Attention gate of each layer and head, memory gate of each layer"),
    Section("router", "Router load", "Share of the tokens that each expert gets"),
)
WORDS = {
    "sessions": "Training sessions",
    "begin": "Train a tiny model",
    "go": "Train",
    "other": "Choose run, seed and fault…",
    "empty": "No model is being trained",
    "about": [
        (
            "A training session is a worker of its own. It trains a small hippocampal language model "
            "on text that comes along, and this page shows every step: the loss and what is held "
            "out, gradient norms, the place cells, what it writes."
        ),
        (
            "With a fault it trains two models side by side, one sound and one faulty, from the same "
            "seed and text: the charts lay them over one another."
        ),
    ],
    "note": "The tiny run has 200 steps and is done in a minute; it goes on when you leave the page.",
    "lost": [
        "the run: weights, moments, memory bank, replay store",
        "its course, samples and kept checkpoints",
    ],
}
RULES = {
    "training_nan": ("Not finite", "one of the last 20 steps infinite or no number: not applied"),
    "training_exploding": ("Exploding", "median gradient norm of the last 20 steps above 10"),
    "training_vanishing": ("Vanishing", "median gradient norm of the last 20 steps below 0.1"),
    "training_over_fit": (
        "Over-fit",
        "last two held-out losses 0.1 nat above the lowest while the training loss has fallen",
    ),
    "training_plateau": ("Plateau", "mean of the last 100 wake steps no lower than that before"),
}


def config() -> dict[str, Any]:
    """The runs and faults to choose from, and the rules of the findings."""
    return {
        "words": WORDS,
        "runs": [
            {"name": run.name, "what": run.what, "steps": run.train.total_steps}
            for run in map(RUNS.__getitem__, get_args(RUN_NAMES))
        ],
        "faults": [
            {"number": f.number, "name": f.ablation.value, "kind": f.kind, "title": f.title,
             "shows": f.shows}
            for f in FAULTS
        ],
        "seed": {"lo": 0, "hi": 2**31 - 1},
        "health": health_rules(RULES, "train"),
    }  # fmt: skip


PAGE = Page(
    slug="training",
    title="Training",
    kind="training",
    order=10,
    entry="js/training/main.mjs",
    styles=("css/pages/run.css", "css/pages/training.css", "css/pages/clinic.css"),
    sections=SECTIONS,
    below=("clinic",),
    config=config,
)

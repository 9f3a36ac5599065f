"""``/brain``: a text is read word by word; thalamus, regions, basal ganglia, arousal and valence."""

from __future__ import annotations

from typing import Any

from dashboard.pages.catalogue import Page, Section, health_rules
from t4dm.brain.reading_params import EXAMPLE
from t4dm.live.brain_findings import RULES

SECTIONS = (
    Section("text", "Text", "What is read; each word in the colour of what it stirs"),
    Section("feelings", "Arousal and valence", "What the amygdala makes of each word"),
    Section("gate", "Thalamus", "What is let pass of each word"),
    Section("votes", "Votes of the regions", "How strongly each region asks to act"),
    Section("release", "Basal ganglia", "Which region acts, and how much"),
    Section("word", "This word", "All numbers of one word"),
    Section("outcome", "What it led to", "An outcome that the amygdala learns from"),
    Section("about", "What is learnt, what is not", "What this brain can and cannot tell"),
)
EXAMPLES = (
    ("glad, then afraid", EXAMPLE),
    (
        "calm and loud",
        "the lamp is in the house. THE LAMP IS IN THE HOUSE! the lamp is in the house.",
    ),
    ("good company", "Blessed are the merciful: joy, peace and kindness shall be their song."),
    ("bad company", "War and famine came, and the sword; fear, anger and death were in the city."),
    (
        "words it does not know",
        "My computer crashed again! I hate this. The new keyboard is a joy.",
    ),
)
WORDS = {
    "sessions": "Brains",
    "begin": "Let a brain read",
    "empty": "No brain is reading",
    "about": [
        (
            "A brain session is a worker of its own. It reads a text of yours word by word: the "
            "amygdala feels it, the thalamus gates it, three regions work on it and vote, the basal"
            " ganglia choose who acts, and this page shows all of it."
        ),
        (
            "Word vectors and valence are learnt; the other weights are drawn and never trained. "
            "The page says so where it matters."
        ),
    ],
    "lost": ["what it has learnt from outcomes, and the course of its reading"],
}


def config() -> dict[str, Any]:
    """Words, examples and limits that the page's scripts read."""
    return {
        "words": WORDS,
        "examples": [{"name": name, "text": text} for name, text in EXAMPLES],
        "seed": {"lo": 0, "hi": 2**31 - 1},
        "health": health_rules(RULES, "reading"),
    }


PAGE = Page(
    slug="brain",
    title="Brain",
    kind="brain",
    order=30,
    entry="js/brain/main.mjs",
    styles=("css/pages/run.css", "css/pages/brain.css"),
    sections=SECTIONS,
    config=config,
)

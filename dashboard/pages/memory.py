"""``/memory``: an agent in an arena, place, grid and time cells as their maps form, episodes recalled."""

from __future__ import annotations

from typing import Any

from dashboard.pages.catalogue import Page, Section, health_rules
from t4dm.live.arena_findings import RULES

SECTIONS = (
    Section("arena", "Arena", "The agent's way; a click sets it down or asks its memory"),
    Section("recall", "Recall", "How near the nearest episode is to where and when the agent is"),
    Section("place", "Place cells", "Rate maps, a cell each; a click chooses one"),
    Section("grid", "Grid cells", "Rate maps, a module a row; a click chooses one"),
    Section("cell", "Chosen cell", "Its map and what is measured, beside what is declared"),
    Section("time", "Time cells", "Rate over the time since the episode began"),
    Section("episodes", "Episodes", "What the memory holds"),
)
WORDS = {
    "sessions": "Arenas",
    "begin": "Let an agent walk",
    "empty": "No agent is walking",
    "about": [
        (
            "An arena session is a worker of its own. An agent walks through a square of one metre "
            "as a rat does that looks for food; 64 place, 36 grid and 16 time cells fire where and "
            "when they should, by chance, and this page shows their rate maps as they form."
        ),
        (
            "The agent stores an episode where it meets something new. When it comes back, or when "
            "you ask, the nearest episode is recalled, exactly, and shown."
        ),
    ],
    "lost": ["the way, the maps and all episodes"],
}


def config() -> dict[str, Any]:
    """Words and limits that the page's scripts read."""
    return {
        "words": WORDS,
        "seed": {"lo": 0, "hi": 2**31 - 1},
        "health": health_rules(RULES, "agent"),
    }


PAGE = Page(
    slug="memory",
    title="Memory",
    kind="arena",
    order=20,
    entry="js/memory/main.mjs",
    styles=("css/pages/run.css", "css/pages/memory.css"),
    sections=SECTIONS,
    config=config,
)

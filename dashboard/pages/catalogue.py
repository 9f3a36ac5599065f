"""The pages beside the spiking board: one module of this folder each, with a ``PAGE``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import dashboard.pages

HOME = {"path": "/", "title": "Spiking"}


@dataclass(frozen=True, slots=True)
class Section:
    """One panel: its DOM id is ``panel-<slug>``; ``help`` says in a sentence what it shows."""

    slug: str
    title: str
    help: str = ""


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Page:
    """A page whose panels are all drawn by its own scripts, from sessions of one ``kind``.

    ``entry`` and ``styles`` are paths below ``assets``; ``below`` are the ids of empty sections under
    the panels, which other scripts fill; ``config`` is what the scripts read before the first request.
    """

    slug: str
    title: str
    kind: str
    order: int
    entry: str
    styles: tuple[str, ...]
    sections: tuple[Section, ...]
    below: tuple[str, ...] = ()
    config: Callable[[], dict[str, Any]] = field(default=_nothing)

    @property
    def path(self) -> str:
        """Its address."""
        return f"/{self.slug}"

    def link(self) -> dict[str, str]:
        """Its entry in the list of pages."""
        return {"path": self.path, "title": self.title}


def health_rules(rules: Mapping[str, tuple[str, str]], group: str) -> dict[str, Any]:
    """``rules`` (id to title and text) as the health panel reads them, of sessions with ``group``."""
    return {
        "rules": [
            {"id": name, "title": title, "text": text, "groups": [group]}
            for name, (title, text) in rules.items()
        ],
        "presets": [],
    }


@cache
def all_pages() -> tuple[Page, ...]:
    """Every page in the order of the list of pages; raises ValueError when two share a slug."""
    found: list[Page] = []
    for info in pkgutil.iter_modules(dashboard.pages.__path__):
        page = getattr(importlib.import_module(f"dashboard.pages.{info.name}"), "PAGE", None)
        if isinstance(page, Page):
            found.append(page)
    slugs = [page.slug for page in found]
    if doubles := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        raise ValueError(f"two pages share the slug {', '.join(doubles)}")
    return tuple(sorted(found, key=lambda page: (page.order, page.slug)))


def links() -> list[dict[str, str]]:
    """What ``#pages`` lists on every page, the board first."""
    return [HOME, *(page.link() for page in all_pages())]

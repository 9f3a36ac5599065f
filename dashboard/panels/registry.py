"""Finds every panel of this folder: a new file with a ``PANEL`` is on the page, no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import dashboard.panels
from dashboard.panels.base import Panel


@cache
def all_panels() -> tuple[Panel, ...]:
    """Every panel in page order; raises ValueError when two share a slug or a DOM id."""
    found: list[Panel] = []
    for module_info in pkgutil.iter_modules(dashboard.panels.__path__):
        module = importlib.import_module(f"dashboard.panels.{module_info.name}")
        panel = getattr(module, "PANEL", None)
        if isinstance(panel, Panel):
            found.append(panel)
    for attribute in ("slug", "id"):
        names = [getattr(panel, attribute) for panel in found]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"two panels share the {attribute} {', '.join(doubles)}")
    return tuple(sorted(found, key=lambda panel: (panel.order, panel.slug)))


def panel_by_slug(slug: str) -> Panel | None:
    """The panel of that slug, or None."""
    return next((panel for panel in all_panels() if panel.slug == slug), None)

"""Pages without Dash's renderer: HTML with empty regions and one module, nothing else to load.

Their pixels are all drawn by ``assets/js``, so React and Plotly would only cost time there.  Gate,
headers and login are those of every route.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from flask import Blueprint, Response

from dashboard.pages.catalogue import Page, Section
from dashboard.pages.modules import reachable
from dashboard.pages.shell import asker, inert_json

_HTML = """<!DOCTYPE html>
<html lang="en" data-mantine-color-scheme="light">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title} · t4dm</title>
    <link rel="icon" href="data:,">
    {styles}
    <script type="application/json" id="t4dm-config">{config}</script>
    {ahead}
  </head>
  <body>
    <div id="app" class="run-page" data-page="{slug}">
      <nav id="pages" aria-label="Pages"></nav>
      <header id="topbar"></header>
      <div id="notices"></div>
      <main id="board">
        {sections}
      </main>
      <aside id="controls" aria-label="Controls"></aside>
      <div id="timeline"></div>
      <footer id="strip"></footer>
      <div id="dialogs"></div>
      <div id="toasts" aria-live="polite"></div>
    </div>
    <script type="module" src="{entry}"></script>
  </body>
</html>"""
_SECTION = """<section id="panel-{slug}" class="panel" data-slug="{slug}" aria-label="{title}">
          <div class="panel-head"><h2 title="{help}">{title}</h2><div class="panel-tools"></div></div>
          <div class="panel-plot"></div>
          <div class="panel-foot"></div>
        </section>"""


def blueprint(
    pages: Sequence[Page], assets: Path, url_of: Callable[[str], str], shared: dict[str, Any]
) -> Blueprint:
    """The routes of ``pages``.

    ``url_of`` gives an asset's address, ``shared`` is what the scripts of every page read.
    """
    routes = Blueprint("pages", __name__)
    common = sorted(
        path.relative_to(assets).as_posix()
        for path in (assets / "css").glob("*.css")
        if path.stem not in ("login", "docs")
    )
    for page in pages:
        text = _text(page, assets, common, url_of)
        config = shared | {"page": page.slug, "kind": page.kind} | page.config()
        config["panels"] = [{"slug": one.slug, "title": one.title} for one in page.sections]
        routes.add_url_rule(
            page.path, page.slug, _answering(text, config), strict_slashes=False, methods=["GET"]
        )
    return routes


def _answering(text: str, config: dict[str, Any]) -> Callable[[], Response]:
    def answer() -> Response:
        made = text.replace("{config}", inert_json(config | asker()))
        return Response(made, mimetype="text/html", headers={"Cache-Control": "no-store"})

    return answer


def _text(page: Page, assets: Path, common: list[str], url_of: Callable[[str], str]) -> str:
    """The page's HTML with its configuration still to be filled in."""
    sheets = [*common, *page.styles]
    modules = reachable(assets, page.entry)
    below = [f'<section id="{one}" class="below" hidden></section>' for one in page.below]
    return _HTML.format(
        title=escape(page.title), slug=escape(page.slug), config="{config}",
        styles="".join(f'<link rel="stylesheet" href="{url_of(name)}">' for name in sheets),
        ahead="".join(f'<link rel="modulepreload" href="{url_of(name)}">' for name in modules),
        sections="\n        ".join([*map(_section, page.sections), *below]),
        entry=url_of(page.entry),
    )  # fmt: skip


def _section(section: Section) -> str:
    return _SECTION.format(
        slug=escape(section.slug), title=escape(section.title), help=escape(section.help)
    )

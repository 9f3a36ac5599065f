"""The page: its regions and one plot a panel.  Everything that moves is drawn by ``assets/js``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from flask import g, has_request_context

from dashboard.panels.base import Panel
from t4dm.health.finding import rules
from t4dm.health.presets import NAMES, PRESETS
from t4dm.live import registry
from t4dm.step_length import STEPS_MS

GRAPH_CONFIG: Any = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "displayModeBar": "hover",
    "doubleClick": "reset",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
ENTRY_SCRIPT = "js/main.mjs"
PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
_INDEX = """<!DOCTYPE html>
<html lang="en" data-mantine-color-scheme="light">
  <head>
    {metas}
    <title>{title}</title>
    {favicon}
    {css}
    <script type="application/json" id="t4dm-config">{page_config}</script>
  </head>
  <body>
    {app_entry}
    {config}
    {scripts}
    {renderer}
    {ahead}
    <script type="module" src="{entry}"></script>
  </body>
</html>"""


def layout(panels: tuple[Panel, ...]) -> dmc.MantineProvider:
    """The component tree of the page; the regions are empty and filled by the page's scripts."""
    return dmc.MantineProvider(
        id="theme",
        defaultColorScheme="light",
        children=html.Div(
            id="app",
            children=[
                html.Header(id="topbar"),
                html.Nav(id="pages", **_extra({"aria-label": "Pages"})),
                html.Div(id="notices"),
                html.Main(id="board", children=[_section(panel) for panel in panels]),
                html.Aside(id="controls", **_extra({"aria-label": "Controls"})),
                html.Div(id="timeline"),
                html.Footer(id="strip"),
                html.Div(id="dialogs"),
                html.Div(id="toasts", **_extra({"aria-live": "polite"})),
            ],
        ),
    )


def _extra(attributes: dict[str, str]) -> dict[str, Any]:
    """Attributes whose names are no Python identifiers."""
    return dict(attributes)


def _section(panel: Panel) -> html.Section:
    return html.Section(
        id=panel.id,
        className="panel",
        **_extra({"data-slug": panel.slug, "aria-label": panel.title}),
        children=[
            html.Div(
                className="panel-head",
                children=[
                    html.H2(panel.title, title=panel.help or None),
                    html.Div(className="panel-tools"),
                ],
            ),
            html.Div(
                className="panel-plot",
                style={"height": f"{panel.height}px", "position": "relative"},
                children=dcc.Graph(
                    id=f"graph-{panel.slug}",
                    figure=panel.figure(None, None),
                    config=GRAPH_CONFIG,
                    responsive=True,
                    style={"height": "100%", "width": "100%"},
                ),
            ),
            html.Div(className="panel-foot"),
        ],
    )


def shared_config(code: dict[str, Any]) -> dict[str, Any]:
    """What the scripts of every page read of the program itself."""
    dirty = "+dirty" if code["dirty"] else ""
    return {
        "version": code["version"],
        "commit": f"{code['commit']}{dirty}" if code["commit"] else "",
    }


def page_config(
    panels: tuple[Panel, ...],
    code: dict[str, Any],
    limits: registry.Limits = registry.DEFAULT_LIMITS,
) -> dict[str, Any]:
    """What the board's scripts read before the first request: session, panels, version."""
    return shared_config(code) | {
        "session": "default",
        "panels": [panel.to_json() for panel in panels],
        "health": _health(),
        "new_session": _new_session(limits),
    }


def _new_session(limits: registry.Limits) -> dict[str, Any]:
    """Defaults and limits of a session to be created, and what its memory is reckoned from."""
    default = registry.SessionSpec("")
    return {
        "defaults": {
            "blocks": default.blocks, "n": default.n, "dt": default.dt, "seed": default.seed,
        },
        "limits": {
            "blocks": {"lo": 1, "hi": registry.MOST_BLOCKS},
            "n": {
                "lo": registry.LEAST_N, "hi": registry.MOST_N, "multiple": 2 * registry.N_HEADS,
            },
            "dt": list(STEPS_MS),
            "seed": {"lo": 0, "hi": 2**31 - 1},
            "sessions": limits.sessions,
        },
        "memory": {
            "fixed": registry.WORKER_BYTES + registry.RING_BYTES,
            "per_weight": registry.MATRICES * registry.DTYPE_BYTES,
            "past_ms": registry.HISTORY_MS,
            "per_spike": 2 * registry.SPIKE_BYTES,
            "per_time": registry.DTYPE_BYTES,
            "sensory": registry.N_SENSORY,
            "budget": limits.bytes,
        },
    }  # fmt: skip


def _health() -> dict[str, Any]:
    """The rules of health, and the presets that break the network; the first one mends it."""
    titles = {preset.name: preset.title for preset in PRESETS}
    return {
        "rules": [
            {"id": rule.id, "title": rule.title, "text": rule.text, "groups": list(rule.groups)}
            for rule in rules()
        ],
        "presets": [{"name": name, "title": titles.get(name, "Healthy")} for name in NAMES],
    }


def index_html(
    config_json: dict[str, Any], entry: str, ahead: Sequence[str] = (), **parts: str
) -> str:
    """The HTML around the app, with the page's configuration as inert JSON.

    ``ahead``: scripts to fetch while others run, which would be asked for one after the other.
    """
    hints = "".join(map(_ahead, ahead))
    return _INDEX.format(page_config=inert_json(config_json), entry=entry, ahead=hints, **parts)


def inert_json(data: dict[str, Any]) -> str:
    """``data`` as JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def asker() -> dict[str, Any]:
    """What a page has to know of who opened it."""
    return {"access": g.access, "by_cookie": g.by_cookie} if has_request_context() else {}


def _ahead(url: str) -> str:
    kind = 'rel="modulepreload"' if url.endswith(".mjs") else 'rel="preload" as="script"'
    return f'<link {kind} href="{url}">'

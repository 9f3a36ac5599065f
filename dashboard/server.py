"""The web process: the only place where page, API and security are put together.

``gunicorn -c dashboard/gunicorn_conf.py dashboard.server:server`` serves it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask, g, has_request_context

from dashboard import cache, callbacks, login, security
from dashboard.api import errors
from dashboard.api.routes import api, guard_unknown
from dashboard.pages import reference, shell
from dashboard.panels.registry import all_panels
from dashboard.settings import Settings, settings_from_env
from t4dm.live.manifest import code_version

ASSETS = Path(__file__).resolve().parent.parent / "assets"
MODULES = sorted(path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.mjs"))


def create_app(settings: Settings) -> Dash:
    """The Dash app with its API on one Flask server; raises SystemExit on settings that must not run."""
    if reason := settings.refusal():
        raise SystemExit(reason)
    flask = Flask("t4dm", static_folder=None)
    flask.config["MAX_CONTENT_LENGTH"] = settings.max_body
    flask.config["COMPRESS_STREAMING_ENDPOINT_CONDITIONAL"] = ["_dash_assets.static"]
    panels = all_panels()
    page = shell.page_config(panels, code_version())

    class Page(Dash):
        """Dash with our own HTML around it."""

        def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
            entry = self.get_asset_url(shell.ENTRY_SCRIPT)
            modules = [self.get_asset_url(name) for name in MODULES]
            ahead = [self.get_relative_path(shell.PLOTLY), *modules]
            return shell.index_html(page | _asker(), entry, ahead, **parts)

    app = Page(
        "t4dm",
        server=flask,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        assets_ignore=r"\.m?js$|^(login|docs)\.css$",
        title="t4dm",
        update_title="",
        compress=True,
        enable_mcp=False,
    )
    app.layout = shell.layout(panels)
    cache.install(flask)
    flask.register_blueprint(api)
    flask.register_blueprint(reference.pages)
    errors.install(flask)
    gate = security.install(flask, settings, list(app.csp_hashes()))
    flask.register_blueprint(login.blueprint(gate))
    guard_unknown(flask)
    callbacks.guard(app)
    app.enable_dev_tools(debug=False, dev_tools_disable_version_check=True)
    key = settings.api_key.encode().decode("latin-1")
    flask.test_client().get("/", headers={"Host": "localhost", "X-API-Key": key})
    return app


def _asker() -> dict[str, Any]:
    """What the page has to know of who opened it."""
    return {"access": g.access, "by_cookie": g.by_cookie} if has_request_context() else {}


app = create_app(settings_from_env())
server = app.server

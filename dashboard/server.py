"""The web process: the only place where page, API and security are put together.

``gunicorn -c dashboard/gunicorn_conf.py dashboard.server:server`` serves it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask

from dashboard import bodies, cache, callbacks, login, security, traffic
from dashboard.api import errors
from dashboard.api.routes import api, guard_unknown
from dashboard.pages import catalogue, plain, reference, shell
from dashboard.pages.modules import reachable
from dashboard.panels.registry import all_panels
from dashboard.settings import Settings, settings_from_env
from t4dm.live.manifest import code_version

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def create_app(settings: Settings) -> Dash:
    """The Dash app with its API on one Flask server; raises SystemExit on settings that must not run."""
    if reason := settings.refusal():
        raise SystemExit(reason)
    flask = Flask("t4dm", static_folder=None)
    flask.config["MAX_CONTENT_LENGTH"] = settings.max_body
    bodies.install(flask)
    flask.config["SESSION_LIMITS"] = settings.limits
    flask.config["COMPRESS_STREAMING_ENDPOINT_CONDITIONAL"] = ["_dash_assets.static"]
    panels = all_panels()
    code = code_version()
    shared = shell.shared_config(code) | {"pages": catalogue.links()}
    page = shell.page_config(panels, code, settings.limits) | shared
    needed = reachable(ASSETS, shell.ENTRY_SCRIPT)

    class Page(Dash):
        """Dash with our own HTML around it."""

        def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
            entry = self.get_asset_url(shell.ENTRY_SCRIPT)
            modules = [self.get_asset_url(name) for name in needed]
            ahead = [self.get_relative_path(shell.PLOTLY), *modules]
            return shell.index_html(page | shell.asker(), entry, ahead, **parts)

    app = Page(
        "t4dm",
        server=flask,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        assets_ignore=r"\.m?js$|^(login|docs)\.css$",
        assets_path_ignore=["^pages$"],
        title="t4dm",
        update_title="",
        compress=True,
        enable_mcp=False,
    )
    app.layout = shell.layout(panels)
    cache.install(flask)
    flask.register_blueprint(api)
    flask.register_blueprint(reference.pages)
    flask.register_blueprint(
        plain.blueprint(catalogue.all_pages(), ASSETS, app.get_asset_url, shared)
    )
    errors.install(flask)
    traffic.install(flask)
    gate = security.install(flask, settings, list(app.csp_hashes()))
    flask.register_blueprint(login.blueprint(gate))
    guard_unknown(flask)
    callbacks.guard(app)
    app.enable_dev_tools(debug=False, dev_tools_disable_version_check=True)
    key = settings.api_key.encode().decode("latin-1")
    flask.test_client().get("/", headers={"Host": "localhost", "X-API-Key": key})
    traffic.begin(flask)
    return app


app = create_app(settings_from_env())
server = app.server

"""The manifest of a run session: what a page can show of it and do with it."""

from __future__ import annotations

from typing import Any

from t4dm.live.run_session import RunSession

CAPABILITIES = ("run", "pause", "step", "reset", "seed", "checkpoint", "branch")


def build(session: RunSession, code: dict[str, Any]) -> dict[str, Any]:
    """Plain JSON data; ``code`` is from :func:`t4dm.live.manifest.code_version`."""
    described = session.describe
    return {
        "session": session.name,
        "kind": session.kind,
        "axis": described["axis"],
        "owner": "supervised",
        "capabilities": [*CAPABILITIES, *described.get("capabilities", ())],
        "commands": list(session.commands),
        "reasons": described.get("reasons", {}),
        "groups": described.get("groups", []),
        "probes": {},
        "series": described["series"],
        "constants": described.get("constants", {}),
        "param_groups": [
            {"group": name, "title": group.title, "scope": group.scope}
            for name, group in session.tree.groups.items()
        ],
        "specs": [spec.to_json() for spec in session.tree.specs()],
        "seed": session.engine.seed,
        **code,
    }

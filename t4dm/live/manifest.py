"""The manifest: what a page can show of a session and do with it."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from t4dm.commands import COMMAND_TYPES
from t4dm.learning.params import PROBES as LEARNING_PROBES
from t4dm.live.session import Session
from t4dm.params import Probe
from t4dm.spiking.params import GAINS, NEUROMODULATORS
from t4dm.spiking.params import PROBES as SPIKING_PROBES
from t4dm.spiking.sensory_params import PROBES as SENSORY_PROBES

STIMULUS_PROBE = Probe("64", help="What drives the first block, 0 to 1.")
CAPABILITIES = ("run", "pause", "step", "reset", "speed", "seed", "rewind", "breakpoints", "watch")


def build(session: Session, code: dict[str, Any]) -> dict[str, Any]:
    """The manifest of ``session`` as plain JSON data; ``code`` is from :func:`code_version`.

    ``lacks`` in the engine's description names probes that it does not publish.
    """
    described = session.describe
    probes = SPIKING_PROBES | LEARNING_PROBES | {"stimulus": STIMULUS_PROBE}
    probes |= {n: p for n, p in SENSORY_PROBES.items() if n in described.get("probes", ())}
    for name in described.get("lacks", ()):
        del probes[name]
    return {
        "session": session.name,
        "kind": "spiking",
        "axis": "sim_ms",
        "dt": session.dt,
        "owner": "supervised",
        "capabilities": list(CAPABILITIES),
        "commands": list(COMMAND_TYPES),
        "groups": [
            listed | group.to_json()
            for listed, group in zip(described["groups"], session.layout.groups, strict=True)
        ],
        "probes": {name: probe.to_json() for name, probe in probes.items()},
        "constants": {
            "neuromodulators": list(NEUROMODULATORS),
            "gains": list(GAINS),
            **described.get("constants", {}),
            "n_total": session.layout.n_total,
        },
        "param_groups": [
            {"group": name, "title": group.title, "scope": group.scope}
            for name, group in session.tree.groups.items()
        ],
        "specs": [spec.to_json() for spec in session.tree.specs()],
        "seed": session.engine.seed,
        "watch": list(session.engine.watch),
        **code,
    }


def code_version() -> dict[str, Any]:
    """``{"version", "commit", "dirty"}`` of the running code; commit is null outside a checkout."""
    try:
        version = metadata.version("t4dm")
    except metadata.PackageNotFoundError:
        version = "unknown"
    commit = _git("rev-parse", "--short=12", "HEAD")
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else False
    return {"version": version, "commit": commit or None, "dirty": dirty}


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()

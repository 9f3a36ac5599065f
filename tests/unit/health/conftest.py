"""Evidence made by hand: a healthy network of two blocks, and what a test changes of it."""

from __future__ import annotations

import numpy as np
import pytest

from t4dm.health.evidence import Bin, Evidence, Place, Weights
from t4dm.live.tree import ParamTree

BINS, GROUPS, BLOCKS = 30, 5, 2
BAND = (0.02, 0.15)
PLACES = (
    *(
        Place(g, f"block {g // 2} LIF {'out' if g % 2 else 'in'}", 256, g // 2,
              "lif_out" if g % 2 else "lif_in", BAND)
        for g in range(4)
    ),
    Place(4, "sensory layer", 256, None, "", (0.0, 0.005)),
)  # fmt: skip


def columns(values, width):
    return np.broadcast_to(np.asarray(values, float), (BINS, width)).copy()


def evidence(values=None, *, bad=None, paused_ms=50.0, weights=None, standing=None, **bins):
    """Healthy evidence with parameter ``values`` set and fields of the bins replaced.

    ``standing``: numbers of findings that stand, by the rule's id.
    """
    tree = ParamTree(BLOCKS)
    for path, value in (values or {}).items():
        tree.set(path, value)
    theta = [tree.stage("lif", "v_thresh", p.block, p.stage) if p.stage else 2.5 for p in PLACES]
    healthy = {
        "fired": columns([0.08, 0.08, 0.08, 0.08, 0.002], GROUPS),
        "u_high": columns([6.0, 3.0, 4.0, 3.0, np.nan], GROUPS),
        "u_low": columns([-0.1, -10.3, -0.2, -10.2, np.nan], GROUPS),
        "u_mean": columns([0.55, -0.7, 0.4, -0.7, np.nan], GROUPS),
        "theta": columns(theta, GROUPS),
        "clamped": columns(0.0, GROUPS),
        "gate": columns(0.5, BLOCKS),
        "entropy": columns(0.62, BLOCKS),
        "top": columns(0.7, BLOCKS),
        "level_low": columns([0.45, 0.5, 0.5, 0.5], 4),
        "level_high": columns([0.7, 0.6, 0.55, 0.5], 4),
        "onsets": np.arange(BINS) % 3 == 0,
        "rewards": np.full(BINS, 0.2),
        "injected": np.zeros((BINS, 4)),
        "driven": np.full(BINS, 0.8),
    }
    given = {}
    for name, value in bins.items():
        shape = healthy[name].shape
        given[name] = np.broadcast_to(np.asarray(value, float), shape).copy()
    pairs = np.full(201, 1000.0)
    held = {
        "moved": np.full(BLOCKS, 0.2), "at_bounds": np.full((BLOCKS, 2), 0.02), "pairs": pairs,
        "mean": np.full(BLOCKS, 0.05), "samples": 4, "end_ms": 5000.0,
        "span_ms": 1000.0,
    } | (weights or {})  # fmt: skip
    changed = tree.non_default()
    return Evidence(
        step=5000, t_ms=5000.0, seen_ms=4500.0, places=PLACES, bins=Bin(**healthy | given),
        weights=Weights(**held), get=tree.get, changed=changed.__contains__,
        default=lambda path: tree.spec(path).default,
        has=frozenset(tree.groups), paused_ms=paused_ms, bad=bad, standing=standing or {},
    )  # fmt: skip


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory):
    """A data folder in which stacks of one seed and size are calibrated once."""
    return tmp_path_factory.mktemp("calibrated")

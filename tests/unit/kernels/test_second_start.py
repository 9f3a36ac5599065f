"""After ``python -m t4dm.live.warm`` no path compiles anything: its code lies on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # the first run compiles the kernels

ROOT = Path(__file__).resolve().parents[3]
PATHS = {
    "live: lazy", "live: cut windows", "live: mu", "live: nearest", "live: three factors",
    "live: STDP off", "population: static", "population: lazy", "population: cut windows",
    "population: mu, by replay", "population: nearest", "population: three factors",
    "training over many steps", "recall",
}  # fmt: skip


def python(module: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_start_after_warming_compiles_nothing_on_any_path():
    python("t4dm.live.warm")
    compiled = json.loads(python("tests.every_kernel"))
    assert compiled.keys() == PATHS
    assert {path: kernels for path, kernels in compiled.items() if kernels} == {}

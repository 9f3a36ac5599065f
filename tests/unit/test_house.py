"""Rules of the house that no linter knows: no clock in the model, no torch in the web process."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = {"time", "datetime"}
MODEL = [
    path
    for path in sorted((ROOT / "t4dm").rglob("*.py"))
    if "live" not in path.relative_to(ROOT).parts
]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_the_model_reads_no_clock():
    assert len(MODEL) > 30
    for path in MODEL:
        assert not CLOCKS & set(imported(path)), path


@pytest.mark.parametrize("module", ["dashboard.server", "dashboard.jobs", "t4dm.live.supervisor"])
def test_light_processes_load_no_heavy_library(module, tmp_path):
    code = (
        f"import sys, {module};"
        "print(sorted({'torch', 'numba', 'sklearn'} & {m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"T4DM_RUN_DIR": str(tmp_path), "T4DM_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"

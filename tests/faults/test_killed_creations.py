"""A creation killed at any of its writes: the name is free or the session whole, and its key finds it."""

import json
import os
import subprocess
import sys

import pytest

from tests.killing import ROOT


@pytest.fixture(scope="module")
def campaigns():
    command = [sys.executable, "-m", "tests.killed_creations"]
    env = os.environ | {"T4DM_LOG_LEVEL": "ERROR", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["unnamed", "named"])
@pytest.mark.parametrize(("way", "least"), [("created", 4), ("branched", 7)])
def test_a_killed_creation_is_asked_for_again_and_made_once(campaigns, way, name, least):
    """Writes, fsyncs and renames of the session's file; of a branch those of the log besides."""
    found = campaigns[f"{way}_{name}"]
    assert found["troubles"] == []
    assert found["kills"] >= least and 0 < found["made_before"] < found["kills"]

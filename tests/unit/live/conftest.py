"""What the tests of the live side share."""

from pathlib import Path

import pytest

from t4dm.live import paths


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory):
    """A data folder in which stacks of one seed and size are calibrated once."""
    return tmp_path_factory.mktemp("calibrated")


@pytest.fixture
def run(monkeypatch, tmp_path_factory):
    """A run directory of its own, with the ring beside the socket."""
    folder = Path(tmp_path_factory.mktemp("w"))
    monkeypatch.setenv("T4DM_RUN_DIR", str(folder))
    monkeypatch.setattr(paths, "SHARED_MEMORY", folder / "none")
    for variable in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def watched(run):
    """``watched(module, name, ...)``: a watch of every call, which is closed after the test."""
    from t4dm.live import watch

    handles = []

    def make(module, name="w", budget=None, **options):
        handles.append(watch(module, name, budget=budget, **options))
        return handles[-1]

    yield make
    for handle in handles:
        handle.close()

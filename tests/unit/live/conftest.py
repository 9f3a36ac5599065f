"""What the tests of the live side share."""

import pytest


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory):
    """A data folder in which stacks of one seed and size are calibrated once."""
    return tmp_path_factory.mktemp("calibrated")

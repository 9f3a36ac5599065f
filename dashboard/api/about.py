"""Version and commit of the running code, asked once, when the app is imported."""

from t4dm.live.manifest import code_version

ABOUT = code_version()

"""Addresses, names and keys of the web process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dashboard.security import host_name
from dashboard.settings import Settings, settings_from_env
from t4dm.live.registry import DEFAULT_LIMITS


def test_defaults_are_loopback_without_a_key():
    settings = settings_from_env({})
    assert (settings.host, settings.port, settings.api_key) == ("127.0.0.1", 8000, "")
    assert settings.refusal() is None


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8o00", "", "80 ", "٨"])
def test_a_port_that_is_none_is_named(port):
    with pytest.raises(ValueError, match="PORT must be a number from 1 to 65535"):
        settings_from_env({"PORT": port})


def test_limits_of_sessions_are_read_and_checked():
    assert settings_from_env({}).limits == DEFAULT_LIMITS
    limits = settings_from_env({"T4DM_MAX_SESSIONS": "2", "T4DM_MEMORY_MB": "2048"}).limits
    assert (limits.sessions, limits.bytes) == (2, 2 << 30)
    for name, value in (
        ("T4DM_MAX_SESSIONS", "-1"),
        ("T4DM_MEMORY_MB", "0"),
        ("T4DM_MEMORY_MB", "x"),
    ):
        with pytest.raises(ValueError, match=f"{name} must be a number from"):
            settings_from_env({name: value})


def test_binding_elsewhere_needs_a_key():
    assert "set T4DM_API_KEY" in (Settings(host="0.0.0.0").refusal() or "")
    assert Settings(host="0.0.0.0", api_key="secret").refusal() is None


def test_the_server_refuses_to_start_without_a_key_in_one_sentence():
    done = subprocess.run(
        [sys.executable, "-c", "import dashboard.gunicorn_conf"],
        env={"T4DM_HOST": "0.0.0.0", "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "T4DM_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8000", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("[::1]:8000", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("evil.example", "evil.example"),
        ("localhost:80:80@evil", ""),
        ("evil@localhost", ""),
        ("localhost:8941:1", ""),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_host_names(header, name):
    assert host_name(header) == name


def test_the_web_process_imports_no_torch():
    code = (
        "import sys, dashboard.server, dashboard.jobs\n"
        "heavy = {'torch', 'numba', 'sklearn', 'pandas', 'kaleido'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

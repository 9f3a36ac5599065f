"""Hosts, unknown paths, and what an answer may show; keys and origins: ``test_api_gate.py``."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from dashboard.pages.modules import reachable

ASSETS = Path(__file__).resolve().parents[2] / "assets"
HOST = {"Host": "localhost"}
SHAPE = {"code", "message", "field", "lo", "hi", "unit", "choices"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/_dash-layout", "/assets/js/main.mjs"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_foreign_hosts_are_refused_everywhere(bare, path, host):
    answer = bare.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert set(answer.get_json()["error"]) >= SHAPE


@pytest.mark.parametrize(
    "host",
    [
        "evil@localhost", "localhost:8941:1", "localhost:80:80@localhost", "localhost:x",
        "localhost:65536", "localhost/", "localhost?", "localhost#", "::1", "[localhost]", "localhost\t",
    ],
)  # fmt: skip
def test_malformed_hosts_are_refused(bare, host):
    answer = bare.get("/sessions", headers={"Host": host})
    assert answer.status_code == 421, answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_answered(bare, host):
    assert bare.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", ""])
@pytest.mark.parametrize("path", ["/sessions/default/commands", "/_dash-update-component"])
def test_foreign_origins_may_change_nothing(bare, path, origin):
    answer = bare.post(path, json={"type": "pause"}, headers=HOST | {"Origin": origin})
    assert answer.status_code == 403
    assert answer.get_json()["error"]["code"] == "foreign_origin"


def test_our_own_origin_may(bare):
    headers = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}
    answer = bare.post("/sessions/default/commands", json=[], headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sessions/", 404),
        ("GET", "/sessions/default/nothing", 404),
        ("GET", "/sessions/nobody", 404),
        ("GET", "/sessions/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/sets/nothing", 404),
        ("GET", "/sets/a/b", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/sessions", 405),
        ("PUT", "/sessions/default/commands", 405),
        ("GET", "/sessions/default/commands", 405),
        ("PATCH", "/sets/x", 405),
        ("POST", "/nothing", 405),
    ],
)
def test_unknown_paths_and_methods_are_json(bare, method, path, status):
    answer = bare.open(path, method=method, headers=HOST)
    assert answer.status_code == status
    assert set(answer.get_json()["error"]) >= SHAPE
    if status == 405:
        assert answer.headers["Allow"]


def test_a_broken_callback_shows_nothing_of_the_inside(bare):
    for data in (b"{", b"[]", b"{}", b'{"output": "x.y", "inputs": []}', b"\xff"):
        answer = bare.post(
            "/_dash-update-component", data=data, content_type="application/json", headers=HOST
        )
        assert answer.status_code >= 400
        assert "Traceback" not in answer.text
        assert "site-packages" not in answer.text


def test_bodies_above_a_megabyte_are_refused_everywhere(bare):
    for path in ("/_dash-update-component", "/sessions/default/commands"):
        answer = bare.post(
            path, data=b"x" * (1 << 20) + b"x", content_type="application/json", headers=HOST
        )
        assert answer.status_code == 413


def test_a_failure_inside_is_one_sentence(app, bare, monkeypatch):
    from dashboard.api.rest import sessions

    def fail():
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(sessions, "session_names", fail)
    answer = bare.get("/sessions", headers=HOST)
    assert answer.status_code == 500
    assert answer.get_json()["error"]["code"] == "internal"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500)]
)
def test_a_full_disk_is_told_as_one(bare, monkeypatch, number, status):
    from dashboard.api.rest import sessions

    def fail():
        raise OSError(number, "x", "/secret/path")

    monkeypatch.setattr(sessions, "session_names", fail)
    answer = bare.get("/sessions", headers=HOST)
    assert answer.status_code == status and set(answer.get_json()["error"]) >= SHAPE
    assert ("disk is full" in answer.text) == (status == 507) and "secret" not in answer.text


def test_every_answer_carries_the_headers(bare):
    for path in ("/", "/healthz", "/sessions/nobody", "/_dash-layout"):
        headers = bare.get(path, headers=HOST).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


def test_the_page_loads_one_module_and_nothing_from_elsewhere(bare):
    page = bare.get("/", headers=HOST).text
    assert page.count('type="module"') == 1
    assert '<script type="module" src="/assets/js/main.mjs"></script>' in page
    for attribute in ('src="http', 'href="http', "//cdn"):
        assert attribute not in page


def test_what_the_page_fetches_ahead_is_there_and_complete(bare):
    """Every module of the page, which would else be asked for one after the other, and Plotly."""
    page = bare.get("/", headers=HOST).text
    modules = re.findall(r'<link rel="modulepreload" href="/assets/([^"]+)">', page)
    assert modules == reachable(ASSETS, "js/main.mjs")
    assert not [name for name in modules if name.startswith("js/training/")]
    (plotly,) = re.findall(r'<link rel="preload" as="script" href="([^"]+)">', page)
    answer = bare.get(plotly, headers=HOST)
    assert answer.status_code == 200 and answer.mimetype.endswith("javascript")


@pytest.mark.parametrize("encoding", ["identity", "br"])
def test_modules_are_served_to_be_checked_again(bare, encoding):
    asked = HOST | {"Accept-Encoding": encoding}
    answer = bare.get("/assets/js/main.mjs", headers=asked)
    assert answer.headers.get("Content-Encoding", "identity") == encoding
    assert answer.mimetype == "text/javascript"
    assert "no-cache" in answer.headers["Cache-Control"]
    again = bare.get(
        "/assets/js/main.mjs", headers=asked | {"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304

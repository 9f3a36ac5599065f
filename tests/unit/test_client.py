"""The client for scripts: light to import, and clear about addresses and refusals."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading

import pytest

from t4dm.client import Client, Refused


class Told(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked; ``/no`` is refused, ``/text`` with something that is no JSON."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        told = {"method": self.command, "path": self.path, "body": body}
        told["headers"] = dict(self.headers)
        told["name"] = self.headers.get("Idempotency-Key", "without")
        status, text = 200, json.dumps(told)
        if self.path == "/no":
            status = 422
            text = json.dumps(
                {"error": {"code": "refused", "message": "no", "field": "x", "lo": 1}}
            )
        if self.path == "/text":
            status, text = 502, "<html>"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *args: object) -> None:
        """Nothing to the terminal."""


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_loads_neither_torch_nor_numpy():
    code = "import sys, t4dm.client; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_sent(address, monkeypatch):
    monkeypatch.setenv("T4DM_API_KEY", "sesame")
    with Client(address, session="a", who="me") as client:
        told = client.get("/spiking/stats", session_id="a", last_ms=None, neurons="0,1")
        assert told["path"] == "/spiking/stats?session_id=a&neurons=0%2C1"
        assert told["headers"]["X-API-Key"] == "sesame" and told["headers"]["X-T4DM-Who"] == "me"
        told = client.change({"lif.beta": 0.5}, clear=["lif.alpha"], if_rev=3)
        assert (told["method"], told["path"]) == ("PATCH", "/sessions/a/params")
        assert json.loads(told["body"]) == {"values": {"lif.beta": 0.5}, "clear": ["lif.alpha"]}
        assert told["headers"]["If-Match"] == "3"
        told = client.command({"type": "run"}, key="k")
        assert told["headers"]["Idempotency-Key"] == "k"
        assert told["headers"]["X-T4DM-Ack"] == "applied", "not told that it waits"
        assert json.loads(client.inject("DA", 0.2)["body"])["session_id"] == "a"
        for told in (client.inject("DA", 0.2, key="k"), client.change({}, key="k", if_rev=3)):
            assert told["headers"]["Idempotency-Key"] == "k"
        assert told["headers"]["If-Match"] == "3", "one header in place of the other"
        for told in (client.inject("DA", 0.2), client.change({}), client.command([])):
            assert "Idempotency-Key" not in told["headers"]
    assert "X-API-Key" not in Client(address, key="").get("/")["headers"]


def test_a_session_is_created_with_a_key_that_is_no_field_of_it(address):
    client = Client(address)
    assert client.create(n=16, key="k").session == "k"
    assert client.create(n=16).session == "without"
    assert client.create(n=16, key="k").address == address


def test_a_refusal_is_an_exception_with_its_field(address):
    with pytest.raises(Refused) as refused:
        Client(address).get("/no")
    assert (refused.value.status, refused.value.field, refused.value.lo) == (422, "x", 1)
    with pytest.raises(Refused) as refused:
        Client(address).get("/text")
    assert refused.value.status == 502 and "html" in str(refused.value)


def test_nobody_there_is_an_os_error(address):
    with pytest.raises(OSError):
        Client("http://127.0.0.1:9", timeout=2).stats()
    for bad in ("localhost:8000", "ftp://x", "http://"):
        with pytest.raises(ValueError):
            Client(bad)


def test_numbers_that_json_has_no_word_for_are_not_sent(address):
    with pytest.raises(ValueError):
        Client(address).trace([float("nan")])

"""No key, right or wrong, and no login stands in any line that a server writes, at its most talkative."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
FULL, VIEW, WRONG = "full-KEY-7f3a9c", "view-KEY-51be02", "wrong-KEY-aa11dd"
WEB = ["-m", "gunicorn", "-c", "dashboard/gunicorn_conf.py", "--access-logfile", "-"]
HEAD = b"GET /sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
CHUNKED = HEAD.replace(b"GET /sessions", b"POST /sessions/default/commands") + (
    f"X-API-Key: {FULL}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
)
NO_HTTP = [  # with the key where the parser, or who reads the body, quotes what it cannot read
    (HEAD + b"X-API-Key SECRET\r\n\r\n", 400),
    (b"GET /sessions?api_key=SECRET\r\n\r\n", 400),
    (HEAD + b"Transfer-Encoding: SECRET\r\n\r\n", 400),
    (HEAD + b"Expect: SECRET\r\n\r\n", 417),
    (HEAD + b"X API Key: SECRET\r\n\r\n", 400),
    (HEAD + b"Content-Length: SECRET\r\n\r\n", 400),
    (HEAD.replace(b"/sessions", b"/sessions?api_key=SECRET" + b"x" * 9000) + b"\r\n", 414),
    (HEAD + b"X-API-Key: SECRET" + b"x" * 9000 + b"\r\n\r\n", 431),
    (CHUNKED + b"SECRET\r\n\r\n", 400),
    (CHUNKED + b"5\r\nhelloSECRET\r\n\r\n", 400),
    (HEAD + b"X-API-Key: SECRET", None),  # it ends in the middle
]


@pytest.fixture
def server():
    """(port, file of everything it writes) of a web server with both keys that logs all it can."""
    with tempfile.TemporaryDirectory(prefix="t4dm-") as folder:
        port, log = free_port(), Path(folder) / "log"
        env = os.environ | {
            "PORT": str(port), "T4DM_HOST": "127.0.0.1", "T4DM_API_KEY": FULL, "T4DM_VIEW_KEY": VIEW,
            "T4DM_RUN_DIR": f"{folder}/run", "T4DM_DATA_DIR": f"{folder}/data",
            "T4DM_LOG_LEVEL": "debug",
        }  # fmt: skip
        with log.open("wb") as out:
            command = [sys.executable, *WEB, "dashboard.server:server"]
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        yield port, log
        process.terminate()
        process.wait(60)


def ask(port, method, path, body=None, **headers):
    """Status and headers of an answer; waits for the server's start."""

    def answered():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()

    return eventually(answered, "the server")


def send(port, data):
    """All that is answered to ``data``."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_nothing_that_opens_the_door_is_written(server):
    port, log = server
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert ask(port, "GET", "/sessions", X_API_Key=FULL)[0] == 200
    assert ask(port, "GET", "/sessions", X_API_Key=WRONG)[0] == 403
    assert ask(port, "GET", f"/sessions?api_key={FULL}", X_API_Key=FULL)[0] == 400
    assert ask(port, "GET", f"/spiking/stats?token={VIEW}")[0] == 400
    assert ask(port, "GET", f"/{FULL}", X_API_Key=FULL)[0] == 400
    assert ask(port, "GET", f"/sessions/{VIEW}?foo={FULL}")[0] == 400
    assert ask(port, "GET", f"/{FULL}", Host="elsewhere.example")[0] == 400
    assert ask(port, "POST", "/sessions/default/commands", b"{", X_API_Key=VIEW)[0] == 403
    assert ask(port, "POST", "/sessions/default/commands", b'{"type": 1}', X_API_Key=FULL)[0] >= 400
    assert ask(port, "POST", "/login", urlencode({"key": WRONG}), **form)[0] in (200, 403)
    logins = []
    for key in (FULL, VIEW):
        status, headers = ask(port, "POST", "/login", urlencode({"key": key}), **form)
        assert status in (302, 303)
        cookie = headers["Set-Cookie"].split(";")[0]
        assert ask(port, "GET", "/sessions", Cookie=cookie)[0] == 200
        logins.append(cookie.partition("=")[2])
    for data, status in NO_HTTP:
        answer = send(port, data.replace(b"SECRET", FULL.encode()))
        assert FULL.encode() not in answer
        if status is None:
            assert answer == b""
            continue
        assert answer.startswith(b"HTTP/1.1 %d " % status), (data, answer)
        assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error"}
    assert ask(port, "GET", "/the-last")[0] >= 400
    eventually(lambda: "/the-last" in log.read_text(errors="replace"), "the line of a request")
    written = log.read_text(errors="replace")
    for fault in ("InvalidHeader", "InvalidRequestLine", "InvalidChunkSize", "NoMoreData"):
        assert fault in written
    assert written.count("/login") >= 3 and "/spiking/stats" in written, "it logs no requests"
    for secret in (FULL, VIEW, WRONG, *logins):
        assert secret not in written
        assert secret.encode() not in b"".join(
            path.read_bytes() for path in log.parent.rglob("*") if path.is_file()
        )

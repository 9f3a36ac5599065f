"""``make run``'s program: one line when live, one sentence when not, and no process left behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dashboard.launch import child_environment, page_url, port_trouble, procfile_commands
from dashboard.settings import Settings
from tests.ports import free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
WEB = """
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("child", subprocess.Popen(["sleep", "600"], start_new_session=True).pid, flush=True)
signal.pause()
"""


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def launched(tmp_path, port):
    """Start the launcher on a Procfile of given programs; ends it after the test."""
    started = []

    def launch(at=port, data=tmp_path / "data", **programs):
        lines = []
        for name, code in programs.items():
            (tmp_path / f"{name}.py").write_text(code)
            lines.append(f"{name}: python {tmp_path / name}.py")
        (tmp_path / "Procfile").write_text("\n".join(lines))
        code = (
            "import sys, pathlib, signal, dashboard.launch as launch; launch.END_S = 1.0;"
            "signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # nohup may have started the tests
            f"sys.exit(launch.main(pathlib.Path({str(tmp_path / 'Procfile')!r})))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ
            | {"PORT": str(at), "T4DM_HOST": "127.0.0.1", "T4DM_DATA_DIR": str(data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def family_of(process, n):
    """The launcher's descendants, once there are ``n`` of them."""
    launcher = psutil.Process(process.pid)
    return eventually(lambda: len(found := launcher.children(recursive=True)) == n and found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_line_when_live_and_nothing_left_after_a_signal(launched, port, number):
    process = launched(web=WEB, worker=STUBBORN)
    assert process.stdout.readline() == f"t4dm is live at http://127.0.0.1:{port}\n"
    family = family_of(process, 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == ""
    assert "worker| child" in err.replace(" |", "|")
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []


def test_a_process_that_ends_by_itself_ends_all(launched):
    process = launched(web=WEB, worker="print('no model today')")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no model today" in err
    assert "worker ended by itself" in err


def test_a_web_process_that_is_killed_is_started_again_and_the_run_goes_on(launched):
    process = launched(web=WEB, worker="import signal; signal.pause()")
    process.stdout.readline()
    children = psutil.Process(process.pid).children()
    web = next(child for child in children if "web.py" in " ".join(child.cmdline()))
    worker = next(child for child in children if "worker.py" in " ".join(child.cmdline()))
    web.kill()
    lines = iter(process.stderr.readline, "")
    assert any("web was killed; starting it again" in line for line in lines)
    launcher = psutil.Process(process.pid)
    assert eventually(lambda: len([c for c in launcher.children() if c != web]) == 2)
    assert worker.is_running() and process.poll() is None


def test_a_process_that_is_killed_again_and_again_ends_all(launched):
    process = launched(
        web="import os, threading; threading.Timer(1.0, os.kill, (os.getpid(), 9)).start()" + WEB
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and err.count("starting it again") == 3
    assert "web ended by itself" in err


def test_processes_end_when_the_launcher_is_killed(launched):
    process = launched(web=WEB)
    process.stdout.readline()
    family = family_of(process, 1)
    process.kill()
    if sys.platform.startswith("linux"):
        _, alive = psutil.wait_procs(family, timeout=20)
        assert alive == []
    for child in family:
        if child.is_running():
            child.kill()


def test_a_taken_port_is_one_sentence(launched, port):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        out, err = launched(web=WEB).communicate(timeout=60)
    assert out == ""
    assert err.count("\n") == 1 and f"Port {port} is taken" in err
    assert f"make run PORT={port + 1}" in err


def test_a_second_program_on_the_data_folder_is_one_sentence_and_starts_nothing(
    launched, port, tmp_path
):
    first = launched(web=WEB)
    first.stdout.readline()
    (tmp_path / "again").symlink_to(tmp_path / "data")
    touch = f"open({str(tmp_path / 'touched')!r}, 'w')"
    second = launched(at=free_port(), data=tmp_path / "again", web=touch)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 2 and out == ""
    assert err.count("\n") == 1 and f"folder {tmp_path / 'again'} is in use" in err
    assert f"(process {first.pid}, port {port})" in err and "T4DM_DATA_DIR" in err
    assert not (tmp_path / "touched").exists()
    beside = launched(at=free_port(), data=tmp_path / "other", web=WEB)
    assert beside.stdout.readline().startswith("t4dm is live")


def test_a_program_starts_where_a_killed_one_has_left_children(launched, tmp_path):
    first = launched(web=WEB, worker=STUBBORN)
    first.stdout.readline()
    family = family_of(first, 3)
    stubborn = next(p for p in family if "worker.py" in " ".join(p.cmdline()))
    first.kill()
    first.wait(60)
    try:
        assert stubborn.is_running()
        second = launched(at=free_port(), web=WEB)
        assert second.stdout.readline().startswith("t4dm is live")
    finally:
        for process in family:
            if process.is_running():
                process.kill()


def test_a_data_folder_that_cannot_be_made_is_one_sentence(launched, tmp_path):
    (tmp_path / "file").write_text("")
    process = launched(data=tmp_path / "file", web=WEB)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.count("\n") == 1 and f"{tmp_path / 'file'}: File exists; set T4DM_DATA_DIR" in err


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1", "8000.0", "1e3"])
def test_a_port_that_is_none_is_refused(text):
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.launch"],
        cwd=ROOT,
        env=os.environ | {"PORT": text},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("PORT must be") and done.stderr.count("\n") == 1


def test_a_foreign_address_is_named():
    assert "Cannot listen on 192.0.2.1" in port_trouble("192.0.2.1", 8000)


def test_the_procfile_has_its_three_lines():
    commands = procfile_commands(ROOT / "Procfile")
    assert list(commands) == ["web", "worker", "jobs"]
    assert commands["worker"] == ["python", "-m", "t4dm.live.supervisor"]


def test_children_find_this_interpreters_programs_and_the_port():
    env = child_environment(Settings(port=8123))
    assert env["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert env["PORT"] == "8123"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("box.local", "http://box.local:8000"),
    ],
)
def test_the_address_is_one_a_browser_can_open(host, url):
    assert page_url(Settings(host=host)) == url

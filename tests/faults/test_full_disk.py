"""A file system that is really full: the run goes on, says so, and saves again once there is room.

As root on a small tmpfs of its own; elsewhere the kernel's limit on the size of a file stands in, which
refuses writes as a full disk does, with another number (EFBIG).
"""

import errno
import os
import resource
import subprocess

import pytest

from tests.killing import Killed
from tests.waiting import eventually

SIZE = 8 << 20


class Disk:
    """The data directory of ``killed`` on a disk that can be filled and emptied."""

    def __init__(self, killed):
        self.killed, self.folder = killed, killed.data
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "t4dm", self.folder]
        done = subprocess.run(command, capture_output=True, check=False)
        self.mounted = done.returncode == 0
        self.filler = self.folder / "filler"

    def fill(self):
        """Take every byte there is; returns the words of the refusal to expect."""
        if not self.mounted:
            resource.prlimit(self.killed.process.pid, resource.RLIMIT_FSIZE, (0, -1))
            return os.strerror(errno.EFBIG)
        with self.filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 12))
        return os.strerror(errno.ENOSPC)

    def empty(self):
        if self.mounted:
            self.filler.unlink()
        else:
            resource.prlimit(self.killed.process.pid, resource.RLIMIT_FSIZE, (-1, -1))

    def close(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)


@pytest.fixture
def disk():
    killed = Killed(seed=11)
    made = Disk(killed)
    yield made
    if killed.process is not None and killed.process.poll() is None:
        killed.kill()
    made.close()
    killed.close()


def test_a_full_disk_is_said_and_what_was_set_meanwhile_is_kept_once_there_is_room(disk):
    killed = disk.killed
    killed.again()
    client = killed.client

    def beta(value):
        return client.command({"type": "set", "path": "lif.beta", "value": value})

    assert "durable" not in beta(0.41)
    words = disk.fill()
    before = client.status()["step"]
    answers = [beta(0.42 + k / 1000) for k in range(300)]  # the first lines fit the log's last page
    assert all(answer["ok"] for answer in answers) and answers[-1]["durable"] is False
    said = eventually(lambda: client.status()["checkpoint"]["error"])
    assert words in said, said
    assert eventually(lambda: client.status()["step"] > before + 300)  # the run goes on
    disk.empty()
    eventually(lambda: client.status()["checkpoint"]["error"] == "")
    rev = client.status()["params_rev"]
    killed.kill()
    assert killed.again()["params_rev"] == rev == answers[-1]["rev"]
    assert client.params()["values"]["lif.beta"] == 0.42 + 299 / 1000


def test_a_worker_that_starts_on_a_full_disk_runs_and_saves_once_there_is_room(disk):
    killed = disk.killed
    killed.again()
    client = killed.client
    assert "durable" not in client.command({"type": "set", "path": "lif.beta", "value": 0.41})
    if disk.mounted:
        disk.fill()
        killed.kill()
        assert killed.start()
    else:
        killed.kill()
        assert killed.start(T4DM_FULL_AT="1-12")
    said = eventually(lambda: client.status()["checkpoint"]["error"])
    assert os.strerror(errno.ENOSPC) in said
    assert client.params()["non_default"] == {"lif.beta": 0.41}
    assert client.command({"type": "set", "path": "lif.beta", "value": 0.43})["durable"] is False
    if disk.mounted:
        disk.empty()
    eventually(lambda: client.status()["checkpoint"]["error"] == "")
    killed.kill()
    killed.again()
    assert client.params()["non_default"] == {"lif.beta": 0.43}

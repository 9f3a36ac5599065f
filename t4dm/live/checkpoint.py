"""What survives a kill: sealed checkpoints of the whole state, and a log of acknowledged settings.

A checkpoint holds the engine's state and the settings at one step.  The settings log gets one line
for every change and is synced before that change is acknowledged; its newest whole line wins over
the settings in the checkpoint.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from t4dm.store.files import append_durable, sweep, write_durable
from t4dm.store.sealed import SealError, read_sealed, write_sealed

KIND = "t4dm-checkpoint"
CHECKPOINT_S = 5.0  # least wall time between the beginnings of two checkpoints
WRITE_SHARE = 20  # and this many times as long as the last write took
KEEP = 2
KEEP_BAD = 3
LOG_LIMIT = 1 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``meta`` is plain JSON data: settings, step, seed, code version; ``arrays`` the state."""

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def finite(self) -> bool:
        """Whether every number of the state is one."""
        return all(np.isfinite(a).all() for a in self.arrays.values() if a.dtype.kind == "f")


class CheckpointStore:
    """Checkpoints of one session in ``folder``, newest last; the one before is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: list[str] = []
        sweep(folder)
        numbers = [int(path.stem.split("-")[1]) for path in self._files()]
        self._next = max(numbers, default=0) + 1

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-*.t4c"))

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write durably, then drop all but the newest two; raises OSError."""
        path = self.folder / f"checkpoint-{self._next:08d}.t4c"
        write_sealed(path, KIND, checkpoint.meta, checkpoint.arrays)
        self._next += 1
        for old in self._files()[:-KEEP]:
            old.unlink(missing_ok=True)
        return path

    def load(self, accept: Callable[[Checkpoint], None]) -> Checkpoint | None:
        """The newest checkpoint that verifies and that ``accept`` takes without raising.

        Files that fail are renamed to ``*.bad`` and named in ``refused``.
        """
        for path in reversed(self._files()):
            try:
                checkpoint = Checkpoint(*read_sealed(path, KIND))
                accept(checkpoint)
                return checkpoint
            except (SealError, KeyError, ValueError, TypeError, OSError) as error:
                self._refuse(path, error)
        return None

    def _refuse(self, path: Path, error: Exception) -> None:
        sentence = f"checkpoint {path.name} was not used: {error}"
        self.refused.append(sentence)
        log.warning(sentence)
        os.replace(path, path.with_suffix(".bad"))
        for old in sorted(self.folder.glob("*.bad"))[:-KEEP_BAD]:
            old.unlink(missing_ok=True)


class SettingsLog:
    """Append-only lines ``crc32 json``; the newest whole line is the truth."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "settings.log"
        self._fd: int | None = None

    def load(self) -> dict[str, Any] | None:
        """The newest settings that verify; None where there are none."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return None
        for line in reversed(lines):
            crc, _, text = line.partition(b" ")
            if crc == b"%08x" % zlib.crc32(text):
                return json.loads(text)
        return None

    def append(self, settings: dict[str, Any]) -> None:
        """Write and sync one line; raises OSError, and then nothing can be acknowledged."""
        line = _line(settings)
        if self._fd is None:
            write_durable(self.path, line)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        elif os.fstat(self._fd).st_size > LOG_LIMIT:
            write_durable(self.path, line)
            self.close()
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        else:
            append_durable(self._fd, line)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _line(settings: dict[str, Any]) -> bytes:
    text = json.dumps(settings, separators=(",", ":"), allow_nan=False).encode()
    return b"\n%08x %s\n" % (zlib.crc32(text), text)


class Keeper:
    """Writes checkpoints and settings on its own threads, so that the run never waits for a disk.

    Settings that arrive while one is being synced share the next sync.  ``least_s`` is the shortest
    :attr:`pause_s`.
    """

    def __init__(
        self, store: CheckpointStore, settings_log: SettingsLog, least_s: float = CHECKPOINT_S
    ) -> None:
        self._store, self._log, self._least_s = store, settings_log, least_s
        self._took_s = 0.0
        self._settings: SimpleQueue[tuple[dict[str, Any], Callable[[bool], None]] | None] = (
            SimpleQueue()
        )
        self._checkpoint: Checkpoint | None = None
        self._wake = threading.Condition()
        self._busy = self._stopping = False
        self.saved_step: int | None = None
        self.error = ""
        self._threads = [
            threading.Thread(target=self._keep_settings, name="settings", daemon=True),
            threading.Thread(target=self._keep_checkpoints, name="checkpoints", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Whether no checkpoint is being written."""
        return not self._busy and self._checkpoint is None

    @property
    def pause_s(self) -> float:
        """Seconds from one checkpoint to the next: a slow disk is written to less often."""
        return max(self._least_s, WRITE_SHARE * self._took_s)

    def settings(self, settings: dict[str, Any], then: Callable[[bool], None]) -> None:
        """Sync ``settings``, then call ``then(durable)`` on the keeper's thread."""
        self._settings.put((settings, then))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint`` soon, unless it holds a NaN; a newer one replaces one not yet begun."""
        with self._wake:
            self._checkpoint = checkpoint
            self._wake.notify()

    def close(self) -> None:
        """Write what is waiting and stop."""
        self._settings.put(None)
        with self._wake:
            self._stopping = True
            self._wake.notify()
        for thread in self._threads:
            thread.join()
        self._log.close()

    def _keep_settings(self) -> None:
        item = self._settings.get()
        while item is not None:
            batch = [item]
            while (item := self._waiting()) is not None:
                batch.append(item)
            durable = self._try(self._log.append, batch[-1][0])
            for _, then in batch:
                then(durable)
            item = self._settings.get()

    def _waiting(self) -> tuple[dict[str, Any], Callable[[bool], None]] | None:
        """The next settings, if some wait now; the end mark stays for the outer loop."""
        try:
            item = self._settings.get_nowait()
        except Empty:
            return None
        if item is None:
            self._settings.put(None)
        return item

    def _keep_checkpoints(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._checkpoint is not None or self._stopping)
                checkpoint, self._checkpoint = self._checkpoint, None
                if checkpoint is None:
                    return
                self._busy = True
            began = time.monotonic()
            if checkpoint.finite and self._try(self._store.save, checkpoint):
                self.saved_step = checkpoint.meta["step"]
            self._took_s = time.monotonic() - began
            self._busy = False

    def _try(self, write: Callable[[Any], Any], value: Any) -> bool:
        try:
            write(value)
        except OSError as error:
            self.error = f"{error.strerror or 'write failed'}: nothing is kept until this is mended"
            log.warning(self.error)
            return False
        self.error = ""
        return True

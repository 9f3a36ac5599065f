"""What survives a kill: sealed checkpoints of the whole state, and the log of acknowledged commands.

A checkpoint holds the engine's state and the settings at one step.  The log gets a line for every
request and is synced before that is acknowledged; its newest whole line wins over the settings in
the checkpoint, and its requests are applied again at their steps (``t4dm.live.replay``).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from t4dm.live.command_log import CommandLog, Line
from t4dm.store.files import sweep
from t4dm.store.sealed import SealError, read_sealed, write_sealed

KIND = "t4dm-checkpoint"
CHECKPOINT_S = 5.0  # least wall time between the beginnings of two checkpoints
WRITE_SHARE = 20  # and this many times as long as the last write took
APART_S = 2.0  # engine time from one checkpoint to the next, where writing takes next to none
REPLAY_S = 2.7  # engine time that may have to be run again after a kill, a tenth below 3 s
KEEP = 2
KEEP_BAD = 3
RETRY_S = 1.0
Promise = tuple[Line, Callable[[bool], None]]
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

    def load(self, accept: Callable[[Checkpoint], bool | None]) -> Checkpoint | None:
        """The newest checkpoint that verifies and that ``accept`` takes without raising.

        One for which ``accept`` is False is passed over.  Files that fail are renamed to ``*.bad``
        and named in ``refused``, with the one that is used in their place.  Raises
        :class:`NewerFormat` and then leaves all as it is.
        """
        bad: list[str] = []
        used = None
        for path in reversed(self._files()):
            try:
                checkpoint = Checkpoint(*read_sealed(path, KIND))
                if accept(checkpoint) is not False:
                    used = path, checkpoint
                    break
            except (SealError, KeyError, ValueError, TypeError, OSError) as error:
                bad.append(f"checkpoint {path.name} was not used: {error}")
                log.warning(bad[-1])
                self._put_aside(path)
        instead = (
            f"{used[0].name}, from before it, is in use" if used else "none before it is in use"
        )
        self.refused += [f"{sentence}; {instead}" for sentence in bad]
        return used[1] if used else None

    def _put_aside(self, path: Path) -> None:
        os.replace(path, path.with_suffix(".bad"))
        for old in sorted(self.folder.glob("*.bad"))[:-KEEP_BAD]:
            old.unlink(missing_ok=True)


class Keeper:
    """Writes checkpoints and log lines on its own threads, so that the run never waits for a disk.

    Lines that arrive while one is being synced share the next sync.  ``least_s`` is the shortest
    :attr:`pause_s`.
    """

    def __init__(
        self, store: CheckpointStore, command_log: CommandLog, least_s: float = CHECKPOINT_S
    ) -> None:
        self._store, self._log, self._least_s = store, command_log, least_s
        self.answers = list(command_log.answers)  # that were told before this start
        self._took_s = 0.0
        self._lines: SimpleQueue[Promise | None] = SimpleQueue()
        self._checkpoint: Checkpoint | None = None
        self._wake = threading.Condition()
        self._busy = self._stopping = False
        self.saved_step: int | None = None
        self._errors: dict[str, str] = {}
        self._newest = 0  # requests in the newest checkpoint
        self._threads = [
            threading.Thread(target=self._keep_lines, name="log", daemon=True),
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
        return max(self._least_s, self.rest_s)

    @property
    def rest_s(self) -> float:
        """Seconds for which the disk is left alone after a checkpoint."""
        return WRITE_SHARE * self._took_s

    @property
    def error(self) -> str:
        """What is not kept and why; empty while everything is."""
        said = [f"{what} ({why})" for what, why in sorted(self._errors.items())]
        return f"not kept: {', '.join(said)}; tried again until it is" if said else ""

    @property
    def apart_s(self) -> float:
        """Engine time from one checkpoint to the next: what comes until the next one is on the disk is
        run again in :data:`REPLAY_S`.  Where a write takes longer than half of that, one follows the
        other."""
        return max(self._took_s, min(APART_S, REPLAY_S - self._took_s))

    def due(self, age_s: float, busy_s: float, new_run: bool, replay_first: bool) -> bool:
        """Whether it is time for the next checkpoint, ``age_s`` after the newest.

        ``busy_s`` is the engine's time since then.  With ``replay_first`` that decides whatever the
        disk takes, else (a large state) the disk rests in any case.
        """
        wait = min(self.pause_s, self.rest_s) if new_run else self.pause_s
        if busy_s > self.apart_s:
            wait = 0.0 if replay_first else min(wait, self.rest_s)
        return self.idle and age_s >= wait

    def line(self, line: Line, then: Callable[[bool], None]) -> None:
        """Sync ``line``, then call ``then(durable)`` on the keeper's thread."""
        self._lines.put((line, then))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint`` soon, unless it holds a NaN; a newer one replaces one not yet begun."""
        with self._wake:
            self._checkpoint = checkpoint
            self._wake.notify()

    def close(self) -> None:
        """Write what is waiting and stop."""
        self._lines.put(None)
        with self._wake:
            self._stopping = True
            self._wake.notify()
        for thread in self._threads:
            thread.join()
        self._log.close()

    def _keep_lines(self) -> None:
        owed: Line | None = None  # what the disk refused, tried again until it is taken
        while True:
            try:
                item = self._lines.get(timeout=RETRY_S if owed else None)
            except Empty:
                assert owed is not None
                owed = None if self._try("log", self._log.append, owed) else owed
                continue
            if item is None:
                return
            batch = [item, *self._waiting()]
            line = batch[-1][0].after(
                *([owed] if owed else []), *(earlier for earlier, _ in batch[:-1])
            )
            durable = self._try("log", self._log.append, line)
            owed = None if durable else line
            for _, then in batch:
                then(durable)

    def _waiting(self) -> list[Promise]:
        """The lines that wait now; the end mark stays for the outer loop."""
        found: list[Promise] = []
        while True:
            try:
                item = self._lines.get_nowait()
            except Empty:
                return found
            if item is None:
                self._lines.put(None)
                return found
            found.append(item)

    def _keep_checkpoints(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._checkpoint is not None or self._stopping)
                checkpoint, self._checkpoint = self._checkpoint, None
                if checkpoint is None:
                    return
                self._busy = True
            began = time.monotonic()
            if checkpoint.finite and self._try("checkpoint", self._store.save, checkpoint):
                self.saved_step = checkpoint.meta["step"]
                self._log.floor, self._newest = self._newest, checkpoint.meta.get("applied", 0)
            self._took_s = time.monotonic() - began
            self._busy = False

    def _try(self, what: str, write: Callable[[Any], Any], value: Any) -> bool:
        try:
            write(value)
        except OSError as error:
            words = error.strerror or "write failed"
            if self._errors.get(what) != words:  # once, not at every try
                log.warning("%s not written: %s", what, words)
            self._errors[what] = words
            return False
        if self._errors.pop(what, None):
            log.info("%s written again", what)
        return True

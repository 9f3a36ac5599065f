"""The sessions that were asked for: one durable file each, from which the supervisor starts workers.

``data/sessions/<name>/session.json`` says size, seed and first parameters; it is written before any
worker hears of the session, and survives every process.  Deleting renames it to ``session.deleted``;
the supervisor then ends the worker and removes the folder.  No torch here: web and supervisor share it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from t4dm.live import kinds, paths
from t4dm.live.marks import KeyReused, same_key
from t4dm.params import ParamError
from t4dm.step_length import STEP_MS, check_step
from t4dm.store.files import TEMPORARY, sync_folder
from t4dm.store.sealed import NewerFormat, SealError
from t4dm.store.sealed_json import read_json, write_json

FORMAT = 4
STEP_FORMAT = 3  # of sessions that nobody asked for with a key
RUN_FORMAT = 2  # of sessions of another kind, before there was a dt
SPIKING_FORMAT = 1  # of the sessions that the first version knew
SPEC, DELETED = "session.json", "session.deleted"
BRANCH = "branch.t4c"  # in the folder of a session that was begun from another's checkpoint
BEFORE_SPEC = (f"{SPEC}.*{TEMPORARY}", BRANCH)  # what a creation writes first
TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,), "blocks": (int,), "n": (int,), "seed": (int,), "params": (dict,), "kind": (str,),
    "options": (dict,), "dt": (int, float), "asked": (str,),
}  # of a kept file's fields  # fmt: skip
N_HEADS = 8
N_SENSORY = 256
LEAST_N, MOST_N = 16, 2048
MOST_BLOCKS = 32
MOST_IDS = 65_535
RING_BYTES = 96 << 20  # most history of a session that was created
DEFAULT_RING_BYTES = 256 << 20  # of the one that always exists
WORKER_BYTES = 330 << 20  # a worker without its network
MATRICES = 14  # neurons x neurons arrays a block has, with those that a checkpoint copies
DTYPE_BYTES = 4
HISTORY_MS, SPIKE_BYTES = 1024, 2  # of the spikes that STDP and the pairs look back at


@dataclass(frozen=True, slots=True)
class Limits:
    """How many sessions there may be beside the default one, and the memory of all together."""

    sessions: int = 6
    bytes: int = 4 << 30


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """A session as it was asked for; ``params`` are values by path that differ from the defaults.

    ``blocks``, ``n`` and ``dt`` (ms a step) are of the kind ``spiking``, ``options`` of all others
    (``t4dm.live.kinds``).  ``asked`` is the mark (``t4dm.live.marks``) of the request that made it,
    empty for one without a key.
    """

    name: str
    blocks: int = 6
    n: int = 256
    seed: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    kind: str = kinds.SPIKING
    options: dict[str, Any] = field(default_factory=dict)
    dt: float = STEP_MS
    asked: str = ""

    @property
    def bytes(self) -> int:
        """Memory that the session may come to: its worker, its history, its matrices."""
        if self.kind != kinds.SPIKING:
            return self.ring_bytes + kinds.kind_of(self.kind).bytes(self.options)
        matrices = MATRICES * DTYPE_BYTES * self.blocks * self.n**2
        return WORKER_BYTES + self.ring_bytes + matrices + self._past_bytes

    @property
    def ring_bytes(self) -> int:
        """Most history that the session holds."""
        return DEFAULT_RING_BYTES if self.name == paths.DEFAULT_SESSION else RING_BYTES

    @property
    def _past_bytes(self) -> int:
        """Spikes that are kept beyond those of 1 ms steps, twice for a checkpoint."""
        more = max(0, int(HISTORY_MS / self.dt) - HISTORY_MS)
        return more * self.n * (SPIKE_BYTES * self.blocks * 2 + DTYPE_BYTES)

    def check(self) -> None:
        """Raises :class:`ParamError` for a size, or options, that the engine cannot have."""
        if self.kind != kinds.SPIKING:
            _between("seed", self.seed, 0, 2**31 - 1)
            kinds.kind_of(self.kind).checked(self.options)
            return
        _between("blocks", self.blocks, 1, MOST_BLOCKS)
        _between("n", self.n, LEAST_N, MOST_N)
        _between("seed", self.seed, 0, 2**31 - 1)
        check_step(self.dt)
        multiple = 2 * N_HEADS
        if self.n % multiple:
            message = f"n: expected a multiple of {multiple} (two for each of {N_HEADS} heads)"
            raise ParamError("n", f"{message}, got {self.n}", lo=LEAST_N, hi=MOST_N)
        total = 2 * self.blocks * self.n + N_SENSORY
        if total > MOST_IDS:
            most = (MOST_IDS - N_SENSORY) // (2 * self.blocks * multiple) * multiple
            message = f"n: {self.blocks} blocks have room for {most} neurons a stage at most"
            raise ParamError("n", f"{message}, got {self.n}", lo=LEAST_N, hi=most)


def _check_types(kept: dict[str, Any]) -> None:
    """Raises TypeError for a field of a kept file that no creation writes so; bool is no number."""
    for name, value in kept.items():
        if type(value) not in TYPES[name]:
            raise TypeError(f"{name} is of type {type(value).__name__}")


def _between(name: str, value: int, lo: int, hi: int) -> None:
    if not lo <= value <= hi:
        raise ParamError(name, f"{name}: expected {lo} to {hi}, got {value}", lo=lo, hi=hi)


class Occupied(ParamError):
    """What could be, were there room: a name in use, the most sessions there may be, their memory."""

    code = "full"


class Registry:
    """The sessions of one data directory."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "sessions"

    def names(self) -> list[str]:
        """Every session that was created and not deleted, sorted."""
        return self._with(SPEC)

    def ending(self) -> list[str]:
        """Sessions that were deleted and whose files are still there."""
        return self._with(DELETED)

    def _folders(self) -> list[str]:
        """Names under which something lies, be it of a session that nobody created here."""
        return [path.name for path in self.folder.glob("*/") if not _is_cut_off(path)]

    def _with(self, file_name: str) -> list[str]:
        found = (path.parent.name for path in self.folder.glob(f"*/{file_name}"))
        return sorted(name for name in found if paths.NAME.fullmatch(name))

    def load(self, name: str) -> SessionSpec | None:
        """What was asked for under ``name``; None where nothing readable was."""
        try:
            return self.kept(name)
        except (OSError, NewerFormat, ValueError):
            return None

    def kept(self, name: str) -> SessionSpec | None:
        """What was asked for under ``name``; None where nothing was.

        A worker that guessed would take the session's saved states for those of another network:
        raises :class:`NewerFormat`, :class:`SealError` for a damaged file, OSError.
        """
        path = self.folder / paths.checked_name(name) / SPEC
        try:
            kept = read_json(path, FORMAT)
        except FileNotFoundError:
            return None
        try:
            spec = SessionSpec(name=name, **{k: v for k, v in kept.items() if k != "name"})
            _check_types(kept)
            spec.check()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SealError(f"{path.name} holds no session: {error}") from None
        return spec

    def create(
        self,
        spec: SessionSpec,
        running: Iterable[str],
        limits: Limits = DEFAULT_LIMITS,
        place: Callable[[Path], None] = lambda folder: None,
    ) -> SessionSpec:
        """Keep ``spec`` durably, under a free name where it has none.

        ``running`` are the names taken by other sessions, ``place`` puts further files into the
        folder before any worker hears of it.  A request that made a session already, as one whose
        answer was lost, gets that session.  Raises :class:`Occupied` for a name in
        use, for too many sessions, and where memory would not do for all of them together,
        :class:`KeyReused` where its key belongs to another request.
        """
        spec.check()
        with self._locked():
            mine = self.names()
            if (made := self.made_by(spec.asked)) is not None:
                return made
            taken = {*self._folders(), *running}
            if spec.name in taken:
                known = sorted(taken)
                message = f"name: there is a session '{spec.name}' already"
                if spec.name in self.ending():
                    message = f"name: the session '{spec.name}' is being removed; try again soon"
                raise Occupied("name", message, choices=known)
            if len(mine) >= limits.sessions:
                message = f"there are {len(mine)} sessions beside the default one; delete one"
                if not mine:
                    message = "no session may be created beside the default one"
                raise Occupied("sessions", message, lo=0, hi=limits.sessions)
            self._check_memory(spec, mine, limits.bytes)
            if not spec.name:
                spec = _named(spec, taken)
            folder = self.folder / paths.checked_name(spec.name)
            if folder.exists():
                shutil.rmtree(folder)  # of a creation that was killed
            folder.mkdir(mode=0o700, parents=True)
            try:
                place(folder)
                write_json(folder / SPEC, *_to_keep(spec))
                sync_folder(self.folder)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return spec

    def made_by(self, asked: str) -> SessionSpec | None:
        """The session that the request ``asked`` made before, None for none.

        Raises :class:`KeyReused` where its key belongs to another request.
        """
        specs = filter(None, map(self.load, self.names() if asked else []))
        made = next((spec for spec in specs if same_key(spec.asked, asked)), None)
        if made is not None and made.asked != asked:
            message = "Idempotency-Key: was used for another session; choose a new one"
            raise KeyReused("Idempotency-Key", message)
        return made

    def _check_memory(self, spec: SessionSpec, mine: list[str], budget: int) -> None:
        specs = [SessionSpec(paths.DEFAULT_SESSION), *(self.load(name) for name in mine)]
        used = sum(one.bytes for one in specs if one is not None)
        if used + spec.bytes <= budget:
            return
        if spec.kind != kinds.SPIKING:
            message = (
                f"a session of kind {spec.kind} needs {spec.bytes >> 20} MB beside {used >> 20} MB of "
                f"the others, and {budget >> 20} MB are allowed in all; delete one"
            )
            raise Occupied("kind", message)
        free = max(0, budget - used)
        room = (free - WORKER_BYTES - RING_BYTES) / (MATRICES * DTYPE_BYTES * spec.blocks)
        most = int(max(0.0, room) ** 0.5) // (2 * N_HEADS) * 2 * N_HEADS
        message = (
            f"n: {spec.blocks} blocks of {spec.n} neurons need {spec.bytes >> 20} MB beside "
            f"{used >> 20} MB of the others, and {budget >> 20} MB are allowed in all"
        )
        raise Occupied("n", message, lo=LEAST_N, hi=most, unit="neurons")

    def delete(self, name: str) -> bool:
        """Mark the session as deleted; False where there is none."""
        with self._locked():
            folder = self.folder / paths.checked_name(name)
            try:
                os.replace(folder / SPEC, folder / DELETED)
            except FileNotFoundError:
                return False
            sync_folder(folder)
        return True

    def forget(self, name: str) -> None:
        """Remove the files of a deleted session, its mark last."""
        folder = self.folder / paths.checked_name(name)
        for path in folder.iterdir():
            if path.name != DELETED:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (folder / DELETED).unlink(missing_ok=True)
        folder.rmdir()

    def sweep(self, running: Collection[str], before: float) -> list[Path]:
        """Remove the folders of creations that were killed, but those of ``running``; returns them.

        An empty one may be a worker's that begins just now: it goes if it is older than ``before``
        (s since 1970).
        """
        with self._locked():
            gone = [
                path for path in sorted(self.folder.glob("*/"))
                if path.name not in running and _is_cut_off(path)
                and (any(path.iterdir()) or path.stat().st_mtime < before)
            ]  # fmt: skip
            for folder in gone:
                shutil.rmtree(folder)
        return gone

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time changes the registry."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _is_cut_off(folder: Path) -> bool:
    """Whether ``folder`` holds nothing but what a creation writes before the session is there."""
    return all(any(map(path.match, BEFORE_SPEC)) for path in folder.iterdir())


def _to_keep(spec: SessionSpec) -> tuple[dict[str, Any], int]:
    """The data of ``spec`` and its format: older versions still read what they know."""
    data = asdict(spec)
    if spec.asked:
        return data, FORMAT
    del data["asked"]
    if spec.kind == kinds.SPIKING and spec.dt != STEP_MS:
        return data, STEP_FORMAT
    del data["dt"]
    if spec.kind != kinds.SPIKING:
        return data, RUN_FORMAT
    return {name: data[name] for name in data if name not in ("kind", "options")}, SPIKING_FORMAT


def _named(spec: SessionSpec, taken: set[str]) -> SessionSpec:
    number = next(k for k in range(2, 10_000) if f"session-{k}" not in taken)
    return replace(spec, name=f"session-{number}")

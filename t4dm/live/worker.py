"""The worker: one process that runs one session's engine and publishes what it does.

One main loop (``t4dm.live.main_loop``).  Threads: the command socket, the writers of checkpoints
and settings, the heartbeat.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from t4dm.live import environment, manifest, paths
from t4dm.live.checkpoint import CHECKPOINT_S, CheckpointStore, Keeper
from t4dm.live.command_log import CommandLog
from t4dm.live.command_loop import CommandLoop
from t4dm.live.frame import dumps
from t4dm.live.kinds import SPIKING
from t4dm.live.lifeline import Heartbeat, die_with_parent, take_lock
from t4dm.live.main_loop import Worker
from t4dm.live.registry import DEFAULT_RING_BYTES, Registry, SessionSpec
from t4dm.live.replay import Replay, Tell
from t4dm.live.ring_writer import RingWriter
from t4dm.live.server import CommandServer
from t4dm.live.session import EngineLike, Session
from t4dm.live.supervisor import DAMAGED, NEWER
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.step_length import STEP_MS
from t4dm.store.files import write_durable
from t4dm.store.sealed import NewerFormat, SealError

FOR_EVER = 1 << 62
DEFAULT_ENGINE = "t4dm.live.engine:Engine"
log = logging.getLogger("t4dm.worker")


def make_engine(spec: str, seed: int, data: Path, asked: SessionSpec | None = None) -> Any:
    """The engine named ``module:class``, of the size and step ``asked`` for or of its module's default."""
    module_name, _, class_name = spec.partition(":")
    module = importlib.import_module(module_name)
    size = {} if asked is None else {"n_blocks": asked.blocks, "n_neurons": asked.n}
    config = module.StackConfig(**size) if hasattr(module, "StackConfig") else None
    dt = STEP_MS if asked is None else asked.dt
    tree = ParamTree(config.n_blocks if config is not None else 6, dt=dt)
    return getattr(module, class_name)(config, tree, seed, data)


def warm_up(engine: EngineLike) -> None:
    """Have every kernel compiled or loaded, and leave ``engine`` as it was."""
    before = engine.snapshot()
    engine.advance(1)
    engine.params_changed([spec.path for spec in engine.tree.specs()])
    engine.advance(1)
    engine.restore(before)


class Opened(NamedTuple):
    """A session that is ready: its manifest, and what makes its loop."""

    manifest: dict[str, Any]
    loop: Callable[[RingWriter, CommandServer], CommandLoop[Any]]


def open_session(
    args: argparse.Namespace, asked: SessionSpec | None, data: Path, keep: Path, tell: Tell
) -> Opened:
    """The session as it was left, or a new one; and what there is to say about that.

    ``tell`` hears how far the run has been brought to where it stood.  Raises :class:`NewerFormat`
    where a newer version wrote its files.
    """
    code = manifest.code_version()
    store, command_log = CheckpointStore(keep), CommandLog(keep)
    history = command_log.load()
    kept = history.newest.settings if history else None
    seed = args.seed if asked is None else asked.seed
    engine = make_engine(args.engine, seed if kept is None else kept["seed"], data, asked)
    session = Session(args.session, engine, f"{code['version']}+{code['commit']}")
    warm_up(engine)
    again = Replay(history, tell) if history else None
    resumed = session.resume(store, kept, again)
    before = session.tree.non_default()
    notes: dict[str, Any] = {"resumed_step": resumed, "refused": store.refused, "warnings": []}
    notes["replayed"] = again.done if again else None
    if args.fresh:
        session.speed = 1.0
        session.run()
        if asked is None or kept is None:
            notes["warnings"] = take_environment(session)
    if asked is not None and kept is None:
        now = session.tree.non_default()
        session.change(session.tree.replace(now | asked.params), now, "created")
    if (values := session.tree.non_default()) != before:
        begun: dict[str, Any] = {"step": session.engine.step, "who": "start"}
        session.note_applied(begun | {"commands": [{"type": "replace", "values": values}]})
    for sentence in notes["warnings"]:
        log.warning(sentence)
    keeper = Keeper(store, command_log, args.checkpoint_s)
    keeper.line(session.line(), lambda durable: None)
    return Opened(
        manifest.build(session, code),
        lambda ring, server: Worker(session, ring, server, keeper, notes),
    )


def take_environment(session: Session) -> list[str]:
    """Set what the ``T4DM_*`` variables say; returns a sentence for each that is not taken."""
    found, warnings = environment.values(os.environ, session.tree)
    for path, value in found.items():
        before = session.tree.non_default()
        try:
            session.change({path: session.tree.set(path, value)}, before, "environment")
        except ParamError as error:
            warnings.append(f"{path} of the environment is not taken: {error}")
    return warnings


def _telling(ring: RingWriter, session: str) -> Tell:
    """Puts into the status how far a replay is."""
    starting = {"session": session, "pid": os.getpid(), "state": "starting"}

    def tell(progress: dict[str, Any]) -> None:
        ring.status(starting | {"step": progress["step"], "replay": progress})

    return tell


def _open_run() -> Any:
    """How a session of another kind is opened; imported only where there is one."""
    from t4dm.live import run_worker

    return run_worker.open_run


def serve(args: argparse.Namespace) -> int:
    """Build everything, run the loop, leave nothing behind."""
    workers: list[CommandLoop[Any]] = []
    die_with_parent(args.parent_fd, lambda: workers[0].stop() if workers else os._exit(1))
    run, data = paths.run_dir(), paths.data_dir()
    socket_path = paths.socket_path(run, args.session)
    lock = take_lock(run / f"{paths.checked_name(args.session)}.lock", wait_s=args.lock_wait)
    if lock is None:
        log.error("session %s already has a worker in %s", args.session, run)
        return 3
    socket_path.unlink(missing_ok=True)
    try:
        asked = Registry(data).kept(args.session)
    except (NewerFormat, SealError) as refused:
        log.error("session %s: %s", args.session, refused)
        return NEWER if isinstance(refused, NewerFormat) else DAMAGED
    spiking, dt = asked is None or asked.kind == SPIKING, asked.dt if asked else STEP_MS
    ring = RingWriter(
        paths.private_parent(paths.ring_path(run, args.session)),
        bytes=args.ring_bytes,
        retain_steps=int(args.retain_s * 1000 / dt) if spiking else FOR_EVER,
    )
    ring.status({"session": args.session, "pid": os.getpid(), "state": "starting", "step": 0})
    heart = Heartbeat(ring)
    try:
        keep = paths.session_data(data, args.session)
        tell = _telling(ring, args.session)
        opened = (open_session if spiking else _open_run())(args, asked, data, keep, tell)
    except NewerFormat as newer:
        log.error("session %s: %s", args.session, newer)
        ring.close(unlink=True)
        return NEWER
    text = dumps(opened.manifest).encode()
    write_durable(paths.manifest_path(run, args.session), text)
    server = CommandServer(socket_path)
    worker = opened.loop(ring, server)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    workers.append(worker)
    worker.loop()
    server.close()
    heart.close()
    ring.close(unlink=True)
    return 0


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="t4dm.live.worker", description=__doc__)
    parser.add_argument("--session", default=paths.DEFAULT_SESSION)
    parser.add_argument("--engine", default=DEFAULT_ENGINE, help="module:class")
    parser.add_argument("--seed", type=int, default=0, help="seed of a session that is new")
    parser.add_argument("--fresh", action="store_true", help="run at 1x; take T4DM_* values")
    parser.add_argument("--retain-s", type=float, default=120.0, help="simulated seconds held")
    parser.add_argument("--ring-bytes", type=int, default=DEFAULT_RING_BYTES, help="most data held")
    parser.add_argument(
        "--checkpoint-s", type=float, default=CHECKPOINT_S, help="least seconds between two"
    )
    parser.add_argument(
        "--parent-fd", type=int, default=None, help="pipe that ends with the parent"
    )
    parser.add_argument(
        "--lock-wait", type=float, default=10.0, help="seconds to wait for the lock"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="worker: %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    return serve(arguments(argv))


def leave(code: int) -> NoReturn:
    """End at once: all is kept and closed, and numerical libraries may take seconds to unload."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())

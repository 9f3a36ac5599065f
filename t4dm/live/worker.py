"""The worker: one process that runs one session's engine and publishes what it does.

One main loop: take the commands that wait, advance a chunk, publish it.  Threads: the command
socket, the writers of checkpoints and settings, the heartbeat.
"""

from __future__ import annotations

import argparse
import dataclasses
import faulthandler
import importlib
import logging
import os
import queue
import signal
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, NoReturn

from t4dm.live import environment, handlers, manifest, paths
from t4dm.live.checkpoint import CheckpointStore, Keeper, SettingsLog
from t4dm.live.frame import dumps
from t4dm.live.lifeline import Heartbeat, die_with_parent, take_lock
from t4dm.live.pacing import Pacer
from t4dm.live.ring import RingWriter
from t4dm.live.server import CommandServer, Request
from t4dm.live.session import EngineLike, Session
from t4dm.live.tree import ParamTree
from t4dm.live.window import DT_MS
from t4dm.store.files import write_durable

DEFAULT_ENGINE = "t4dm.live.engine:Engine"
CHECKPOINT_S = 2.0
IDLE_S = 0.25
STATUS_S = 0.03
REMEMBERED_KEYS = 256
log = logging.getLogger("t4dm.worker")


class Worker:
    """Drives ``session``; everything that touches the engine happens in :meth:`loop`."""

    def __init__(
        self, session: Session, ring: RingWriter, server: CommandServer, keeper: Keeper,
        notes: dict[str, Any],
    ) -> None:  # fmt: skip
        self.session, self.ring, self.server, self.keeper = session, ring, server, keeper
        self.notes = notes
        self.pacer = Pacer(session.speed)
        self.stopping = False
        self._stepping: list[tuple[Request, dict[str, Any]]] = []
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._status_at = self._checkpoint_at = 0.0
        self._mono_ns = time.monotonic_ns()

    def loop(self) -> None:
        """Run until :attr:`stopping`, then keep the last state."""
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S
        while not self.stopping:
            self.ring.progress()
            now = time.monotonic()
            if self.session.state == "paused":
                self._idle()
            else:
                self._work(now)
            self._keep(time.monotonic())
        if self.session.finite:
            self.keeper.checkpoint(self.session.checkpoint())
        self.keeper.settings(self.session.settings(), lambda durable: None)
        self.keeper.close()

    def stop(self) -> None:
        """End after this chunk; safe from a signal handler or a thread."""
        self.stopping = True
        self.server.requests.put(Request("wake"))

    # -- time ----------------------------------------------------------------------------------

    def _idle(self) -> None:
        self._drain(IDLE_S)
        self._publish_status(time.monotonic())

    def _work(self, now: float) -> None:
        session = self.session
        paced = session.state == "running" and session.speed is not None
        if not paced:
            self._drain(0.0)
            if session.state != "paused":
                self._chunk(64 - session.engine.step % 8)
            return
        n = self.pacer.chunk(session.engine.step)
        wait = self.pacer.wait_s(now, n)
        if self._drain(wait) or wait > 0.0:
            return
        self._chunk(n)

    def _chunk(self, n: int) -> None:
        began = time.monotonic()
        segment = self.session.advance(n)
        ended = time.monotonic()
        self.pacer.done(ended, segment.step1 - segment.step0, ended - began)
        self._mono_ns = time.monotonic_ns()
        meta = {**segment.meta, "mono_ns": self._mono_ns}
        segment = dataclasses.replace(segment, meta=meta)
        self.ring.append(segment.step0, segment.step1, segment.epoch, segment.encode())
        if self.session.state == "paused":
            self._stood_still()
        elif ended >= self._status_at:
            self._publish_status(ended)

    def _stood_still(self) -> None:
        """A goal or a breakpoint was reached."""
        self._answer_steps(self.session.reason)
        self.keeper.settings(self.session.settings(), lambda durable: None)
        self._publish_status(time.monotonic())

    # -- commands ------------------------------------------------------------------------------

    def _drain(self, wait_s: float) -> bool:
        """Answer every request that waits, after waiting at most ``wait_s`` for one."""
        requests = self.server.requests
        try:
            request = requests.get(timeout=wait_s) if wait_s > 0 else requests.get_nowait()
        except queue.Empty:
            return False
        while True:
            self._handle(request)
            try:
                request = requests.get_nowait()
            except queue.Empty:
                break
        self._publish_status(time.monotonic())
        return True

    def _handle(self, request: Request) -> None:
        if request.op == "params":
            request.answer({"ok": True, **self.session.params()})
        elif request.op == "commands":
            if request.key and request.key in self._answers:
                request.answer(self._answers[request.key])
            else:
                self._command(request)
        elif request.op != "wake":
            error = {"field": "op", "message": "op is one of commands, params"}
            request.answer({"ok": False, "error": {"code": "invalid", **error}})

    def _command(self, request: Request) -> None:
        session = self.session
        try:
            commands = handlers.parse(request.body)
            handlers.validate(session, commands)
            speed, state = session.speed, session.state
            done = handlers.apply(session, commands, request.who)
        except handlers.Refused as refusal:
            request.answer({"ok": False, "error": refusal.error})
            return
        if (speed, state) != (session.speed, session.state):
            self.pacer.restart(session.speed)
        answer = {"ok": True, **self._where()}
        results = [{"old": old, "new": new} for old, new in done]
        answer |= {"results": results} if isinstance(request.body, list) else results[0]
        if request.key:
            self._answers[request.key] = answer
            while len(self._answers) > REMEMBERED_KEYS:
                self._answers.popitem(last=False)
        self._acknowledge(request, answer, handlers.is_kept(commands))

    def _acknowledge(self, request: Request, answer: dict[str, Any], kept: bool) -> None:
        """Answer now, when the settings are on the disk, or when the steps are done."""
        stepping = self.session.state == "stepping"
        if self._stepping and not stepping:
            self._answer_steps("interrupted")
        if stepping and _asks_steps(request.body):
            self._stepping.append((request, answer))
        elif kept:
            self._answer_kept(request, answer)
        else:
            request.answer(answer)

    def _answer_kept(self, request: Request, answer: dict[str, Any]) -> None:
        def synced(durable: bool) -> None:
            request.answer(answer if durable else answer | {"durable": False})

        self.keeper.settings(self.session.settings(), synced)

    def _answer_steps(self, reason: str) -> None:
        for request, answer in self._stepping:
            self._answer_kept(request, answer | self._where() | {"reason": reason})
        self._stepping.clear()

    def _where(self) -> dict[str, Any]:
        session = self.session
        return {"rev": session.rev, "step": session.engine.step, "t_ms": session.t_ms}

    # -- what others see -----------------------------------------------------------------------

    def _publish_status(self, now: float) -> None:
        self._status_at = now + STATUS_S
        self.ring.status(self.status(now))

    def status(self, now: float) -> dict[str, Any]:
        session = self.session
        moving = session.state != "paused"
        return {
            "session": session.name,
            "pid": os.getpid(),
            "state": session.state,
            "reason": session.reason,
            "finite": session.finite,
            "step": session.engine.step,
            "t_ms": session.t_ms,
            "dt": DT_MS,
            "epoch": session.epoch,
            "speed": session.speed or "max",
            "ratio": round(self.pacer.ratio(now), 3) if moving else 0.0,
            "params_rev": session.rev,
            "params_digest": session.tree.digest(),
            "seed": session.engine.seed,
            "mono_ns": self._mono_ns,
            "breakpoints": session.breakpoints.to_json(),
            "watch": list(session.engine.watch),
            "log": list(session.log),
            "checkpoint": {"step": self.keeper.saved_step, "error": self.keeper.error},
            **self.notes,
        }

    def _keep(self, now: float) -> None:
        if now < self._checkpoint_at or not self.keeper.idle:
            return
        self._checkpoint_at = now + CHECKPOINT_S
        if self.session.finite and self.session.engine.step != self.keeper.saved_step:
            self.keeper.checkpoint(self.session.checkpoint())


def _asks_steps(body: Any) -> bool:
    last = body[-1] if isinstance(body, list) else body
    return last["type"] == "step"


def make_engine(spec: str, seed: int, data: Path) -> Any:
    """The engine named ``module:class`` with its module's default configuration."""
    module_name, _, class_name = spec.partition(":")
    module = importlib.import_module(module_name)
    config = module.StackConfig() if hasattr(module, "StackConfig") else None
    tree = ParamTree(config.n_blocks if config is not None else 6)
    return getattr(module, class_name)(config, tree, seed, data)


def warm_up(engine: EngineLike) -> None:
    """Have every kernel compiled or loaded, and leave ``engine`` as it was."""
    before = engine.snapshot()
    engine.advance(1)
    engine.params_changed([spec.path for spec in engine.tree.specs()])
    engine.advance(1)
    engine.restore(before)


def open_session(args: argparse.Namespace, data: Path, keep: Path) -> tuple[Session, Keeper, dict]:
    """The session as it was left, or a new one; and what there is to say about that."""
    code = manifest.code_version()
    engine = make_engine(args.engine, args.seed, data)
    session = Session(args.session, engine, f"{code['version']}+{code['commit']}")
    warm_up(engine)
    store, settings_log = CheckpointStore(keep), SettingsLog(keep)
    resumed = session.resume(store, settings_log.load())
    notes: dict[str, Any] = {"resumed_step": resumed, "refused": store.refused, "warnings": []}
    if args.fresh:
        session.speed = 1.0
        session.run()
        found, notes["warnings"] = environment.values(os.environ, session.tree)
        for path, value in found.items():
            before = session.tree.non_default()
            session.change({path: session.tree.set(path, value)}, before, "environment")
    for sentence in notes["warnings"]:
        log.warning(sentence)
    settings_log.append(session.settings())
    notes["manifest"] = manifest.build(session, code)
    return session, Keeper(store, settings_log), notes


def serve(args: argparse.Namespace) -> int:
    """Build everything, run the loop, leave nothing behind."""
    workers: list[Worker] = []
    die_with_parent(args.parent_fd, lambda: workers[0].stop() if workers else os._exit(1))
    run, data = paths.run_dir(), paths.data_dir()
    socket_path = paths.socket_path(run, args.session)
    lock = take_lock(run / f"{paths.checked_name(args.session)}.lock", wait_s=args.lock_wait)
    if lock is None:
        log.error("session %s already has a worker in %s", args.session, run)
        return 3
    socket_path.unlink(missing_ok=True)
    ring = RingWriter(
        paths.private_parent(paths.ring_path(run, args.session)),
        bytes=args.ring_bytes,
        retain_steps=int(args.retain_s * 1000 / DT_MS),
    )
    ring.status({"session": args.session, "pid": os.getpid(), "state": "starting", "step": 0})
    heart = Heartbeat(ring)
    session, keeper, notes = open_session(args, data, paths.session_data(data, args.session))
    text = dumps(notes.pop("manifest")).encode()
    write_durable(paths.manifest_path(run, args.session), text)
    server = CommandServer(socket_path)
    worker = Worker(session, ring, server, keeper, notes)
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
    parser.add_argument("--ring-bytes", type=int, default=256 * 2**20, help="most data held")
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

"""An external session: the session of a script that we neither started nor may end.

It has the same commands, checks, events and revisions as a supervised one (``t4dm.live.session``);
in place of an engine stands :class:`ScriptEngine`, which only hands declared values to the script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from t4dm.commands import Command
from t4dm.live import handlers
from t4dm.live.external_files import OWNER
from t4dm.live.groups import Layout
from t4dm.live.segment import Segment
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from t4dm.live.view import DEFAULT_MEMBRANES
from t4dm.params import ParamError, Probe
from t4dm.step_length import STEP_MS

COMMANDS = ("set", "clear", "replace", "watch", "note")
HOLD_COMMANDS = ("run", "pause", "step", "break_on", "break_off")
CAPABILITIES = ("rewind", "watch")
HOLD_CAPABILITIES = ("run", "pause", "step", "breakpoints")
AT_ONCE = ("watch", "note", "break_on", "break_off", "run", "pause", "step")
NO_HOLD = "The script did not allow it to be held: t4dm.live.watch(…, hold=True) does."
REASONS = dict.fromkeys((*HOLD_CAPABILITIES, *HOLD_COMMANDS), NO_HOLD) | {
    "reset": "The script owns its run; restart the script to begin anew.",
    "seed": "The script owns its seeds.",
    "speed": "The script runs at its own speed.",
    "inject": "The script has no neuromodulators of ours.",
    "reward": "The script has no reward of ours.",
}
PROBES = {
    "spikes": Probe("N", kind="event", dtype="uint16", help="Neurons that fired, every layer."),
    "u_pre": Probe("N", help="Membrane as the layer gives it, of the watched neurons."),
    "theta": Probe("G", help="Threshold of a layer, where it has one number for all."),
    "gate": Probe("L D", help="Gate activity per channel, 0 to 1.5."),
    "attention": Probe("L K", help="Attention over the last K keys, newest last."),
    "weights": Probe("B 64", kind="state", dtype="uint32", help="Weight counts per fixed bin."),
}


class ScriptEngine:
    """What :class:`Session` asks of an engine, answered for a script: values go out, steps come in.

    ``apply(values)`` is called on the script's own thread and may raise :class:`ParamError`.
    """

    data_dir: Path | None = None
    seed: int = 0

    def __init__(
        self, tree: ParamTree, groups: list[dict[str, Any]], watch: list[int],
        apply: Callable[[dict[str, Any]], None],
    ) -> None:  # fmt: skip
        self.tree, self.watch, self.step = tree, watch, 0
        self._groups, self._apply = groups, apply

    def params_changed(self, paths: Sequence[str]) -> None:
        self._apply({path: self.tree.get(path) for path in paths})

    def describe(self) -> dict[str, Any]:
        return {"groups": self._groups}

    def snapshot(self) -> dict[str, Any]:
        return self.tree.to_json()["values"]

    def restore(self, snapshot: dict[str, Any]) -> None:
        self._apply(snapshot)

    def advance(self, n: int) -> Segment:
        raise self._refusal("advanced")

    def inject(self, nt: str, level: float) -> dict[str, Any]:
        raise self._refusal("injected into")

    def reward(self, value: float) -> dict[str, Any]:
        raise self._refusal("rewarded")

    def reset(self, seed: int) -> None:
        raise self._refusal("reset")

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        raise self._refusal("loaded into")

    def spike_hash(self) -> str:
        return ""

    @staticmethod
    def _refusal(what: str) -> ParamError:
        return ParamError("type", f"a script cannot be {what} from outside")


class ExternalSession(Session):
    """``allowed`` are the commands that the script takes; ``axis`` is ``step`` or ``call``."""

    def __init__(self, name: str, engine: ScriptEngine, epoch: int, axis: str, hold: bool) -> None:
        super().__init__(name, engine)
        self.epoch, self.axis, self.hold = epoch, axis, hold
        self.allowed = (*COMMANDS, *HOLD_COMMANDS) if hold else COMMANDS

    def take(self, segment: Segment) -> Segment:
        """``segment`` as it goes into the ring, with the events of its steps; looks for breakpoints."""
        hit = self.breakpoints.find(segment) if self.hold else None
        self.breakpoints.take(segment)
        if hit is not None:
            self._break(hit)
        elif self.goal is not None and segment.step1 >= self.goal:
            self.goal, self.state = None, "paused"
        later = [event for event in self._pending if event["step"] >= segment.step1]
        self._pending = [event for event in self._pending if event["step"] < segment.step1]
        signed = self._signed(segment)
        self._pending = later
        return signed

    def answer(self, body: Any, who: str, if_rev: int | None = None) -> dict[str, Any]:
        """Check and apply a request; the acknowledgement, or the refusal, as a worker gives it."""
        try:
            commands = handlers.parse(body)
            self.check_allowed(commands)
            handlers.check_rev(self, if_rev)
            handlers.validate(self, commands)
            done = handlers.apply(self, commands, who)
        except handlers.Refused as refusal:
            return {"ok": False, "error": refusal.error}
        results = [{"old": old, "new": new} for old, new in done]
        where = {"ok": True, "rev": self.rev, "step": self.engine.step, "t_ms": self.t_ms}
        return where | ({"results": results} if isinstance(body, list) else results[0])

    def refusal(self, body: Any) -> dict[str, Any] | None:
        """The answer to a request that need not wait to be refused; None where it may be taken."""
        try:
            self.check_allowed(handlers.parse(body))
        except handlers.Refused as refusal:
            return {"ok": False, "error": refusal.error}
        return None

    def check_allowed(self, commands: Sequence[Command]) -> None:
        """Raises :class:`handlers.Refused` for a command that this script does not take."""
        for command in commands:
            if command.type not in self.allowed:
                message = f"{command.type}: {REASONS.get(command.type, 'not offered here.')}"
                error = ParamError("type", message, choices=list(self.allowed))
                raise handlers.Refused("not_offered", error.to_json())

    @property
    def t_ms(self) -> float:
        return self.engine.step * STEP_MS


def is_at_once(body: Any) -> bool:
    """Whether a request touches the run or the view only, so that no call need be waited for."""
    items = body if isinstance(body, list) else [body]
    return all(isinstance(item, dict) and item.get("type") in AT_ONCE for item in items)


def default_watch(layout: Layout, with_membrane: Sequence[int]) -> list[int]:
    """The middle neuron of each group that shows membranes, then others, six in all."""
    groups = [layout.groups[g] for g in with_membrane]
    if not groups:
        return []
    per_group = -(-DEFAULT_MEMBRANES // len(groups))
    picked = [
        group.first + (2 * k + 1) * group.n // (2 * min(per_group, group.n))
        for group in groups
        for k in range(min(per_group, group.n))
    ]
    return picked[:DEFAULT_MEMBRANES]


def manifest(
    session: ExternalSession, probes: Sequence[str], weights: Sequence[str], more: Mapping[str, Any]
) -> dict[str, Any]:
    """What a page can show of ``session`` and do with it, as plain JSON data."""
    return {
        "session": session.name,
        "kind": "spiking",
        "axis": session.axis,
        "dt": STEP_MS,
        "owner": OWNER,
        "capabilities": [*CAPABILITIES, *(HOLD_CAPABILITIES if session.hold else ())],
        "commands": list(session.allowed),
        "reasons": {
            name: why for name, why in REASONS.items()
            if name not in session.allowed and not (session.hold and name in HOLD_CAPABILITIES)
        },
        "groups": session.layout.to_json(),
        "probes": {name: PROBES[name].to_json() for name in probes},
        "constants": {"n_total": session.layout.n_total, "neuromodulators": [], "gains": []},
        "param_groups": [
            {"group": name, "title": group.title, "scope": group.scope}
            for name, group in session.tree.groups.items()
        ],
        "specs": [spec.to_json() for spec in session.tree.specs()],
        "weights": list(weights),
        "seed": None,
        "watch": list(session.engine.watch),
        "params": session.params(),
        **more,
    }  # fmt: skip

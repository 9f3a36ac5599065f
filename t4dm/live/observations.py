"""The worker's log lines about its network, from the segments it makes.

    No spikes detected      every stage of a block has been silent for SILENT_MS, or one of them for
                            STAGE_MS (a healthy stage may pause between two bursts)
    Spike explosion         more than half of a group's neurons a step, over EXPLOSION_MS
    Membrane overflow       OVERFLOW or more of a group's membranes were clamped at u_max
    Numerical instability   a tensor is no longer finite
    STDP enabled/disabled   at the start and after a change
    STDP update skipped     with the reason, while nothing can be learnt
    NT injection            boluses and rewards
    learning_rate changed   any parameter of that name

States are repeated at most every ten simulated seconds, events every second.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from t4dm.live.groups import Group
from t4dm.live.segment import Segment
from t4dm.live.session import Session
from t4dm.observations import Notices

SILENT_MS = 500
STAGE_MS = 1500  # as the health rules hold a single stage to its band
EXPLOSION_MS = 100
EXPLOSION = 0.5
OVERFLOW = 0.25  # strongly inhibited membranes rest at -u_max in a healthy network, too
STATE_MS = 10_000.0
log = logging.getLogger(__name__)


class Observer:
    """Looks at every segment of ``session``, in order; remembers what it needs between two."""

    def __init__(self, session: Session) -> None:
        self.session, self.tree, self._dt = session, session.tree, session.dt
        spans = (SILENT_MS, STAGE_MS, EXPLOSION_MS)
        self._silent, self._stage_silent, self._burst = (round(ms / self._dt) for ms in spans)
        blocks = [group.block for group in session.layout.groups]
        mates = [[a is not None and a == b for b in blocks] for a in blocks]
        self._mates = np.array(mates) | np.eye(len(blocks), dtype=bool)  # (G, G): of one block
        self._states, self._events = Notices(log, STATE_MS), Notices(log)
        paths = [spec.path for spec in self.tree.specs() if spec.name == "learning_rate"]
        self._rates = {path: self.tree.get(path) for path in paths}
        self._enabled: bool | None = None
        bands = [group.get("band") for group in session.describe["groups"]]
        self._may_be_silent = np.array([bool(band) and band[0] == 0 for band in bands])
        self._begin(session.engine.step)

    def _begin(self, step: int) -> None:
        self._epoch = self.session.epoch
        self._last_spike = np.full(len(self.session.layout.groups), step, np.int64)
        self._recent = np.empty((0, len(self.session.layout.groups)))

    def take(self, segment: Segment) -> None:
        """Say what there is to say about ``segment``."""
        if segment.epoch != self._epoch:
            self._begin(segment.step0)
        self._settings(segment.step1 * self._dt)
        for event in segment.meta.get("events", []):
            self._event(event)
        self._activity(segment)
        self._clamped(segment)
        if self._has("stdp"):
            self._plasticity(segment)

    # -- parameters ----------------------------------------------------------------------------

    def _has(self, group: str) -> bool:
        return group in self.tree.groups

    def _settings(self, t_ms: float) -> None:
        for path, old in self._rates.items():
            if (new := self.tree.get(path)) != old and self._events.due(path, t_ms):
                text = f"learning_rate changed: {path} {old:g} -> {new:g}"
                self._events.say(logging.INFO, path, t_ms, text)
                self._rates[path] = new
        if not self._has("stdp") or (on := self.tree.get("stdp.enabled")) == self._enabled:
            return
        if not self._events.due("stdp.enabled", t_ms):
            return
        names = ("mode", "learning_rate", "a_plus", "a_minus")
        told = ", ".join(f"{name} {self.tree.get(f'stdp.{name}')}" for name in names)
        text = f"STDP enabled: {told}" if on else "STDP disabled"
        self._events.say(logging.INFO, "stdp.enabled", t_ms, text)
        self._enabled = on

    # -- events --------------------------------------------------------------------------------

    def _event(self, event: dict[str, Any]) -> None:
        kind, t_ms = event["type"], event["t_ms"]
        by = f" by {event['who']}" if event.get("who") else ""
        if kind == "inject":
            text = f"NT injection: {event['nt']} {event['level']:+g}{by}"
            self._events.say(logging.INFO, f"inject {event['nt']}", t_ms, text)
        elif kind == "reward":
            told = ", ".join(f"{n} {event[n]:g}" for n in ("r", "r_hat", "delta") if n in event)
            self._events.say(logging.INFO, kind, t_ms, f"NT injection: DA by a reward, {told}{by}")
        elif kind == "nan":
            text = f"Numerical instability: {event['tensor']} is not finite; the run is paused"
            self._events.say(logging.ERROR, kind, t_ms, text)

    # -- activity ------------------------------------------------------------------------------

    def _activity(self, segment: Segment) -> None:
        t_ms = segment.step1 * self._dt
        fired = segment.rates > 0
        last = segment.step1 - 1 - np.argmax(fired[::-1], axis=0)
        self._last_spike = np.where(fired.any(0), last, self._last_spike)
        joined = np.concatenate([self._recent, segment.rates[-self._burst :]])
        self._recent = joined[-self._burst :]
        silent = self._silent_ms(segment.step1)
        share = self._recent.mean(0) / np.array(self.session.layout.sizes)
        burst = (share > EXPLOSION) & (len(self._recent) == self._burst)
        for group in self.session.layout.groups:
            if ms := silent[group.index]:
                text = f"No spikes detected in {group.name} for {ms} ms or more"
                theta = float(segment.theta[-1, group.index])
                text = f"{text}, effective threshold {theta:.3g}"
                self._states.say(logging.WARNING, f"silent {group.index}", t_ms, text)
            if burst[group.index]:
                text = f"Spike explosion in {group.name}: {share[group.index]:.0%} of its neurons"
                text = f"{text} a step over {EXPLOSION_MS} ms"
                self._states.say(logging.WARNING, f"burst {group.index}", t_ms, text)

    def _silent_ms(self, step: int) -> np.ndarray:
        """For how long, at least, each group has been too silent; 0 for those that are not."""
        steps = step - self._last_spike
        block = np.where(self._mates, steps, step).min(axis=1) >= self._silent
        silent_ms = np.where(steps >= self._stage_silent, STAGE_MS, np.where(block, SILENT_MS, 0))
        return np.where(self._may_be_silent, 0, silent_ms)

    def _clamped(self, segment: Segment) -> None:
        if not segment.clamped.any():
            return
        for group, count in zip(self.session.layout.groups, segment.clamped.sum(0), strict=True):
            if count >= OVERFLOW * group.n * len(segment.clamped):
                text = f"Membrane overflow in {group.name}: {count} values clamped"
                text += self._at_u_max(group)
                kind = f"clamped {group.index}"
                self._states.say(logging.WARNING, kind, segment.step1 * self._dt, text)

    def _at_u_max(self, group: Group) -> str:
        if group.block is None or not self._has("lif"):
            return ""
        u_max = self.tree.stage("lif", "u_max", group.block, group.stage or None)
        return f" at u_max {u_max:g}"

    # -- plasticity ----------------------------------------------------------------------------

    def _plasticity(self, segment: Segment) -> None:
        reason = self._why_skipped(segment)
        if reason:
            text = f"STDP update skipped: {reason}"
            self._states.say(logging.INFO, "skipped", segment.step1 * self._dt, text)

    def _why_skipped(self, segment: Segment) -> str:
        """Why no weight can change in ``segment``; empty where one can."""

        def value(name: str) -> Any:
            return self.tree.get(f"stdp.{name}")

        if not value("enabled"):
            return "stdp.enabled is off"
        if value("learning_rate") == 0:
            return "stdp.learning_rate is 0"
        if value("a_plus") == value("a_minus") == 0:
            return "stdp.a_plus and stdp.a_minus are 0"
        dopamine = segment.levels[:, 0] if segment.levels.shape[1] else np.array([0.5])
        if (dopamine < value("da_gate")).all():
            level = f"dopamine {dopamine.mean():.3f}"
            return f"{level} is below stdp.da_gate {value('da_gate'):g}"
        if value("mode") == "three_factor" and (dopamine == 0.5).all():
            return "dopamine rests at 0.5, and three_factor multiplies by DA - 0.5"
        if segment.step1 - self._last_spike.max() >= self._silent:
            return "no neuron fires"
        return ""

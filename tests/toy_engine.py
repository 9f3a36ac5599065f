"""A stand-in with the engine's interface: random spikes of 12 stages, every array of a segment.

It draws from the absolute step only, so it resumes bit for bit, like the real one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from t4dm.live.segment import GATE_EVERY, HIST_EVERY, KEYS, MATRIX_EVERY, Segment, grid
from t4dm.live.view import default_membranes

L, N = 6, 256
G = 2 * L


class ToyEngine:
    """Poisson spikes whose rate falls with ``lif.v_thresh``; constant small weights."""

    def __init__(
        self, config: Any = None, tree: Any = None, seed: int = 0, data_dir: Path | None = None
    ) -> None:
        self.config = config or SimpleNamespace(n_blocks=L, n_neurons=N)
        self.tree, self.seed, self.data_dir = tree, seed, data_dir
        self.watch = default_membranes(G, N)
        self.reset(seed)

    def reset(self, seed: int) -> None:
        self.seed, self.step, self.r_hat = seed, 0, 0.0
        self._levels = np.full(4, 0.5, np.float32)
        self._hash = hashlib.sha256()
        self._pending: list[dict[str, Any]] = []

    def params_changed(self, paths: list[str]) -> None:
        for path in paths:
            self.tree.get(path)

    def inject(self, nt: str, level: float) -> dict[str, Any]:
        index = ("DA", "ACh", "NE", "5HT").index(nt)
        self._levels[index] = np.clip(self._levels[index] + level, 0, 1)
        event = {
            "type": "inject",
            "step": self.step,
            "t_ms": float(self.step),
            "nt": nt,
            "level": level,
        }
        self._pending.append(event)
        return event

    def reward(self, value: float) -> dict[str, Any]:
        event = {
            "type": "reward", "step": self.step, "t_ms": float(self.step),
            "r": value, "r_hat": self.r_hat, "delta": value,
        }  # fmt: skip
        self._pending.append(event)
        return event

    def advance(self, n: int) -> Segment:
        step0, step1 = self.step, self.step + n
        steps = np.arange(step0, step1)
        theta = float(self.tree.get("lif.v_thresh")) if self.tree is not None else 1.0
        rate = min(0.08 / theta, 1.0)
        noise = np.stack(
            [np.random.default_rng((self.seed, int(t))).random(G * N, np.float32) for t in steps]
        )
        fired = noise < rate
        spk_id = np.nonzero(fired)[1].astype("<u2")
        levels = np.empty((n, 4), np.float32)
        for k in range(n):
            self._levels += (np.float32(0.5) - self._levels) * np.float32(0.005)
            levels[k] = self._levels
        gates, hists = grid(step0, step1, GATE_EVERY), grid(step0, step1, HIST_EVERY)
        gate = (noise[gates - step0, : L * N].reshape(-1, L, N) * 255).astype("u1")
        stim = (noise[:, :64] * 255).astype("u1")
        keys = np.minimum(gates[:, None] + 1, KEYS).astype("u1").repeat(L, axis=1)
        seen = np.arange(KEYS) >= KEYS - keys[..., None]
        shares = seen * noise[gates - step0, : L * KEYS].reshape(-1, L, KEYS) ** 4
        shares /= np.maximum(shares.sum(2, keepdims=True), 1e-9)
        events, self._pending = self._pending, []
        for t in steps[steps % 300 == 0]:
            events.append({
                "type": "stimulus", "step": int(t), "t_ms": float(t), "index": int(t) // 300,
                "kind": "digits", "label": str(int(t) // 300 % 10), "image": [0.5] * 64,
            })  # fmt: skip
        self._hash.update(steps.tobytes() + spk_id.tobytes())
        self.step = step1
        matrices = len(grid(step0, step1, MATRIX_EVERY))
        hist = np.tile(np.arange(64, dtype="<u4") * 10, (len(hists), L, 1))
        return Segment(
            step0=step0, step1=step1, epoch=0,
            spk_n=fired.sum(1).astype("<u2"), spk_id=spk_id,
            rates=fired.reshape(n, G, N).sum(2).astype("<u2"),
            u=np.ascontiguousarray(1.5 * noise[:, self.watch]),
            theta=np.full((n, G), theta, "<f4"), levels=levels, gains=np.tile(np.float32([0.5 + 0.5] * 5), (n, 1)),
            gate=gate, gate_mean=(gate.mean(2) * 1.5 / 255).astype("<f4"), stim=stim,
            clamped=np.zeros((n, G), "<u2"), hist_exc=hist, hist_inh=hist[..., ::-1].copy(),
            bounds=np.full((len(hists), L, 2), 0.1, "<f4"),
            pairs=np.tile(np.arange(201, dtype="<u4"), (len(hists), L, 1)),
            meta={"watch": list(self.watch), "hist_steps": hists.tolist(), "w_hi": 1.0, "w_max": 1.0, "events": events},
            attention=np.rint(shares * 255).astype("u1"), attention_keys=keys,
            matrix=np.tile((np.arange(L * N * N) % 251).astype("u1").reshape(L, N, N), (matrices, 1, 1, 1)),
        )  # fmt: skip

    def state(self) -> dict[str, np.ndarray]:
        return {
            "levels": self._levels.copy(),
            "step": np.array(self.step),
            "seed": np.array(self.seed),
        }

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._levels = state["levels"].copy()
        self.step, self.seed = int(state["step"]), int(state["seed"])

    def snapshot(self) -> Any:
        return self.state(), list(self._pending)

    def restore(self, snapshot: Any) -> None:
        state, self._pending = snapshot
        self.load_state(state)

    def spike_hash(self) -> str:
        return self._hash.hexdigest()

    def describe(self) -> dict[str, Any]:
        groups = [
            {"name": f"block {g // 2} LIF {'in' if g % 2 == 0 else 'out'}", "n": N, "block": g // 2,
             "stage": "lif_in" if g % 2 == 0 else "lif_out", "n_exc": 204 if g % 2 == 0 else N}
            for g in range(G)
        ]  # fmt: skip
        moved = {"n": 64, "total": 200}
        constants = {"w_hi": 1.0, "n_total": G * N, "moved_rows": moved}
        return {"groups": groups, "constants": constants}

"""A Qwen2 with its spiking stack as a live session: its text, rasters, gates and attention on the page.

    python -m t4dm.qwen.live --model FOLDER --name qwen
Run it beside the dashboard, with the same T4DM_RUN_DIR or PORT.  The page's controls act between two
tokens: the text to read, the pace, the temperature, the mix, thresholds, gate, attention, modulators.
One step of the time axis is one token.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

import numpy as np

from t4dm.live.external_params import declared
from t4dm.live.handed import HandedSession, flat_weights
from t4dm.live.publisher import Block
from t4dm.live.segment import KEYS
from t4dm.live.tree import ParamTree
from t4dm.qwen.loading import ModelMissing
from t4dm.qwen.reading import Reading, Token
from t4dm.qwen.unified_model import DEFAULT_MODEL, UnifiedModel
from t4dm.step_length import STEP_MS

NO_MODEL = 3
"""Exit status where the model cannot be had; 2 is a bad argument, as argparse has it."""
PROBES = ("spikes", "u_pre", "theta", "gate", "attention", "weights")
W_HI = 1.0


class LiveReading:
    """``reading`` shown as the session ``name``; :meth:`turn` reads one token."""

    def __init__(self, reading: Reading, name: str) -> None:
        self.reading, self.model = reading, reading.model
        config = self.model.config
        groups = [
            {"name": f"block {b} LIF {half}", "n": config.n, "block": b, "stage": f"lif_{half}"}
            for b in range(config.n_blocks)
            for half in ("in", "out")
        ]
        self.session = HandedSession(
            name, groups, ParamTree(0, (declared(reading.declared()),)), reading.apply,
            probes=PROBES, weights={f"block {b}": W_HI for b in range(config.n_blocks)},
        )  # fmt: skip

    def turn(self) -> bool:
        """Wait for the next token's time, read it, publish it; False once publishing has failed."""
        self.session.between(self.reading.values["tokens_per_s"])
        if self.session.ended:
            return False
        token = self.reading.next()
        self.session.offer(self._block(token))
        if self.reading.round_is_over and self.reading.written:
            print(f"it wrote: {self.reading.said!r}", flush=True)
        return True

    def _block(self, token: Token) -> Block:
        watch = list(self.session.watch)
        return Block(
            steps=1,
            spikes=token.spikes(),
            u=token.membranes()[:, watch],
            watch=watch,
            theta=self.model.settings.v_thresh,
            weights=self._weights() if self.session.wants_weights else None,
            gate=token.gates(),
            attention=token.attention(KEYS),
            keys=token.keys(KEYS),
            events=self._events(token),
        )

    def _events(self, token: Token) -> list[dict[str, Any]]:
        """The token as the stimulus of its step, and a line where a text or its continuation begins."""
        step = self.session.step
        at = {"step": step, "t_ms": step * STEP_MS}
        stimulus = {"type": "stimulus", "kind": "text", "label": token.label, "index": token.index}
        begins = "text" if token.index == 0 else "model" if token.is_first_new else ""
        note = [at | {"type": "note", "text": begins}] if begins else []
        return [at | stimulus, *note]

    def _weights(self) -> list[np.ndarray]:
        blocks = self.model.core.stack.blocks()
        return [
            flat_weights(b.recurrent.weight.detach().float().cpu().numpy()) for b in blocks
        ]  # fmt: skip

    def close(self, how: str) -> None:
        """End the session; its last window stays on the page."""
        self.session.close(how)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m t4dm.qwen.live",
        description="Show a Qwen2's spiking stack on the dashboard.",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub name of a Qwen2")
    parser.add_argument("--name", default="qwen", help="name of the session")
    parser.add_argument("--text", help="the text to read")
    parser.add_argument("--seed", type=int, default=0, help="of the tokens drawn")
    parser.add_argument("--blocks", type=int, help="spiking blocks, for a model without any yet")
    parser.add_argument("--neurons", type=int, help="neurons a stage, likewise")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Read until Ctrl-C; the exit status."""
    options = arguments(given)
    try:
        model = UnifiedModel(options.model, n_blocks=options.blocks, n=options.neurons)
        reading = Reading(model, options.seed)
        if options.text:
            reading.apply({"script.text": options.text})
        live = LiveReading(reading, options.name)
    except ModelMissing as error:
        print(error, file=sys.stderr)
        return NO_MODEL
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _as_interrupt)
    print(f"session '{options.name}' is open in {live.session.run}; Ctrl-C ends it", flush=True)
    if not live.session.has_dashboard:
        print("no dashboard runs there yet; the session appears as soon as one does", flush=True)
    return _read_on(live)


def _read_on(live: LiveReading) -> int:
    try:
        while live.turn():
            pass
        print(f"the session has ended: {live.session.ended}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        live.close("closed from its terminal")


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())

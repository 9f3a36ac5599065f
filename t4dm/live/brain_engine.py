"""The engine of a brain session: a step is one word or mark that is read, at a pace one can follow."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t4dm import commands as c
from t4dm.brain import feelings
from t4dm.brain.params import REGIONS, BrainParams
from t4dm.brain.reader import BANDS, MAX_TOKENS, Read, Reader, count_tokens, tokens_of
from t4dm.brain.words import Words, learn
from t4dm.hippocampal.params import PROSODY
from t4dm.live.brain_findings import LEAST, RULES, Heard, findings
from t4dm.live.brain_kind import KIND
from t4dm.live.record import Record
from t4dm.live.run_health import as_told
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.training.corpus import american_standard_version

N_WORDS = 4000
LATE_S = 0.5
SCALARS = ("arousal", "valence", "dopamine", "rate", "change", "token")
KINDS = ("known", "unknown", "mark")


@lru_cache(maxsize=1)
def vocabulary() -> Words:
    """Vectors of the 4000 most frequent words of the text that comes along, the same for every seed."""
    return learn(american_standard_version(), N_WORDS, BrainParams().dim, np.random.default_rng(0))


@lru_cache(maxsize=1)
def held_out_score() -> tuple[float, int]:
    """How well words that were held out are told good from bad; see :func:`feelings.score`."""
    return feelings.score(vocabulary(), BrainParams().dim)


class BrainEngine:
    """A :class:`t4dm.live.run_session.RunEngine`."""

    def __init__(
        self, options: Mapping[str, Any], tree: ParamTree, seed: int, folder: Path
    ) -> None:
        torch.set_num_threads(1)
        self.tree = tree
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Other weights; what was learnt from outcomes is forgotten."""
        self.seed, self.step = seed, 0
        self.reader = Reader(vocabulary(), seed)
        self._events: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []
        self._looked = False
        self._from_the_top()

    def _from_the_top(self) -> None:
        self.text = self.tree.get("reading.text")
        self.tokens = tokens_of(self.text, self.reader.words)
        self.at, self.begun = 0, self.step
        self.reader.begin()
        self._fresh = True
        self._heard: list[tuple[str, Read]] = []
        self._due = time.monotonic()

    # -- time ----------------------------------------------------------------------------------

    def advance(self) -> Record:
        """One token.  The session pauses after the last one; going on begins the text again."""
        if self.at >= len(self.tokens):
            self._from_the_top()
        get = self.tree.get
        read = self.reader.read(
            self.tokens[self.at], gain=get("feelings.gain"), emphasis=get("feelings.emphasis"),
            dopamine=get("feelings.dopamine"),
        )  # fmt: skip
        arrays = _rows(read, self.at) | self._text_arrays()
        self._heard.append((self.tokens[self.at].kind, read))
        self.at += 1
        self._look()
        self.step += 1
        meta: dict[str, Any] = {"events": self._told()}
        if self.at == len(self.tokens):
            meta["pause"] = "the text is read"
        return Record(self.step - 1, self.step, 0, meta, arrays)

    def asked(self) -> Record | None:
        """What a command asked for while the run stands: a new text, what was learnt."""
        if not (self._fresh or self._events):
            return None
        return Record(self.step, self.step, 0, {"events": self._told()}, self._text_arrays())

    def _told(self) -> list[dict[str, Any]]:
        events, self._events = self._events, []
        return events

    def _text_arrays(self) -> dict[str, np.ndarray]:
        """The text being read, where it is new."""
        if not self._fresh:
            return {}
        self._fresh = False
        told = {"begun": self.begun, "tokens": [[t.before, t.text, t.kind] for t in self.tokens]}
        return {"text": np.frombuffer(json.dumps(told).encode(), np.uint8)}

    @property
    def rest_s(self) -> float:
        """Until the next token is due."""
        now = time.monotonic()
        self._due += 1.0 / self.tree.get("reading.pace")
        if now - self._due > LATE_S:
            self._due = now
        return max(0.0, self._due - now)

    # -- what is asked -------------------------------------------------------------------------

    def params_changed(self, paths: list[str]) -> None:
        """A new text is read from its first word; one without a word or mark is refused."""
        self._due = time.monotonic()
        if paths != ["reading.pace"]:
            self._heard = []
        text = self.tree.get("reading.text")
        if text == self.text:
            return
        if not tokens_of(text, self.reader.words):
            message = "reading.text: expected a text with at least one word or mark"
            raise ParamError("reading.text", message)
        self._from_the_top()

    def command(self, command: c.Command) -> tuple[Any, Any]:
        """``read`` begins the text again, ``outcome`` answers valences before and after."""
        if isinstance(command, c.Read):
            old = self.at
            self._from_the_top()
            return old, 0
        if isinstance(command, c.Outcome):
            return self._outcome(command)
        raise ParamError("type", f"{command.type}: a brain does not take this")

    def _outcome(self, command: c.Outcome) -> tuple[Any, Any]:
        words = [token for token in self.tokens[: self.at] if token.kind != "mark"]
        last = words[-command.words :]
        if not last:
            raise ParamError("outcome", "outcome: no word was read yet that could have led to it")
        before = self.reader.valence(last)
        error = self.reader.outcome(last, command.value, self.tree.get("feelings.rate"))
        after = self.reader.valence(last)
        told = {"words": [token.text for token in last], "outcome": command.value}
        told |= {"error": round(error, 4), "before": round(before, 4), "after": round(after, 4)}
        self._events.append({"type": "outcome", "step": self.step, **told})
        return round(before, 4), told

    # -- what is kept --------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        place = np.array([self.seed, self.step, self.at, self.begun])
        text = np.frombuffer(self.text.encode(), np.uint8).copy()
        return {"place": place, "text": text, **self.reader.saved()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        seed, step, at, begun = (int(v) for v in state["place"])
        self.reset(seed)
        self.text = state["text"].tobytes().decode()
        self.tokens = tokens_of(self.text, self.reader.words)
        self.step, self.at, self.begun = step, at, begun
        self.reader.load(state)

    # -- what there is to know -----------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        share, n = held_out_score()
        return {
            "axis": "token",
            "series": SERIES,
            "commands": list(KIND.commands),
            "constants": {
                "regions": list(REGIONS), "experts": self.reader.params.n_experts, "bands": BANDS,
                "prosody": list(PROSODY), "max_tokens": MAX_TOKENS, "words": len(vocabulary().places),
                "held_out": {"right": round(share, 3), "of": n},
                "trained": ["word vectors", "valence"],
            },
        }  # fmt: skip

    def _look(self) -> None:
        """Judge what was heard since the last change, once there is enough of it."""
        if len(self._heard) < LEAST and self.at < len(self.tokens):
            return
        self._looked = True
        whole = count_tokens(self.text)
        heard = Heard(
            [kind for kind, _ in self._heard],
            np.array([read.valence for _, read in self._heard]),
            np.array([read.release for _, read in self._heard]),
            [token.kind for token in self.tokens],
            whole - len(self.tokens),
            "".join(token.before + token.text for token in self.tokens),
            self.begun,
        )
        usual = {spec.path: spec.default for spec in self.tree.specs()}
        self._found = as_told(findings(heard, self.tree.get, usual), RULES)

    def findings(self) -> list[dict[str, Any]]:
        """What the words of this reading show."""
        return [dict(one) for one in self._found]

    def waiting(self) -> str:
        return "" if self._looked else f"the rules look after {LEAST} words"

    def progress(self) -> dict[str, Any]:
        """Tokens of the text that were read."""
        left = (len(self.tokens) - self.at) / self.tree.get("reading.pace")
        return {
            "done": self.at, "total": len(self.tokens), "rate": self.tree.get("reading.pace"),
            "unit": "words", "left_s": round(left, 1),
        }  # fmt: skip


def _rows(read: Read, at: int) -> dict[str, np.ndarray]:
    scalars = [read.arousal, read.valence, read.dopamine, read.rate, read.change, float(at)]
    rows = {
        "scalars": np.array(scalars), "votes": read.votes, "go": read.go, "nogo": read.nogo,
        "gpi": read.gpi, "release": read.release, "gate": read.gate, "prosody": read.prosody,
        "load": read.load,
    }  # fmt: skip
    return {name: row.astype(np.float32)[None] for name, row in rows.items()}


def _per_token(shape: list[int], help: str, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    told = {"shape": shape, "dtype": "f4", "unit": "1", "help": help}
    return {"per_step": True, "names": list(names) if names else None, **told}


SERIES: dict[str, dict[str, Any]] = {
    "scalars": _per_token(
        [len(SCALARS)],
        "Arousal, valence, dopamine; spikes a step of the language zone; length of what the regions "
        "add; number of the token in its text.",
        SCALARS,
    ),
    "votes": _per_token([len(REGIONS)], "How strongly each region asks to act.", REGIONS),
    "go": _per_token([len(REGIONS)], "Direct pathway of each region.", REGIONS),
    "nogo": _per_token([len(REGIONS)], "Indirect pathway of each region.", REGIONS),
    "gpi": _per_token([len(REGIONS)], "Inhibition of each region; tonic 0.5.", REGIONS),
    "release": _per_token([len(REGIONS)], "Share of each region that is let through.", REGIONS),
    "gate": _per_token([BANDS], "Thalamic gate, each the mean of four neighbouring channels."),
    "prosody": _per_token([len(PROSODY)], "What is read off the text beside its words.", PROSODY),
    "load": _per_token([BrainParams().n_experts], "Share of each expert of the mixture."),
    "text": {
        "per_step": False, "names": None, "shape": ["bytes"], "dtype": "u1", "unit": "JSON",
        "help": "The text being read: begun (its first step), tokens [before, text, kind].",
    },
}  # fmt: skip

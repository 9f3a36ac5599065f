"""A natural brain that reads words, one after the other.

    x_t = sqrt(D) * v_t      v_t: vector of the word, length 1
    v_t of what is not known: a draw that its letters decide, freed of the direction of good and bad, so
    that it is neutral until it has led to something
A token is a word or one mark, such as "," or "!".  Word vectors and the amygdala are learnt (``feelings``), all other weights
are drawn from the seed and never trained: gates, votes and what the regions answer show how the parts act
on each other, not what a trained brain would choose.
T tokens  D channels  R regions
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import torch

from t4dm.brain import feelings
from t4dm.brain.amygdala import AmygdalaState
from t4dm.brain.basal_ganglia import TONIC
from t4dm.brain.natural_brain import BrainState, NaturalBrain
from t4dm.brain.params import BrainParams
from t4dm.brain.words import Words
from t4dm.hippocampal.prosody import ProsodyState, read_piece
from t4dm.spiking.gif import GIFState

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
BANDS = 16  # of the thalamic gate that are shown, each the mean of its channels
MAX_TOKENS = 120


class Token(NamedTuple):
    """``text`` as written, with what stood before it since the last token, and what kind it is."""

    text: str
    before: str
    kind: str  # known | unknown | mark


class Read(NamedTuple):
    """What one token did: numbers, and arrays over regions (R,), gate bands (BANDS,) and (PROSODY,)."""

    arousal: float
    valence: float
    dopamine: float
    votes: np.ndarray
    go: np.ndarray
    nogo: np.ndarray
    gpi: np.ndarray
    release: np.ndarray
    gate: np.ndarray
    prosody: np.ndarray
    load: np.ndarray
    rate: float
    change: float


def tokens_of(text: str, words: Words) -> list[Token]:
    """Words and marks of ``text``, at most :data:`MAX_TOKENS`."""
    found, end = [], 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        is_word = piece[0].isalnum() or piece[0] == "_"
        kind = ("known" if words.knows(piece) else "unknown") if is_word else "mark"
        found.append(Token(piece, text[end : match.start()], kind))
        end = match.end()
    return found[:MAX_TOKENS]


def count_tokens(text: str) -> int:
    """Words and marks of ``text``, also those beyond :data:`MAX_TOKENS`."""
    return len(_TOKEN.findall(text))


class Reader:
    """Built from word vectors and a seed; ``state`` goes on from token to token."""

    def __init__(self, words: Words, seed: int = 0) -> None:
        self.words, self.seed = words, seed
        self.params = BrainParams()
        self.brain = NaturalBrain(self.params, seed)
        pairs = feelings.lists(words) + feelings.common(words)
        feelings.condition(self.brain.amygdala, words, pairs)
        value = self.brain.amygdala.value.detach().numpy()
        self.good = value / max(1e-12, float(np.linalg.norm(value)))
        self.begin()

    def begin(self) -> None:
        """Nothing was read yet; what was learnt stays."""
        self.state: BrainState | None = None
        self.prosody = ProsodyState()

    def vector(self, token: Token) -> np.ndarray:
        """(D,) float32 of length 1."""
        found = self.words.vector(token.text)
        if token.kind == "known":
            return found
        free = found - (found @ self.good) * self.good
        return (free / np.linalg.norm(free)).astype(np.float32)

    @torch.no_grad()
    def read(
        self, token: Token, *, gain: float = 1.0, emphasis: bool = True, dopamine: float = 0.5
    ) -> Read:
        """Read ``token``: ``gain`` scales valence, ``dopamine`` is tonic, 0 to 1."""
        row = self._prosody(token)
        x = torch.from_numpy(self.vector(token))[None, None] * self.params.dim**0.5
        told = torch.tensor(row)[None, None] if emphasis else None
        self.brain.dopamine = dopamine
        value = self.brain.amygdala.value
        kept = value.clone()
        value.mul_(gain)
        thought = self.brain(x, told, self.state)
        value.copy_(kept)
        self.state = thought.state
        valence = float(thought.valence[0, 0])
        da = min(1.0, max(0.0, dopamine + 0.5 * valence))
        votes = thought.votes[0, 0].numpy()
        go, nogo = (0.5 + da) * votes, (1.5 - da) * votes
        gpi = np.maximum(0.0, TONIC + votes.mean() + 0.5 * nogo - 2.0 * go)
        gate = thought.gate[0, 0].reshape(BANDS, -1).mean(1).numpy()
        return Read(
            float(thought.arousal[0, 0]), valence, da, votes, go, nogo, gpi,
            thought.release[0, 0].numpy(), gate, np.array(row, np.float32),
            thought.routing.load.reshape(-1).numpy(), float(thought.rate.mean()),
            float((thought.out - x).norm()),
        )  # fmt: skip

    def _prosody(self, token: Token) -> tuple[float, float, float, float]:
        """The token's own row; blanks before it only end the word before."""
        _, self.prosody = read_piece(token.before, self.prosody)
        row, self.prosody = read_piece(token.text, self.prosody)
        return row

    def outcome(self, tokens: list[Token], outcome: float, rate: float) -> float:
        """Learn that ``tokens`` led to ``outcome``, -1 to 1; the prediction error before it.

        Marks count for nothing.  Raises ValueError without a word.
        """
        vectors = [self.vector(token) for token in tokens if token.kind != "mark"]
        if not vectors:
            raise ValueError("there is no word that could have led to it")
        return self.brain.amygdala.condition(torch.from_numpy(np.array(vectors)), outcome, rate)

    def valence(self, tokens: list[Token]) -> float:
        """What the amygdala expects of the words among ``tokens`` now: their mean w.v, not clipped."""
        vectors = [self.vector(token) for token in tokens if token.kind != "mark"]
        felt = np.array(vectors) @ self.brain.amygdala.value.detach().numpy()
        return float(felt.mean())

    # -- whole ---------------------------------------------------------------------------------

    def saved(self) -> dict[str, np.ndarray]:
        """What was learnt since the beginning, and where reading stands."""
        kept = {"value": self.brain.amygdala.value.detach().numpy().copy()}
        last = self.prosody
        kept["prosody"] = np.array([last.letters, last.capitals, last.question])
        kept["last"] = np.frombuffer(last.last.encode(), np.uint8).copy()
        if self.state is None:
            return kept
        parts = {
            "arousal": self.state.amygdala.arousal, "usual": self.state.amygdala.usual,
            "experts": self.state.experts,
            **{f"language_{n}": v for n, v in self.state.language._asdict().items()},
        }  # fmt: skip
        kept |= {f"state_{name}": part.numpy().copy() for name, part in parts.items()}
        return kept | {"state_tokens": np.array(self.state.tokens)}

    def load(self, kept: dict[str, np.ndarray]) -> None:
        """Be as when :meth:`saved` was called, for the same words and seed."""
        with torch.no_grad():
            self.brain.amygdala.value.copy_(torch.from_numpy(np.array(kept["value"])))
        letters, capitals, question = (float(v) for v in kept["prosody"])
        last = kept["last"].tobytes().decode()
        self.prosody = ProsodyState(int(letters), int(capitals), question, last)
        if "state_tokens" not in kept:
            self.state = None
            return
        part = {
            name: torch.from_numpy(np.array(kept[f"state_{name}"]))
            for name in ("arousal", "usual", "experts", *_LANGUAGE)
        }
        self.state = BrainState(
            AmygdalaState(part["arousal"], part["usual"]),
            GIFState(*(part[name] for name in _LANGUAGE)),
            part["experts"],
            int(kept["state_tokens"]),
        )


_LANGUAGE = tuple(f"language_{name}" for name in GIFState._fields)

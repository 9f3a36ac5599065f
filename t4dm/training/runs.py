"""The named training runs: which text, which vocabulary, which model, which schedule.

    memorise  the first 50,000 tokens of the text, a 32,000-token vocabulary made for other texts:
              ten passes, so that low loss is memory and is called that
    read      the whole text but its last tenth, a 4096-token vocabulary learnt from the same part;
              the last tenth is never seen before it is scored
    tiny      bytes and a model of two small layers, for trying out and for tests
    clinic    the first tenth of the text, a vocabulary of 1024, a model of two layers: small enough to
              be trained thirty times over, large enough for loss 5 to mean something (ln V = 6.9)
All keep everything on: prosody, memory bank, sleep.  Sizes are chosen for two CPU cores.
The rate rises over 300 steps: while the residual stream is still about 0.02 wide and learns how
frequent tokens are, larger steps turn it round at some positions, and single gradient norms leave
0.1 to 10 (11 with a rise over 200 steps of ``memorise``, hundreds with one over 20).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from t4dm.hippocampal.params import HippocampalParams
from t4dm.training.corpus import american_standard_version, vocabulary_of_32000
from t4dm.training.data import TokenText
from t4dm.training.params import TrainParams
from t4dm.training.tokenizer import ByteTokenizer, LearnedTokenizer, Tokenizer

CONTEXT = 128
MEMORISED, BESIDE = 50_000, 6_000
READ_VOCABULARY, CLINIC_VOCABULARY, HELD_OUT = 4096, 1024, 0.1


@dataclass(frozen=True, slots=True)
class Material:
    """What a run is trained on and what is kept back; ``raw`` are the characters of both, cut from
    the text itself: what the tokens decode to is held against them."""

    tokenizer: Tokenizer
    train: TokenText
    held_out: TokenText
    raw: tuple[str, str]


@dataclass(frozen=True, slots=True)
class NamedRun:
    """``whole_at``: steps after which the whole held-out text is scored; ``sample_every``: in a session."""

    name: str
    what: str
    material: Callable[[], Material]
    model: HippocampalParams
    train: TrainParams
    whole_at: tuple[int, ...]
    prompts: tuple[str, ...]
    sample_every: int = 100


def read_material() -> Material:
    """The whole text, cut after a line near nine tenths of its characters."""
    text = american_standard_version()
    cut = text.rindex("\n", 0, round((1 - HELD_OUT) * len(text))) + 1
    seen, kept = text[:cut], text[cut:]
    tokenizer = LearnedTokenizer.learn(seen, READ_VOCABULARY)
    return Material(
        tokenizer, TokenText.read(seen, tokenizer), TokenText.read(kept, tokenizer), (seen, kept)
    )


def memorise_material() -> Material:
    """The first 50,000 tokens; the 6,000 after them are held out."""
    tokenizer = vocabulary_of_32000()
    text = american_standard_version()[: 6 * (MEMORISED + BESIDE)]
    both, ends = TokenText.read(text, tokenizer), tokenizer.ends(text)
    seen = TokenText(both.ids[:MEMORISED], both.prosody[:MEMORISED])
    last = MEMORISED + BESIDE
    kept = TokenText(both.ids[MEMORISED:last], both.prosody[MEMORISED:last])
    cut, end = ends[MEMORISED - 1], ends[last - 1]
    return Material(tokenizer, seen, kept, (text[:cut], text[cut:end]))


def tiny_material() -> Material:
    """The first 40,000 characters of the text as bytes, a tenth of them held out."""
    tokenizer, text = ByteTokenizer(), american_standard_version()[:40_000]
    seen, kept = TokenText.read(text, tokenizer).split(HELD_OUT)
    written = text.encode()
    raw = written[: len(seen)].decode(), written[len(seen) :].decode()
    return Material(tokenizer, seen, kept, raw)


def clinic_material() -> Material:
    """The first tenth of the text; its last tenth is held out."""
    text = american_standard_version()
    text = text[: text.rindex("\n", 0, len(text) // 10) + 1]
    cut = text.rindex("\n", 0, round((1 - HELD_OUT) * len(text))) + 1
    seen, kept = text[:cut], text[cut:]
    tokenizer = LearnedTokenizer.learn(seen, CLINIC_VOCABULARY)
    return Material(
        tokenizer, TokenText.read(seen, tokenizer), TokenText.read(kept, tokenizer), (seen, kept)
    )


def parameter_count(model: HippocampalParams) -> int:
    """Weights of a model, within a few hundred: table, layers, place cells."""
    table = model.dim * (model.vocab_size + 2 * model.n_place)
    return table + model.n_layers * (4 + 2 * model.mlp_ratio) * model.dim**2


PROMPTS = ("In the beginning", "And Jesus answered and said", "Blessed is the man that")
SHAPE = HippocampalParams(dim=128, n_layers=4, n_heads=4, max_seq_len=CONTEXT, dropout=0.0)

RUNS = {
    run.name: run
    for run in (
        NamedRun(
            "memorise",
            "50,000 tokens, a 32,000-token vocabulary: memorising",
            memorise_material,
            SHAPE.model_copy(update={"vocab_size": 32_000}),
            TrainParams(
                learning_rate=4e-3, warmup=300, total_steps=1000, batch=4, context=CONTEXT,
                weight_decay=0.0,
            ),
            (1000,),
            ("In the beginning", "And Abraham", "And Jehovah said unto"),
        ),
        NamedRun(
            "read",
            "the whole text, a 4096-token vocabulary, the last tenth held out",
            read_material,
            SHAPE.model_copy(update={"vocab_size": READ_VOCABULARY, "n_place": 128}),
            TrainParams(
                learning_rate=4e-3, warmup=300, total_steps=5000, batch=8, context=CONTEXT
            ),
            (1000, 5000),
            PROMPTS,
        ),
        NamedRun(
            "tiny",
            "bytes, two small layers: to try things out",
            tiny_material,
            HippocampalParams(
                vocab_size=256, dim=32, n_layers=2, n_heads=4, max_seq_len=32, n_place=64,
                memory_size=256,
            ),
            TrainParams(
                learning_rate=3e-3, warmup=10, total_steps=200, batch=4, context=32,
                memory_writes=16, sleep_every=12, sleep_steps=3, replay_size=32,
                ewc_strength=1.0, ewc_samples=2,
            ),
            (),
            ("In the beginning",),
            sample_every=25,
        ),
        NamedRun(
            "clinic",
            "a tenth of the text, a 1024-token vocabulary: sound beside faulty",
            clinic_material,
            HippocampalParams(
                vocab_size=CLINIC_VOCABULARY, dim=64, n_layers=2, n_heads=4, max_seq_len=64,
                n_place=128, memory_size=1024,
            ),
            TrainParams(
                learning_rate=3e-3, warmup=100, total_steps=300, batch=8, context=64,
                sleep_every=60, sleep_steps=5, ewc_strength=1.0, ewc_samples=4,
            ),
            (),
            PROMPTS,
            sample_every=50,
        ),
    )
}  # fmt: skip

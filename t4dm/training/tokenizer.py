"""The door to a tokenizer: four things a language model needs, whoever provides them.

``ByteTokenizer`` needs nothing (256 tokens, any text).  ``LearnedTokenizer`` wraps byte-level BPE of
Hugging Face ``tokenizers``, imported when it is first used.  Both give back the text exactly.
"""

from __future__ import annotations

from typing import Any, Protocol


class Tokenizer(Protocol):
    """``encode`` and ``decode`` are inverse; ``piece`` is one token's text, for its prosody."""

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: list[int]) -> str: ...

    def piece(self, token: int) -> str: ...


class ByteTokenizer:
    """One token a byte of UTF-8."""

    vocab_size = 256

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: list[int]) -> str:
        """Bytes that are no UTF-8 come out as the replacement character."""
        return bytes(ids).decode(errors="replace")

    def piece(self, token: int) -> str:
        """The character of an ASCII byte; nothing for a part of a longer one."""
        return chr(token) if token < 128 else ""


class LearnedTokenizer:
    """Byte-level BPE.  ``definition`` is the JSON text that ``tokenizers`` reads and writes."""

    def __init__(self, definition: str) -> None:
        from tokenizers import Tokenizer as Definition

        self.definition = definition
        self._bpe: Any = Definition.from_str(definition)
        self.vocab_size: int = self._bpe.get_vocab_size()
        self._pieces: dict[int, str] = {}

    @classmethod
    def learn(cls, text: str, vocab_size: int) -> LearnedTokenizer:
        """A vocabulary of at most ``vocab_size`` (256 or more) learnt from ``text``.

        Raises ValueError for a smaller vocabulary.
        """
        if vocab_size < 256:
            raise ValueError(f"vocab_size must be 256 or more, got {vocab_size}")
        from tokenizers import Tokenizer as Definition
        from tokenizers import decoders, models, pre_tokenizers, trainers

        bpe = Definition(models.BPE())
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        bpe.train_from_iterator(text.splitlines(keepends=True), trainer)
        return cls(bpe.to_str())

    def encode(self, text: str) -> list[int]:
        """A batch of one: unlike a single text it leaves the interpreter's lock to other threads."""
        return self._bpe.encode_batch([text], add_special_tokens=False)[0].ids

    def ends(self, text: str) -> list[int]:
        """Where each token of ``text`` ends in it, in characters; nothing is decoded."""
        encoded = self._bpe.encode_batch([text], add_special_tokens=False)[0]
        return [end for _, end in encoded.offsets]

    def decode(self, ids: list[int]) -> str:
        return self._bpe.decode(ids, skip_special_tokens=False)

    def piece(self, token: int) -> str:
        if token not in self._pieces:
            self._pieces[token] = self.decode([token]).replace("\ufffd", "")
        return self._pieces[token]

"""Word vectors and an amygdala that has learnt what some words lead to, so that others can be felt.

The vectors are counted from text (``words``); the amygdala is conditioned on two short lists, words for
good things (+1) and for bad ones (-1), and on the most frequent words, which lead to nothing (0), by its
own rule.  What it then says of any other word follows from
the company that word keeps.  Ratings of words as good or bad: Bradley & Lang 1999; from their company
to their rating: Turney & Littman 2003.
"""

from __future__ import annotations

import numpy as np
import torch

from t4dm.brain.amygdala import Amygdala
from t4dm.brain.words import Words

GOOD = (
    "good peace joy love glad gladness blessed blessing bless mercy merciful life light salvation rejoice "
    "holy honor glory righteous righteousness wisdom wise faithful faith truth hope comfort delight grace "
    "gracious kindness praise beauty beautiful pleasant sweet friend sing song prosper victory gift save "
    "rest heal health strength innocent happy pure perfect"
)  # fmt: skip
BAD = (
    "evil death die sin wicked wickedness war sword fear afraid anger angry wrath hate hatred curse cursed "
    "destroy destruction pain sorrow mourn weep woe darkness fire plague famine enemy enemies slain kill "
    "blood shame reproach iniquity transgression affliction trouble desolate desolation lie lies false "
    "thief poor prison captive fool folly bitter grief terror captivity perish violence"
)
ROUNDS = 60
RATE = 1.0
FOLDS = 5
COMMON = 200  # of the most frequent words: they lead to nothing


def lists(words: Words) -> list[tuple[str, float]]:
    """The words of both lists that have a vector of their own, each with its outcome."""
    pairs = [(word, 1.0) for word in GOOD.split()] + [(word, -1.0) for word in BAD.split()]
    return [(word, outcome) for word, outcome in pairs if words.knows(word)]


def common(words: Words) -> list[tuple[str, float]]:
    """The most frequent words that are in no list, each leading to nothing."""
    rated = {*GOOD.split(), *BAD.split()}
    return [(word, 0.0) for word in list(words.places)[:COMMON] if word not in rated]


def condition(amygdala: Amygdala, words: Words, pairs: list[tuple[str, float]]) -> None:
    """Let ``amygdala`` learn what each word of ``pairs`` leads to: good, nothing and bad in turn."""
    for _ in range(ROUNDS):
        for outcome in (1.0, 0.0, -1.0):
            chosen = [words.vector(word) for word, led_to in pairs if led_to == outcome]
            if chosen:
                amygdala.condition(torch.from_numpy(np.array(chosen)), outcome, RATE)


def score(words: Words, dim: int) -> tuple[float, int]:
    """``(share, n)``: of n words, those whose sign an amygdala gets right that was never told theirs.

    Each fifth of the lists is held out once.
    """
    pairs = lists(words)
    right = 0
    for fold in range(FOLDS):
        amygdala = Amygdala(dim)
        told = [one for k, one in enumerate(pairs) if k % FOLDS != fold]
        condition(amygdala, words, told + common(words))
        for word, outcome in pairs[fold::FOLDS]:
            felt = float(torch.from_numpy(words.vector(word)) @ amygdala.value.detach())
            right += felt * outcome > 0
    return right / max(1, len(pairs)), len(pairs)

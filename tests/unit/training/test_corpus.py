"""The text and the vocabulary that come with the program are what their notes say."""

import lzma

import pytest

from t4dm.training import corpus
from t4dm.training.tokenizer import LearnedTokenizer


@pytest.fixture(scope="module")
def whole():
    return corpus.american_standard_version()


@pytest.fixture(scope="module")
def vocabulary():
    return corpus.vocabulary_of_32000()


def test_the_text_begins_and_ends_where_it_should(whole):
    assert whole.startswith(
        "The First Book of Moses, Commonly Called Genesis\n\n"
        "In the beginning God created the heavens and the earth. And the earth was waste"
    )
    assert whole.endswith("The grace of the Lord Jesus be with the saints. Amen.\n")
    assert len(whole) == 4_153_421


def test_books_stand_in_order_with_their_titles(whole):
    titles = ["Genesis\n\n", "The Psalms\n\n", "According to Mark\n\n", "Revelation of John\n\n"]
    places = [whole.index(title) for title in titles]
    assert places == sorted(places)


def test_letters_are_plain_text(whole):
    odd = {char for char in whole if ord(char) > 126 or (ord(char) < 32 and char != "\n")}
    assert odd == set("’—æÆïü")


def test_a_damaged_text_is_refused(monkeypatch):
    monkeypatch.setattr(lzma, "decompress", lambda packed: b"In the beginning")
    with pytest.raises(ValueError, match="damaged"):
        corpus.american_standard_version()


def test_the_vocabulary_has_32000_tokens_and_gives_the_text_back(vocabulary, whole):
    assert vocabulary.vocab_size == 32_000
    part = whole[1_000_000:1_020_000]
    ids = vocabulary.encode(part)
    assert vocabulary.decode(ids) == part
    assert max(ids) < 32_000 and len(ids) < len(part) / 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "  two\n\n\ttabs\r\n",
        "\u2581 a\u2581b",
        "<0x41> <s></s><unk>",
        "日本 😀 é",
        "\x00\x7f",
    ],
)
def test_round_trip_is_exact(vocabulary, text):
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_ids_are_those_of_the_original(vocabulary):
    """As SentencePiece 0.2.3 gives them for the original model, less its leading blank's token."""
    assert vocabulary.encode(" In the beginning God created") == [560, 272, 5398, 2499, 3859]


def test_a_learnt_vocabulary_gives_the_text_back(whole):
    part = whole[:30_000]
    tokenizer = LearnedTokenizer.learn(part, 400)
    assert tokenizer.decode(tokenizer.encode(part)) == part

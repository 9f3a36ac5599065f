"""The tools that made the text and the vocabulary, on sources small enough to write by hand."""

import json
import struct

import pytest
from tokenizers import Tokenizer

from tools import make_training_text as text_tool
from tools import make_vocabulary as vocabulary_tool

SOURCE = '''
bible = Bible(
    Version.ANY,
    """
One. Two. Three.
Four. Five.""",
    {1001001: 1, 1001002: 6, 1002001: 11, 2001001: 18, 2001002: 24},
    {1001001: 5, 1001002: 10, 1002001: 17, 2001001: 23, 2001002: 29},
    {},
    {},
    {Book.A: "The First", Book.B: "The Second"},
    False,
)
'''


def test_books_have_titles_and_chapters_blank_lines(monkeypatch):
    for name, n in (("BOOKS", 2), ("CHAPTERS", 3), ("VERSES", 5)):
        monkeypatch.setattr(text_tool, name, n)
    made = text_tool.plain(text_tool.parsed(SOURCE))
    assert made == "The First\n\nOne. Two.\n\nThree.\n\nThe Second\n\nFour. Five.\n"


def test_a_missing_verse_is_refused():
    with pytest.raises(ValueError, match="books, chapters, verses"):
        text_tool.plain(text_tool.parsed(SOURCE))


def test_verses_out_of_order_are_refused(monkeypatch):
    for name, n in (("BOOKS", 2), ("CHAPTERS", 3), ("VERSES", 5)):
        monkeypatch.setattr(text_tool, name, n)
    turned = SOURCE.replace("{1001001: 1, 1001002: 6,", "{1001001: 6, 1001002: 1,")
    with pytest.raises(ValueError, match="out of order"):
        text_tool.plain(text_tool.parsed(turned))


def message(text, score, kind):
    """One piece as SentencePiece writes it: text, score, kind (left out where it is 1)."""
    raw = text.encode()
    body = bytes([0x0A, len(raw)]) + raw + b"\x15" + struct.pack("<f", score)
    body += b"" if kind == 1 else bytes([0x18, kind])
    return bytes([0x0A, len(body)]) + body


@pytest.fixture
def model():
    mark = vocabulary_tool.BLANK
    units = [("<unk>", 0.0, 2), *((f"<0x{byte:02X}>", 0.0, 6) for byte in range(256))]
    learnt = [("ab", -1.0, 1), (mark + "ab", -2.0, 1), ("ba", -3.0, 1)]
    letters = [(mark, -10.0, 1), ("a", -11.0, 1), ("b", -12.0, 1)]
    other_field = bytes([0x12, 3]) + b"xyz"
    return b"".join(message(*one) for one in [*units, *learnt, *letters]) + other_field


def test_pieces_are_read_from_the_wire(model):
    found = vocabulary_tool.pieces(model)
    assert len(found) == 263
    assert found[257] == ("ab", -1.0, 1) and found[0].kind == 2


def test_merges_follow_the_scores(model):
    made = vocabulary_tool.definition(vocabulary_tool.pieces(model))
    assert made["model"]["merges"] == [("a", "b"), (" ", "ab"), ("b", "a")]


def test_what_is_written_is_read_by_tokenizers_and_exact(model):
    made = vocabulary_tool.definition(vocabulary_tool.pieces(model))
    read = Tokenizer.from_str(json.dumps(made))
    assert [read.id_to_token(i) for i in read.encode("ab ab ba").ids] == ["ab", " ab", " ", "ba"]
    for text in ("é\u2581ab", "<0x41>", " a  b\n"):
        assert read.decode(read.encode(text).ids) == text


def test_an_unknown_wire_type_is_refused():
    with pytest.raises(ValueError, match="wire type 3"):
        list(vocabulary_tool.fields(bytes([0x0B])))

"""The symbol table of docs/equations.md: every parameter, every symbol, its unit."""

import re
from pathlib import Path

import pytest

from t4dm.live.tree import ParamTree

PAGE = Path(__file__).resolve().parents[2] / "docs" / "equations.md"
TEXT = PAGE.read_text()
TABLE, BODY = re.split(r"^## 0\. ", TEXT, maxsplit=1, flags=re.MULTILINE)
WORDS = {  # functions and names of code, not symbols
    "Philox", "clip", "counter", "exp", "key", "max", "mean", "min", "over", "sigmoid", "softmax",
    "sqrt", "stream", "sum",
}  # fmt: skip
INDEX = re.compile(r"_(?:0|i|j|ij|c|h|in|k|l|pre|post|r|t|v|)$")


def rows() -> list[list[str]]:
    """Cells of every row that names a symbol."""
    lines = [line for line in TABLE.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


NAMED = [(path, row[2]) for row in rows() for path in quoted(row[3]) if "." in path]
MEASURED = [s for s in ParamTree(6).specs() if s.kind in ("float", "int") and s.path]


@pytest.mark.parametrize("spec", MEASURED, ids=lambda spec: spec.path)
def test_a_parameter_has_one_row_with_its_unit(spec):
    assert [unit for path, unit in NAMED if path == spec.path] == [spec.unit]


def test_every_row_has_a_unit_a_meaning_and_a_place():
    assert len(rows()) > 50
    for row in rows():
        assert len(row) == 4 and all(row), row
        assert quoted(row[3]) or row[3] in ("everywhere", "probes", "session"), row


def test_places_exist():
    code = {path.stem for path in (PAGE.parents[1] / "t4dm").rglob("*.py")}
    specs = {spec.path for spec in ParamTree(6).specs()}
    for row in rows():
        for place in quoted(row[3]):
            assert place in specs or place in code, place


def symbols() -> set[str]:
    return {part for row in rows() for name in quoted(row[0]) for part in name.split(".")}


def names(span: str) -> set[str]:
    """Symbols of a span of mathematics, with and without their index."""
    bare = re.sub(r"-?\d+(?:\.\d+)?e\d+|\b[UN](?=\()", " ", span)
    return set(re.findall(r"5HT|[A-Za-z_][A-Za-z_0-9]*", bare))


def spans() -> list[str]:
    """Code spans with an equation in them."""
    return [s for s in re.findall(r"`([^`\n]*)`", BODY) if re.search(r"=|<-", s)]


def test_every_symbol_of_an_equation_is_in_the_table():
    known = symbols() | WORDS
    assert len(spans()) > 40
    for span in spans():
        for name in names(span):
            assert {name, INDEX.sub("", name)} & known, f"{name} in `{span}`"

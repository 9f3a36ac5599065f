"""The library's docstrings: there, with shapes of arrays, errors raised, and where a rule comes from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "t4dm"
FOLDERS = ("spiking", "learning", "qwen")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py")  # fmt: skip
ARRAYS = re.compile(r"\b(Tensor|ndarray|NDArray|ArrayLike)\b")
SHAPE = re.compile(
    r"\((?:\.\.\.|\*?\w+)(?:, ?[\w .*+/-]+)*,?\)|scalar|flat|\bone (?:weight|value)\b"
)
DIMENSIONS = re.compile(r"_[A-Z]{1,4}$")
SOURCE = re.compile(r"docs/equations\.md|\b(19|20)\d\d\b")
EQUATION = re.compile(r"^ {4}\S[^=\n]* (=|<-) (?![\w.]+\()", re.MULTILINE)  # no call of code
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Public:
    """A public function or method, with the docstrings that a reader of it sees."""

    where: str
    node: Definition
    text: str
    around: str

    @property
    def said(self) -> str:
        return f"{self.text}\n{self.around}"


def functions(path: Path) -> Iterator[Public]:
    """Public functions of a module, public methods and constructors of its public classes."""
    module = ast.parse(path.read_text())
    for node in module.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield Public(f"{path.stem}.{node.name}", node, ast.get_docstring(node) or "", "")
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        about = ast.get_docstring(node) or ""
        for inner in node.body:
            if isinstance(inner, Definition) and (inner.name == "__init__" or inner.name[0] != "_"):
                text = ast.get_docstring(inner) or ""
                yield Public(f"{path.stem}.{node.name}.{inner.name}", inner, text, about)


def is_plain(node: Definition) -> bool:
    """A setter, or an overload: documented where its getter is."""
    return any("setter" in ast.unparse(decorator) for decorator in node.decorator_list)


PUBLIC = [found for path in FILES for found in functions(path) if not is_plain(found.node)]


def test_there_are_many():
    assert len(FILES) > 30 and len(PUBLIC) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_module_and_its_classes_say_what_they_are(path):
    module = ast.parse(path.read_text())
    about = ast.get_docstring(module) or ""
    assert about
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
    if EQUATION.search(about):
        assert SOURCE.search(about), "an equation without its source"


@pytest.mark.parametrize("found", PUBLIC, ids=lambda found: found.where)
def test_a_function_says_what_it_does(found):
    assert found.text or found.node.name == "__init__"


def names_shape(found: Public) -> bool:
    arguments = [a.arg for a in (*found.node.args.args, *found.node.args.kwonlyargs)]
    return bool(SHAPE.search(found.said)) or any(map(DIMENSIONS.search, arguments))


def takes_arrays(node: Definition) -> bool:
    return bool(ARRAYS.search(f"{ast.unparse(node.args)} {ast.unparse(node.returns) if node.returns else ''}"))  # fmt: skip


@pytest.mark.parametrize(
    "found", [p for p in PUBLIC if takes_arrays(p.node)], ids=lambda f: f.where
)
def test_what_takes_or_gives_arrays_names_their_shape(found):
    assert names_shape(found)


def raised(node: Definition) -> set[str]:
    """Names of the exceptions that leave a function; not those that it catches itself."""
    caught = {
        id(inner)
        for block in ast.walk(node)
        if isinstance(block, ast.Try) and block.handlers
        for statement in block.body
        for inner in ast.walk(statement)
    }
    calls = (
        found.exc
        for found in ast.walk(node)
        if isinstance(found, ast.Raise) and found.exc is not None and id(found) not in caught
    )
    return {ast.unparse(c.func if isinstance(c, ast.Call) else c) for c in calls}


@pytest.mark.parametrize("found", [p for p in PUBLIC if raised(p.node)], ids=lambda f: f.where)
def test_errors_are_named(found):
    for name in raised(found.node):
        assert name in found.said, f"{name} is raised and not named"

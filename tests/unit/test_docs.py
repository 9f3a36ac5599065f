"""The documents say what the program does: links, parameters, routes, commands, words not to use."""

import re
from pathlib import Path

import pytest

from t4dm.live.tree import ParamTree
from tools import write_health_docs, write_performance_docs, write_reliability_docs
from tools.write_parameter_docs import PAGE, parameter_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_links_lead_somewhere(path):
    for target in LINK.findall(path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_parameter_page_is_up_to_date():
    assert PAGE.read_text() == parameter_page(), "run make docs"


def test_reliability_page_is_up_to_date():
    page = write_reliability_docs.PAGE.read_text()
    assert page == write_reliability_docs.reliability_page(), "run make docs"


def test_performance_page_is_up_to_date():
    page = write_performance_docs.PAGE.read_text()
    assert page == write_performance_docs.performance_page(), "run make docs"


def test_health_page_is_up_to_date():
    assert write_health_docs.PAGE.read_text() == write_health_docs.health_page(), "run make docs"


def test_every_parameter_has_its_row():
    page = PAGE.read_text()
    for spec in ParamTree(1).specs():
        assert page.count(f"| `{spec.path}` |") == 1, spec.path


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_parameters_named_in_texts_exist(path):
    specs = {spec.path for spec in ParamTree(1).specs()}
    groups = {path.split(".")[0] for path in specs}
    specs.add("recurrent.weight")  # the torch name of W
    for named in re.findall(r"`((?:[a-z]+)\.(?:[A-Za-z0-9_]+))`", path.read_text()):
        if named.split(".")[0] in groups:
            assert named in specs or (ROOT / "t4dm" / named).exists(), named


def test_commands_in_the_readme_are_valid():
    import json

    from t4dm.commands import parse_command

    bodies = re.findall(r"-d '(.*)'", (ROOT / "README.md").read_text())
    assert len(bodies) >= 2
    tree = ParamTree(6)
    for body in bodies:
        data = json.loads(body)
        for item in data if isinstance(data, list) else [data]:
            command = parse_command(item)
            if command.type == "set":
                tree.set(command.path, command.value)


def test_make_targets_named_in_texts_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCS:
        for named in re.findall(r"(?:`|^ {4})make ([a-z]+)", path.read_text(), re.MULTILINE):
            assert named in targets, f"{path.name}: make {named}"


def test_decisions_are_numbered_and_say_their_price():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {int(page.name[:4])}. ")
        for part in ("## Problem", "## Choice", "## Price", "## Revisit when"):
            assert part in text, f"{page.name} lacks '{part}'"


def test_pins_and_constraints_agree():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    held = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().lower().replace("_", "-").split()
    )
    for pin in project["dependencies"] + project["optional-dependencies"]["dev"]:
        name, version = re.sub(r"\[.*\]", "", pin).lower().split("==")
        assert held.get(name.replace("_", "-")) == version, pin


def test_every_text_speaks_for_itself():
    """No path of somebody's machine stands in a file of the project."""
    texts = {".py", ".md", ".toml", ".mjs", ".css", ".txt", ".json"}
    folders = ["t4dm", "dashboard", "assets", "docs", "tests", "tools", "benchmarks", "examples"]
    homes = re.compile(r"(?<![\w/.])/(?:home|Users|work|root)/\w")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*inside, *ROOT.glob("*.*"), ROOT / "Makefile", ROOT / "Procfile"]:
        if path.is_file() and (path.suffix in texts or not path.suffix):
            assert not homes.search(path.read_text(errors="ignore")), path

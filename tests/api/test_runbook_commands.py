"""Every curl of the runbook against a running session: read, accepted, answered."""

import json
import re
import shlex
from pathlib import Path

import pytest

from t4dm.commands import parse_command
from tests.api.conftest import HOST

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"


def curls() -> list[list[str]]:
    """The arguments of every curl in a block of the page, lines joined as the shell joins them."""
    code = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    found, words = [], shlex.split(code.replace("\\\n", " "), posix=True)
    for word in words:
        if word == "curl":
            found.append([])
        elif word in ("grep", "export"):
            found.append([word])
        elif found:
            found[-1].append(word)
    return [words for words in found if words[0] not in ("grep", "export")]


def address(words: list[str]) -> str:
    (url,) = [word for word in words if word.startswith("localhost:8000/")]
    return url.removeprefix("localhost:8000")


def body(words: list[str]) -> str | None:
    return words[words.index("-d") + 1] if "-d" in words else None


@pytest.mark.parametrize("words", curls(), ids=lambda words: address(words) + (body(words) or ""))
def test_it_is_answered(client, words):
    data = body(words)
    if data is None:
        answer = client.get(address(words), headers=HOST)
        assert answer.status_code == 200 and len(answer.data) > 100
        return
    for item in [json.loads(data)] if data.startswith("{") else json.loads(data):
        parse_command(item)
    assert "Content-Type: application/json" in words
    kind = {"Content-Type": "application/json"}
    answer = client.post(address(words), data=data, headers=HOST | kind)
    assert answer.status_code == 200 and answer.get_json()["ok"], answer.get_json()


def test_there_are_commands():
    assert len(curls()) >= 20
    assert len([words for words in curls() if body(words)]) >= 10

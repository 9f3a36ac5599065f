"""What schemathesis drew, made to fit the run that is asked: the document cannot say what a run holds.

It says how a time, a block, a neuron or a name is written; whether this session has that one is the
session's own matter, and answered 404, 409, 416 or 422.  So of what was drawn only such values are
changed, by a remainder, and the rest is sent as drawn.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.constants_ast import Constants, constants_from_module
from schemathesis import Config, GenerationMode
from schemathesis.checks import CheckContext

BLOCKS, GROUPS, NEURONS, STAGE_N, WIDTH = 6, 12, 3072, 256, 64
A_BLOCK = ("layer", "gate_block", "weights_block", "attention_block")
OVERRIDE = re.compile(r"^blocks\.(\d+)\.")
MOST_N = 256  # of a session that is created: several times as many would need more than there is


SEED = os.environ.get("T4DM_TEST_SEED")
IMAGES = ("png", "svg")
WORDS_FROM = ("dashboard.api.", "t4dm.commands", "t4dm.live.view", "t4dm.live.worker")
WRONG_SHAPE = ("refused", "bad_request", "bad_json", "bad_header")


@dataclass(frozen=True)
class Run:
    """The session ``default`` about step ``now``, and a kept set; both are there."""

    now: int
    session: str = "default"
    kept: str = "kept"

    def fit(self, case: Any) -> None:
        """Change ``case`` such that what it names is there."""
        if "name" in (case.path_parameters or {}):
            of_sets = case.operation.path.startswith("/sets/")
            case.path_parameters["name"] = self.kept if of_sets else self.session

    def fit_values(self, case: Any) -> None:
        """Change what ``case`` asks of a session such that this session has it."""
        if query := dict(case.query or {}):
            if "session_id" in query:
                query["session_id"] = self.session
            case.query = self._times(_places(query))
        if isinstance(case.body, (dict, list)):
            case.body = self._body(case.operation.path, case.body)

    def _times(self, query: dict[str, Any]) -> dict[str, Any]:
        """Within the last second, the begin before the end, and one begin."""
        if "from_ms" in query:
            query.pop("last_ms", None)
            query["from_ms"] = self.now - 500 + float(query["from_ms"]) % 100
        if "to_ms" in query:
            query["to_ms"] = self.now - 300 + float(query["to_ms"]) % 100
        return query

    def _body(self, path: str, body: Any) -> Any:
        if path.endswith("/uploads"):
            return {"file": _table(str(body))}
        if path.startswith("/spiking/"):
            body = body | {"session_id": self.session}
            return _traced(body) if "input" in body else body
        if path == "/sessions" and "n" in body:
            body = body | {"n": min(body["n"], MOST_N)}
        return _blocks(body, body.get("blocks", BLOCKS) if path == "/sessions" else BLOCKS)


def _places(query: dict[str, Any]) -> dict[str, Any]:
    for name in A_BLOCK:
        if name in query:
            query[name] = int(query[name]) % BLOCKS
    for name in ("neurons", "rows", "membrane"):
        if name in query:
            query[name] = _neurons(name, str(query[name]))
    if not str(query.get("neurons", "1")).isdecimal():
        query.pop("layer", None)  # goes with a number of neurons alone
    return query


def _neurons(name: str, text: str) -> str:
    kind, colon, number = text.rpartition(":")
    if colon:
        most = {"stage": GROUPS, "block": BLOCKS}.get(kind)
        return text if most is None else f"{kind}:{int(number) % most}"
    if name == "neurons" and text.isdecimal():
        return text  # how many
    return re.sub(r"[0-9]+", lambda found: str(int(found.group()) % NEURONS), text)


def _blocks(body: Any, blocks: int) -> Any:
    """``body`` with the blocks that paths name taken from those that there are."""
    if isinstance(body, list):
        return [_blocks(item, blocks) for item in body]
    if isinstance(body, dict):
        return {_path(name, blocks): _blocks(value, blocks) for name, value in body.items()}
    return _path(body, blocks) if isinstance(body, str) else body


def _path(text: str, blocks: int) -> str:
    return OVERRIDE.sub(lambda found: f"blocks.{int(found.group(1)) % blocks}.", text)


def _table(drawn: str) -> str:
    """A CSV file of as many rows and such numbers as the drawn one has characters."""
    codes = [ord(letter) % 100 / 10 for letter in drawn[:400]] or [0.5]
    rows = [codes[k : k + WIDTH] for k in range(0, len(codes), WIDTH)]
    return "\n".join(",".join(map(str, (row * WIDTH)[:WIDTH])) for row in rows)


def _traced(body: dict[str, Any]) -> dict[str, Any]:
    """Currents of as many as a stage has neurons, steps where there is one row, and ids that there are."""
    rows = body["input"] if isinstance(body["input"][0], list) else [body["input"]]
    wide = WIDTH if len(rows[0]) % 2 == 0 else STAGE_N
    fitting = [[row[k % len(row)] for k in range(wide)] for row in rows]
    body = body | {"input": fitting if isinstance(body["input"][0], list) else fitting[0]}
    if len(rows) > 1:
        body.pop("steps", None)
    if body.get("neurons"):
        body["neurons"] = [neuron % NEURONS for neuron in body["neurons"]]
    return body


def words_of_ours() -> Constants:
    """What hypothesis may draw from the code under test, whatever else is loaded."""
    words = Constants()
    for name in sorted(sys.modules):
        if name.startswith(WORDS_FROM):
            words |= constants_from_module(sys.modules[name])
    return words


def configuration() -> Config:
    """schemathesis's own checks, with the statuses that the state of a session answers with.

    A 422 counts as one of them where :func:`refused_by_state` finds that its code says so.
    """
    taken = ["2xx", "401", "403", "404", "409", "412", "422", "429"]
    refused = [
        "400",
        "401",
        "403",
        "404",
        "405",
        "406",
        "409",
        "413",
        "414",
        "415",
        "422",
        "428",
        "429",
    ]
    no_jobs = {
        "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]},
        "positive_data_acceptance": {"expected-statuses": [*taken, "503"]},
    }
    return Config.from_dict(
        {
            "checks": {
                "positive_data_acceptance": {"expected-statuses": taken},
                "negative_data_rejection": {"expected-statuses": [*refused, "5xx"]},
            },
            "operations": [{"include-path": "/clinic", "checks": no_jobs}],
        }
    )


def refused_by_state(ctx: CheckContext, response: Any, case: Any) -> None:
    """A request of the right shape is never refused for its shape."""
    if response.status_code == 422 and case.meta.generation.mode.is_positive:
        error = response.json()["error"]
        assert error["code"] not in WRONG_SHAPE, f"of the right shape, and refused: {error}"


def ask(
    operation: Any,
    mode: GenerationMode,
    run: Run,
    *,
    examples: int,
    leave_out: Callable[[Any], bool] = lambda case: False,
    prepare: Callable[[Any], None] = lambda case: None,
    then: Callable[[], None] = lambda: None,
) -> None:
    """Requests to ``operation``, of the right or of a wrong shape; raises what is wrong.

    Three in four name a session or a set that is there.  ``prepare`` changes those of the right shape,
    ``then`` follows each.
    """

    @settings(
        max_examples=examples, deadline=None, derandomize=SEED is None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(mode), another=st.integers(0, 3))
    def check(case: Any, another: int) -> None:
        assume(not leave_out(case))
        if mode.is_positive:
            run.fit_values(case)
            if another:
                run.fit(case)
            prepare(case)
        case.validate_response(_answer(case), additional_checks=[refused_by_state])
        then()

    (check if SEED is None else seed(int(SEED))(check))()


def _answer(case: Any) -> Any:
    """The answer; where one says when to ask again (a worker that a busy machine held up), the next."""
    answer = case.call()
    if answer.status_code == 503 and "retry-after" in answer.headers:
        time.sleep(2)
        answer = case.call()
    return answer


def is_picture(case: Any) -> bool:
    """Whether a browser would have to draw the answer."""
    asked = (case.query or {}).get("format"), str((case.path_parameters or {}).get("file_name"))
    return asked[0] in IMAGES or asked[1].endswith(IMAGES)

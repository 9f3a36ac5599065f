"""Hostile requests to the whole API: what each answer must be, and what must not have changed."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from dashboard import clinic
from dashboard.server import create_app
from dashboard.settings import Rates, Settings
from t4dm.live import paths
from t4dm.live.checkpoint import CheckpointStore
from t4dm.live.command_log import CommandLog
from t4dm.live.replay import Replay
from t4dm.live.session import Session
from t4dm.live.worker import make_engine, warm_up
from tests.hostile import BODIES, HEADERS, VALUES
from tests.killing import Killed, differing

SLOW_S = 2.0
STEPS, SEED = 600, 3
WELL = "tests.sick_engine:SmallEngine"  # one that no accepted value makes ill
MANY = 10**9
CALLBACK = "/_dash-update-component"


NO_JOBS = (
    b'{"error":{"code":"no_jobs"'  # tests run no process that makes tables; the benchmark does
)


@dataclass(frozen=True)
class Input:
    """One request: where, how, and what stands for it in a report."""

    method: str
    path: str
    what: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Report:
    """What a campaign found; ``troubles`` must be empty."""

    tried: int = 0
    answers: Counter = field(default_factory=Counter)
    accepted: int = 0
    no_jobs: int = 0
    slowest_s: float = 0.0
    troubles: list[str] = field(default_factory=list)


class Target:
    """The web app in this process in front of a small real worker that stands still."""

    def __init__(self, session: Killed) -> None:
        """``session`` has no worker yet; its folders are those of the environment."""
        self.session = session
        self.page = create_app(Settings(rates=Rates(MANY, MANY, MANY)))
        self.app = self.page.server
        self.session.again()
        begun = [{"type": "reset", "seed": SEED}, {"type": "inject", "nt": "NE", "level": 0.4}]
        still = [{"type": "pause"}, {"type": "speed", "value": "max"}]
        assert self.session.ask([*still, *begun, {"type": "step", "n": STEPS}])
        self.client = self.app.test_client(use_cookies=False)
        self.document = self.client.get("/openapi.json", headers={"Host": "localhost"}).get_json()

    def state(self) -> tuple[Any, ...]:
        """What a refused request must leave alone; a table that is being made writes when it likes."""
        status = self.session.client.status()
        run = [status.get(k) for k in ("state", "step", "epoch", "params_rev", "seed", "speed")]
        seen = json.dumps([status["breakpoints"], status["watch"], status["params_digest"]])
        kinds = (".json", ".npz", ".deleted")
        found = (p for p in paths.data_dir().rglob("*") if p.suffix in kinds)
        files = sorted(str(p) for p in found if clinic.folder() not in p.parents)
        return (*run, seen, *files)

    def send(self, request: Input, report: Report) -> None:
        """One request, judged."""
        before, began = self.state(), time.monotonic()
        headers = {"Host": "localhost", **dict(request.headers)}
        answer = self.client.open(
            request.path, method=request.method, data=request.body, headers=headers
        )
        took = time.monotonic() - began
        report.tried += 1
        report.answers[answer.status_code] += 1
        report.slowest_s = max(report.slowest_s, took)
        if answer.data.startswith(NO_JOBS):
            report.no_jobs += 1
        elif answer.status_code >= 500:
            report.troubles.append(f"{answer.status_code}: {request.what}: {answer.data[:120]!r}")
        if took > SLOW_S:
            report.troubles.append(f"{took:.1f} s: {request.what}")
        text = answer.get_data().decode("utf-8", "replace")
        if any(word in text for word in ("Traceback", "site-packages", "/dashboard/api")):
            report.troubles.append(f"shows its inside: {request.what}")
        if answer.status_code >= 400 and not answer.is_json:
            report.troubles.append(f"{answer.status_code} is not JSON: {request.what}")
        if answer.status_code < 400 and request.method not in ("GET", "HEAD", "OPTIONS"):
            report.accepted += 1
            self._calm()
        elif self.state() != before:
            report.troubles.append(f"changed by a {answer.status_code}: {request.what}")

    def _calm(self) -> None:
        """Stand still at the defaults, so that accepted extremes do not drive the run to infinity."""
        assert self.session.ask([{"type": "pause"}, {"type": "replace", "values": {}}])

    def unharmed(self) -> bool:
        """Whether the worker's whole state is, bit for bit, that of one that never saw what was refused.

        The other one is a session that does again, from its seed, what the log says was accepted.
        """
        wanted = [{"type": "pause"}, {"type": "break_off"}, {"type": "step", "n": STEPS}]
        assert self.session.ask(wanted)
        state = self.session.end()
        folder = paths.session_data(self.session.data, "default")
        history = CommandLog(folder).load()
        assert history is not None
        engine = make_engine(self.session.engine, 0, self.session.data)
        twin, nothing = Session("twin", engine), CheckpointStore(self.session.folder / "nothing")
        warm_up(engine)
        twin.resume(nothing, history.newest.settings, Replay(history))
        assert not nothing.refused, nothing.refused
        self.session.again()
        return differing(state, engine.state()) == []

    def close(self) -> None:
        self.session.close()


# -- what is sent ------------------------------------------------------------------------------


def hostile_inputs(document: dict[str, Any]) -> Iterator[Input]:
    """Every value in every parameter of every operation of an OpenAPI document, and in headers."""
    for template, operations in document["paths"].items():
        plain = template.replace("{name}", "default").replace("{file_name}", "raster.json")
        for method, operation in operations.items():
            verb = method.upper()
            yield from _in_paths(verb, template)
            yield from _in_queries(verb, plain, operation)
            yield from _in_bodies(verb, plain, operation, document)
            for k, header in enumerate(HEADERS):
                for value in VALUES[(k + len(plain)) % 8 :: 8]:  # another eighth for each
                    text = str(value).replace("\r", "").replace("\n", "").replace("\0", "")[:3000]
                    sent = ((header, text.encode().decode("latin-1")),)
                    yield Input(verb, plain, f"{verb} {plain} {header}: {text[:40]!r}", b"{}", sent)


def _in_paths(verb: str, template: str) -> Iterator[Input]:
    for place in ("{name}", "{file_name}"):
        if place in template:
            for value in VALUES:
                text = quote(str(value)[:2000], safe="%/.")
                path = template.replace(place, text).replace("{name}", "default")
                yield Input(verb, path, f"{verb} {template} {place}={str(value)[:40]!r}", b"{}")


def _in_queries(verb: str, path: str, operation: dict[str, Any]) -> Iterator[Input]:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            for value in VALUES:
                text = quote(str(value)[:6000])
                url = f"{path}?{parameter['name']}={text}"
                yield Input(verb, url, f"{verb} {path}?{parameter['name']}={str(value)[:40]!r}")


def _in_bodies(
    verb: str, path: str, operation: dict[str, Any], document: dict[str, Any]
) -> Iterator[Input]:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if not schema:
        return
    json_type = (("Content-Type", "application/json"),)
    for body in BODIES:
        yield Input(verb, path, f"{verb} {path} body {body[:40]!r}", body, json_type)
    for base in _bases(schema["schema"], document):
        for name in [*base, "no_such_field"]:
            for value in VALUES:
                body = json.dumps(base | {name: value}).encode()
                what = f"{verb} {path} {name}={str(value)[:40]!r}"
                yield Input(verb, path, what, body, json_type)


def _bases(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies that nearly fit: one for each object that ``schema`` allows, every field given."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        yield from _bases(document["components"]["schemas"][name], document)
    for key in ("anyOf", "oneOf", "allOf"):
        for option in schema.get(key, []):
            yield from _bases(option, document)
    if schema.get("properties"):
        yield {name: _example(field) for name, field in schema["properties"].items()}


def _example(field: dict[str, Any]) -> Any:
    for key in ("const", "default"):
        if key in field:
            return field[key]
    if "enum" in field:
        return field["enum"][0]
    return {"string": "x", "integer": 1, "number": 0.1, "array": [], "object": {}}.get(
        field.get("type", "string"), "x"
    )


def callback_inputs(rng: random.Random, n: int) -> Iterator[Input]:
    """Mutations of the body that a page of Dash's sends for a callback; ours has none on the server."""
    seed = {
        "output": "app.children", "outputs": {"id": "app", "property": "children"},
        "inputs": [{"id": "theme", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["theme.n_clicks"], "state": [{"id": "x", "property": "y", "value": None}],
        "parsedChangedPropsIds": ["theme.n_clicks"],
    }  # fmt: skip
    for k in range(n):
        body = _mutated(json.loads(json.dumps(seed)), rng)
        data = json.dumps(body).encode()
        if k % 7 == 0:
            data = _torn(data, rng)
        kind = rng.choice(["application/json"] * 6 + ["text/plain", "", "multipart/form-data"])
        query = rng.choice([""] * 5 + ["?oldJob=1", "?cacheKey=x&job=1", "?cancelJob=1"])
        what = f"callback {k}: {data[:60]!r}"
        yield Input("POST", CALLBACK + query, what, data, (("Content-Type", kind),))


def _mutated(body: Any, rng: random.Random) -> Any:
    for _ in range(rng.randrange(1, 4)):
        if not isinstance(body, (dict, list)) or not body:
            return rng.choice(VALUES)
        places = list(body) if isinstance(body, dict) else list(range(len(body)))
        at = rng.choice(places)
        deed = rng.randrange(4)
        if deed == 0:
            body[at] = rng.choice(VALUES)
        elif deed == 1:
            del body[at]
        elif deed == 2:
            body[at] = _mutated(body[at], rng)
        elif isinstance(body, dict):
            body[str(rng.choice(VALUES))[:200]] = rng.choice(VALUES)
        else:
            body.append(rng.choice(VALUES))
    return body


def _torn(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return rng.choice([data[:at], data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]])

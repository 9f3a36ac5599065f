"""The OpenAPI document, the pages made from it, and the metrics."""

from __future__ import annotations

import html.parser
import re
import shlex
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.parser import text_string_to_metric_families

from dashboard.api.command_fields import described_commands
from dashboard.api.examples import EXAMPLES
from dashboard.api.openapi import document
from dashboard.api.reference import sections
from dashboard.pages.reference import marked
from t4dm.commands import COMMAND_TYPES, RUN_COMMAND_TYPES
from t4dm.live import kinds, paths
from tests.api.conftest import HOST

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def operations(made):
    return [
        (method.upper(), path, operation)
        for path, methods in made["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_openapi_3_1(app, bare):
    made = bare.get("/openapi.json", headers=HOST).get_json()
    assert made["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(made).validate()


def test_every_route_of_the_api_is_in_it_and_no_other(app):
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods & METHODS
    }
    assert routes == {(method, path) for method, path, _ in operations(document(app))}


def test_the_paths_of_the_runbook_are_there(app):
    paths = document(app)["paths"]
    wanted = {
        "spiking": "health stats lif-params neuromodulators weights spike-times attention-weights "
        "dopamine-trace ach-levels monoamine-trace nt-injection-schedule",
        "learning": "stdp-metrics weight-deltas stdp-windows hebbian-trace homeostatic-state",
        "visualization": "spike-raster thalamic-gate neuromod-heatmap weight-distribution",
    }
    for group, names in wanted.items():
        for name in names.split():
            assert "get" in paths[f"/{group}/{name}"], name
    for name in ("trace", "trace-membrane", "inject-neuromod"):
        assert "post" in paths[f"/spiking/{name}"]


def test_every_operation_has_words_an_answer_and_refusals(app):
    for method, path, operation in operations(document(app)):
        where = f"{method} {path}"
        assert operation["summary"].endswith((".", "?")), where
        assert operation["tags"] and operation["operationId"] in EXAMPLES, where
        good = operation["responses"].get("200") or operation["responses"]["201"]
        assert good["content"], where
        assert "default" in operation["responses"], where
        for item in operation.get("parameters", []):
            assert item["schema"], where


def test_examples_belong_to_their_operations(app):
    by_name = {op["operationId"]: (method, path) for method, path, op in operations(document(app))}
    assert set(by_name) == set(EXAMPLES)
    for name, example in EXAMPLES.items():
        method, path = by_name[name]
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        assert example.method == method, name
        assert re.fullmatch(pattern, example.path.partition("?")[0]), name


def test_the_page_of_the_docs_is_made_from_it():
    from tools.write_api_docs import page

    assert PAGE.read_text() == page(), "run make docs"


def test_every_endpoint_has_a_line_of_curl():
    blocks = re.findall(r"^```sh\n(.*?)\n```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [block for block in blocks if block.startswith("curl ")]
    assert len(lines) == len(blocks) == len(EXAMPLES)
    assert {tuple(shlex.split(line)) for line in lines} == {
        tuple(shlex.split(example.curl())) for example in EXAMPLES.values()
    }


def test_every_command_is_on_both_pages_with_its_fields_and_who_takes_it(app, bare):
    told = {one.name: one for one in described_commands()}
    assert told.keys() == (COMMAND_TYPES | RUN_COMMAND_TYPES).keys()
    takers = {name: told[name].taken_by for name in ("set", "inject", "branch", "put", "outcome")}
    assert takers == {
        "set": "all", "inject": "spiking", "branch": "training, arena, brain", "put": "arena",
        "outcome": "brain",
    }  # fmt: skip
    assert [(f.name, f.kind) for f in told["recall"].fields] == [
        ("x", "number 0 to 100 or null"), ("y", "number 0 to 100 or null"),
    ]  # fmt: skip
    page, answer = PAGE.read_text(), bare.get("/docs", headers=HOST).text
    for name, one in told.items():
        assert one.words and f"| `{name}` | {one.taken_by} |" in page, name
        assert f"<tr><td><code>{name}</code></td><td>{one.taken_by}</td>" in answer, name


def test_the_kinds_say_which_commands_their_sessions_take():
    """``run_session`` takes them from the engine, which takes them from its kind."""
    assert {kind.name: kind.commands for kind in kinds.kinds().values()} == {
        "training": ("sample",), "arena": ("put", "recall"), "brain": ("read", "outcome"),
    }  # fmt: skip


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags, self.links, self.ids = set(), [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src"):
                self.links.append(value)
            if name == "id":
                self.ids.add(value)


def test_the_page_at_docs_runs_one_script_of_ours_and_loads_nothing_from_outside(app, bare):
    answer = bare.get("/docs", headers=HOST)
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    page = _Links()
    page.feed(answer.text)
    assert not page.tags & {"iframe", "object", "img"}
    assert re.findall(r"<script.*", answer.text) == [
        '<script type="module" src="/assets/js/docs.mjs"></script>'
    ]
    assert bare.get("/assets/js/docs.mjs", headers=HOST).mimetype == "text/javascript"
    anchors = {link[1:] for link in page.links if link.startswith("#")}
    assert anchors == set(EXAMPLES) and anchors <= page.ids
    for link in page.links:
        assert link.startswith(("#", "/")) and not link.startswith("//"), link
    assert bare.get("/assets/css/docs.css", headers=HOST).status_code == 200
    for section in sections(document(app)):
        for operation in section.operations:
            assert operation.path.replace("&", "&amp;") in answer.text


def test_names_in_paths_say_what_a_name_is(app):
    found = [
        parameter["schema"].get("pattern")
        for operations in document(app)["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if (parameter["in"], parameter["name"]) == ("path", "name")
    ]
    assert len(found) > 8 and set(found) == {f"^{paths.NAME.pattern}$"}


def test_metrics_are_what_prometheus_reads(client):
    answer = client.get("/metrics", headers=HOST)
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=0.0.4")
    found = {
        sample.name: sample
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.labels.get("session") == "default"
    }
    assert found["t4dm_session_up"].value == 1 and found["t4dm_session_running"].value == 1
    line = client.get("/healthz", headers=HOST).get_json()["sessions"]["default"]
    assert 600 <= found["t4dm_session_steps_total"].value <= line["step"]
    assert found["t4dm_session_params_rev_total"].value == line["params_rev"]
    assert {"t4dm_findings", "t4dm_session_real_time_ratio"} <= set(found)


def test_metrics_tell_what_was_answered_and_what_the_gate_refused(locked_app):
    client = locked_app.test_client()
    key = {"X-API-Key": "sesame"}

    def told():
        text = client.get("/metrics", headers=HOST | key).text
        return {
            (s.name, s.labels["method"], s.labels["route"], s.labels.get("status", "")): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
            if "route" in s.labels and "le" not in s.labels
        }

    before = told()
    client.get("/healthz", headers=HOST)
    client.get("/spiking/stats", headers=HOST)
    client.put("/sets/nonsense", headers=HOST | key, json={"values": {"lif.v_thresh": 1e9}})
    after = told()
    risen = {name: n - before.get(name, 0) for name, n in after.items() if name in before or n}
    assert risen["t4dm_http_requests_total", "GET", "/healthz", "200"] == 1
    assert risen["t4dm_http_requests_total", "GET", "/spiking/stats", "401"] == 1
    assert risen["t4dm_http_requests_total", "PUT", "/sets/<name>", "422"] == 1
    assert risen["t4dm_http_request_seconds_count", "GET", "/spiking/stats", ""] == 1


@pytest.mark.parametrize("path", ["/openapi.json", "/metrics", "/docs"])
def test_they_need_the_key(locked_app, path):
    client = locked_app.test_client()
    assert client.get(path, headers=HOST).status_code == 401
    assert client.get(path, headers=HOST | {"X-API-Key": "sesame"}).status_code == 200


def test_the_page_at_docs_shows_code_as_code(bare):
    answer = bare.get("/docs", headers=HOST)
    shown = re.sub(r"<pre.*?</pre>", "", answer.text, flags=re.DOTALL)
    assert "Add <code>level</code> to a neuromodulator" in shown
    assert "422 <code>key_reused</code>" in shown
    assert "`" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b` and ``c``", "a <code>b</code> and <code>c</code>"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("one ` alone", "one ` alone"),
        ("``two` unlike", "``two` unlike"),
    ],
)
def test_marked_text_is_escaped(text, shown):
    assert str(marked(text)) == shown

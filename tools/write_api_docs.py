"""Write docs/api.md from the OpenAPI document, which is made from the routes: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from dashboard.api.command_fields import LISTED_WITH, DescribedCommand, described_commands
from dashboard.api.openapi import document
from dashboard.api.reference import Described, Field, sections

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
HEAD = """# REST API

Made by `make docs` from the models that check the requests; edit `dashboard/api/`, not this page.
The same as a page of the running program is at `/docs`, the document at `/openapi.json` (OpenAPI 3.1).

Every line of curl here is run by the tests, from top to bottom. Where keys are set, add `-H "X-API-Key: $T4DM_API_KEY"`; a view-only key opens every GET.
`session_id` may be left out or empty: the session `default`. Times are simulated ms. A window is `from_ms`/`to_ms`, or `last_ms`; by default the newest part of the run. History reaches back 120 s in the session `default`; a created session holds the part of that which fits 96 MB, less at a shorter `dt`. What is told of a window is its held part, which the answer's `window` names; one without a held step, past or still to come, is refused with 416, which tells what is held.
Every answer says of which `step`, `t_ms` and `params_rev` it is, and under `shown` how much it lists of what there is: `{"blocks": {"n": 1, "total": 6}, "steps": {"n": 75, "total": 300}}`. A field of the query that an operation does not have is refused with 422; `/healthz` alone ignores it. A refusal has one shape, `{"error": {"code", "message", "field", "lo", "hi", "unit", "choices"}}`: 422 for a value, 404, 416 with the range held, 409 where no step is held since a reset or a start of the worker and the run is paused (run it or make a step), 429 for too many requests or a busy worker and 503 while a worker starts, both with `Retry-After`.
"""


def page() -> str:
    """The whole page as Markdown."""
    from dashboard.server import server

    parts = [HEAD]
    for section in sections(document(server)):
        parts.append(f"## {section.tag.capitalize()}\n\n{section.words}\n")
        parts += [_operation(operation) for operation in section.operations]
    return "\n".join(parts)


def _operation(one: Described) -> str:
    lines = [f"### {one.method} {one.path}", "", one.summary]
    if one.description:
        lines += ["", one.description]
    lines += ["", "```sh", one.curl, "```"]
    for title, fields in (("parameter", one.parameters), ("body", one.body)):
        if fields:
            lines += ["", *_table(title, fields)]
    if one.name == LISTED_WITH:
        lines += ["", "| command | sessions | fields | |", "|---|---|---|---|"]
        lines += [_command(command) for command in described_commands()]
    if one.answer:
        lines += ["", "Answers " + ", ".join(f"`{field.name}`" for field in one.answer) + "."]
    return "\n".join(lines) + "\n"


def _command(one: DescribedCommand) -> str:
    fields = [f"`{f.name}` {f.kind}{f': {f.words}' if f.words else ''}" for f in one.fields]
    return f"| `{one.name}` | {one.taken_by} | {_cell('; '.join(fields))} | {_cell(one.words)} |"


def _table(title: str, fields: list[Field]) -> list[str]:
    head = [f"| {title} | kind | default | |", "|---|---|---|---|"]
    return head + [
        f"| `{f.name}`{_place(f)} | {_cell(f.kind)} | {_cell(f.default)} | {_cell(f.words)} |"
        for f in fields
    ]


def _place(field: Field) -> str:
    return f" ({field.where})" if field.where in ("header", "path") else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

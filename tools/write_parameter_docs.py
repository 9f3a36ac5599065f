"""Write docs/parameters.md from the parameters' own declarations: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from t4dm.live.kinds import kinds
from t4dm.live.tree import SPIKING_GROUPS
from t4dm.params import Params, ParamSpec
from t4dm.step_length import LEAKS, PER_RATE, RATES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "parameters.md"
SCOPES = {
    "session": "One value for the whole run.",
    "block": "One value, or one a block: `blocks.<l>.{group}.<name>`.",
    "stage": "One value, or one a block (`blocks.<l>.{group}.<name>`) or stage"
    " (`blocks.<l>.{group}_in.<name>`, `blocks.<l>.{group}_out.<name>`).",
}
HEAD = """# Parameters

Every parameter of a live run, written from the declarations in `t4dm/*/params.py` by `make docs`.
Each one has a slider or box on the page (`data-param="<path>"`), is set by
`POST /sessions/<id>/commands` with `{{"type": "set", "path": "<path>", "value": …}}`, and acts between two steps.
The defaults are those of steps of 1 ms. In a session whose steps last `dt` ms, these are others, so that they mean the same in time: {of_a_step} ([decision 26](decisions/0026-a-session-has-its-own-step.md)).
"""


KIND = """# {title}
Parameters of sessions of kind `{kind}` (`POST /sessions`). A default that the session's options set, as a training run sets its own schedule, is in `GET /sessions/<id>/params`.
"""


def parameter_page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD.format(of_a_step=_of_a_step()), *map(_group, SPIKING_GROUPS)]
    for kind in kinds().values():
        parts.append(KIND.format(kind=kind.name, title=kind.title))
        parts += map(_group, kind.groups)
    return "\n".join(parts)


def _of_a_step() -> str:
    """``alpha ** dt`` of the leaks, and what the others are multiplied by."""
    rules = ((LEAKS, "to the power of dt"), (RATES, "times dt"), (PER_RATE, "over dt"))
    return "; ".join(f"{', '.join(f'`{path}`' for path in paths)} {how}" for paths, how in rules)


def _group(group: type[Params]) -> str:
    scope = SCOPES[group.scope].format(group=group.group)
    rows = [_row(spec) for spec in group.specs()]
    head = "| path | default | range | unit | what it does |\n|---|---|---|---|---|"
    return "\n".join([f"## {group.title}", scope, "", head, *rows, ""])


def _row(spec: ParamSpec) -> str:
    help_text = spec.help.replace("|", "\\|")
    return (
        f"| `{spec.path}` | {_value(spec.default)} | {_range(spec)} | {spec.unit} | {help_text} |"
    )


def _range(spec: ParamSpec) -> str:
    free = ", or none" if spec.nullable else ""
    if spec.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in spec.choices) + free
    if spec.kind == "bool":
        return "true, false" + free
    if spec.lo is None or spec.hi is None:
        return "text" + free
    return f"{spec.lo:g} to {spec.hi:g}{free}"


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"`{value}`" if value else "empty"
    return f"{value:g}"


def main() -> int:
    PAGE.write_text(parameter_page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())

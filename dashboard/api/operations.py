"""Where routes are declared: path, query, body and answer in one line, the OpenAPI document from it.

The models that check a request are the models in the document: :func:`operation` hands both to
SpecTree, which walks Flask's own routes, and calls the function with what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Blueprint
from pydantic import BaseModel
from spectree import Response as Answers
from spectree import SpecTree
from spectree.config import ModeEnum

from dashboard.api.checked import read_body, read_query
from dashboard.api.models import Refusal

api = Blueprint("api", __name__)
TAGS = {
    "spiking": "What the network does: spikes, membranes, neuromodulators, weights.",
    "learning": "STDP and homeostasis.",
    "visualization": "The page's pictures, as data, figure or image.",
    "sessions": "Sessions, their commands, parameters and panels.",
    "sets": "Named parameter sets.",
    "program": "The program itself.",
}


class NoQuery(BaseModel):
    """The query of an operation that declares none."""


def model_name(model: Any) -> str:
    """Name of a model's schema in the document."""
    return model.__name__


def nested_name(_parent: str, child: str) -> str:
    """Name of a model inside another's schema: its own, so that both share it."""
    return child


spec = SpecTree(
    "flask",
    mode=ModeEnum.strict,
    annotations=False,
    title="t4dm",
    validation_error_model=Refusal,
    naming_strategy=model_name,
    nested_naming_strategy=nested_name,
)
media: dict[str, tuple[str, ...]] = {}  # operation id: media types beside JSON
_to_document: list[Callable[[], None]] = []


def operation(
    method: str,
    rule: str,
    answer: type[BaseModel] | None,
    *,
    tag: str,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    documented_body: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    status: int = 200,
    created: bool = False,
    also: Mapping[int, str] | None = None,
    any_query: bool = False,
    other_media: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare one route of the API; the function gets ``query`` and ``body`` as read models.

    What is ``documented_body`` the function reads itself: commands.  A query field that is not
    declared is refused, so that nothing is done to another session than the sender meant; with
    ``any_query`` it is ignored.

    ``answer`` is the JSON answer's model (None: no JSON); with ``created`` it may come as 201 too.
    ``also`` further statuses of refusals
    with a word each, ``other_media`` media types it may answer instead of JSON.
    """
    codes: dict[str, Any] = {f"HTTP_{status}": answer}
    if created:
        codes["HTTP_201"] = answer
    codes |= {f"HTTP_{code}": (Refusal, words) for code, words in (also or {}).items()}
    plain = [name for name, model in codes.items() if model is None]
    codes = {name: model for name, model in codes.items() if model is not None}

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        media[name] = other_media

        @wraps(function)
        def view(**path: Any) -> Any:
            if query is not None:
                path["query"] = read_query(query)
            elif not any_query:
                read_query(NoQuery)
            if body is not None:
                path["body"] = read_body(body)
            return function(**path)

        def describe() -> None:
            documented = spec.validate(
                query=query, json=body or documented_body, form=form,
                resp=Answers(*plain, **codes), tags=(tag,), operation_id=name,
            )(function)  # fmt: skip
            view.__wrapped__ = documented  # type: ignore[attr-defined] # SpecTree looks for it there

        _to_document.append(describe)
        api.add_url_rule(rule, name, view, methods=[method])
        return function

    return declare


def describe_all() -> None:
    """Hand every route to SpecTree: a tenth of the program's start, so not before it is asked for."""
    while _to_document:
        _to_document.pop()()

"""Requests read into pydantic models; a refusal names the field, its range and the nearest name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dashboard.api import strict_json
from t4dm.params import ParamError, did_you_mean, plain

Model = TypeVar("Model", bound=BaseModel)
SHOWN = 40
MAY_BE_EMPTY = "session_id"  # as where a shell's variable is not set


def read_query(model: type[Model]) -> Model:
    """The query string as ``model``; an empty session counts as not given.

    Raises :class:`ParamError` for a name that is unknown or given twice, and for a bad value.
    """
    given: dict[str, Any] = {}
    for name in request.args:
        values = request.args.getlist(name)
        if len(values) > 1:
            raise ParamError(name[:SHOWN], f"{name[:SHOWN]} is given twice")
        if values[0] != "" or name != MAY_BE_EMPTY:
            given[name] = values[0]
    return checked(model, given, strict=False)


def read_body(model: type[Model]) -> Model:
    """The JSON body as ``model``, whatever its Content-Type says.

    ``curl -d`` names a form type; what comes from another site is refused before this.
    Raises :class:`ApiError` 400 for what is no JSON object, :class:`ParamError` for a bad field.
    """
    body = strict_json.loads(request.get_data(cache=False), keep_non_finite=True)
    if not isinstance(body, dict):
        raise ParamError("body", "the body is a JSON object")
    return checked(model, body)


def checked(model: type[Model], values: dict[str, Any], *, strict: bool = True) -> Model:
    """``values`` as ``model``; raises :class:`ParamError` for the first field at fault."""
    known = [field.alias or name for name, field in model.model_fields.items()]
    for name in values:
        if name not in known:
            hint = did_you_mean(name[:SHOWN], known) if known else ": no field is taken here"
            raise ParamError(name[:SHOWN], f"unknown field '{name[:SHOWN]}'{hint}")
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as error:
        raise _refused(model, error) from None


def _refused(model: type[BaseModel], error: ValidationError) -> ParamError:
    first = _nearest(error.errors(include_url=False, include_input=False))
    if isinstance(of_fields := first.get("ctx", {}).get("error"), ParamError):
        return of_fields  # of several fields together: it names them itself
    field = ".".join(str(part) for part in first["loc"][:1]) or "body"
    bounds = _bounds(model).get(field, {})
    lo, hi, choices = bounds.get("lo"), bounds.get("hi"), bounds.get("choices")
    words = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        words = f"not of the form that is taken. {bounds.get('form', '')}".rstrip()
    span = f" (valid: {plain(lo)} to {plain(hi)})" if lo is not None and hi is not None else ""
    message = f"{field}: {words[:1].lower()}{words[1:]}{span}"
    return ParamError(field, message, lo=lo, hi=hi, choices=choices)


def _nearest(errors: list[ErrorDetails]) -> ErrorDetails:
    """The first error; of a field that may have several forms, of the one with the fewest.

    Where as many are wrong with two forms, of the one whose values are of the right type, or else are
    so to the greatest depth.
    """
    forms: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for error in errors:
        if error["loc"][:1] == errors[0]["loc"][:1]:
            forms.setdefault(error["loc"][1:2], []).append(error)
    return min(forms.values(), key=_distance)[0]


def _distance(errors: list[ErrorDetails]) -> tuple[int, bool, int]:
    """How far a form with these errors is from what was sent."""
    first = errors[0]
    return len(errors), first["type"].endswith("_type"), -len(first["loc"])


@lru_cache(maxsize=128)
def _bounds(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """``{field: {lo, hi, choices, form}}`` from the model's own JSON schema."""
    found: dict[str, dict[str, Any]] = {}
    for name, schema in model.model_json_schema()["properties"].items():
        entry = found.setdefault(name, {"form": schema.get("description", "")})
        for option in [schema, *schema.get("anyOf", [])]:
            for here, there in (("minimum", "lo"), ("maximum", "hi"), ("enum", "choices")):
                if here in option:
                    entry[there] = option[here]
    return found

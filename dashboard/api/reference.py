"""The OpenAPI document in a form that pages are made from: sections of operations with their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.api.examples import EXAMPLES
from dashboard.api.operations import TAGS


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, or one field of a body or an answer."""

    name: str
    kind: str
    default: str
    words: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]
    answer_kinds: list[str]
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    tag: str
    words: str
    operations: list[Described]


def sections(document: dict[str, Any]) -> list[Section]:
    """Every operation by its tag, in the order of the examples."""
    found: dict[str, list[Described]] = {tag: [] for tag in TAGS}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            described = _described(document, method.upper(), path, operation)
            found[operation["tags"][0]].append(described)
    order = list(EXAMPLES)
    for listed in found.values():
        listed.sort(key=lambda one: order.index(one.name))
    return [Section(tag, TAGS[tag], listed) for tag, listed in found.items() if listed]


def _described(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any]
) -> Described:
    schemas = document["components"]["schemas"]
    good = operation["responses"].get("200") or operation["responses"]["201"]
    content = good.get("content", {})
    sent = operation.get("requestBody", {}).get("content", {})
    return Described(
        name=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        parameters=[_parameter(schemas, item) for item in operation.get("parameters", [])],
        body=[f for part in sent.values() for f in fields_of(schemas, part["schema"])],
        answer=fields_of(schemas, _first(content.get("application/json", {}).get("schema", {}))),
        answer_kinds=list(content),
        curl=EXAMPLES[operation["operationId"]].curl(),
    )


def _parameter(schemas: dict[str, Any], item: dict[str, Any]) -> Field:
    schema = item["schema"]
    return Field(
        item["name"], kind_of(schemas, schema), _default(schema), item.get("description", ""),
        item["in"],
    )  # fmt: skip


def fields_of(schemas: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    """The fields of an object's schema; none where it is no object of ours."""
    schema = _resolved(schemas, schema)
    if "properties" in schema:
        fields = {name: [inner] for name, inner in schema["properties"].items()}
    else:
        fields = _of_forms(schema.get("anyOf", []))
    return [
        Field(
            name, kind_of(schemas, {"anyOf": forms}), _default(forms[0]),
            next((form["description"] for form in forms if "description" in form), ""),
        )
        for name, forms in fields.items()
    ]  # fmt: skip


def _of_forms(forms: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The fields of an object that comes in several forms, each as it is in any of them."""
    fields: dict[str, list[dict[str, Any]]] = {}
    for form in forms:
        for name, inner in form.get("properties", {}).items():
            fields.setdefault(name, []).append(inner)
    return fields


def _first(schema: dict[str, Any]) -> dict[str, Any]:
    """What is answered by default, of several."""
    first: dict[str, Any] = schema.get("anyOf", [schema])[0]
    return first


def _resolved(schemas: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    ref = schema.get("$ref")
    return schemas[ref.rpartition("/")[2]] if ref else schema


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None or default in ("", {}, []) else str(default)


def kind_of(schemas: dict[str, Any], schema: dict[str, Any]) -> str:
    """``integer 1 to 512``, ``list of number``, ``one of light, dark``, ``number or null``."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(schemas, one) for one in schema["anyOf"]))
    if "const" in schema:
        return str(schema["const"])
    if len(schema.get("enum", [])) == 1:
        return str(schema["enum"][0])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {kind_of(schemas, schema.get('items', {}))}"
    lo, hi = schema.get("minimum"), schema.get("maximum")
    if lo is not None and hi is not None:
        return f"{kind} {lo:g} to {hi:g}" if hi < 1e15 else f"{kind} from {lo:g}"
    return str(kind)

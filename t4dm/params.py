"""Parameters and probes: declared once, beside their owner, without importing torch.

A parameter is one pydantic field made by :func:`param`.  The slider, the number box, the REST
validation, the OpenAPI text and the row in the docs all come from that one line.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class ParamError(ValueError):
    """A refused value or name.  ``field`` is the parameter path; ``lo``/``hi`` the valid range.

    ``code`` tells programs why: ``refused`` is what no session would take.
    """

    code: ClassVar[str] = "refused"

    def __init__(
        self,
        field: str,
        message: str,
        *,
        lo: float | None = None,
        hi: float | None = None,
        unit: str = "",
        choices: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.field, self.message = field, message
        self.lo, self.hi, self.unit, self.choices = lo, hi, unit, choices

    def to_json(self) -> dict[str, Any]:
        """The error as every door answers it: field, message, range, unit, choices."""
        return {
            "field": self.field,
            "message": self.message,
            "lo": self.lo,
            "hi": self.hi,
            "unit": self.unit,
            "choices": self.choices,
        }


def param(
    default: Any,
    lo: float | None = None,
    hi: float | None = None,
    *,
    unit: str = "1",
    help: str,
    label: str | None = None,
    step: float | None = None,
    log: bool = False,
    max_length: int | None = None,
    alias: str | None = None,
) -> Any:
    """One parameter: its default, its bounds, its unit and one sentence of help.

    ``step`` is the slider's step (default: a hundredth of the range), ``log`` asks for a
    logarithmic slider, ``alias`` is the name in a path where it is no Python identifier (``5HT``).
    """
    bounds: dict[str, Any] = {}
    if lo is not None:
        bounds["ge"] = lo
    if hi is not None:
        bounds["le"] = hi
    if lo is not None or hi is not None:
        bounds["allow_inf_nan"] = False
    if max_length is not None:
        bounds["max_length"] = max_length
    return Field(
        default,
        description=help,
        alias=alias,
        json_schema_extra={"unit": unit, "label": label, "step": step, "log": log},
        **bounds,
    )


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """What a page or a document needs to know of one parameter."""

    path: str
    group: str
    name: str
    kind: Literal["float", "int", "bool", "choice", "text"]
    default: Any
    lo: float | None
    hi: float | None
    unit: str
    label: str
    help: str
    step: float | None
    log: bool
    choices: tuple[str, ...]
    nullable: bool

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {
            "choices": list(self.choices)
        }


class Params(BaseModel):
    """A group of parameters of one owner, e.g. ``lif`` or ``stdp``.  Immutable."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, populate_by_name=True, serialize_by_alias=True
    )
    group: ClassVar[str] = ""
    title: ClassVar[str] = ""
    scope: ClassVar[Literal["session", "stage", "block"]] = "session"

    @classmethod
    def specs(cls) -> list[ParamSpec]:
        """One :class:`ParamSpec` a field, in declaration order."""
        return [_spec(cls, name) for name in cls.model_fields]

    @classmethod
    def check(cls, name: str, value: Any, path: str | None = None) -> Any:
        """``value`` if it is valid for field ``name``; raises :class:`ParamError` if not."""
        path = path or f"{cls.group}.{name}"
        field_name = _field_name(cls, name)
        if field_name is None:
            known = [spec.path for spec in cls.specs()]
            raise ParamError(path, f"unknown parameter '{path}'{did_you_mean(path, known)}")
        spec = _spec(cls, field_name)
        field = cls.model_fields[field_name]
        try:
            return _adapter(cls, field_name, field).validate_python(value, strict=True)
        except ValidationError:
            raise ParamError(
                path,
                f"{path}: {_expected(spec)}, got {_short(value)}",
                lo=spec.lo,
                hi=spec.hi,
                unit=spec.unit,
                choices=list(spec.choices) or None,
            ) from None


@dataclass(frozen=True, slots=True)
class Probe:
    """What can be watched, declared beside the mathematics that makes it.

    ``shape`` is in dimension letters (``"N"``, ``"T N"``); ``kind`` is ``sample`` (a value each
    step), ``event`` (present or not) or ``state`` (a value at a time).
    """

    shape: str
    unit: str = "1"
    kind: Literal["sample", "event", "state"] = "sample"
    dtype: str = "float32"
    help: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def did_you_mean(name: str, known: list[str]) -> str:
    """``"; did you mean 'lif.v_thresh'?"`` for the nearest known name, else the valid names."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; valid names: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"


_ADAPTERS: dict[tuple[type, str], TypeAdapter[Any]] = {}


def _adapter(cls: type[Params], name: str, field: Any) -> TypeAdapter[Any]:
    key = (cls, name)
    if key not in _ADAPTERS:
        from typing import Annotated

        annotated = field.annotation
        for item in field.metadata:
            annotated = Annotated[annotated, item]
        _ADAPTERS[key] = TypeAdapter(annotated)
    return _ADAPTERS[key]


def _field_name(cls: type[Params], name: str) -> str | None:
    for field_name, field in cls.model_fields.items():
        if name == (field.alias or field_name):
            return field_name
    return None


def _spec(cls: type[Params], field_name: str) -> ParamSpec:
    import types
    import typing

    field = cls.model_fields[field_name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    annotation: Any = field.annotation
    nullable = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [a for a in typing.get_args(annotation) if a is not type(None)]
        nullable, annotation = True, members[0]
    choices: tuple[str, ...] = ()
    if typing.get_origin(annotation) is Literal:
        kind, choices = "choice", typing.get_args(annotation)
    else:
        kind = {float: "float", int: "int", bool: "bool", str: "text"}[annotation]
    lo = hi = None
    for item in field.metadata:
        lo = getattr(item, "ge", lo)
        hi = getattr(item, "le", hi)
    name = field.alias or field_name
    return ParamSpec(
        path=f"{cls.group}.{name}",
        group=cls.group,
        name=name,
        kind=kind,  # type: ignore[arg-type]
        default=field.default,
        lo=lo,
        hi=hi,
        unit=str(extra.get("unit") or ""),
        label=str(extra.get("label") or name),
        help=field.description or "",
        step=extra.get("step"),  # type: ignore[arg-type]
        log=bool(extra.get("log")),
        choices=choices,
        nullable=nullable,
    )


def plain(number: float) -> str:
    """A bound as a person writes it: whole numbers in full, others with six digits."""
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


def _expected(spec: ParamSpec) -> str:
    if spec.kind == "choice":
        return "expected one of " + ", ".join(spec.choices)
    if spec.kind == "bool":
        return "expected true or false"
    if spec.kind == "text":
        return "expected text within the length limit"
    word = "an integer" if spec.kind == "int" else "a number"
    unit = f" {spec.unit}" if spec.unit not in ("", "1") else ""
    free = " or null (free)" if spec.nullable else ""
    if spec.lo is None or spec.hi is None:
        return f"expected {word}{unit}{free}"
    return f"expected {word} from {plain(spec.lo)} to {plain(spec.hi)}{unit}{free}"


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple, dict)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."

"""JSON schemas of parameters and commands, from the declarations that check them at the door.

The models take a value of any kind and hand it to the parameter's own check; here stands what that
check takes.  Whether a session has the block that a path names is the session's matter.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from dashboard.api.commands import MAX_COMMANDS, MOST_SET
from dashboard.api.foreign import groups_of_kinds
from t4dm.commands import BREAK_BOUNDS, MAX_VALUE_LENGTH
from t4dm.health.finding import rules
from t4dm.health.presets import NAMES
from t4dm.live import external_params, kinds, paths
from t4dm.live.registry import LEAST_N, MOST_BLOCKS, MOST_N
from t4dm.live.segment import STIM_WIDTH
from t4dm.live.trace_limits import MAX_ABS, MAX_STEPS
from t4dm.params import Params, ParamSpec
from t4dm.spiking.params import STAGES
from t4dm.stimuli.params import StimulusParams

Schema = dict[str, Any]
MAX_VALUES = 2000
MAX_PATH = 128
BLOCK = f"(?:{'|'.join(map(str, range(MOST_BLOCKS)))})"
SCRIPT = rf"^{external_params.GROUP}\.{external_params.NAME.pattern}$"
ANY_SCRIPT_VALUE: Schema = {
    "anyOf": [
        {"type": "number"}, {"type": "boolean"}, {"type": "string", "maxLength": MAX_VALUE_LENGTH},
    ]
}  # fmt: skip
PLAIN = {"int": "integer", "float": "number", "bool": "boolean", "text": "string"}


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def value_of(group: type[Params], spec: ParamSpec) -> Schema:
    """What the parameter takes."""
    if spec.kind == "choice":
        schema: Schema = {"type": "string", "enum": list(spec.choices)}
    else:
        schema = {"type": PLAIN[spec.kind]}
    bounds = {"minimum": spec.lo, "maximum": spec.hi, "maxLength": _longest(group, spec)}
    schema |= {word: bound for word, bound in bounds.items() if bound is not None}
    return {"anyOf": [schema, {"type": "null"}]} if spec.nullable else schema


def _longest(group: type[Params], spec: ParamSpec) -> int | None:
    fields = {field.alias or name: field for name, field in group.model_fields.items()}
    lengths = (getattr(item, "max_length", None) for item in fields[spec.name].metadata)
    return next((length for length in lengths if length is not None), None)


def _override(group: type[Params], spec: ParamSpec) -> str | None:
    """The paths at which single blocks and stages have a value of their own."""
    if group.scope not in ("stage", "block"):
        return None
    owners = "|".join((group.group, *STAGES) if group.group == "lif" else (group.group,))
    return rf"^blocks\.{BLOCK}\.(?:{owners})\.{spec.name}$"


def _values(groups: tuple[type[Params], ...], words: str) -> Schema:
    found: Schema = {"type": "object", "description": words, "maxProperties": MAX_VALUES}
    found |= {"properties": {}, "patternProperties": {}, "additionalProperties": False}
    for group in groups:
        for spec in group.specs():
            taken = value_of(group, spec)
            found["properties"][spec.path] = taken | {"description": spec.help}
            if pattern := _override(group, spec):
                found["patternProperties"][pattern] = taken
    if not found["patternProperties"]:
        del found["patternProperties"]
    return found


def _script_values() -> Schema:
    return {
        "type": "object", "maxProperties": external_params.MAX_PARAMS,
        "description": "What a watched script declares; its session's parameters list it.",
        "patternProperties": {SCRIPT: ANY_SCRIPT_VALUE}, "additionalProperties": False,
    }  # fmt: skip


def _name_of_values(kind: str) -> str:
    return f"{kind.title()}Values"


def components() -> dict[str, Schema]:
    """Schemas that the models' own refer to."""
    made = {
        _name_of_values(kind): _values(groups, f"Values by path, of a session of kind {kind}.")
        for kind, groups in groups_of_kinds().items()
    }
    made["ScriptValues"] = _script_values()
    whole = "Values by path; those of another kind of session than this one are refused with 409."
    made["ParameterValues"] = {"anyOf": [ref(name) for name in made], "description": whole}
    made["ParameterPath"] = {"anyOf": [one["properties"]["path"] for one in _paths()]}
    return made


def _paths() -> list[Schema]:
    """A path with its value, as ``set`` has them: one schema for all that take the same values."""
    alike: dict[str, list[Schema]] = {}
    for groups in groups_of_kinds().values():
        for group in groups:
            for spec in group.specs():
                names = alike.setdefault(json.dumps(value_of(group, spec)), [])
                names.append({"const": spec.path})
                if pattern := _override(group, spec):
                    names.append({"type": "string", "pattern": pattern})
    made = [_path_and_value(_joined(names), json.loads(taken)) for taken, names in alike.items()]
    of_script = {"type": "string", "pattern": SCRIPT, "maxLength": MAX_PATH}
    return [*made, _path_and_value(of_script, ANY_SCRIPT_VALUE)]


def _joined(names: list[Schema]) -> Schema:
    plain: Schema = {"enum": [name["const"] for name in names if "const" in name]}
    return {"anyOf": [plain, *(name for name in names if "const" not in name)]}


def _path_and_value(path: Schema, value: Schema) -> Schema:
    return {"properties": {"path": path, "value": value}}


def complete(schemas: dict[str, Schema]) -> None:
    """Put into the models' ``schemas`` what their own checks take beside the models."""
    schemas |= components()
    for name in ("ParameterChanges", "SetValues", "Replace"):
        schemas[name]["properties"]["values"] = ref("ParameterValues")
    schemas["ParameterChanges"]["properties"]["clear"]["items"] = ref("ParameterPath")
    changes = schemas["ParameterChanges"]["properties"]
    changes["values"] = {"allOf": [changes["values"], {"maxProperties": MOST_SET}]}
    schemas["ParameterChanges"]["anyOf"] = [
        {"required": ["values"], "properties": {"values": {"minProperties": 1}}},
        {"required": ["clear"], "properties": {"clear": {"minItems": 1}}},
    ]
    schemas["Clear"]["properties"]["path"] = ref("ParameterPath")
    schemas["Preset"]["properties"]["name"]["enum"] = list(NAMES)
    for name in ("TraceBody", "MembraneBody"):
        schemas[name]["properties"]["input"] |= {"anyOf": _inputs()}
    _commands(schemas)
    schemas["NewSession"] = _new_session(schemas["NewSession"])


def _inputs() -> list[Schema]:
    """A row of stimulus values or of currents, or one of them a step."""
    value = {"type": "number", "minimum": -MAX_ABS, "maximum": MAX_ABS}
    widths = ((STIM_WIDTH, STIM_WIDTH), (LEAST_N, MOST_N))
    rows: list[Schema] = [
        {"type": "array", "items": value, "minItems": least, "maxItems": most}
        for least, most in widths
    ]
    steps = {"type": "array", "minItems": 1, "maxItems": MAX_STEPS}
    return [*rows, *(steps | {"items": row} for row in rows)]


def _commands(schemas: dict[str, Schema]) -> None:
    whole = schemas["OneOrMoreCommands"]
    one, several = whole["anyOf"][:-1], whole["anyOf"][-1]
    for option in one:
        command = schemas[option["$ref"].rpartition("/")[2]]
        command["required"] = sorted({*command.get("required", []), "type"})
    several |= {"minItems": 1, "maxItems": MAX_COMMANDS}
    forms = _variants(schemas["Set"], [one["properties"] for one in _paths()])
    for number, form in enumerate(
        forms["anyOf"], 1
    ):  # each on its own: tools take long over one of all
        schemas[f"Set{number}"] = form
    schemas["Set"] = forms | {"anyOf": [ref(f"Set{k}") for k in range(1, len(forms["anyOf"]) + 1)]}
    schemas["BreakOn"] = _variants(schemas["BreakOn"], _conditions())


def _conditions() -> list[Schema]:
    """What a condition of each kind needs, and the bounds it can cross."""
    place = {"type": "integer", "minimum": 0, "maximum": 65_534}
    needs = {"rate": "group", "weight": "group", "spike": "neuron", "membrane": "neuron"}
    found: list[Schema] = []
    for kind in ("rate", "weight", "spike", "membrane", "nan", "finding"):
        changed: Schema = {"kind": {"const": kind}}
        if kind in needs:
            changed[needs[kind]] = place
        if kind in BREAK_BOUNDS:
            lo, hi, _unit = BREAK_BOUNDS[kind]
            least = "exclusiveMinimum" if kind == "weight" else "minimum"
            changed["bound"] = {"type": "number", least: lo, "maximum": hi}
            changed["bound"] |= {} if kind == "weight" else {"default": 0.0}
        if kind == "finding":
            changed["finding"] = {"enum": ["any", *(rule.id for rule in rules())], "default": "any"}
        found.append(changed)
    return found


def _variants(schema: Schema, changes: list[Schema]) -> Schema:
    """``schema`` in several forms, each with some of its properties narrowed.

    What was optional, has no default left and is narrowed must be given.
    """
    made = []
    for change in changes:
        one = copy.deepcopy(schema)
        one.pop("description", None)
        one["properties"] |= change
        needed = {n for n in change if "default" not in change[n]}
        one["required"] = sorted({*one.get("required", []), *needed})
        made.append(one)
    return {"anyOf": made, "description": schema.get("description", "")}


def _new_session(schema: Schema) -> Schema:
    """One form a kind: what each has, and no other."""
    fields = schema["properties"]
    shared = {name: fields[name] for name in ("name", "seed")}
    forms = [_spiking(fields, shared)]
    for kind in kinds.kinds().values():
        options = _inlined(kind.options.model_json_schema()).get("properties", {})
        lifted = {
            name: options[name] | _words(fields[name])
            for name in ("run", "fault")
            if name in options
        }
        beside = {n: option for n, option in options.items() if n not in lifted}
        whole: Schema = {"type": "object", "properties": beside, "additionalProperties": False}
        whole |= _words(fields["options"])
        forms.append(
            shared
            | {"kind": {"const": kind.name}, "params": ref(_name_of_values(kind.name))}
            | {"options": whole}
            | lifted
        )
    return {
        "anyOf": [
            {"type": "object", "properties": form, "additionalProperties": False}
            | ({"required": ["kind"]} if form["kind"].get("const") else {})
            for form in forms
        ],
        "description": schema.get("description", ""),
    }


def _inlined(schema: Schema) -> Schema:
    """``schema`` with its own definitions where they are referred to."""
    parts = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, dict) and "$ref" in part:
            return parts[part["$ref"].rpartition("/")[2]]
        if isinstance(part, dict):
            return {name: inline(inner) for name, inner in part.items()}
        return [inline(inner) for inner in part] if isinstance(part, list) else part

    return dict(inline(schema))


def _spiking(fields: Schema, shared: Schema) -> Schema:
    of_stimulus = {spec.name: value_of(StimulusParams, spec) for spec in StimulusParams.specs()}
    by_name = {"type": "object", "properties": of_stimulus, "additionalProperties": False}
    kept = {"type": "string", "pattern": f"^{paths.NAME.pattern}$"}
    return shared | {
        "kind": {"enum": [kinds.SPIKING], "default": kinds.SPIKING},
        **{name: fields[name] for name in ("blocks", "n", "dt")},
        "preset": {"anyOf": [kept, {"type": "null"}]} | _words(fields["preset"]),
        "params": ref(_name_of_values(kinds.SPIKING)),
        "stimulus": {"anyOf": [of_stimulus["kind"], by_name, {"type": "null"}]}
        | _words(fields["stimulus"]),
    }  # fmt: skip


def _words(field: Schema) -> Schema:
    return {"description": field["description"]} if "description" in field else {}

"""Parameters that a watched script declares: where each one is kept, how it is read and set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from pydantic.fields import FieldInfo
from torch import Tensor, nn

from t4dm.live.external_params import GROUP, declared
from t4dm.live.tree import ParamTree
from t4dm.live.watch_layers import is_container
from t4dm.params import ParamError, param

Declaration = FieldInfo | tuple[Any, str, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """An attribute of an object (dotted: of one inside it), or an item of a dictionary."""

    owner: Any
    name: str

    def _owner(self) -> tuple[Any, str]:
        outer, _, last = self.name.rpartition(".")
        return (attrgetter(outer)(self.owner) if outer else self.owner), last

    def read(self) -> Any:
        """The value as a plain number, truth value or text; raises AttributeError or KeyError."""
        value = self._value()
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise ManyValuesError(
                    f"{self.name} of {type(self.owner).__name__} has {value.numel()} values, and a "
                    "control sets one"
                )
            return value.detach().item()
        return value

    def _value(self) -> Any:
        if isinstance(self.owner, dict):
            return self.owner[self.name]
        owner, last = self._owner()
        return getattr(owner, last)

    def write(self, value: Any) -> None:
        """Set it; a tensor keeps its identity, device and type.

        Autograd does not hear of it, so that a backward through steps made before goes on; what it
        saved of such a tensor has the new value.
        """
        if isinstance(self.owner, dict):
            self.owner[self.name] = value
            return
        owner, last = self._owner()
        now = getattr(owner, last)
        if isinstance(now, Tensor):
            now.data.fill_(value)
        else:
            setattr(owner, last, value)


class ManyValuesError(AttributeError):
    """A tensor of several values, which one number cannot stand for."""


class ScriptParams:
    """The declared parameters of a script: ``tree`` checks them, :meth:`apply` writes them."""

    def __init__(
        self, module: nn.Module, layers: Iterable[nn.Module], given: Mapping[str, Declaration]
    ) -> None:
        """Raises ValueError where a declaration names nothing, or is refused by its own bounds."""
        spiking = list(layers)
        self._places: dict[str, list[Place]] = {}
        fields: dict[str, FieldInfo] = {}
        for name, declaration in given.items():
            places, field = _resolve(module, spiking, name, declaration)
            self._places[f"{GROUP}.{name}"] = places
            fields[name] = field
        try:
            self.tree = ParamTree(0, (declared(fields),))
        except ParamError as error:
            raise ValueError(f"params: {error.message} (its value now)") from None

    def apply(self, values: Mapping[str, Any]) -> None:
        """Write ``{path: value}``; raises :class:`ParamError`, with everything as it was."""
        undo: list[Callable[[], None]] = []
        for path, value in values.items():
            for place in self._places[path]:
                try:
                    before = place.read()
                    place.write(value)
                except Exception as error:
                    for back in reversed(undo):
                        back()
                    raise ParamError(path, f"{path}: the script refused it ({error})") from error
                undo.append(partial(place.write, before))


def _resolve(
    module: nn.Module, layers: list[nn.Module], name: str, declaration: Declaration
) -> tuple[list[Place], FieldInfo]:
    """Where ``name`` is kept, and its field with the value it has now as the default."""
    if isinstance(declaration, tuple):
        if len(declaration) != 4:
            raise ValueError(
                f"params: {name} is (object, attribute, lo, hi) or t4dm.params.param(…)"
            )
        owner, attribute, lo, hi = declaration
        places = [Place(owner, attribute)]
        field = param(0.0, lo, hi, help=f"{attribute} of {type(owner).__name__}.")
    elif isinstance(declaration, FieldInfo):
        places, field = _places(module, layers, name), declaration
    else:
        raise TypeError(f"params: {name} is (object, attribute, lo, hi) or t4dm.params.param(…)")
    try:
        now = places[0].read()
    except (AttributeError, KeyError) as error:
        raise ValueError(f"params: {name} cannot be read: {error}") from None
    return places, _with_default(field, now, integer=isinstance(now, int))


def _with_default(field: FieldInfo, now: Any, integer: bool) -> FieldInfo:
    is_float = isinstance(field.default, float) or not integer
    if isinstance(now, (int, float)) and not isinstance(now, bool) and is_float:
        now = float(now)
    copied = FieldInfo.merge_field_infos(field, default=now)
    return copied


def _places(module: nn.Module, layers: list[nn.Module], name: str) -> list[Place]:
    """The module's own attribute of that (dotted) name, else that of every spiking layer with it.

    Modules that have others inside come last: what is meant is the layers' own.
    """
    many: list[ManyValuesError] = []
    inner = [layer for layer in layers if not is_container(layer)]
    for owners in ([module], inner, layers):
        found = []
        for owner in owners:
            try:
                Place(owner, name).read()
            except ManyValuesError as error:
                many.append(error)
            except (AttributeError, KeyError):
                continue
            else:
                found.append(Place(owner, name))
        if found:
            return found
    if many:
        raise ValueError(f"params: {many[0]}; name an attribute that is one number")
    raise ValueError(
        f"params: neither the module nor a spiking layer of it has '{name}'; name it in full "
        "('lif1.threshold') or give (object, attribute, lo, hi)"
    )

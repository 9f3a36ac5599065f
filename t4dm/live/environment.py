"""What the ``T4DM_*`` variables say to a live session (``t4dm.environment`` reads them)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t4dm.environment import PARAMETERS, read_variable, unknown_variables
from t4dm.learning.params import GradientParams
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError, Params

__all__ = ["PARAMETERS", "values"]
IN_TRAINING = {"T4DM_LEARNING_RATE": "train.learning_rate"}
"""What a variable names in a session that trains a model."""


def values(environ: Mapping[str, str], tree: ParamTree) -> tuple[dict[str, Any], list[str]]:
    """``({path: value}, sentences about what was not understood)``.

    A variable that names nothing of ``tree``, such as the rate of gradient training, is checked
    and left to those it is for.
    """
    found: dict[str, Any] = {}
    complaints: list[str] = []
    groups: dict[str, type[Params]] = {GradientParams.group: GradientParams, **tree.groups}
    for name, path in PARAMETERS.items():
        trained = IN_TRAINING.get(name, path)
        path = trained if trained.split(".")[0] in tree.groups else path
        group = groups.get(path.split(".")[0])
        if group is None or not environ.get(name, "").strip():
            continue
        spec = next(spec for spec in group.specs() if spec.path == path)
        try:
            value = read_variable(name, environ[name], group, spec)
        except ParamError as error:
            complaints.append(f"{error.message}; left out")
            continue
        if group.group in tree.groups:
            found[path] = value
    return found, complaints + unknown_variables(environ)

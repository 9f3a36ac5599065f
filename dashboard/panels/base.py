"""What a panel is: one file in this folder with a ``PANEL``, and a figure of the same name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from t4dm.learning.params import PROBES as LEARNING_PROBES
from t4dm.live.published import absence
from t4dm.live.tree import SPIKING_GROUPS
from t4dm.live.window import Window
from t4dm.params import did_you_mean
from t4dm.spiking.params import PROBES as SPIKING_PROBES
from t4dm.spiking.sensory_params import PROBES as SENSORY_PROBES

STIMULUS_PROBE = "stimulus"
KNOWN_PROBES: tuple[str, ...] = (
    *SPIKING_PROBES, *LEARNING_PROBES, *SENSORY_PROBES, STIMULUS_PROBE,
)  # fmt: skip
KNOWN_CONTROLS: tuple[str, ...] = tuple(
    spec.path for group in SPIKING_GROUPS for spec in group.specs()
)
FigureFunction = Callable[..., dict[str, Any]]
TableFunction = Callable[[Window], dict[str, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of the page.

    ``id`` is its DOM id, ``needs`` the probes it draws, ``controls`` the parameters that belong to
    it, ``span_ms`` its default window, ``height`` its plot's height in pixels, ``table`` its
    numbers as CSV columns, ``arrays`` the window arrays of its NPZ,
    ``wants_values`` and ``wants_groups`` whether its figure reads the parameters in force and the
    session's groups.  Raises ValueError on an unknown probe or parameter, with the valid names.
    """

    id: str
    slug: str
    title: str
    figure: FigureFunction
    table: TableFunction
    needs: tuple[str, ...]
    order: int
    page: str = "spiking"
    axis: Literal["time", "other"] = "time"
    controls: tuple[str, ...] = ()
    span_ms: int = 300
    height: int = 200
    arrays: tuple[str, ...] = ()
    wants_values: bool = False
    wants_groups: bool = False
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    help: str = ""

    def __post_init__(self) -> None:
        for probe in self.needs:
            if probe not in KNOWN_PROBES:
                near = difflib.get_close_matches(probe, KNOWN_PROBES, n=1)
                hint = f"did you mean '{near[0]}'? " if near else ""
                raise ValueError(
                    f"panel '{self.slug}' needs unknown probe '{probe}'; {hint}"
                    f"valid probes: {', '.join(KNOWN_PROBES)}"
                )
        for path in self.controls:
            if path not in KNOWN_CONTROLS:
                raise ValueError(
                    f"panel '{self.slug}' names unknown parameter '{path}'"
                    f"{did_you_mean(path, list(KNOWN_CONTROLS))}"
                )

    def to_json(self) -> dict[str, Any]:
        """What the page's scripts need to know of it."""
        return {
            "slug": self.slug,
            "id": self.id,
            "title": self.title,
            "page": self.page,
            "axis": self.axis,
            "span_ms": self.span_ms,
            "height": self.height,
            "order": self.order,
            "controls": list(self.controls),
            "options": {name: list(values) for name, values in self.options},
            "help": self.help,
            "needs": {probe: absence(probe) for probe in self.needs},
        }

"""Watch your own model: spikes and membranes of any torch module, live on the dashboard.

    import t4dm.live
    with t4dm.live.watch(net, name="mine", params={"threshold": param(1.0, 0.1, 5.0, help="…")}):
        train(net)

The script stays its own master: it is never killed, restarted or, unless it allows that, held; without
a dashboard it is told so in one sentence and goes on.
"""

from __future__ import annotations

import os
import re
import unicodedata
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn
from torch.utils.data import get_worker_info

from t4dm.live import paths
from t4dm.live.claim import NameTakenError, claim
from t4dm.live.watch_budget import SHARE
from t4dm.live.watch_hooks import Fate, has_dashboard, say
from t4dm.live.watch_layers import Axes, candidates
from t4dm.live.watch_opening import Settings
from t4dm.live.watch_params import Declaration, ScriptParams
from t4dm.live.watch_ranks import other_rank
from t4dm.live.watch_recorder import Recorder, end_of_same

NAMES = 99  # of one stem: NAME, NAME-2, NAME-3, …
STEM = 40  # letters of a class's name that make a session's


class Watch:
    """A watched module; :meth:`close` ends it, as does leaving its ``with`` block."""

    def __init__(self, name: str, recorder: Recorder | None, why: str = "") -> None:
        self.name = name
        self._ref = None if recorder is None else weakref.ref(recorder)
        self._fate = Fate(False, why) if recorder is None else recorder.fate

    @property
    def active(self) -> bool:
        """Whether calls of the module are (or will be) recorded."""
        return self._fate.active

    @property
    def why(self) -> str:
        """Why nothing is recorded; empty while it is."""
        return self._fate.why

    @property
    def recording(self) -> dict[str, Any]:
        """``calls`` so far, how many were ``recorded``, and the ``budget``; empty where none is."""
        recorder = None if self._ref is None else self._ref()
        return {} if recorder is None else recorder.budget.counts()

    def close(self) -> None:
        """Take every hook off the module and end the session; its last window stays."""
        recorder = None if self._ref is None else self._ref()
        if recorder is not None:
            recorder.close("closed by the script")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def watch(
    module: nn.Module,
    name: str | None = None,
    *,
    time_axis: int | None = None,
    batch_index: int | None = 0,
    params: Mapping[str, Declaration] | None = None,
    every: int = 1,
    hold: bool = False,
    no_grad: bool = False,
    budget: float | None = SHARE,
) -> Watch:
    """Show the spikes of ``module``'s layers on the dashboard, from its next call on.

    name: of the session, by default made of the class's; where it is taken the session is NAME-2, or the
    next that is free, and a sentence says so; time_axis: the time axis of the layers' tensors, None
    where each call of a layer is a step; batch_index: the sample shown, None where the tensors have no
    batch axis; params: controls on the page, ``{"threshold": param(1.0, 0.1, 5, help=…)}`` for an
    attribute of the module or of its spiking layers, or ``{"lr": (object, attribute, lo, hi)}``, applied
    between two calls; every: record each k-th call; hold: let the page pause the script; no_grad:
    record calls without gradients too, which are left alone otherwise; budget: the share of the script's
    time (0 to 1) that recording may take, as measured while it goes on: where each k-th call costs more,
    fewer are recorded, and the page says how many.  None records each k-th call, whatever it costs.

    Other ranks (``torch.distributed``, ``RANK``, ``LOCAL_RANK`` or ``SLURM_PROCID`` not 0), workers of a
    DataLoader and compiled, scripted or traced modules are left alone.  What the machine lacks, such as a run directory
    that can be made, is one sentence, and nothing is shown.  Raises ValueError for a bad argument,
    TypeError for no module.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"watch takes a torch module, got {type(module).__name__}")
    name = _name_of(module) if name is None else paths.checked_name(name)
    if name == paths.DEFAULT_SESSION:
        raise ValueError(f"the name '{name}' is the dashboard's own; choose another name")
    _check("every", every, 1)
    if batch_index is not None:
        _check("batch_index", batch_index, 0)
    if budget is not None and not _is_share(budget):
        raise ValueError(f"budget is a share from 0 to 1, more than 0, or None, got {budget!r}")
    if time_axis is not None and (isinstance(time_axis, bool) or not isinstance(time_axis, int)):
        raise ValueError(f"time_axis is an axis number or None, got {time_axis!r}")
    layers = list(candidates(module))
    declared = ScriptParams(module, [layer for _, layer in layers], params or {})
    if why := _left_alone(module):
        return Watch(name, None, why)
    end_of_same(module, name)
    try:
        run = paths.run_dir()
        is_seen = has_dashboard(run, name)
        free, lock = _claimed(run, name)
    except (OSError, ValueError) as error:
        return _without(name, f"'{name}' is not shown, the script goes on: {error}")
    if not is_seen:
        say(
            f"no dashboard runs here (T4DM_RUN_DIR {run}); "
            f"the script goes on, and '{free}' appears as soon as one is started"
        )
    axes = Axes(time_axis, batch_index)
    settings = Settings(free, name, run, lock, axes, every, hold, no_grad, budget)
    try:
        recorder = Recorder(module, layers, declared, settings)
    except Exception as error:  # noqa: BLE001  a module may refuse hooks anyhow
        os.close(lock)
        return _without(name, f"'{name}' is not shown, the script goes on: {error}")
    return Watch(free, recorder)


def _name_of(module: nn.Module) -> str:
    """A session's name made of the class's: lower case, without accents and what no name may have."""
    plain = unicodedata.normalize("NFKD", type(module).__name__).encode("ascii", "ignore").decode()
    name = re.sub("[^a-z0-9_-]", "", plain.lower()).lstrip("_-")[:STEM]
    return name if name and name != paths.DEFAULT_SESSION else "model"


def _claimed(run: Path, name: str) -> tuple[str, int]:
    """``name`` or the next of its kind that is free, and its lock; raises as ``claim`` does."""
    for free in _names(name):
        try:
            lock = claim(run, free)
        except NameTakenError:
            continue
        if free != name:
            say(f"a session named '{name}' is running already; this one is shown as '{free}'")
        return free, lock
    raise NameTakenError(f"{NAMES} sessions with names like it are running")


def _names(name: str) -> Iterator[str]:
    yield name
    for k in range(2, NAMES + 1):
        yield f"{name[:60]}-{k}"


def _check(name: str, value: Any, lo: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < lo:
        raise ValueError(f"{name} is a whole number from {lo}, got {value!r}")


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1


def _left_alone(module: nn.Module) -> str:
    """Why this process or module is not watched; empty where it is."""
    if why := other_rank():
        return why
    if get_worker_info() is not None:
        return "this is a worker of a DataLoader"
    why = ""
    if isinstance(module, torch._dynamo.eval_frame.OptimizedModule):
        why = "a compiled module runs no hooks; watch the module that was compiled, uncompiled"
    elif isinstance(module, torch.jit.ScriptModule):
        why = "a scripted or traced module runs no hooks; watch the module that it was made of"
    if why:
        say(why)
    return why


def _without(name: str, why: str) -> Watch:
    say(why)
    return Watch(name, None, why)

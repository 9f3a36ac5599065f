"""A stand-in for the engine of a run session: sums that depend on seed, step, gain and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from t4dm.live.kinds import Kind
from t4dm.live.record import Record
from t4dm.live.tree import ParamTree
from t4dm.params import ParamError, Params, param

SERIES = {
    "value": {
        "per_step": True, "names": ["sum", "mark"], "shape": [2], "dtype": "f4", "unit": "1",
        "help": "", "sparse": ["mark"],
    },
    "newest": {
        "per_step": False, "names": None, "shape": [1], "dtype": "f4", "unit": "1", "help": "",
    },
}  # fmt: skip


class ToyParams(Params):
    group: ClassVar[str] = "toy"
    gain: float = param(1.0, 0.0, 10.0, help="Factor.")
    least: float = param(0.0, 0.0, 10.0, help="The engine refuses one above the gain.")


class ToyOptions(BaseModel):
    pass


KIND = Kind(
    "toy",
    "Toy",
    "tests.toy_run:ToyRun",
    "/toy",
    ToyOptions,
    (ToyParams,),
    lambda _: {},
    lambda _: 0,
)


def tree() -> ParamTree:
    return KIND.tree({})


class ToyRun:
    """One step a record; ``mark`` is NaN but every seventh step; finds something above 100."""

    rest_s = 0.0

    def __init__(
        self, options: Any = None, tree_: ParamTree | None = None, seed: int = 0, folder: Any = None
    ) -> None:
        self.tree = tree_ or tree()
        self.stop_at = self.idle_at = -1
        self.texts: list[str] = []
        self.reset(seed)

    def reset(self, seed: int) -> None:
        self.seed, self.step, self.sum = seed, 0, 0.0

    def advance(self) -> Record | None:
        if self.step == self.idle_at:
            return None
        self.sum += self.tree.get("toy.gain") * (1 + self.seed % 5)
        mark = float(self.step) if self.step % 7 == 0 else np.nan
        self.step += 1
        value, newest = np.float32([[self.sum, mark]]), np.float32([self.step])
        meta = {"events": [{"type": "tick", "step": self.step}] if self.step % 10 == 0 else []}
        if self.step == self.stop_at:
            meta["pause"] = "enough"
        return Record(self.step - 1, self.step, 0, meta, {"value": value, "newest": newest})

    def asked(self) -> Record | None:
        if not self.texts:
            return None
        event = {
            "type": "sample", "step": self.step, "run": "sound", "prompt": self.texts.pop(),
            "temperature": 1.0, "text": "x",
        }  # fmt: skip
        return Record(self.step, self.step, 0, {"events": [event]})

    def params_changed(self, paths: list[str]) -> None:
        if self.tree.get("toy.least") > self.tree.get("toy.gain"):
            raise ParamError("toy.least", "toy.least: at most the gain", lo=0, hi=10)

    def command(self, command: Any) -> tuple[Any, Any]:
        if command.prompt == "":
            raise ParamError("prompt", "prompt: expected a character")
        self.texts.append(command.prompt)
        return None, command.prompt

    def state(self) -> dict[str, np.ndarray]:
        return {"toy": np.array([self.seed, self.step, self.sum])}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self.seed, self.step = (int(x) for x in state["toy"][:2])
        self.sum = float(state["toy"][2])

    def findings(self) -> list[dict[str, Any]]:
        if self.sum <= 100:
            return []
        return [
            {
                "id": "high", "title": "High", "severity": "warning", "state": "active", "rule": "> 100",
                "where": {"block": None, "stage": "toy", "group": ""}, "groups": [], "numbers": {},
                "cause": {"code": "sum", "text": "It adds up."}, "remedies": [],
                "since_step": self.step, "since_ms": None,
            }
        ]  # fmt: skip

    def waiting(self) -> str:
        return "" if self.step else "it looks at the first step"

    def progress(self) -> dict[str, Any]:
        return {"done": self.step}

    def describe(self) -> dict[str, Any]:
        return {"axis": "step", "series": SERIES, "commands": ["sample"]}

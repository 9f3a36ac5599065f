"""A recurrent population of LIF neurons with plastic weights, run by the compiled, spike-driven kernel.

    population = Population(1000, stdp=STDPParams())
    spikes = population.run(inputs)                  # (T, N) currents -> (T, N) bool

    u_pre = alpha*u + input(t) + gain * s(t-1) @ W;   s = 1[u_pre >= v_thresh];   u = u_pre - beta*v_thresh*s
Rules and order of a step: docs/equations.md, sections 3 and 4.  Cost grows with spikes, not with N^2.
Which form of STDP runs is decided by the parameters and shown in ``path``:

| path | when | what a row costs when its neuron fires |
|---|---|---|
| static | no ``stdp`` | one reading |
| row sums | mu = 0, no window cuts | one reading and writing |
| row sums, cut windows | mu = 0 | the same, and one vector sum for each spike that left the window |
| event replay | mu > 0 | each post spike since the row's last visit, in order |
| event replay, three factors | mode three_factor | the same, with the row's eligibility |
T steps  N neurons
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t4dm.kernels import population as kernel
from t4dm.kernels.plasticity_rows import empty_rows
from t4dm.kernels.plasticity_sums import span_for
from t4dm.kernels.population import Cells, Law, Scratch, Synapses
from t4dm.kernels.population_eligibility import Third
from t4dm.learning.params import STDPParams
from t4dm.learning.reward import dopamine_factors
from t4dm.params import ParamError
from t4dm.spiking.params import LIFParams

KEEP = 128
HISTORY = 512
LARGEST = 65_535
PATHS = {
    kernel.STATIC: "static",
    kernel.SUMS: "row sums",
    kernel.REPLAY: "event replay",
    kernel.ELIGIBILITY: "event replay, three factors",
}


class Population:
    """``n`` LIF neurons, each connected to a share ``density`` of the others.

    ``stdp``: plasticity of the excitatory rows, or None for fixed weights.
    ``weights`` (N, N) pre-major; by default drawn from ``generator``: U(0, w_max), inhibitory rows
    U(-1, 0).  ``n_exc``: the first rows are excitatory, in [0, w_max] (default all); the others fixed.
    ``gain`` multiplies the recurrent sum, by default 1/(n*density).  ``autapses``: neurons may feed
    themselves.  ``density`` < 1 keeps only the weights that are not 0, and no autapses unless given.
    Raises :class:`ParamError` naming the field and its range.
    """

    def __init__(
        self,
        n: int,
        density: float = 1.0,
        *,
        stdp: STDPParams | None = None,
        weights: ArrayLike | None = None,
        n_exc: int | None = None,
        alpha: float = 0.9,
        v_thresh: float = 1.0,
        beta: float = 1.0,
        u_max: float = 10.0,
        gain: float | None = None,
        autapses: bool = False,
        dtype: str = "float32",
        generator: np.random.Generator | None = None,
    ) -> None:
        _within("n", n, 1, LARGEST)
        _within("density", density, 1e-6, 1.0)
        if dtype not in ("float32", "float64"):
            raise ParamError("dtype", f"dtype must be float32 or float64, got {dtype}")
        self.n, self.density, self.stdp, self.step = n, float(density), stdp, 0
        self.n_exc = n if n_exc is None else int(_within("n_exc", n_exc, 0, n))
        lif = LIFParams(alpha=alpha, v_thresh=v_thresh, beta=beta, u_max=u_max)
        self.gain = 1.0 / (n * density) if gain is None else float(gain)
        self._lif, self._autapses, self._real = lif, bool(autapses), np.dtype(dtype)
        self._da = 0.5
        self._law = self._make_law()
        self._cells = Cells(
            np.zeros(n, self._real), np.zeros(n, self._real),
            np.zeros((HISTORY, n), np.uint16), np.zeros(HISTORY, np.int32), np.zeros(2, np.int64),
        )  # fmt: skip
        self._rows = empty_rows(n if stdp else 0, KEEP, int(self._law.plan[7]), self._real)
        self._syn = self._synapses(weights, generator or np.random.default_rng(0))
        self._scratch = Scratch(
            np.zeros(n, self._real), np.zeros((4, n), self._real), np.zeros(n, np.int64)
        )
        self._third = self._make_third()

    # -- time ----------------------------------------------------------------------------------

    def run(
        self, inputs: ArrayLike, steps: int | None = None, first: int = 0, record: bool = True
    ) -> NDArray[np.bool_]:
        """Advance by one step a row of ``inputs`` (T, N), or by ``steps`` taking the rows in turn.

        ``first`` is the row of the first step.  Returns the spikes (steps, N); with ``record`` false
        an empty array.  Raises ParamError for a wrong shape, FloatingPointError for NaN or Inf.
        """
        rows = np.ascontiguousarray(inputs, self._real)
        if rows.ndim != 2 or rows.shape[1] != self.n or not len(rows):
            raise ParamError("inputs", f"inputs must be (T, {self.n}), got {rows.shape}")
        steps = len(rows) if steps is None else int(_within("steps", steps, 0, 2**40))
        _within("first", first, 0, len(rows) - 1)
        spikes = np.zeros((steps if record else 0, self.n), np.bool_)
        kernel.advance(
            self.step, steps, self._cells, self._syn, self._rows, self._law, rows, first,
            self._scratch, spikes, self._third,
        )  # fmt: skip
        self.step += steps
        if self._cells.counts[1]:
            raise FloatingPointError(f"a membrane is not finite before step {self.step}")
        return spikes

    # -- what can be seen and set --------------------------------------------------------------

    @property
    def path(self) -> str:
        """Which form of STDP runs, see the table of the module."""
        cuts = "cut windows" if self._law.plan[4] or self._law.plan[5] else ""
        nearest = "nearest pairs" if self._law.plan[6] else ""
        form = PATHS[int(self._law.plan[0])]
        return form if self.stdp is None else ", ".join(filter(None, (form, cuts, nearest)))

    @property
    def u(self) -> NDArray[np.floating]:
        """(N,) membranes after the last step's reset."""
        return self._cells.u.copy()

    @property
    def clamped(self) -> int:
        """Membranes brought back to +-u_max so far."""
        return int(self._cells.counts[0])

    @property
    def da(self) -> float:
        """Dopamine level, 0.5 neutral: from the next step on it scales A+ and A-, or eligibility."""
        return self._da

    @da.setter
    def da(self, level: float) -> None:
        self._da = float(_within("da", level, 0.0, 1.0))
        self._law = self._make_law()
        if self._third is not None:
            self._third.rate[0] = self._rate * (self._da - 0.5)

    @property
    def weights(self) -> NDArray[np.floating]:
        """(N, N) true weights now, pre-major; a copy, and looking at it changes nothing."""
        cells, rows = (type(part)(*map(np.copy, part)) for part in (self._cells, self._rows))
        syn = self._syn._replace(
            w=self._syn.w.copy(), val=self._syn.val.copy()
        )  # fmt: skip
        third = None if self._third is None else Third(*map(np.copy, self._third))
        kernel.settle(self.step, cells, syn, rows, self._law, self._scratch.due, third)
        if self.density == 1.0:
            return syn.w
        w = np.zeros((self.n, self.n), self._real)
        w[np.repeat(np.arange(self.n), np.diff(syn.ptr)), syn.tgt] = syn.val
        return w

    @property
    def state(self) -> dict[str, np.ndarray]:
        """Copies of everything a later run depends on; :meth:`load_state` goes on bit for bit."""
        return {name: array.copy() for name, array in self._arrays().items()} | {
            "step": np.array(self.step),
            "da": np.array(self._da),
        }

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take up ``state`` of a population made alike; ParamError names what does not fit."""
        arrays = self._arrays()
        for name, array in arrays.items():
            found = state.get(name)
            if found is None or found.shape != array.shape or found.dtype != array.dtype:
                was = "missing" if found is None else f"{found.dtype} {found.shape}"
                raise ParamError(name, f"{name} must be {array.dtype} {array.shape}, is {was}")
        for name, array in arrays.items():
            array[...] = state[name]
        self.step, self.da = int(state["step"]), float(state["da"])

    def _arrays(self) -> dict[str, np.ndarray]:
        groups = (("cells", self._cells), ("synapses", self._syn), ("rows", self._rows))
        found = {
            f"{group}.{name}": array
            for group, arrays in groups
            for name, array in zip(type(arrays)._fields, arrays, strict=True)
        }
        if self._third is not None:
            names = ("e", "e_val", "rates")
            found |= {f"third.{name}": getattr(self._third, name) for name in names}
        return found

    # -- making --------------------------------------------------------------------------------

    def _make_law(self) -> Law:
        real, stdp, lif = self._real, self.stdp or STDPParams(), self._lif
        path = kernel.REPLAY if stdp.mu > 0 else kernel.SUMS
        plus, minus = (self._rate * factor for factor in dopamine_factors(self._da))
        if stdp.mode == "three_factor":
            path, plus, minus = kernel.ELIGIBILITY, 1.0, 1.0
        windows = (stdp.window_pre_to_post, stdp.window_post_to_pre)
        taus = (stdp.tau_plus, stdp.tau_minus)
        cuts = [
            np.exp(-window / tau) > np.finfo(real).eps / 4
            for window, tau in zip(windows, taus, strict=True)
        ]
        ages = np.arange(HISTORY + KEEP)
        return Law(
            lif=np.array([lif.alpha, lif.v_thresh, lif.beta, lif.u_max, self.gain], real),
            powers_plus=np.exp(-ages / stdp.tau_plus).astype(real),
            powers_minus=np.exp(-ages / stdp.tau_minus).astype(real),
            bounds=np.array([stdp.w_max, stdp.mu, plus * stdp.a_plus, minus * stdp.a_minus], real),
            plan=np.array(
                [
                    kernel.STATIC if self.stdp is None else path, self.n_exc, *windows, *cuts,
                    stdp.pairing == "nearest", span_for(stdp.tau_plus), self._autapses,
                ],
                np.int64,
            ),
        )  # fmt: skip

    def _synapses(self, weights: ArrayLike | None, generator: np.random.Generator) -> Synapses:
        n, real = self.n, self._real
        w_max = 1.0 if self.stdp is None else self.stdp.w_max
        if weights is None:
            w = generator.random((n, n), real.type) * real.type(w_max)
            w[self.n_exc :] /= -real.type(w_max)
            if self.density < 1.0:
                w[generator.random((n, n), np.float32) >= self.density] = 0
        else:
            w = np.array(weights, real)
        if w.shape != (n, n) or not np.isfinite(w).all():
            raise ParamError("weights", f"weights must be ({n}, {n}) and finite, got {w.shape}")
        plastic = w[: self.n_exc]
        if self.stdp is not None and (plastic.min(initial=0) < 0 or plastic.max(initial=0) > w_max):
            raise ParamError("weights", f"plastic weights must be from 0 to w_max = {w_max}")
        if not self._autapses:
            np.fill_diagonal(w, 0)
        if self.density == 1.0:
            return Synapses(w, np.zeros(0, np.int64), np.zeros(0, np.uint16), np.zeros(0, real))
        pre, post = np.nonzero(w)
        ptr = np.searchsorted(pre, np.arange(n + 1)).astype(np.int64)
        return Synapses(np.zeros((0, n), real), ptr, post.astype(np.uint16), w[pre, post])

    @property
    def _rate(self) -> float:
        """Learning rate in force, 0 where learning is off or gated."""
        stdp = self.stdp or STDPParams()
        return stdp.learning_rate if stdp.enabled and self._da >= stdp.da_gate else 0.0

    def _make_third(self) -> Third | None:
        """Eligibility at rest, where the rule has one."""
        if self.stdp is None or self.stdp.mode != "three_factor":
            return None
        n, real = self.n, self._real
        return Third(
            e=np.zeros_like(self._syn.w), e_val=np.zeros_like(self._syn.val),
            rates=np.zeros(KEEP), rate=np.array([self._rate * (self._da - 0.5)]),
            powers_e=np.exp(-np.arange(KEEP + 1) / self.stdp.tau_e),
            when=np.zeros(n, np.int64), ahead=np.zeros(KEEP + 1), rise=np.zeros(n, real),
        )  # fmt: skip


def _within(field: str, value: float, lo: float, hi: float) -> float:
    if not lo <= value <= hi:
        raise ParamError(field, f"{field} must be from {lo:g} to {hi:g}, got {value}", lo=lo, hi=hi)
    return value

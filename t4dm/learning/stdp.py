"""Spike-timing-dependent plasticity (docs/equations.md, section 4).

    dt = t_post - t_pre
    0 < dt <= window_pre_to_post:     +A+ * exp(-dt/tau_plus)   * (1 - w/w_max)^mu
    -window_post_to_pre <= dt < 0:    -A- * exp( dt/tau_minus)  * (w/w_max)^mu          times learning_rate
Event order within step t, kept by the pair form and the trace form alike: post spikes potentiate with
what pre fired before t; pre spikes depress with what post fired before t; then s(t) is taken in.
Every parameter, dopamine included, is the one in force at the later spike of a pair: traces are read
off the spike history of the last HISTORY steps, so a changed tau or window acts at once and exactly.
Morrison, Diesmann, Gerstner 2008; Song, Miller, Abbott 2000; Guetig et al. 2003.   N neurons
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import torch
from torch import Tensor

from t4dm.environment import from_environment
from t4dm.learning.params import STDPParams
from t4dm.learning.reward import dopamine_factors
from t4dm.observations import Notices
from t4dm.params import ParamError

log = logging.getLogger(__name__)
HISTORY = 500
"""Steps of spikes kept: the largest window the parameters allow."""


class STDPState(NamedTuple):
    """Spikes of the last HISTORY steps, newest first; eligibility only in three_factor mode."""

    pre: Tensor  # (HISTORY, N_pre) bool
    post: Tensor  # (HISTORY, N_post) bool
    eligibility: Tensor | None  # (N_pre, N_post)


def init_stdp_state(
    n_pre: int,
    n_post: int,
    device: torch.device | str | None = None,
    history: int = HISTORY,
) -> STDPState:
    """No spike seen yet; ``history`` steps are kept, the largest window there will be."""
    pre, post = (torch.zeros(history, n, dtype=torch.bool, device=device) for n in (n_pre, n_post))
    return STDPState(pre, post, None)


def trace(history: Tensor, tau: float, window: int, nearest: bool, dtype: torch.dtype) -> Tensor:
    """(N,) sum of exp(-dt/tau) over the spikes dt = 1..window steps ago, or the nearest one only."""
    recent = history[:window].to(dtype)
    if nearest:
        recent = recent * (recent.cumsum(0) == 1)
    ages = torch.arange(1, recent.shape[0] + 1, dtype=dtype, device=history.device)
    return torch.exp(-ages / tau) @ recent


def ltp_factor(w: Tensor, params: STDPParams) -> Tensor | float:
    """(1 - w/w_max)^mu for each weight, shaped (...) like ``w``; 1 where mu is 0."""
    return ((params.w_max - w) / params.w_max).clamp(min=0) ** params.mu if params.mu else 1.0


def ltd_factor(w: Tensor, params: STDPParams) -> Tensor | float:
    """(w/w_max)^mu for each weight, shaped (...) like ``w``; 1 where mu is 0."""
    return (w / params.w_max).clamp(min=0) ** params.mu if params.mu else 1.0


def stdp_step(
    w: Tensor,
    s_pre: Tensor,
    s_post: Tensor,
    state: STDPState,
    params: STDPParams,
    *,
    da: float = 0.5,
    ht5: float = 0.5,
    plastic: Tensor | None = None,
) -> tuple[Tensor, STDPState]:
    """Weights and state after one step.

    ``w`` (N_pre, N_post), spikes (N,); ``plastic`` (N_pre, N_post) bool keeps the diagonal and other
    fixed entries still.  Nothing is changed in place.
    """
    nearest = params.pairing == "nearest"
    x = trace(state.pre, params.tau_plus, params.window_pre_to_post, nearest, w.dtype)
    y = trace(state.post, params.tau_minus, params.window_post_to_pre, nearest, w.dtype)
    gated = not params.enabled or da < params.da_gate
    eligibility = None
    if params.mode == "three_factor":
        eligibility = _eligibility(w, s_pre, s_post, x, y, state.eligibility, params, ht5)
        change = params.learning_rate * (da - 0.5) * eligibility
        new = w if gated else (w + change).clamp(0, params.w_max)
    else:
        new = w if gated else _pair_rule(w, s_pre, s_post, x, y, params, da)
    if plastic is not None:
        new = torch.where(plastic, new, w)
    return new, STDPState(_push(state.pre, s_pre), _push(state.post, s_post), eligibility)


def _pair_rule(
    w: Tensor, s_pre: Tensor, s_post: Tensor, x: Tensor, y: Tensor, params: STDPParams, da: float
) -> Tensor:
    plus, minus = dopamine_factors(da)
    w, pre, post = w.clone(), s_pre.bool(), s_post.bool()
    if post.any():
        columns = w[:, post]
        rise = (
            params.learning_rate * params.a_plus * plus * x[:, None] * ltp_factor(columns, params)
        )
        w[:, post] = (columns + rise).clamp(max=params.w_max)
    if pre.any():
        rows = w[pre]
        fall = params.learning_rate * params.a_minus * minus * y * ltd_factor(rows, params)
        w[pre] = (rows - fall).clamp(min=0)
    return w


def _eligibility(
    w: Tensor, s_pre: Tensor, s_post: Tensor, x: Tensor, y: Tensor, e: Tensor | None,
    params: STDPParams, ht5: float,
) -> Tensor:  # fmt: skip
    """e <- e * exp(-dt/(tau_e*(0.5+5HT))) + STDP(t), the pair terms without rate and dopamine."""
    rise = params.a_plus * x[:, None] * s_post.to(w.dtype) * ltp_factor(w, params)
    fall = params.a_minus * s_pre.to(w.dtype)[:, None] * y * ltd_factor(w, params)
    keep = torch.exp(torch.tensor(-1.0 / (params.tau_e * (0.5 + ht5)), dtype=torch.float64)).item()
    return (torch.zeros_like(w) if e is None else e * keep) + (rise - fall)


def _push(history: Tensor, spikes: Tensor) -> Tensor:
    return torch.cat([spikes.bool()[None], history[:-1]])


class STDPLearner:
    """STDP with its parameters, for one synapse (pair form) or a matrix (trace form).

    Keywords are the fields of :class:`STDPParams`; the windows default to 20 steps here, and
    ``T4DM_STDP_ENABLED`` and ``T4DM_STDP_LEARNING_RATE`` stand for keywords not given.  Raises
    ValueError naming the field or variable and its range.  Updates that cannot change a weight are
    logged with their reason, at most once in a thousand calls.
    """

    def __init__(
        self,
        window_pre_to_post: int = 20,
        window_post_to_pre: int = 20,
        tau_plus: float = 20.0,
        tau_minus: float = 20.0,
        a_plus: float = 0.01,
        a_minus: float = 0.0105,
        **others: Any,
    ) -> None:
        values = from_environment(STDPParams) | others
        values |= {"window_pre_to_post": window_pre_to_post, "tau_plus": tau_plus}
        values |= {"window_post_to_pre": window_post_to_pre, "tau_minus": tau_minus}
        values |= {"a_plus": a_plus, "a_minus": a_minus}
        self.params = STDPParams(**{n: STDPParams.check(n, v) for n, v in values.items()})
        self._notices, self._calls = Notices(log, place="in call {:g}"), 0
        self._say_enabled()

    @property
    def enabled(self) -> bool:
        """Whether updates change a weight."""
        return self.params.enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._change("enabled", value)
        self._say_enabled()

    @property
    def learning_rate(self) -> float:
        """What multiplies every change, 0 to 100; setting another is logged."""
        return self.params.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        old = self.learning_rate
        self._change("learning_rate", value)
        if value != old:
            text = f"learning_rate changed: stdp.learning_rate {old:g} -> {value:g}"
            self._notices.say(logging.INFO, "rate", self._calls, text)

    def _say_enabled(self) -> None:
        p = self.params
        told = f"STDP enabled: mode {p.mode}, learning_rate {p.learning_rate:g}"
        text = told if p.enabled else "STDP disabled"
        self._notices.say(logging.INFO, text, self._calls, text)

    def _change(self, name: str, value: Any) -> None:
        self.params = self.params.model_copy(update={name: STDPParams.check(name, value)})

    def window_function(self, dt: float | Tensor) -> float | Tensor:
        """The window at dt = t_post - t_pre (ms), without learning rate and weight dependence."""
        p = self.params
        d = torch.as_tensor(dt, dtype=torch.float64)
        rise = p.a_plus * torch.exp(-d / p.tau_plus)
        fall = -p.a_minus * torch.exp(d / p.tau_minus)
        zero = torch.zeros_like(d)
        value = torch.where((d > 0) & (d <= p.window_pre_to_post), rise, zero)
        value = torch.where((d < 0) & (d >= -p.window_post_to_pre), fall, value)
        return value if isinstance(dt, Tensor) else value.item()

    def compute_weight_change(
        self, pre_spike_times: Tensor, post_spike_times: Tensor, current_weight: float
    ) -> float:
        """Change of one weight by two spike trains (times in steps), whether enabled or not.

        Pair form: spike after spike in time order, each pair once, bounds kept at every spike.  Raises
        ParamError in mode three_factor, which has no pair form.
        """
        self._check_pair_form()
        pre, post = _times(pre_spike_times), _times(post_spike_times)
        return self._after(pre, post, float(current_weight)) - float(current_weight)

    def update_weight(self, w: float, pre: Tensor, post: Tensor) -> float:
        """One weight after two trains of spike times (K,) in steps, within its bounds.

        Unchanged when not enabled.  Raises ParamError in mode three_factor, which has no pair form.
        """
        self._check_pair_form()
        self._calls += 1
        new = self._after(_times(pre), _times(post), float(w)) if self.enabled else w
        if new == w and not self._say_blocked():
            self._say_skipped("no pair of spikes lies within the windows, or w is at its bound")
        return new

    def _check_pair_form(self) -> None:
        if self.params.mode == "three_factor":
            raise ParamError(
                "mode",
                "mode must be 'modulated' for a pair of spike trains, is 'three_factor', whose weights "
                "move with dopamine step by step: use step",
            )

    def step(
        self, w: Tensor, s_pre: Tensor, s_post: Tensor, state: STDPState, **levels: Any
    ) -> tuple[Tensor, STDPState]:
        """Trace form on w (N_pre, N_post): :func:`stdp_step` with this learner's parameters.

        ``levels`` are its keywords: da and ht5 in [0, 1], plastic (N_pre, N_post).
        """
        self._calls += 1
        if not self._say_blocked() and levels.get("da", 0.5) < self.params.da_gate:
            self._say_skipped(f"dopamine is below stdp.da_gate {self.params.da_gate:g}")
        return stdp_step(w, s_pre, s_post, state, self.params, **levels)

    def _say_blocked(self) -> bool:
        """Whether this learner can change no weight at all; logged if so."""
        if not self.enabled:
            self._say_skipped("stdp.enabled is off")
        elif self.learning_rate == 0:
            self._say_skipped("stdp.learning_rate is 0")
        return not self.enabled or self.learning_rate == 0

    def _say_skipped(self, reason: str) -> None:
        self._notices.say(logging.INFO, reason, self._calls, f"STDP update skipped: {reason}")

    def _after(self, pre: list[float], post: list[float], w: float) -> float:
        """One weight after two trains of spike times, clipped at every spike."""
        pre_set, post_set = set(pre), set(post)
        for t in sorted(pre_set | post_set):
            if t in post_set:
                w = min(w + self._rise(t, pre, w), self.params.w_max)
            if t in pre_set:
                w = max(w - self._fall(t, post, w), 0.0)
        return w

    def _rise(self, t: float, pre: list[float], w: float) -> float:
        p = self.params
        before = self._paired(sorted(t - s for s in pre if 0 < t - s <= p.window_pre_to_post))
        factor = max((p.w_max - w) / p.w_max, 0.0) ** p.mu if p.mu else 1.0
        total = sum(float(self.window_function(dt)) for dt in before)
        return p.learning_rate * factor * total

    def _fall(self, t: float, post: list[float], w: float) -> float:
        p = self.params
        before = self._paired(sorted(t - s for s in post if 0 < t - s <= p.window_post_to_pre))
        factor = max(w / p.w_max, 0.0) ** p.mu if p.mu else 1.0
        total = sum(float(self.window_function(-dt)) for dt in before)
        return -p.learning_rate * factor * total

    def _paired(self, ages: list[float]) -> list[float]:
        return ages[:1] if self.params.pairing == "nearest" else ages


def _times(times: Any) -> list[float]:
    return torch.as_tensor(times, dtype=torch.float64).reshape(-1).tolist()

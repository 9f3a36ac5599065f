"""Gradient descent for a user's script: clipped, watched and told of.

    g = grad loss;   g <- g * min(1, max_norm / |g|_2);   theta <- optimiser(theta, g, learning_rate)
A step whose gradient is not finite changes nothing and is logged.  Pascanu, Mikolov, Bengio 2013.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from t4dm.environment import from_environment
from t4dm.learning.params import GradientParams
from t4dm.observations import Notices

log = logging.getLogger(__name__)


class GradientLog:
    """Log lines about the steps of one optimiser: norms, changed rates, and what is not finite.

    Each kind at most once in ``every`` steps; ``of`` names the optimiser where there are several.
    """

    def __init__(self, learning_rate: float, every: int = 100, of: str = "") -> None:
        self._rate, self._of = learning_rate, f" of {of}" if of else ""
        self._notices = Notices(log, every, place="in step {:g}")

    def tell(self, step: int, norm: float, max_norm: float, learning_rate: float) -> None:
        """Say what there is to say of ``step``; ``norm`` is the gradient's before clipping."""
        of = self._of
        if not norm < float("inf"):
            text = f"Numerical instability: gradient norm{of} {norm}; the step changed nothing"
            self._notices.say(logging.ERROR, "instability", step, text)
        elif norm > max_norm:
            text = f"gradient norm{of} {norm:.3g}, clipped to {max_norm:g}"
            self._notices.say(logging.INFO, "norm", step, text)
        else:
            self._notices.say(logging.INFO, "norm", step, f"gradient norm{of} {norm:.3g}")
        if learning_rate != self._rate and self._notices.due("rate", step):
            text = f"learning_rate changed{of}: {self._rate:g} -> {learning_rate:g}"
            self._notices.say(logging.INFO, "rate", step, text)
            self._rate = learning_rate


class GradientDescent:
    """One optimiser over ``parameters``; :meth:`step` takes a loss.

    ``optimiser`` is a torch optimiser class (or a function of parameters and ``lr``).  A learning
    rate not given comes from ``T4DM_LEARNING_RATE``, else it is 0.001.  Raises ValueError naming
    the value and its range.  Gradient norms are logged every ``log_every`` steps.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float | None = None,
        max_norm: float = 1.0,
        optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        log_every: int = 100,
        **options: Any,
    ) -> None:
        given = {} if learning_rate is None else {"learning_rate": learning_rate}
        values = from_environment(GradientParams) | given | {"max_norm": max_norm}
        checked = {name: GradientParams.check(name, value) for name, value in values.items()}
        self.params = GradientParams(**checked)
        self.parameters = list(parameters)
        self.optimiser = optimiser(self.parameters, lr=self.params.learning_rate, **options)
        self.steps = 0
        self._log = GradientLog(self.learning_rate, log_every)
        log.info("learning_rate %g, gradients clipped at norm %g", self.learning_rate, max_norm)

    @property
    def learning_rate(self) -> float:
        """The rate in force; a scheduler on :attr:`optimiser` may have moved it."""
        return float(self.optimiser.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        GradientParams.check("learning_rate", value)
        for group in self.optimiser.param_groups:
            group["lr"] = value

    def step(self, loss: Tensor) -> float:
        """Gradients of ``loss`` (a scalar), clipped, and one step; returns their norm before that.

        A norm that is not finite is returned too, and nothing is changed.
        """
        self.optimiser.zero_grad()
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.params.max_norm))
        if norm < float("inf"):
            self.optimiser.step()
        self._log.tell(self.steps, norm, self.params.max_norm, self.learning_rate)
        self.steps += 1
        return norm

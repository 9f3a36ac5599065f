"""Recurrent weights."""

from dashboard.figures import tables, weights
from dashboard.panels.base import Panel
from t4dm.live.view import WEIGHTS_VIEWS

PANEL = Panel(
    id="panel-weights",
    slug="weights",
    title="Weights",
    figure=weights.figure,
    table=tables.weights,
    needs=("weights",),
    controls=("stdp.learning_rate", "stdp.w_max", "stdp.mu"),
    order=60,
    axis="other",
    span_ms=10_000,
    height=320,
    arrays=("hist_exc", "hist_inh", "bounds", "matrix"),
    wants_groups=True,
    options=(("weights_view", WEIGHTS_VIEWS),),
    help="Counts of a block's recurrent weights on a log scale, below how they drift; or every weight.",
)

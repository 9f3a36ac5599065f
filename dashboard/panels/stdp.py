"""STDP window."""

from dashboard.figures import stdp, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-stdp",
    slug="stdp",
    title="STDP window",
    figure=stdp.figure,
    table=tables.stdp,
    needs=("pairs", "gains"),
    controls=("stdp.a_plus", "stdp.a_minus", "stdp.tau_plus", "stdp.tau_minus"),
    order=70,
    axis="other",
    span_ms=1_000,
    height=260,
    arrays=("pairs",),
    wants_values=True,
    help="Weight change of a pair by its timing; bars are the pairs of the last second.",
)

"""Regularity of single neurons and synchrony of groups."""

from dashboard.figures import regularity, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-regularity",
    slug="regularity",
    title="Regularity and synchrony",
    figure=regularity.figure,
    table=tables.regularity,
    needs=("spikes",),
    order=115,
    page="statistics",
    axis="other",
    span_ms=1000,
    height=380,
    arrays=("spk_row", "spk_dt", "rates"),
    help="CV of intervals: 0 a clock, 1 chance. Fano of a group's spikes in a step: 1 where its "
    "neurons fire independently, more where they fire together.",
)

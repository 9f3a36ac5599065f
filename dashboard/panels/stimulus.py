"""Current stimulus."""

from dashboard.figures import stimulus, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-stimulus",
    slug="stimulus",
    title="Stimulus",
    figure=stimulus.figure,
    table=tables.stimulus,
    needs=("stimulus",),
    controls=("stimulus.kind", "stimulus.image_ms", "stimulus.rest_ms", "input.gain"),
    order=80,
    span_ms=2_000,
    height=260,
    arrays=("stim", "stim_range"),
    help="What drives block 0: the image shown last and the mean input over time.",
)

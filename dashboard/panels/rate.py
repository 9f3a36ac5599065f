"""Population rate."""

from dashboard.figures import rate, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-rate",
    slug="rate",
    title="Population rate",
    figure=rate.figure,
    table=tables.rate,
    needs=("spikes",),
    controls=("homeostasis.target_rate",),
    order=20,
    height=200,
    arrays=("rates", "clamped"),
    help="Spikes of a stage per neuron and second, in 10 ms bins cut at every parameter change.",
)

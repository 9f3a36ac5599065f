"""Spike raster."""

from dashboard.figures import raster, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-raster",
    slug="raster",
    title="Spike raster",
    figure=raster.figure,
    table=tables.raster,
    needs=("spikes",),
    controls=("lif.v_thresh", "lif.alpha", "lif.beta"),
    order=10,
    height=460,
    arrays=("spk_row", "spk_dt"),
    wants_groups=True,
    options=(("order", ("id", "rate", "latency")),),
    help="A tick is one spike; rows are neurons grouped by block and stage.",
)

"""Inter-spike intervals of the neurons in view."""

from dashboard.figures import isi, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-isi",
    slug="isi",
    title="Inter-spike intervals",
    figure=isi.figure,
    table=tables.isi,
    needs=("spikes",),
    order=110,
    page="statistics",
    axis="other",
    span_ms=1000,
    height=380,
    arrays=("spk_row", "spk_dt"),
    help="How long the neurons of the raster wait from one spike to the next, in the window in view.",
)

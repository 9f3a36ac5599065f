"""Membranes of the watched neurons."""

from dashboard.figures import membrane, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-membrane",
    slug="membrane",
    title="Membranes",
    figure=membrane.figure,
    table=tables.membrane,
    needs=("u_pre",),
    controls=("lif.v_thresh", "lif.alpha", "lif.beta", "lif.u_max"),
    order=30,
    height=300,
    arrays=("u", "theta"),
    help="u before the reset (of a script's own layer: as it gives it); the dashed line is the "
    "threshold in force at that moment.",
)

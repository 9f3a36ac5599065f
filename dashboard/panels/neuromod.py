"""Neuromodulator levels and gains."""

from dashboard.figures import neuromod, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-neuromod",
    slug="neuromod",
    title="Neuromodulators",
    figure=neuromod.figure,
    table=tables.neuromod,
    needs=("levels", "gains"),
    controls=("neuromod.DA", "neuromod.ACh", "neuromod.NE", "neuromod.5HT"),
    order=40,
    height=190,
    arrays=("levels", "gains"),
    wants_values=True,
    options=(("view", ("levels", "gains", "lines")),),
    help="White is neutral (a level at its baseline, gain 1); triangles are injections.",
)

"""Thalamic gate."""

from dashboard.figures import gate, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-gate",
    slug="gate",
    title="Thalamic gate",
    figure=gate.figure,
    table=tables.gate,
    needs=("gate",),
    controls=("gate.bias", "gate.slope"),
    order=15,
    height=240,
    arrays=("gate", "gate_mean"),
    help="How far each channel of a block is open, 0 to 1.5.",
)

"""Spike attention."""

from dashboard.figures import attention, tables
from dashboard.panels.base import Panel
from t4dm.live.view import ATTENTION_VIEWS

PANEL = Panel(
    id="panel-attention",
    slug="attention",
    title="Spike attention",
    figure=attention.figure,
    table=tables.attention,
    needs=("attention",),
    controls=("attention.tau", "attention.kappa", "attention.sharpness"),
    order=100,
    page="attention",
    height=380,
    arrays=("attention", "attention_keys", "attention_heads"),
    options=(("attention_view", ATTENTION_VIEWS),),
    help="Which of the last 64 steps a block looks back at, and how evenly it does; or head by head.",
)

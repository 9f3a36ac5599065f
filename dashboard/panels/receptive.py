"""Receptive fields of the sensory layer."""

from dashboard.figures import receptive, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-receptive",
    slug="receptive",
    title="Receptive fields",
    figure=receptive.figure,
    table=tables.receptive,
    needs=("receptive_fields", "neuron_labels"),
    controls=("sensory.learning_rate", "sensory.inhibition", "sensory.x_target"),
    order=90,
    page="learning",
    axis="other",
    height=380,
    arrays=("receptive", "neuron_labels"),
    help="Afferent weights of every sensory neuron as an 8 x 8 image, by the digit it stands for.",
)

"""What the sensory layer has learnt: the score on digits it never learns from."""

from dashboard.figures import accuracy, tables
from dashboard.panels.base import Panel

PANEL = Panel(
    id="panel-accuracy",
    slug="accuracy",
    title="Held-out accuracy",
    figure=accuracy.figure,
    table=tables.accuracy,
    needs=("accuracy",),
    controls=("sensory.reward", "sensory.stdp", "neuromod.reward_gain"),
    order=95,
    page="learning",
    axis="other",
    height=380,
    arrays=("course",),
    help="Share of the last 100 held-out digits answered correctly; below, the reward expected. "
    "A reward acts on dopamine from the next line of the 8 ms grid on.",
)

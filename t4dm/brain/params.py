"""Parameters and probes of the brain modules.  Equations: ``docs/language.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import Params, Probe, param

REGIONS = ("language", "experts", "hippocampus")


class BrainParams(Params):
    """Shape of :class:`t4dm.brain.natural_brain.NaturalBrain` and what may change while it runs."""

    group: ClassVar[str] = "brain"
    title: ClassVar[str] = "Natural brain"

    dim: int = param(64, 4, 4096, log=True, help="Width of the stream through the brain.")
    n_neurons: int = param(128, 4, 16384, log=True, help="Spiking neurons of a language zone.")
    timesteps: int = param(8, 1, 256, unit="steps", help="Spike steps for each token.")
    n_experts: int = param(4, 1, 64, help="Experts of the liquid mixture.")
    top_k: int = param(2, 1, 64, help="Experts a token uses; at most those there are.")
    residual: float = param(0.1, 0.0, 1.0, help="Weight of what the released regions add.")
    dopamine: float = param(0.5, 0.0, 1.0, help="Tonic dopamine; valence moves it around this.")


class FormationParams(Params):
    """Place, grid and time cells over a square arena."""

    group: ClassVar[str] = "formation"
    title: ClassVar[str] = "Hippocampal formation"

    arena: float = param(1.0, 0.1, 100.0, unit="m", log=True, help="Side of the square arena.")
    n_place: int = param(64, 1, 4096, log=True, help="Place cells, on a jittered lattice.")
    place_width: float = param(
        0.1, 0.01, 1.0, help="Width (sd) of a place field, in shares of the arena's side."
    )
    place_peak: float = param(20.0, 1.0, 200.0, unit="Hz", help="Rate in a field's middle.")
    n_scales: int = param(4, 1, 16, help="Grid modules; each is sqrt(2) wider than the last.")
    n_phases: int = param(9, 1, 256, help="Grid cells a module.")
    smallest_grid: float = param(
        0.3, 0.05, 10.0, help="Spacing of the finest module, in shares of the arena's side."
    )
    grid_peak: float = param(25.0, 1.0, 200.0, unit="Hz", help="Rate of a grid cell at its peak.")
    n_time: int = param(16, 1, 1024, help="Time cells, peaks evenly spread in log time.")
    time_first: float = param(0.25, 0.001, 60.0, unit="s", help="Peak of the first time cell.")
    time_last: float = param(8.0, 0.01, 3600.0, unit="s", help="Peak of the last time cell.")
    time_peak: float = param(15.0, 1.0, 200.0, unit="Hz", help="Rate of a time cell at its peak.")


PROBES = {
    "thalamic_gate": Probe("T D", help="Thalamic gate times attention gain, 0 to 1.5."),
    "votes": Probe("T R", help="How strongly each region asks to act, 0 to 1."),
    "release": Probe("T R", help="Share of each region let through by the basal ganglia."),
    "arousal": Probe("T", help="Arousal, 0 to 1."),
    "valence": Probe("T", help="Valence, -1 to 1."),
    "router_load": Probe("E", help="Share of routed tokens at each expert; sums to 1."),
    "place": Probe("P", unit="Hz", help="Place-cell rates."),
    "grid": Probe("M G", unit="Hz", help="Grid-cell rates, module by module."),
    "time": Probe("C", unit="Hz", help="Time-cell rates."),
}

"""What a session publishes, by the probes of its manifest, and the sentence for what it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable

TITLES = {
    "spikes": "spikes",
    "u_pre": "membranes",
    "theta": "thresholds",
    "gate": "thalamic gate",
    "attention": "spike attention",
    "attention_heads": "attention head by head",
    "levels": "neuromodulators",
    "gains": "neuromodulator gains",
    "weights": "weights",
    "weight_matrix": "weight matrix",
    "pairs": "spike pairs",
    "receptive_fields": "receptive fields",
    "neuron_labels": "labels of neurons",
    "stimulus": "stimulus",
}


def absence(probe: str) -> str:
    """``this session publishes no thalamic gate``."""
    return f"this session publishes no {TITLES.get(probe, probe)}"


def missing(needs: Iterable[str], probes: Collection[str]) -> str:
    """The sentence for the first of ``needs`` that is not among ``probes``; empty if all are."""
    return next((absence(probe) for probe in needs if probe not in probes), "")

"""Parameters of the stimuli.  No sklearn, no torch here."""

from __future__ import annotations

from typing import ClassVar, Literal

from t4dm.params import Params, param

STIMULUS_WIDTH = 64


class InputParams(Params):
    group: ClassVar[str] = "input"
    title: ClassVar[str] = "Input"

    gain: float = param(1.0, 0.0, 20.0, help="Multiplies the encoded stimulus before block 0.")


class StimulusParams(Params):
    group: ClassVar[str] = "stimulus"
    title: ClassVar[str] = "Stimulus"

    kind: Literal["digits", "constant", "noise", "pulse", "sine", "text", "file"] = param(
        "digits", help="What drives the network."
    )
    image_ms: int = param(250, 5, 10000, unit="ms", help="How long one image or letter is shown.")
    rest_ms: int = param(50, 0, 10000, unit="ms", help="Silence between two of them.")
    rate_hz: float = param(
        200.0, 0.0, 1000.0, unit="Hz", help="Poisson rate of a fully dark pixel or active unit."
    )
    amplitude: float = param(
        0.3, -10.0, 10.0, help="Level of constant, pulse, sine; mean of noise; gain of a file."
    )
    noise_std: float = param(
        0.3, 0.0, 10.0, help="Standard deviation of the Gaussian noise in 1 ms."
    )
    period_ms: int = param(200, 2, 10000, unit="ms", help="Period of pulse and sine.")
    pulse_ms: int = param(50, 1, 10000, unit="ms", help="Length of one pulse.")
    text: str = param(
        "spikes speak", max_length=2000, unit="", help="Text played letter by letter."
    )
    file_id: str = param(
        "", max_length=64, unit="", help="Identifier of the uploaded file, set by the upload."
    )

"""Parameters and probes of training.  Rules: ``docs/language.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import Params, Probe, param


class TrainParams(Params):
    """The wake step, sleep and the optimizer; all may change between two steps."""

    group: ClassVar[str] = "train"
    title: ClassVar[str] = "Training"

    learning_rate: float = param(1e-3, 0.0, 1.0, log=True, help="Peak rate of AdamW.")
    warmup: int = param(100, 0, 100000, unit="steps", help="Steps of linear rise to the peak.")
    total_steps: int = param(
        1000, 1, 10000000, unit="steps", log=True, help="Cosine decay reaches its floor here."
    )
    final_share: float = param(0.1, 0.0, 1.0, help="Floor of the rate as a share of its peak.")
    weight_decay: float = param(0.1, 0.0, 1.0, help="Decoupled decay of matrices.")
    clip: float = param(1.0, 0.0, 1000.0, log=True, help="Largest gradient norm; 0: no clipping.")
    batch: int = param(16, 1, 4096, unit="sequences", help="Sequences a wake step.")
    context: int = param(128, 2, 16384, unit="tokens", help="Tokens a sequence.")
    use_memory: bool = param(True, help="The wake step reads and writes the memory bank.")
    memory_writes: int = param(
        64, 0, 65536, unit="events", help="Most surprising tokens of a wake step that are stored."
    )
    sleep_every: int = param(
        200, 0, 1000000, unit="steps", help="Wake steps between two sleeps; 0: never asleep."
    )
    sleep_steps: int = param(10, 1, 10000, unit="steps", help="Replay steps of one sleep.")
    replay_size: int = param(
        256, 1, 1000000, unit="sequences", log=True, help="Sequences kept for replay."
    )
    ewc_strength: float = param(
        0.0, 0.0, 1e9, log=True, help="Pull towards the weights of the last sleep; 0: none."
    )
    ewc_samples: int = param(
        16, 1, 4096, unit="sequences", help="Replayed sequences that measure Fisher information."
    )


class LiveTrainParams(TrainParams):
    """The same in a session that can be watched, with what is looked at now and then.

    Some bounds are narrower: a step of such a session has to end within seconds.
    """

    batch: int = param(16, 1, 512, unit="sequences", help="Sequences a wake step.")
    replay_size: int = param(
        256, 1, 16384, unit="sequences", log=True, help="Sequences kept for replay."
    )
    ewc_samples: int = param(
        16, 1, 64, unit="sequences", help="Replayed sequences that measure Fisher information."
    )
    dropout: float = param(0.0, 0.0, 0.9, step=0.01, help="Share of units dropped in training.")
    held_out_every: int = param(
        50, 0, 1000000, unit="steps", help="Steps between two scorings of held-out text; 0: none."
    )
    held_out_windows: int = param(
        32, 1, 4096, unit="sequences", log=True, help="Held-out sequences scored each time."
    )
    probe_every: int = param(
        5, 0, 1000000, unit="steps", help="Steps between two looks inside the model; 0: none."
    )

    def plain(self) -> TrainParams:
        """What the trainer itself takes."""
        return TrainParams(**{name: getattr(self, name) for name in TrainParams.model_fields})


class SampleParams(Params):
    """What the model writes while it is trained."""

    group: ClassVar[str] = "sample"
    title: ClassVar[str] = "Samples"

    prompt: str = param("In the beginning", max_length=500, help="What it goes on from.")
    temperature: float = param(
        0.8, 0.0, 5.0, step=0.05, help="Spread of its choices; 0: always the likeliest token."
    )
    top_k: int = param(
        40, 1, 262144, unit="tokens", log=True, help="Likeliest tokens chosen among."
    )
    tokens: int = param(60, 1, 1000, unit="tokens", log=True, help="Length of a sample.")
    every: int = param(
        100, 0, 1000000, unit="steps", help="Steps between two samples; 0: only on demand."
    )


PROBES = {
    "loss": Probe("1", unit="nat", help="Cross-entropy of the step."),
    "held_out_loss": Probe("1", unit="nat", kind="state", help="Cross-entropy of held-out text."),
    "grad_norm": Probe("1", help="Gradient norm before clipping."),
    "learning_rate": Probe("1", help="Rate of the step."),
    "penalty": Probe("1", unit="nat", help="Added to the loss: EWC, and a router's balance."),
    "asleep": Probe("1", kind="state", dtype="uint8", help="1 while replaying, 0 while awake."),
    "tokens": Probe("1", kind="state", dtype="int64", help="Tokens learnt from so far."),
}

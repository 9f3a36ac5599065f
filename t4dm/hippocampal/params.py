"""Parameters and probes of the hippocampal transformer.  Equations: ``docs/language.md``; no torch here."""

from __future__ import annotations

from typing import ClassVar

from t4dm.params import ParamError, Params, Probe, param

PROSODY = ("emphasis", "question or exclamation", "boundary", "length")


class HippocampalParams(Params):
    """Shape of the model; fixed once it is built, but for ``dropout``."""

    group: ClassVar[str] = "hippocampal"
    title: ClassVar[str] = "Hippocampal transformer"

    vocab_size: int = param(8192, 2, 262144, unit="tokens", log=True, help="Tokens it knows.")
    dim: int = param(256, 8, 4096, log=True, help="Width of the residual stream.")
    n_layers: int = param(4, 1, 48, help="Layers.")
    n_heads: int = param(4, 1, 64, help="Attention heads; must divide dim.")
    max_seq_len: int = param(
        256, 2, 16384, unit="tokens", log=True, help="Longest context; positions are scaled by it."
    )
    mlp_ratio: int = param(4, 1, 16, help="Width of the feed-forward part over dim.")
    dropout: float = param(0.1, 0.0, 0.9, step=0.01, help="Share of units dropped in training.")
    n_place: int = param(256, 8, 65536, log=True, help="Place cells of the encoder.")
    place_share: float = param(0.03, 0.001, 1.0, help="Share of place cells that win.")
    place_residual: float = param(
        0.1, 0.0, 1.0, help="Weight of the place-cell reconstruction beside the embedding."
    )
    memory_size: int = param(
        4096, 1, 1000000, unit="events", log=True, help="Events the memory bank holds."
    )
    memory_top_k: int = param(4, 1, 64, unit="events", help="Events recalled for each token.")
    cue_decay: float = param(
        0.6, 0.0, 0.99, step=0.01, help="Share of the temporal context kept per token."
    )

    def checked(self) -> HippocampalParams:
        """Itself; raises :class:`ParamError` where two parameters do not fit together."""
        if self.dim % self.n_heads:
            raise ParamError(
                "hippocampal.n_heads",
                f"hippocampal.n_heads: must divide dim = {self.dim}, got {self.n_heads}",
            )
        return self


PROBES = {
    "place": Probe("T P", help="Place-cell activity of each token; 0 for cells that did not win."),
    "theta": Probe("T", unit="rad", help="Theta phase of each position."),
    "gamma": Probe("T", unit="rad", help="Gamma phase of each position."),
    "prosody": Probe("T 4", help="Emphasis, question or exclamation, boundary, length."),
    "attention": Probe("L H T T", help="Attention weights; rows sum to 1."),
    "memory_gate": Probe("L T", help="Memory gate of each layer, 0 to 1."),
    "recalled": Probe("T K", kind="event", dtype="int64", help="Bank slots recalled, best first."),
}

"""Natural brain: feel, gate, work in several regions, let the basal ganglia choose.

    arousal, valence = amygdala(x, emphasis)
    relay, gate      = thalamus(x, arousal)
    out_r            = region_r(relay)            language, experts, hippocampus
    votes            = sigmoid(relay W_v + b_v)
    total            = basal ganglia(votes, out, DA),   DA = clip(tonic + valence / 2, 0, 1)
    y                = x + c * total              c = 0.1
The hippocampal region reads x as a place in a square of meanings, a token lasting 1/8 s (a theta cycle):
grid codes for concepts, Constantinescu, O'Reilly & Behrens 2016.  The order of the parts: thalamic relay
and gated release of cortical regions by the basal ganglia, O'Reilly & Frank 2006; valence on dopamine:
Schultz 2016.  All in the dtype of ``x``, which the weights have.
B batch  T time  D channels  R regions
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from t4dm.ablations import NONE, Ablation, Ablations
from t4dm.brain.amygdala import Amygdala, AmygdalaState
from t4dm.brain.basal_ganglia import BasalGanglia
from t4dm.brain.hippocampal_formation import HippocampalFormation, WhereWhen
from t4dm.brain.language_zone import FullLanguageZone, MoELanguageZone
from t4dm.brain.liquid_moe import Routing
from t4dm.brain.params import REGIONS, BrainParams
from t4dm.brain.thalamus import Thalamus
from t4dm.hippocampal.draws import linear
from t4dm.spiking.gif import GIFState

TOKEN_S = 0.125


class BrainState(NamedTuple):
    """What the next call goes on from: feelings, spiking and liquid states, tokens seen."""

    amygdala: AmygdalaState
    language: GIFState
    experts: Tensor
    tokens: int


class Thought(NamedTuple):
    """``out`` and ``gate`` (B,T,D), ``votes`` and ``release`` (B,T,R), ``arousal`` and ``valence`` (B,T),
    language ``rate`` (B,T,N), ``routing`` of the experts, ``where`` of B*T tokens, state."""

    out: Tensor
    gate: Tensor
    votes: Tensor
    release: Tensor
    arousal: Tensor
    valence: Tensor
    rate: Tensor
    routing: Routing
    where: WhereWhen
    state: BrainState


class NaturalBrain(nn.Module):
    """Built from :class:`BrainParams` and a seed."""

    def __init__(
        self, params: BrainParams | None = None, seed: int = 0, ablations: Ablations = NONE
    ) -> None:
        super().__init__()
        p = self.params = params or BrainParams()
        self.dopamine = p.dopamine
        self.residual = 1.0 if Ablation.BRAIN_RESIDUAL_FULL in ablations else p.residual
        draws = torch.Generator().manual_seed(seed)
        self.amygdala = Amygdala(p.dim)
        self.thalamus = Thalamus(p.dim, generator=draws, ablations=ablations)
        self.language = FullLanguageZone(
            p.dim, p.n_neurons, p.timesteps, generator=draws, ablations=ablations
        )
        self.experts = MoELanguageZone(
            p.dim, p.n_neurons, p.timesteps, p.n_experts, p.top_k,
            generator=draws, ablations=ablations,
        )  # fmt: skip
        self.formation = HippocampalFormation(seed=seed, ablations=ablations)
        self.place_of = linear(p.dim, 2, draws, std=p.dim**-0.5)
        self.meaning_of = linear(self.formation.code_size, p.dim, draws)
        self.vote = linear(p.dim, len(REGIONS), draws, std=p.dim**-0.5)
        self.basal_ganglia = BasalGanglia(ablations)

    def forward(
        self, x: Tensor, prosody: Tensor | None = None, state: BrainState | None = None
    ) -> Thought:
        """What becomes of ``x`` (B,T,D) with ``prosody`` (B,T,4), going on from ``state``."""
        emphasis = None if prosody is None else prosody[..., 0]
        feeling = self.amygdala(x, emphasis, state.amygdala if state else None)
        relay, gate = self.thalamus(x, feeling.arousal)
        spoken, rate, language = self.language(relay, state.language if state else None)
        judged, routing = self.experts(relay, state.experts if state else None)
        tokens = state.tokens if state else 0
        where = self._where(relay, tokens)
        placed = self.meaning_of(where.code).reshape(x.shape)
        votes = torch.sigmoid(self.vote(relay))
        dopamine = (self.dopamine + 0.5 * feeling.valence).clamp(0.0, 1.0)
        total, release = self.basal_ganglia(votes, (spoken, judged, placed), dopamine)
        after = BrainState(feeling.state, language, routing.state, tokens + x.shape[1])
        return Thought(
            x + self.residual * total, gate, votes, release, feeling.arousal, feeling.valence,
            rate, routing, where, after,
        )  # fmt: skip

    def _where(self, relay: Tensor, tokens: int) -> WhereWhen:
        batch, time, _ = relay.shape
        position = torch.sigmoid(self.place_of(relay)).reshape(batch * time, 2)
        index = torch.arange(tokens, tokens + time, device=relay.device)
        elapsed = (TOKEN_S * index).to(relay.dtype).repeat(batch)
        return self.formation(position * self.formation.params.arena, elapsed)

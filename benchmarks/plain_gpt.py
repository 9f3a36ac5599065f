"""A plain GPT to compare with: token and position embeddings, pre-norm layers, a tied head.

What a PyTorch user would write: ``scaled_dot_product_attention``, ``F.cross_entropy`` over the logits,
fused AdamW, clipping.  Same width, depth, heads, context and vocabulary as ours; no place cells, no
prosody, no memory, no sleep.  Radford et al. 2019; Karpathy's nanoGPT for what is usual.
B batch  T time  D channels
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t4dm.hippocampal.params import HippocampalParams
from t4dm.training.data import TokenText
from t4dm.training.params import TrainParams
from t4dm.training.schedule import learning_rate_at
from t4dm.training.trainer import make_optimizer

STD = 0.02


class Block(nn.Module):
    """Attention and a feed-forward part, each behind its LayerNorm."""

    def __init__(self, dim: int, n_heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.widen, self.narrow = nn.Linear(dim, mlp_ratio * dim), nn.Linear(mlp_ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(self.norm_attention(x)).chunk(3, dim=-1)
        q, k, v = (p.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for p in parts)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heads.transpose(1, 2).flatten(-2))
        return x + self.narrow(F.gelu(self.widen(self.norm_mlp(x))))


class PlainGPT(nn.Module):
    """Logits (B,T,V) for ids (B,T)."""

    def __init__(self, params: HippocampalParams) -> None:
        super().__init__()
        self.tokens = nn.Embedding(params.vocab_size, params.dim)
        self.positions = nn.Embedding(params.max_seq_len, params.dim)
        self.blocks = nn.ModuleList(
            Block(params.dim, params.n_heads, params.mlp_ratio) for _ in range(params.n_layers)
        )
        self.norm = nn.LayerNorm(params.dim)
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                nn.init.normal_(part.weight, std=STD)
            if isinstance(part, nn.Linear):
                nn.init.zeros_(part.bias)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T


class PlainTrainer:
    """One AdamW step a call, on the same batches and at the same rates as ours."""

    def __init__(self, model: PlainGPT, text: TokenText, params: TrainParams, seed: int) -> None:
        self.model, self.text, self.params, self.seed = model, text, params, seed
        self.optimizer = make_optimizer(model)
        self.step_number = 0

    def step(self) -> float:
        """The loss of the step."""
        p = self.params
        batch = self.text.batch(self.seed, self.step_number, p.batch, p.context)
        ids, targets = torch.from_numpy(batch.ids), torch.from_numpy(batch.targets)
        loss = F.cross_entropy(self.model(ids).flatten(0, 1), targets.flatten())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), p.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.step_number, p)
            group["weight_decay"] = p.weight_decay if group["decays"] else 0.0
        self.optimizer.step()
        self.step_number += 1
        return float(loss.detach())

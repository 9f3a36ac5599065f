"""Every part of a block stays on the device and in the dtype of its weights."""

import pytest
import torch

from t4dm.spiking.apical import ApicalModulation
from t4dm.spiking.cortical_block import CorticalBlock
from t4dm.spiking.recurrent import Recurrent
from t4dm.spiking.rwkv import RWKVTimeMix
from t4dm.spiking.spike_attention import SpikeAttention
from t4dm.spiking.thalamic_gate import ThalamicGate

D = 16


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from tensors(part)


@pytest.mark.parametrize(
    "made",
    [
        lambda x: ThalamicGate(D).to("meta")(x),
        lambda x: ApicalModulation(D).to("meta")(x, x),
        lambda x: Recurrent(D).to("meta")(x),
        lambda x: RWKVTimeMix(D).to("meta")(x),
        lambda x: SpikeAttention(D, 4, 5).to("meta")(x),
        lambda x: SpikeAttention(D, 4, 5).to("meta").mix(x),
        lambda x: CorticalBlock(D, 4).to("meta")(x),
        lambda x: CorticalBlock(D, 4).to("meta").init_plastic().stdp,
    ],
)
def test_nothing_is_made_on_another_device(made):
    for tensor in tensors(made(torch.empty(2, 9, D, device="meta"))):
        assert tensor.device.type == "meta"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_block_keeps_its_dtype(dtype):
    block = CorticalBlock(D, 4, dtype=dtype)
    out, state = block(torch.rand(2, 9, D).to(dtype))
    wide = {torch.bfloat16: torch.float32}.get(dtype, dtype)
    assert out.dtype == dtype and out.isfinite().all()
    assert {t.dtype for t in tensors(state)} <= {dtype, wide, torch.bool}

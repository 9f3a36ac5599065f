"""The whole model: causal, streaming = batch, tied, and a memory that changes what is predicted."""

import math

import pytest
import torch
import torch.nn.functional as F

from t4dm.hippocampal.params import HippocampalParams
from t4dm.hippocampal.transformer import HippocampalTransformer
from t4dm.params import ParamError

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def loss(model, ids, **more):
    logits = model(ids, **more).logits
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


def test_an_untrained_model_knows_nothing(model, ids):
    assert loss(model, ids).item() == pytest.approx(math.log(97), abs=0.1)


def test_a_changed_token_moves_nothing_before_it(model, ids, prosody):
    bank = model.remember(model.empty_memory(), model(ids).cue[0], ids[0])
    more = {"use_memory": True, "memory": bank}
    before = model(ids, prosody, **more).logits
    for t in (0, 7, 23):
        other, tune = ids.clone(), prosody.clone()
        other[:, t], tune[:, t] = (ids[:, t] + 1) % 97, 0.0
        after = model(other, tune, **more).logits
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t:], after[:, t:])


@pytest.mark.parametrize("cuts", [[1] * 24, [5, 1, 18], [23, 1]])
def test_streaming_equals_batch(model, ids, prosody, cuts):
    bank = model.remember(model.empty_memory(), model(ids).cue[1], ids[1])
    more = {"use_memory": True, "memory": bank}
    whole = model(ids, prosody, **more)
    context, parts, at = None, [], 0
    for n in cuts:
        made = model(ids[:, at : at + n], prosody[:, at : at + n], context=context, **more)
        context, at = made.context, at + n
        parts.append(made.logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole.logits, **TOLERANCE)
    torch.testing.assert_close(context.cue, whole.context.cue, **TOLERANCE)


def test_the_head_is_the_embedding(model):
    assert model.output_head.weight is model.encoder.token_embedding.weight
    names = [name for name, _ in model.named_parameters()]
    assert sum("token_embedding" in name or "output_head" in name for name in names) == 1


def test_a_trace_changes_nothing_and_shows_everything(model, ids, prosody):
    more = {"use_memory": True, "memory": model.empty_memory()}
    plain, seen = model(ids, prosody, **more), model(ids, prosody, need_trace=True, **more)
    torch.testing.assert_close(plain.logits, seen.logits, **TOLERANCE)
    assert plain.trace is None
    assert seen.trace.attention.shape == (2, 3, 4, 24, 24)
    assert seen.trace.memory_gate.shape == (2, 3, 24)
    assert seen.recalled.slot.shape == (3, 24, 4)


def test_an_empty_bank_reads_as_nothing_but_the_gate(model, ids):
    given = model(ids, use_memory=True, memory=model.empty_memory()).logits
    assert torch.equal(given, model(ids, use_memory=True).logits)


def test_a_fact_stored_once_is_recalled_after_it_left_the_context(model):
    """Twenty facts of six tokens are told once, each in its own text; four other texts follow."""
    draws = torch.Generator().manual_seed(5)
    bank = model.empty_memory()
    facts = torch.stack([torch.randperm(97, generator=draws)[:6] for _ in range(20)])
    filler = torch.randint(97, (4, 37), generator=draws)
    for told in [*facts, *filler]:
        bank = model.remember(bank, model(told[None]).cue[0, :-1], told[1:])
    assert bank.used == 20 * 5 + 4 * 36
    asked = torch.cat([torch.randint(97, (20, 9), generator=draws), facts[:, :-1]], dim=1)
    with_memory = model(asked, use_memory=True, memory=bank)
    answer = with_memory.logits[:, -1].argmax(-1)
    assert (answer == facts[:, -1]).float().mean() >= 0.9
    best = with_memory.recalled.slot[:, -1, 0]
    assert torch.equal(bank.values[best], facts[:, -1])
    without = model(asked).logits[:, -1].argmax(-1)
    assert (without == facts[:, -1]).float().mean() <= 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dtype_is_kept(model, ids, prosody, dtype):
    model = model.to(dtype)
    made = model(ids, prosody, use_memory=True, memory=model.empty_memory())
    assert made.logits.dtype == dtype and made.place.dtype == dtype
    made.logits.sum().backward()
    assert model.encoder.token_embedding.weight.grad.dtype == dtype


def test_nothing_is_left_on_another_device(model, ids, prosody):
    """The meta device refuses every tensor made elsewhere."""
    model = model.to("meta")
    assert model.output_head.weight is model.encoder.token_embedding.weight
    more = {"use_memory": True, "memory": model.empty_memory()}
    made = model(ids.to("meta"), prosody.to("meta"), **more)
    model(ids.to("meta"), prosody.to("meta"), context=made.context, **more)
    assert made.logits.device.type == "meta"


def test_one_seed_is_one_model(ids):
    params = HippocampalParams(vocab_size=97, dim=32, n_layers=1, max_seq_len=32, n_place=64)
    torch.manual_seed(1)
    first = HippocampalTransformer(params, seed=4)
    torch.manual_seed(2)
    again, other = (HippocampalTransformer(params, seed=s) for s in (4, 5))
    first, again, other = first.eval(), again.eval(), other.eval()
    assert torch.equal(first(ids).logits, again(ids).logits)
    assert not torch.equal(first(ids).logits, other(ids).logits)


def test_dropout_asks_for_its_generator_and_is_repeatable(model, ids):
    model.train()
    with pytest.raises(ValueError, match="pass generator"):
        model(ids)
    first, again = (model(ids, generator=torch.Generator().manual_seed(7)).logits for _ in range(2))
    assert torch.equal(first, again)
    model.dropout = 0.0
    assert torch.equal(model(ids).logits, model.eval()(ids).logits)


def test_wrong_input_is_refused_in_words(model):
    with pytest.raises(ValueError, match="token id 97 lies outside the vocabulary of 97"):
        model(torch.tensor([[1, 97]]))
    with pytest.raises(ValueError, match="outside the context of 48 tokens"):
        model(torch.zeros(1, 49, dtype=torch.int64))
    for empty in (torch.zeros(2, 0, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)):
        with pytest.raises(ValueError, match=r"shaped \(B, T\) with at least one token, got"):
            model(empty)
    with pytest.raises(ParamError, match="must divide dim = 32, got 5"):
        HippocampalTransformer(HippocampalParams(dim=32, n_heads=5))

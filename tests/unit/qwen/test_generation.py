"""Generation: the cache changes nothing, rows end by themselves, sampling follows its generator."""

import pytest
import torch

from t4dm.qwen.generation import last_real, next_token


def run_on(model, ids, chunks):
    """Logits and spikes of ``ids`` given in ``chunks``, each going on from the past of the one before."""
    past, logits, spikes, attention = None, [], [], []
    with torch.no_grad():
        for part in ids.split(chunks, dim=1):
            out = model(part, past=past, use_cache=True, return_spike_trace=True)
            past = out.past
            logits.append(out.logits)
            spikes.append(torch.stack([t["spikes"] for t in out.spike_trace.values()]))
            attention.append(out.spike_trace["block 1"]["attention"])
    return torch.cat(logits, 1), torch.cat(spikes, 2), attention


@pytest.mark.parametrize("chunks", [[1] * 24, [9, 1, 14]])
def test_going_on_from_the_past_equals_one_pass(wide_model, ids, chunks):
    logits, spikes, attention = run_on(wide_model, ids, chunks)
    whole_logits, whole_spikes, whole = run_on(wide_model, ids, [24])
    assert torch.equal(spikes, whole_spikes)
    assert spikes.sum() > 100
    torch.testing.assert_close(logits, whole_logits, atol=1e-4, rtol=0)
    last = attention[-1][..., -1, -24:]  # the last token's row, over the tokens it can see
    torch.testing.assert_close(last, whole[0][..., -1, :], atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_generation_with_and_without_the_cache_gives_the_same_tokens(make_model, ids, dtype):
    model = make_model(dtype=dtype)
    with_cache = model.generate(ids, max_new_tokens=8)
    assert with_cache.shape == (2, 32)
    assert torch.equal(with_cache, model.generate(ids, max_new_tokens=8, use_cache=False))


@pytest.mark.parametrize("use_cache", [True, False])
def test_padding_on_either_side_gives_the_tokens_of_the_text_alone(wide_model, ids, use_cache):
    alone = wide_model.generate(ids[:1], max_new_tokens=5)[:, 24:]
    for side in ("left", "right"):
        pad, real = torch.zeros(1, 4, dtype=torch.long), torch.ones(1, 24, dtype=torch.long)
        order = (pad, ids[:1]) if side == "left" else (ids[:1], pad)
        marks = (pad, real) if side == "left" else (real, pad)
        row, mask = torch.cat(order, 1), torch.cat(marks, 1)
        both = wide_model.generate(
            torch.cat([row, row.roll(1, 0)]), torch.cat([mask, mask]), max_new_tokens=5,
            use_cache=use_cache,
        )  # fmt: skip
        assert torch.equal(both[:1, 28:], alone), side


def test_a_finished_row_goes_on_as_padding(wide_model, ids, monkeypatch):
    def sampled():
        return wide_model.generate(
            ids, max_new_tokens=6, temperature=5.0, generator=torch.Generator().manual_seed(4)
        )[:, 24:].tolist()

    free = sampled()
    end = free[0][2]
    assert end not in free[0][:2] + free[1]
    monkeypatch.setattr("t4dm.qwen.generation.end_tokens", lambda model: [end])
    assert sampled() == [free[0][:3] + [end] * 3, free[1]]


def test_generation_stops_when_every_row_has_ended(wide_model, ids, monkeypatch):
    likely = wide_model.generate(ids[:1], max_new_tokens=1)[0, -1]
    monkeypatch.setattr("t4dm.qwen.generation.end_tokens", lambda model: [int(likely)])
    assert wide_model.generate(ids[:1], max_new_tokens=9).shape == (1, 25)


def test_sampling_follows_its_generator(wide_model, ids):
    def sampled(seed):
        generator = torch.Generator().manual_seed(seed)
        return wide_model.generate(ids, max_new_tokens=6, temperature=2.0, generator=generator)

    assert torch.equal(sampled(1), sampled(1))
    assert not torch.equal(sampled(1), sampled(2))


def test_temperature_is_checked():
    logits = torch.zeros(1, 3)
    with pytest.raises(ValueError, match="temperature: expected 0 or more, got -1"):
        next_token(logits, -1.0)
    with pytest.raises(ValueError, match="needs a seeded generator"):
        next_token(logits, 1.0)


def test_last_real_token():
    mask = torch.tensor([[1, 1, 0], [0, 1, 1], [1, 0, 0]]).bool()
    assert last_real(mask).tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="without a single real token"):
        last_real(torch.zeros(1, 3, dtype=torch.bool))

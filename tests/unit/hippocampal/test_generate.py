"""Writing on from a prompt."""

import pytest
import torch

from t4dm.hippocampal.generate import generate, pick


def text_of(token):
    return chr(32 + token)


def written(model, n=12, **more):
    return list(generate(model, [1, 2, 3], n, text_of, **more))


def test_greedy_writing_equals_reading_everything_again(model):
    from t4dm.hippocampal.prosody import prosody_of

    told = [1, 2, 3]
    for token in written(model, temperature=0.0):
        prosody = torch.from_numpy(prosody_of(map(text_of, told))[0])[None]
        assert token == int(model(torch.tensor([told]), prosody).logits[0, -1].argmax())
        told.append(token)


def test_every_token_is_heard_with_its_own_prosody(model, monkeypatch):
    from t4dm.hippocampal.prosody import prosody_of

    heard, forward = [], model.forward
    monkeypatch.setattr(model, "forward", lambda ids, prosody, *a, **k: (
        heard.append((ids[0], prosody[0])) or forward(ids, prosody, *a, **k)
    ))  # fmt: skip
    written(model, n=30, generator=torch.Generator().manual_seed(0))
    told = torch.cat([ids for ids, _ in heard])
    expected = torch.from_numpy(prosody_of(map(text_of, told.tolist()))[0])
    assert torch.equal(torch.cat([prosody for _, prosody in heard]), expected)


def test_one_seed_writes_one_text(model):
    first, again, other = (
        written(model, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_it_writes_past_the_end_of_the_context(model):
    tokens = written(model, n=120, generator=torch.Generator().manual_seed(0))
    assert len(tokens) == 120 and all(0 <= token < 97 for token in tokens)


def test_a_long_prompt_is_read_from_its_end(model):
    prompt = [t % 97 for t in range(100)]
    tail = list(generate(model, prompt[-24:], 3, text_of, temperature=0.0))
    assert next(iter(generate(model, prompt, 3, text_of, temperature=0.0))) == tail[0]


def test_the_mode_is_put_back(model):
    model.train()
    written(model, n=2, temperature=0.0)
    assert model.training


def test_a_step_may_be_trained_between_two_tokens(model):
    """Training goes on in its own mode, and no dropout gets into the text."""
    expected = written(model, n=8, temperature=0.0)
    found = []
    for token in generate(model, [1, 2, 3], 8, text_of, temperature=0.0):
        assert model.training is bool(found)
        found.append(token)
        model.train()
    assert found == expected


def test_temperature_and_top_k_narrow_the_choice():
    logits = torch.tensor([0.0, 1.0, 3.0])
    draws = torch.Generator().manual_seed(0)
    assert pick(logits, 0.0, None, None) == 2
    assert {pick(logits, 5.0, 2, draws) for _ in range(60)} == {1, 2}
    with pytest.raises(ValueError, match="temperature must be 0 or more"):
        pick(logits, -1.0, None, draws)


def test_an_empty_prompt_is_refused(model):
    with pytest.raises(ValueError, match="at least one token"):
        list(generate(model, [], 1, text_of))

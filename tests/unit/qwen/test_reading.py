"""Reading a text token by token: rounds, settings, what a token shows."""

import numpy as np
import pytest
import torch

from t4dm.params import ParamError
from t4dm.qwen.reading import LONGEST_TEXT, Reading, controls

TEXT = "Spikes tell the time."


@pytest.fixture
def reading(make_model):
    """A reading of a short text and four tokens more, the likeliest ones."""
    reading = Reading(make_model())
    reading.apply({"script.text": TEXT, "script.new_tokens": 4, "script.temperature": 0.0})
    return reading


def one_round(reading):
    tokens = [reading.next()]
    while not reading.round_is_over:
        tokens.append(reading.next())
    return tokens


def test_a_round_is_the_text_and_what_generation_adds(reading):
    tokens = one_round(reading)
    ids = reading.model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    whole = reading.model.generate(ids, max_new_tokens=4)
    assert "".join(token.label for token in tokens[: ids.shape[1]]) == TEXT
    assert reading.written == whole[0, ids.shape[1] :].tolist()
    assert reading.said == reading.model.tokenizer.decode(reading.written)
    assert [token.index for token in tokens] == list(range(len(tokens)))
    assert [token.is_new for token in tokens] == [False] * ids.shape[1] + [True] * 4
    assert [token.is_first_new for token in tokens].index(True) == ids.shape[1]


def test_a_round_begins_from_rest(reading):
    first, second = one_round(reading), one_round(reading)
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.membranes(), b.membranes())


def test_a_token_shows_what_the_model_traces(reading):
    tokens = one_round(reading)
    ids = reading.model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        trace = reading.model(ids, return_spike_trace=True).spike_trace
    n = ids.shape[1]
    spikes = np.stack([np.concatenate(token.spikes(), axis=1)[0] for token in tokens[:n]])
    whole = torch.cat([block["spikes"][0] for block in trace.values()], dim=-1).numpy()
    assert np.array_equal(spikes, whole) and spikes.sum() > 50
    assert [part.shape for part in tokens[0].spikes()] == [(1, 32)] * 4
    gates = np.concatenate([token.gates() for token in tokens[:n]])
    whole = torch.stack([block["gate"][0] for block in trace.values()], dim=1)
    np.testing.assert_allclose(gates, whole, atol=1e-5)
    for t, token in enumerate(tokens[:n]):
        whole = torch.stack([block["attention"][0, :, t].mean(0) for block in trace.values()])
        last = whole[:, max(0, t - 63) : t + 1]
        np.testing.assert_allclose(token.attention(64)[0, :, 64 - last.shape[1] :], last, atol=1e-5)
        assert (token.attention(64)[0, :, : 64 - last.shape[1]] == 0).all()
        assert token.keys(64).tolist() == [[last.shape[1]] * len(trace)]
    membranes = np.concatenate([token.membranes() for token in tokens[:n]])
    assert np.array_equal(membranes >= 1.0, spikes == 1)


def test_every_control_acts_from_the_next_token_on(reading):
    for name in controls(reading.model):
        if name in ("text", "new_tokens", "temperature", "tokens_per_s", "mix"):
            continue
        settings = reading.model.settings
        reading.apply({f"script.{name}": 0.25})
        changed = [
            field for field, value in vars(reading.model.settings).items()
            if not np.array_equal(value, getattr(settings, field))
        ]  # fmt: skip
        assert changed == [name]
    reading.apply({"script.mix": 0.4})
    assert reading.model.mix == pytest.approx(0.4)


def test_a_high_threshold_silences(reading):
    def spikes():
        return sum(part.sum() for token in one_round(reading) for part in token.spikes())

    before = spikes()
    reading.apply({"script.v_thresh": 10.0})
    assert before > 50 and spikes() < before / 20


def test_a_new_text_begins_a_new_round(reading):
    one_round(reading)
    reading.next()
    reading.apply({"script.text": "Other words."})
    assert reading.next().index == 0
    assert reading.next().index == 1
    reading.apply({"script.text": "Other words."})
    assert reading.next().index == 2


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_TEXT + 1)])
def test_a_text_that_cannot_be_read_changes_nothing(reading, text):
    before = reading.model.settings
    with pytest.raises(ParamError, match="expected 1 to 4000 characters"):
        reading.apply({"script.v_thresh": 3.0, "script.text": text})
    assert reading.model.settings is before
    assert reading.values["text"] == TEXT


def test_draws_follow_the_seed(make_model):
    said = []
    for seed in (1, 1, 2):
        reading = Reading(make_model(), seed)
        reading.apply({"script.text": TEXT, "script.temperature": 2.0, "script.new_tokens": 6})
        one_round(reading)
        said.append(reading.written)
    assert said[0] == said[1] != said[2]

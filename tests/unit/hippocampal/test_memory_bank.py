"""The memory bank: exact recall, a stated eviction, a value that is handed in and out."""

import numpy as np
import pytest
import torch

from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.memory_bank import EMPTY_SCORE, empty_bank, recall, touch, write


def filled(n, size, key_size=8, seed=0):
    keys = torch.randn(n, key_size, generator=torch.Generator().manual_seed(seed))
    return write(empty_bank(size, key_size), keys, torch.arange(n)), keys


def brute_force(keys, queries, k):
    """Slots by a float64 sort of every cosine."""
    keys, queries = keys.double().numpy(), queries.double().numpy()
    keys = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return np.argsort(-(queries @ keys.T), axis=1)[:, :k]


@pytest.mark.parametrize("k", [1, 4, 32])
def test_recall_equals_brute_force_on_ten_thousand(k):
    bank, keys = filled(10_000, 10_000, key_size=64)
    queries = torch.randn(300, 64, generator=torch.Generator().manual_seed(1))
    found = recall(bank, queries, k)
    expected = brute_force(keys, queries, k)
    assert np.array_equal(np.sort(found.slot.numpy(), 1), np.sort(expected, 1))
    assert (found.score.diff(dim=-1) <= 0).all()


def test_many_queries_are_the_same_as_few(monkeypatch):
    bank, _ = filled(200, 256)
    queries = torch.randn(5, 9, 8, generator=torch.Generator().manual_seed(3))
    whole = recall(bank, queries, 3)
    monkeypatch.setattr(memory_bank, "CHUNK", 7)
    chunked = recall(bank, queries, 3)
    assert whole.slot.shape == (5, 9, 3) and torch.equal(whole.slot, chunked.slot)


def test_free_slots_are_never_recalled():
    bank, keys = filled(3, 10)
    found = recall(bank, keys[:1], 5)
    assert found.slot[0, 0] == 0 and (found.score[0, 3:] == EMPTY_SCORE).all()
    assert (recall(empty_bank(4, 8), keys, 2).score == EMPTY_SCORE).all()


def test_asking_for_more_than_there_are_slots_gives_every_slot():
    bank, keys = filled(3, 3)
    assert recall(bank, keys, 99).slot.shape == (3, 3)


def test_a_full_bank_evicts_the_least_recently_written():
    bank, _ = filled(4, 4)
    bank = write(bank, torch.ones(2, 8), torch.tensor([10, 11]))
    assert sorted(bank.values.tolist()) == [2, 3, 10, 11]


def test_a_recalled_event_outlives_an_unused_one():
    bank, keys = filled(4, 4)
    bank = touch(bank, recall(bank, keys[0][None], 1))
    bank = write(bank, torch.ones(3, 8), torch.tensor([10, 11, 12]))
    assert sorted(bank.values.tolist()) == [0, 10, 11, 12]


def test_touching_leaves_free_slots_free():
    bank, keys = filled(2, 5)
    assert touch(bank, recall(bank, keys, 5)).used == 2


def test_more_events_than_slots_keep_the_newest():
    bank, _ = filled(10, 4)
    assert sorted(bank.values.tolist()) == [6, 7, 8, 9]


def test_writing_changes_nothing_that_was_handed_in():
    bank, _ = filled(4, 4)
    before = [part.clone() for part in bank]
    write(bank, torch.ones(2, 8), torch.zeros(2))
    touch(bank, recall(bank, torch.ones(1, 8), 2))
    assert all(torch.equal(a, b) for a, b in zip(before, bank, strict=True))


def test_values_may_be_vectors():
    bank = empty_bank(4, 2, (3,), torch.float32)
    bank = write(bank, torch.eye(2), torch.tensor([[1.0, 2, 3], [4, 5, 6]]))
    found = recall(bank, torch.tensor([[0.1, 1.0]]), 1)
    assert bank.values[found.slot[0, 0]].tolist() == [4, 5, 6]


def test_temporal_context_fades_and_goes_on_where_it_stopped():
    place = torch.rand(2, 12, 5, generator=torch.Generator().manual_seed(0))
    cue = memory_bank.temporal_context(place, 0.6)
    by_hand = torch.zeros(2, 5)
    for t in range(12):
        by_hand = 0.6 * by_hand + place[:, t]
        torch.testing.assert_close(cue[:, t], by_hand)
    later = memory_bank.temporal_context(place[:, 7:], 0.6, cue[:, 6])
    torch.testing.assert_close(later, cue[:, 7:])

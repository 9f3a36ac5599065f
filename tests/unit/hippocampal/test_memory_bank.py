"""The memory bank: exact recall, a stated eviction, a value that is handed in and out."""

import numpy as np
import pytest
import torch

from t4dm.hippocampal import memory_bank
from t4dm.hippocampal.memory_bank import (
    EMPTY_SCORE,
    empty_bank,
    recall,
    recall_along,
    temporal_context,
    touch,
    write,
)


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


def codes(batch, time, n_place=64, share=4, seed=0, dtype=torch.float64):
    """Place codes (B, T, P): ``share`` winners a token."""
    drive = torch.randn(
        batch, time, n_place, generator=torch.Generator().manual_seed(seed), dtype=dtype
    )
    top, index = drive.topk(share, dim=-1)
    return torch.zeros_like(drive).scatter(-1, index, torch.sigmoid(top))


def contexts(place, decay, before=None):
    """Cues in the dtype of ``place``, one after the other."""
    cue = torch.zeros_like(place[:, 0]) if before is None else before
    cues = []
    for token in place.unbind(1):
        cue = decay * cue + token
        cues.append(cue)
    return torch.stack(cues, 1)


def told(n, size, dtype=torch.float64):
    """A bank of ``size`` slots, n of them filled with contexts, in ``dtype``."""
    keys = contexts(codes(1, n, seed=9), 0.6)[0]
    bank = write(empty_bank(size, 64), keys.float(), torch.arange(n))
    return bank._replace(keys=bank.keys.to(dtype))


@pytest.mark.parametrize(("n", "size"), [(1500, 1500), (700, 1024), (37, 64)])
@pytest.mark.parametrize("share", [4, 7, 1])
def test_recall_along_a_text_is_the_recall_of_its_contexts(n, size, share):
    bank, place = told(n, size), codes(3, 40, share=share)
    before = contexts(codes(3, 5, seed=4), 0.6)[:, -1]
    for start in (None, before):
        cue = contexts(place, 0.6, start)
        product, along = recall(bank, cue, 5), recall_along(bank, place, cue, 0.6, 5, start)
        torch.testing.assert_close(along.score, product.score, rtol=0, atol=1e-6)
        alike = (
            product.score < 1e-6
        )  # events that share no cell with the context: any of them will do
        assert torch.equal(along.slot[~alike], product.slot[~alike])
        assert (bank.stamp[along.slot] >= 0).all()


def test_recall_along_a_text_in_float32_is_near():
    bank, place = told(900, 1024, torch.float32), codes(2, 128, dtype=torch.float32)
    cue = temporal_context(place, 0.6)
    product, along = recall(bank, cue, 4), recall_along(bank, place, cue, 0.6, 4)
    torch.testing.assert_close(along.score, product.score, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("n", "time", "share"), [(0, 40, 4), (3, 40, 4), (60, 7, 4), (60, 40, 40)])
def test_where_nothing_is_gained_the_product_is_taken(monkeypatch, n, time, share):
    def never(*_):
        raise AssertionError("carried")

    monkeypatch.setattr(memory_bank.kernel, "recall_along", never)
    bank, place = told(n, 64) if n else empty_bank(64, 64), codes(2, time, share=share)
    cue = contexts(place, 0.6)
    along = recall_along(bank, place, cue, 0.6, 4)
    assert torch.equal(along.slot, recall(bank, cue, 4).slot)

"""Counter-based draws: a line is what its counter says, and no two lines overlap."""

import numpy as np

from t4dm.stimuli.draws import GridDraws, permutation


def test_a_line_is_its_philox_counter():
    bits = np.random.Philox(key=9, counter=[0, 41, 0, 0])
    line = np.random.Generator(bits).random((8, 64), dtype=np.float32)
    draws = GridDraws(9)
    assert np.array_equal(draws.rows(41 * 8, 8), line)
    draws.rows(0, 5)
    assert np.array_equal(draws.rows(41 * 8 + 3, 2), line[3:5])


def test_lines_share_no_numbers():
    draws = GridDraws(1).rows(0, 64).reshape(8, -1)
    for lag in range(1, 300):
        assert not np.array_equal(draws[0, lag : lag + 64], draws[1, :64])
    assert len(np.unique(draws)) > 0.99 * draws.size


def test_permutation_is_seeded_and_new_each_pass():
    assert np.array_equal(permutation(3, 0, 50), permutation(3, 0, 50))
    assert not np.array_equal(permutation(3, 0, 50), permutation(3, 1, 50))
    assert not np.array_equal(permutation(3, 0, 50), permutation(4, 0, 50))
    assert sorted(permutation(3, 7, 50)) == list(range(50))

"""The compiled LIF step against a plain numpy one."""

import numpy as np

from t4dm.kernels.lif import lif_step


def test_equal_to_numpy():
    rng = np.random.default_rng(0)
    alpha, theta, beta, u_max = 0.9, 1.1, 0.7, 1.5
    u, mine = np.zeros(50), np.zeros(50)
    u_pre, ids = np.zeros(50), np.zeros(50, np.uint16)
    for _ in range(200):
        current = rng.normal(0.2, 0.8, 50)
        before = alpha * u + current
        s = before >= theta
        free = before - beta * theta * s
        u = np.clip(free, -u_max, u_max)
        n, clamped, strange = lif_step(current, mine, alpha, theta, beta, u_max, u_pre, ids)
        assert ids[:n].tolist() == np.flatnonzero(s).tolist()
        assert (clamped, strange) == ((np.abs(free) > u_max).sum(), 0)
        np.testing.assert_allclose(mine, u, atol=1e-14)
        np.testing.assert_allclose(u_pre, before, atol=1e-14)


def test_nan_stays_and_is_counted():
    u, u_pre, ids = np.zeros(3), np.zeros(3), np.zeros(3, np.uint16)
    current = np.array([np.nan, np.inf, 0.1])
    n, clamped, strange = lif_step(current, u, 0.9, 1.0, 1.0, 10.0, u_pre, ids)
    assert (n, strange) == (1, 2)
    assert np.isnan(u[0]) and u[1] == 10.0 and clamped == 1

"""Rate maps from spikes and occupancy, and what can be read off a map.

    map(bin)   = (G * spikes)(bin) / (G * seconds)(bin)      G: Gaussian over neighbouring bins
    r(shift)   = Pearson correlation of a map with itself shifted, over the bins both know
    spacing    = median distance of the six peaks of r nearest to the middle
    gridness   = min(r at 60, 120) - max(r at 30, 90, 150)   of the ring round the middle, turned
    information= sum_bin p (f/F) log2(f/F)   bits a spike, p share of time, F mean rate
Occupancy-normalised maps and their information: Skaggs et al. 1993; autocorrelogram and spacing: Hafting
et al. 2005; gridness: Sargolini et al. 2006.  numpy only.
C cells  S bins a side
"""

from __future__ import annotations

import math

import numpy as np

SMOOTH_BINS = 1.2  # sd of G in bins
LEAST_OVERLAP = 20  # bins both maps must know for a correlation
TURNS = (30, 60, 90, 120, 150)


def smoothing(side: int, sd: float = SMOOTH_BINS) -> np.ndarray:
    """(S,S) weights of one axis; rows are not normalised, as they divide out of a map."""
    at = np.arange(side)
    return np.exp(-0.5 * ((at[:, None] - at[None, :]) / sd) ** 2)


def rate_maps(spikes_CSS: np.ndarray, seconds_SS: np.ndarray) -> np.ndarray:
    """(C,S,S) float32 in Hz; NaN in bins that were never visited."""
    weights = smoothing(len(seconds_SS))
    time = weights @ seconds_SS @ weights
    counts = weights @ spikes_CSS.astype(np.float64) @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        maps = counts / time
    return np.where(seconds_SS > 0, maps, np.nan).astype(np.float32)


def tuning(spikes_CB: np.ndarray, seconds_B: np.ndarray) -> np.ndarray:
    """(C,B) float32 in Hz over bins of time; NaN in bins that had no time."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = spikes_CB / seconds_B
    return np.where(seconds_B > 0, rates, np.nan).astype(np.float32)


def field_centre(map_SS: np.ndarray) -> tuple[float, float]:
    """Row and column, in bins, of the rate-weighted middle of the bins above half the largest rate.

    The middle of bin (0, 0) is at (0.5, 0.5); NaN where the cell never fired.
    """
    rate = np.where(np.isfinite(map_SS), map_SS, 0.0).astype(np.float64)
    rate[rate < 0.5 * rate.max()] = 0.0
    total = rate.sum()
    if total <= 0:
        return math.nan, math.nan
    at = np.arange(len(rate)) + 0.5
    return float(rate.sum(1) @ at / total), float(rate.sum(0) @ at / total)


def information(map_SS: np.ndarray, seconds_SS: np.ndarray) -> float:
    """Bits a spike that a rate map tells of the place; NaN where the cell never fired."""
    known = np.isfinite(map_SS) & (seconds_SS > 0)
    share = seconds_SS[known] / max(seconds_SS[known].sum(), 1e-12)
    rate = map_SS[known].astype(np.float64)
    mean = float(share @ rate)
    if mean <= 0:
        return math.nan
    ratio = rate / mean
    return float((share * ratio * np.log2(np.where(ratio > 0, ratio, 1.0))).sum())


def autocorrelogram(map_SS: np.ndarray) -> np.ndarray:
    """(2S-1,2S-1) float32: correlation at shifts of -(S-1) to S-1 bins; NaN under 20 common bins.

    Counts, sums and products at all shifts come from Fourier transforms of the map and its mask.
    """
    known = np.isfinite(map_SS).astype(np.float64)
    values = np.where(known > 0, map_SS, 0.0).astype(np.float64)
    n, sum_a = _correlated(known, known), _correlated(values, known)
    sum_b, squares_a = sum_a[::-1, ::-1], _correlated(values**2, known)
    product, squares_b = _correlated(values, values), squares_a[::-1, ::-1]
    n = np.round(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = (n * squares_a - sum_a**2) * (n * squares_b - sum_b**2)
        r = (n * product - sum_a * sum_b) / np.sqrt(np.maximum(below, 0.0))
    return np.where((n >= LEAST_OVERLAP) & (below > 1e-9), r, np.nan).astype(np.float32)


def _correlated(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """sum_x a(x) b(x - shift) at every shift, (2S-1,2S-1)."""
    side = len(a)
    shape = (2 * side - 1, 2 * side - 1)
    full = np.fft.irfft2(
        np.fft.rfft2(a, shape) * np.conj(np.fft.rfft2(b, shape)), shape, norm="backward"
    )
    return np.roll(full, (side - 1, side - 1), axis=(0, 1))


def peaks(r: np.ndarray, least: float = 0.1) -> np.ndarray:
    """(n,2) shifts in bins, finer than a bin, of local maxima of ``r`` above ``least``, nearest first.

    The middle itself is left out.  A peak's place is that of a parabola through its neighbours.
    """
    filled = np.where(np.isfinite(r), r, -1.0)
    inner = filled[1:-1, 1:-1]
    around = [
        filled[1 + dy : len(r) - 1 + dy, 1 + dx : len(r) - 1 + dx]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dy, dx) != (0, 0)
    ]
    is_peak = (inner > least) & np.all([inner >= other for other in around], axis=0)
    rows, columns = np.nonzero(is_peak)
    middle = len(r) // 2
    found = np.array(
        [
            (y + 1 + _top(filled[y : y + 3, x + 1]) - middle, x + 1 + _top(filled[y + 1, x : x + 3]) - middle)
            for y, x in zip(rows, columns, strict=True)
            if (y + 1, x + 1) != (middle, middle)
        ]
    ).reshape(-1, 2)  # fmt: skip
    return found[np.argsort(np.hypot(found[:, 0], found[:, 1]), kind="stable")]


def _top(three: np.ndarray) -> float:
    """Where the parabola through three neighbouring values is highest, -1/2 to 1/2."""
    below, mid, above = (float(v) for v in three)
    bend = below - 2 * mid + above
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (below - above) / bend))


def spacing(r: np.ndarray) -> float:
    """Distance in bins of neighbouring fields; NaN where fewer than three peaks stand round the middle."""
    found = peaks(r)[:6]
    return float(np.median(np.hypot(found[:, 0], found[:, 1]))) if len(found) >= 3 else math.nan


def gridness(r: np.ndarray) -> float:
    """How hexagonal the ring from half to 3/2 of the spacing is, -2 to 2; NaN without a spacing."""
    wide = spacing(r)
    middle = len(r) // 2
    if not math.isfinite(wide) or 1.5 * wide > middle:
        return math.nan
    y, x = np.mgrid[-middle : middle + 1, -middle : middle + 1]
    far = np.hypot(x, y)
    ring = (far > 0.5 * wide) & (far < 1.5 * wide) & np.isfinite(r)
    base = r[ring].astype(np.float64)
    scores = {}
    for turn in TURNS:
        angle = math.radians(turn)
        to_y = np.rint(middle + y[ring] * math.cos(angle) - x[ring] * math.sin(angle)).astype(int)
        to_x = np.rint(middle + y[ring] * math.sin(angle) + x[ring] * math.cos(angle)).astype(int)
        turned = r[to_y, to_x].astype(np.float64)
        both = np.isfinite(turned)
        if both.sum() < LEAST_OVERLAP:
            return math.nan
        scores[turn] = float(np.corrcoef(base[both], turned[both])[0, 1])
    return min(scores[60], scores[120]) - max(scores[30], scores[90], scores[150])

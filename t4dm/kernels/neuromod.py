"""Neuromodulator levels of a chunk (docs/equations.md, section 2), in float64.

Torch-free twin: ``t4dm.spiking.neuromod_bus.NeuromodBus.advance``.
Order DA, ACh, NE, 5HT; gains in the order of ``t4dm.spiking.params.GAINS``.
"""

from __future__ import annotations

import math

from t4dm.kernels.compiled import jit


@jit()
def advance_levels(  # type: ignore[no-untyped-def]
    step0, n, levels, boluses, enabled, every, base, keep, held, onset, onset_dose, out, gains
):
    """Levels (n, 4) and gains (n, 5) of steps step0 ..; ``levels`` and ``boluses`` (4,) move on.

    ``keep`` = exp(-every*dt/tau); ``held`` (4,) is NaN where a level is free; ``onset`` (n,) bool marks
    the steps at which a stimulus begins, ``onset_dose`` (4,) what it releases.
    """
    for t in range(n):
        update = (step0 + t) % every == 0
        for m in range(4):
            level = levels[m]
            if update:
                level = base[m] + (level - base[m]) * keep[m] + boluses[m]
                boluses[m] = 0.0
            if onset[t]:
                level += onset_dose[m]
            level = min(1.0, max(0.0, level)) if math.isnan(held[m]) else held[m]
            if not enabled:
                level = 0.5
                boluses[m] = 0.0
            levels[m] = level
            out[t, m] = level
        drive = min(1.0, max(-1.0, (out[t, 0] - 0.5) / 0.5))
        gains[t, 0] = 0.5 + out[t, 1]
        gains[t, 1] = 0.5 + out[t, 2]
        gains[t, 2] = 1.0 + 0.5 * drive
        gains[t, 3] = 1.0 - 0.3 * drive
        gains[t, 4] = 1.0 / (0.5 + out[t, 3])

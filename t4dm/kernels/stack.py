"""One chunk of the whole stack: block after block, each over all the steps of the chunk."""

from __future__ import annotations

from t4dm.kernels.block import drive_first, drive_next, fire_in, fire_out, look_back, mix_time
from t4dm.kernels.compiled import jit
from t4dm.kernels.observe import pack_spikes


@jit()
def advance_stack(  # type: ignore[no-untyped-def]
    step0, n, rest, watched, watch_from, weights, state, settings, work, out
):
    """Steps step0 .. step0 + n - 1 (n <= CHUNK); ``work.stim``, levels and gains are filled in.

    ``rest`` (n,) bool; ``watched`` (K, 2) column and local neuron, those of stage g in rows
    ``watch_from[g]`` to ``watch_from[g + 1]``.  Returns the number of spikes.
    """
    n_blocks, n_neurons = state.post.shape
    out.strange[:] = -1
    for l in range(n_blocks):
        if l == 0:
            drive_first(step0, n, weights, settings, work)
        else:
            drive_next(l, step0, n, weights, work, out)
        fire_in(l, step0, n, rest, watched, watch_from, weights, state, settings, work, out)
        look_back(l, step0, n, weights, state, settings, work, out)
        mix_time(l, step0, n, weights, state, settings, work, out)
        fire_out(l, step0, n, rest, watched, watch_from, weights, state, settings, work, out)
    return pack_spikes(
        step0, n, out.counts, out.ids, n_neurons, state.hashed, out.spk_n, out.spk_id
    )

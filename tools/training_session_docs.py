"""The part of docs/training.md on sessions that train while they are watched."""

from __future__ import annotations

from t4dm.live.record import MAX_ROWS
from t4dm.live.registry import SessionSpec
from t4dm.live.resting import REST_S
from t4dm.live.training_side import SCALARS
from t4dm.training.runs import RUNS

SESSIONS = """## Training as a session
    curl -s localhost:8000/sessions -d '{{"kind": "training", "run": "tiny", "name": "t"}}'
    curl -s localhost:8000/sessions/t/commands -d '{{"type": "set", "path": "train.learning_rate", "value": 0.001}}'
    curl -s localhost:8000/sessions/t/commands -d '{{"type": "checkpoint", "name": "before"}}'
    curl -s localhost:8000/sessions/t/commands -d '{{"type": "branch", "checkpoint": "before", "name": "again"}}'
    curl -s localhost:8000/sessions/t/samples

The page `/training` shows it. `run` is {runs}; `seed` is the seed of everything drawn; `params` are values of `train.*` and `sample.*` ([parameters.md](parameters.md)), and where they name no `train.learning_rate` a new session takes that of `T4DM_LEARNING_RATE` (0 to 1; a bad value is one sentence in the log and the status, and the run's own rate holds); `options` has `threads`, the threads of torch in that worker (1; more make the steps shorter and the rest of the machine slower), and `brain`: a natural brain before the head, whose experts have a router to look at (each step takes several times as long).
With `fault`, one of the seventeen of [language.md](language.md), two runs, `sound` and `faulty`, begin from the same seed and data and take turns, step by step. Faults of the brain modules are tried on a transformer with a natural brain before its head, both runs, in bfloat16. A fault that raises an error ends its own run with the error's text, and the sound one goes on.

| what | when |
|---|---|
| a command | before the next optimizer step; answered within 50 ms: with what came of it where no step is in work, else with `"queued": true`, and a refusal is then told as an event. `X-T4DM-Ack: applied` waits for the step's end, `queued` never waits |
| held-out loss | every `train.held_out_every` steps, of the model as the next step finds it; a batch at a time |
| a look inside (place cells, gates, prosody) | every `train.probe_every` steps, on one fixed window of held-out text |
| a text | every `sample.every` steps ({samples}), and by the command `sample`, also while paused; eight tokens at a time |
| findings (not finite, exploding, vanishing, plateau, over-fit) | every 5 steps from step 20 on; each with its numbers, cause and remedies: a rate that is too high goes down to that of the run, one that is far too low goes up to it, a pull of EWC that outweighs the loss is let go, and where weights may be beyond repair beginning again is offered |
| pause by itself | when the schedule's `train.total_steps` are done; `run` goes on at its last rate |

`GET /sessions/<id>/records` has a row a step and a run: {scalars}. All of them but `seconds` depend on seed, values and commands alone: a session that is killed, `kill -9` included, goes on with the same losses, bit for bit. The whole course is kept, up to {rows} rows; a longer one is thinned out and says so (`every`).
A branch is a session like any other: it counts for `T4DM_MAX_SESSIONS` and `T4DM_MEMORY_MB`, and is refused beyond them.
A session may take {tiny} MB (tiny) to {memorise} MB (memorise beside a fault), counted with all others.
While another session trains and nobody has asked for the session `default` for {rest:g} s, it is paused, with a reason that says so; it goes on as soon as somebody looks. A pause that somebody asked for stays.
"""


def sessions() -> str:
    """The part as Markdown."""
    large = {"run": "memorise", "fault": "untied_head"}
    return SESSIONS.format(
        runs=" or ".join(f"`{name}` ({run.what})" for name, run in sorted(RUNS.items())),
        samples=", ".join(f"{run.sample_every} in `{name}`" for name, run in sorted(RUNS.items())),
        scalars=", ".join(f"`{name}`" for name in SCALARS),
        rows=f"{MAX_ROWS:,}",
        tiny=SessionSpec("", kind="training").bytes >> 20,
        memorise=SessionSpec("", kind="training", options=large).bytes >> 20,
        rest=REST_S,
    )

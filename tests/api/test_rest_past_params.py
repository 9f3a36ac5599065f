"""Windows of the past are told with the parameters of their time, as far as the log reaches back."""

import copy
import random

import pytest

from dashboard.api.rest.revisions import undone
from dashboard.api.sessions import InForce, client_named, in_force
from t4dm.live.kept_session import NUMBERS_A_START
from t4dm.live.session import Session
from t4dm.live.tree import ParamTree
from tests.api.conftest import post
from tests.api.test_rest_read import body, still
from tests.api.test_rest_revisions import IN_FORCE
from tests.toy_engine import ToyEngine

PAST = [path for path in IN_FORCE if path != "/spiking/lif-params"]
CHANGES = {
    "stdp.a_plus": 0.02, "lif.v_thresh": 1.5, "blocks.1.lif_in.v_thresh": 2.0,
    "homeostasis.target_rate": 0.1, "neuromod.DA_baseline": 0.9, "neuromod.onset_ACh": 0.01,
}  # fmt: skip


@pytest.fixture
def past(client):
    """Answers over a window that ended before the parameters were changed: before, and after."""
    still(client)
    end = body(client, "/spiking/dopamine-trace")["t_ms"]
    before = {path: body(client, path, to_ms=end, last_ms=300) for path in PAST}
    changes = [{"type": "set", "path": path, "value": value} for path, value in CHANGES.items()]
    assert post(client, [*changes, {"type": "step", "n": 40}]).status_code == 200
    yield before, {path: body(client, path, to_ms=end, last_ms=300) for path in PAST}
    post(client, [{"type": "replace", "values": {}}, {"type": "run"}])


def test_an_answer_over_the_past_is_not_changed_by_what_came_after(client, past):
    before, after = past
    for path in PAST:
        assert before[path].pop("params_of") == "now" and after[path].pop("params_of") == "window"
        assert after[path] == before[path]
        newest = body(client, path)
        assert newest["params_of"] == "now"
        assert newest["params_rev"] == newest["applied_rev"] > after[path]["params_rev"]
    assert body(client, "/learning/stdp-metrics")["a_plus_now"] != (
        after["/learning/stdp-metrics"]["a_plus_now"]
    )  # fmt: skip


def test_what_the_log_no_longer_tells_is_said_to_be_of_now(client, past):
    """40 changes push the older ones out of the log."""
    _, after = past
    changes = [{"type": "set", "path": "lif.v_thresh", "value": 1 + k / 100} for k in range(41)]
    assert post(client, changes).status_code == 200
    for path in PAST:
        before = after[path]
        window = before["window"]
        told = body(client, path, to_ms=window["to_ms"], last_ms=300)
        assert told["params_of"] == "now" and told["params_rev"] == before["params_rev"]
        assert told["applied_rev"] == in_force(client_named("default")).rev
    assert all(s["theta_h"] is None for s in body_of_past(client, after)["stages"])


def body_of_past(client, after):
    path = "/learning/homeostatic-state"
    return body(client, path, to_ms=after[path]["window"]["to_ms"], last_ms=300)


def _changed():
    """A tree at revision 3 and the events of its changes; and the tree at revision 1."""
    tree, events = ParamTree(2), []
    for rev, path, value in (
        (1, "lif.v_thresh", 1.5), (2, "blocks.1.lif_in.v_thresh", 2.0), (3, "lif.v_thresh", 3.0),
    ):  # fmt: skip
        lent = path.startswith("blocks.")
        old, new = tree.set(path, value)
        event = {"n": rev, "type": "param", "path": path, "old": old, "new": new, "rev": rev}
        event |= {"inherited": True} if lent else {}
        events.append(event)
        if rev == 1:
            first = copy.deepcopy(tree)
    return InForce(tree, 3), events, first


def test_changes_are_undone_from_the_last_to_the_first():
    held, events, first = _changed()
    tree = undone(held, 1, events)
    assert not tree.is_override("blocks.1.lif_in.v_thresh")
    assert tree.get("lif.v_thresh") == 1.5
    for stage in ("lif_in", "lif_out"):
        assert tree.stage("lif", "v_thresh", 1, stage) == first.stage("lif", "v_thresh", 1, stage)
    assert held.tree.get("lif.v_thresh") == 3.0
    assert undone(held, 0, events).get("lif.v_thresh") == ParamTree(2).get("lif.v_thresh")


PATHS = ("lif.v_thresh", "blocks.1.lif.v_thresh", "blocks.1.lif_in.v_thresh")


@pytest.mark.parametrize("seed", range(20))
def test_every_revision_is_found_again_whatever_overrides_came_and_went(seed):
    """Also overrides with the value that was in force without them."""
    draw = random.Random(seed)
    session = Session("t", ToyEngine(tree=ParamTree(2), seed=1))
    known = {session.rev: session.tree.to_json()}
    for _ in range(12):
        kept = draw.sample(PATHS, draw.randrange(len(PATHS) + 1))
        values = {path: draw.choice([1.0, 1.5]) for path in kept}
        before = session.tree.non_default()
        session.change(session.tree.replace(values), before, "test")
        known[session.rev] = session.tree.to_json()
    held = InForce(session.tree, session.rev)
    for rev, values in known.items():
        assert undone(held, rev, list(session.log)).to_json() == values


def test_a_log_with_a_hole_or_a_cut_beginning_tells_of_no_revision():
    held, events, _ = _changed()
    assert undone(held, 0, [events[0], events[2]]) is None
    assert undone(held, 1, events[1:]) is None
    assert undone(held, 0, []) is None
    resumed = [event | {"n": event["n"] + 4 * NUMBERS_A_START} for event in events]
    assert undone(held, 0, resumed) is not None

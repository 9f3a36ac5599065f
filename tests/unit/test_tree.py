"""The parameter tree: overrides win until cleared, and a refused change changes nothing."""

import json

import pytest

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError


@pytest.fixture
def tree():
    return ParamTree(3)


def test_set_answers_old_and_new(tree):
    assert tree.set("lif.v_thresh", 1.5) == (1.0, 1.5)
    assert tree.get("lif.v_thresh") == 1.5
    assert tree.set("lif.v_thresh", 2) == (1.5, 2.0)
    assert isinstance(tree.get("lif.v_thresh"), float)


def test_the_narrower_override_wins_until_cleared(tree):
    tree.set("lif.v_thresh", 1.1)
    tree.set("blocks.1.lif.v_thresh", 1.2)
    tree.set("blocks.1.lif_in.v_thresh", 1.3)
    assert tree.stage("lif", "v_thresh", 0, "lif_in") == 1.1
    assert tree.stage("lif", "v_thresh", 1, "lif_in") == 1.3
    assert tree.stage("lif", "v_thresh", 1, "lif_out") == 1.2
    assert tree.clear("blocks.1.lif_in.v_thresh") == (1.3, 1.2)
    assert tree.clear("blocks.1.lif.v_thresh") == (1.2, 1.1)
    assert tree.clear("lif.v_thresh") == (1.1, 1.0)
    assert tree.non_default() == {}


def test_an_override_equal_to_the_common_value_is_still_one(tree):
    tree.set("blocks.0.lif.v_thresh", 1.0)
    assert tree.is_override("blocks.0.lif.v_thresh")
    assert tree.non_default() == {"blocks.0.lif.v_thresh": 1.0}
    tree.set("lif.v_thresh", 5.0)
    assert tree.stage("lif", "v_thresh", 0, "lif_in") == 1.0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("lif.vthresh", "did you mean 'lif.v_thresh'"),
        ("", "unknown parameter"),
        ("lif", "unknown parameter"),
        ("blocks.3.lif.v_thresh", "block must be 0 to 2"),
        ("blocks.-1.lif.v_thresh", "block must be 0 to 2"),
        ("blocks.².lif.v_thresh", "block must be 0 to 2"),
        ("blocks.0.lif_mid.v_thresh", "did you mean 'blocks.0.lif_in.v_thresh'"),
        ("blocks.0.stdp.tau_plus", "unknown override"),
        ("blocks.0.lif.nothing", "unknown override"),
        ("x" * 200, "at most 128"),
        (None, "at most 128"),
        (["lif.v_thresh"], "at most 128"),
    ],
)
def test_unknown_paths_are_refused_by_name(tree, path, words):
    for act in (tree.get, tree.clear, lambda p: tree.set(p, 1.0)):
        with pytest.raises(ParamError, match=None) as refused:
            act(path)
        assert words in refused.value.message
    assert tree.non_default() == {}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1e300, 10**500, -1, "1", None, True, [], {}]
)
def test_a_refused_value_changes_nothing(tree, value):
    before = tree.to_json()
    for path in ("lif.v_thresh", "blocks.1.lif_out.v_thresh"):
        with pytest.raises(ParamError) as refused:
            tree.set(path, value)
        assert refused.value.field == path
        assert (refused.value.lo, refused.value.hi) == (0.05, 10)
    assert tree.to_json() == before


def test_a_container_is_refused_shortly_however_deep(tree):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ParamError, match=r"from 0.05 to 10.*, got a list$"):
        tree.check("lif.v_thresh", deep)
    while deep:
        deep = deep.pop()


def test_whole_floats_pass_for_integers(tree):
    assert tree.set("stimulus.image_ms", 300.0) == (250, 300)
    assert isinstance(tree.get("stimulus.image_ms"), int)
    with pytest.raises(ParamError):
        tree.set("stimulus.image_ms", 300.5)


def test_replace_is_the_whole_truth(tree):
    tree.set("lif.alpha", 0.5)
    tree.set("blocks.0.lif.alpha", 0.6)
    changed = tree.replace({"lif.v_thresh": 2.0, "blocks.2.lif.alpha": 0.7})
    assert changed == {
        "lif.alpha": (0.5, 0.9),
        "blocks.0.lif.alpha": (0.6, 0.9),
        "lif.v_thresh": (1.0, 2.0),
        "blocks.2.lif.alpha": (0.5, 0.7),
    }
    assert tree.non_default() == {"lif.v_thresh": 2.0, "blocks.2.lif.alpha": 0.7}


def test_replace_with_one_bad_value_changes_nothing(tree):
    tree.set("lif.alpha", 0.5)
    with pytest.raises(ParamError, match="lif.v_thresh"):
        tree.replace({"lif.beta": 0.1, "lif.v_thresh": -3.0})
    assert tree.non_default() == {"lif.alpha": 0.5}


def test_replace_undoes_through_json(tree):
    tree.set("lif.alpha", 0.5)
    tree.set("blocks.0.lif_in.beta", 0.25)
    kept = json.loads(json.dumps(tree.non_default()))
    other = ParamTree(3)
    other.replace(kept)
    assert other.to_json() == tree.to_json()
    assert other.digest() == tree.digest() != ParamTree(3).digest()


def test_every_path_has_a_spec_of_its_base(tree):
    assert tree.spec("blocks.2.lif_out.alpha").path == "lif.alpha"
    assert {spec.path for spec in tree.specs()} == set(tree.to_json()["values"])

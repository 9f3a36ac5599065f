"""What a step of another length makes of values, and which lengths there are."""

import math

import pytest

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.step_length import STEPS_MS, at_step, check_step, steps_of


@pytest.mark.parametrize("dt", STEPS_MS)
def test_lengths_are_exact_in_binary(dt):
    assert check_step(dt) == dt and math.frexp(dt)[0] == 0.5


@pytest.mark.parametrize("dt", [0, -1, 0.1, 0.75, 1.5, 4, float("nan"), float("inf")])
def test_another_length_is_refused_with_the_choices(dt):
    with pytest.raises(ParamError) as refused:
        check_step(dt)
    assert refused.value.field == "dt" and refused.value.choices == ["0.25", "0.5", "1", "2"]


def test_times_become_whole_steps():
    assert [steps_of(5, dt) for dt in STEPS_MS] == [20, 10, 5, 2]
    assert steps_of(1, 2.0) == 1 and steps_of(0, 2.0) == 0


@pytest.mark.parametrize("dt", STEPS_MS)
def test_defaults_keep_time_constants_and_rates(dt):
    """tau_m = -dt / ln(alpha), to the six digits of an alpha; rates in Hz exactly."""
    tree, plain = ParamTree(2, dt=dt), ParamTree(2)
    for path in ("lif.alpha", "sensory.alpha"):
        tau = -dt / math.log(tree.get(path))
        assert tau == pytest.approx(-1 / math.log(plain.get(path)), rel=1e-4)
    assert tree.get("homeostasis.target_rate") / dt == plain.get("homeostasis.target_rate")
    assert tree.non_default() == {}
    same = {spec.path: spec.default for spec in plain.specs()}
    kept = [spec.path for spec in tree.specs() if spec.default == same[spec.path]]
    assert len(same) - len(kept) == (0 if dt == 1 else 6)


def test_what_is_typed_is_kept_and_cleared_to_the_default_of_the_step():
    tree = ParamTree(2, dt=0.5)
    assert tree.set("lif.alpha", 0.9) == (0.948683, 0.9)
    assert tree.get("blocks.1.lif_in.alpha") == 0.9 and tree.non_default() == {"lif.alpha": 0.9}
    assert tree.clear("lif.alpha") == (0.9, 0.948683)


def test_overrides_follow_their_parameter():
    assert at_step("blocks.1.lif_out.alpha", 0.81, 0.5) == 0.9
    assert at_step("blocks.0.lif.beta", 0.0, 0.5) == 0.0
    assert at_step("lif.alpha", 0.999, 0.5) == 0.999, "the largest there is"
    assert at_step("neuromod.DA", None, 0.5) is None

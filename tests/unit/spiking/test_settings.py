"""Step settings from a parameter tree."""

import sys
from subprocess import run

from t4dm.live.tree import ParamTree
from t4dm.spiking.settings import StepSettings


def same(a: StepSettings, b: StepSettings) -> bool:
    return repr(a) == repr(b)


def test_an_untouched_tree_gives_the_defaults():
    assert same(StepSettings.from_tree(ParamTree(3)), StepSettings.default(3))


def test_overrides_reach_their_stage_and_block_only():
    tree = ParamTree(3)
    tree.set("lif.v_thresh", 2.0)
    tree.set("blocks.1.lif_out.v_thresh", 3.0)
    tree.set("blocks.2.lif.alpha", 0.5)
    tree.set("blocks.0.gate.bias", -1.0)
    tree.set("stdp.tau_plus", 33.0)
    tree.set("recurrent.gain", 2.5)
    settings = StepSettings.from_tree(tree)
    assert settings.v_thresh.tolist() == [2, 2, 2, 3, 2, 2]
    assert settings.alpha.tolist() == [0.9, 0.9, 0.9, 0.9, 0.5, 0.5]
    assert settings.gate_bias.tolist() == [-1, 0, 0]
    assert settings.stdp.tau_plus == 33.0
    assert settings.recurrent_gain == 2.5


def test_levels_and_rest_are_taken_in_and_can_be_moved():
    levels = {"DA": 0.1, "ACh": 0.2, "NE": 0.3, "5HT": 0.4}
    settings = StepSettings.from_tree(ParamTree(1), levels, rest=True)
    assert (settings.da, settings.ach, settings.ne, settings.ht5) == (0.1, 0.2, 0.3, 0.4)
    assert settings.rest
    assert same(StepSettings.default(1).at(levels, rest=True), settings)


def test_settings_and_bus_import_without_torch():
    code = (
        "import sys, t4dm.spiking.settings, t4dm.spiking.neuromod_bus, t4dm.learning.homeostasis\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0

"""What a watch leaves out, and says so in one sentence: silent, changing, empty, scripted, misfit."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from t4dm.live.watch_layers import Axes
from t4dm.live.watch_settle import STEPS
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.settings import StepSettings
from tests.spiking_nets import Called, Given, N, Outer, Whole, draws
from tests.watched import B, T, raster, window


def test_a_container_of_zeros_is_taken_last_and_only_alone(run, watched):
    class Silent(Whole):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * super().forward(x)

    silent = Silent()
    watched(silent, "silent", time_axis=1)
    for _ in range(STEPS // T):
        silent(draws(B, 6))
    assert window(run, "silent", steps=T).layout.groups[0].name == "Silent"
    both = nn.Sequential(Silent(), Given(lambda s, u: (1 - s, u)))
    watched(both, "both", time_axis=1)
    for _ in range(3):
        both(draws(B, 6))
    assert [g.name for g in window(run, "both", steps=3 * T).layout.groups] == ["1"]


def test_what_cannot_be_attached_is_named(run, watched, capfd):
    class Rates(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sigmoid()

    class Texts(nn.Module):
        def forward(self, x: Tensor) -> str:
            return "none"

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rates, self.texts, self.idle = Rates(), Texts(), LIFNeuron(N)

        def forward(self, x: Tensor) -> Tensor:
            self.texts(x)
            return self.rates(x)

    net = Mixed()
    handle = watched(net)
    for _ in range(4):
        net(draws(B, N))
    words = (
        "no spiking layer was found in 3 calls of the module: Mixed gave other values than 0 and 1, "
        "rates (Rates) gave other values than 0 and 1, texts (Texts) gave no tensor, idle (LIFNeuron) "
        "was not called; docs/examples.md says what can be watched"
    )
    assert handle.why == words and capfd.readouterr().err.count(words) == 1


class Stepped(nn.Module):
    """Our stack, one step a call."""

    def __init__(self) -> None:
        super().__init__()
        self.stack, self.settings = CorticalStack(2, 32, 4, seed=2), StepSettings.default(2)
        self.stack.c_in = 9.0
        for block in self.stack.blocks():
            block.c_out, block.c_l = 8.0, 1.0
        self.state = self.stack.init_state()

    def forward(self, x: Tensor) -> Tensor:
        _, self.state, probes = self.stack.step(x, self.state, self.settings)
        return probes["spikes"]


def test_currents_that_are_zero_at_first_are_no_layer(run, watched):
    net = Stepped()
    watched(net, no_grad=True)
    with torch.no_grad():
        truth = [net((draws(64, seed=k) < 0.3).float()) for k in range(12)]
    found = window(run, steps=12)
    names = [f"stack.spiking_blocks.{b}.lif_{side}" for b in range(2) for side in ("in", "out")]
    assert [g.name for g in found.layout.groups] == names and found.n_steps == 12
    assert torch.stack(truth).any()


class Scale(nn.Module):
    """Currents: 0 where nothing fired before it."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.37 * x


class Behind(nn.Module):
    """``layer`` before a Scale; gives a loss."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.scale = layer, Scale()

    def forward(self, x: Tensor) -> Tensor:
        given = self.layer(x)
        return self.scale(given[0] if isinstance(given, tuple) else given).sum()


@pytest.mark.parametrize("layer", [LIFNeuron(N), Given(lambda s, u: s)], ids=["ours", "own"])
def test_a_module_behind_a_layer_that_is_silent_at_first_is_none(run, watched, layer):
    net = Behind(layer)
    watched(net)
    for k in range(6):
        net(torch.full((B, N), 0.05) if k == 0 else 3 * draws(B, N, seed=k))
    found = window(run, steps=5)
    assert [g.name for g in found.layout.groups] == ["layer"]
    assert raster(found, 0, N).any()


def test_a_silent_layer_beside_one_of_its_class_that_fires_is_shown_at_once(run, watched):
    cells = nn.Sequential(Given(lambda s, u: s), Given(lambda s, u: 0 * s))
    watched(cells)
    cells(draws(B, N))
    assert [g.name for g in window(run, steps=1).layout.groups] == ["0", "1"]


def test_what_gives_other_values_later_is_shown_no_longer(run, watched, capfd):
    net = nn.Sequential(Given(lambda s, u: s), Given(lambda s, u: s))
    handle = watched(net)
    net(draws(B, N))
    net[1].make = lambda s, u: 0.37 * s
    for seed in range(3):
        net(draws(B, N, seed=seed))
    found = window(run, steps=4)
    assert raster(found, 0, N)[1:].any() and not raster(found, N, N)[1:].any()
    assert capfd.readouterr().err.count("'w': 1 gave other values than 0 and 1") == 1
    net[0].make = net[1].make
    net(draws(B, N))
    assert handle.why == "no layer is left that gives 0 and 1 only"


@pytest.mark.parametrize("how", ["step", "run_lif", "run"])
def test_a_batch_of_no_samples_is_told_once_and_left_out(run, watched, capfd, how):
    net = Called(how)
    handle = watched(net)
    for size in (0, B, 0, B):
        net(draws(size, T, N))
    assert handle.active and window(run, steps=2 * T).n_steps == 2 * T
    err = capfd.readouterr().err
    assert err.count("a batch of 0 samples is not recorded") == 1 and "batch_index" not in err


def test_a_layer_whose_size_changes_is_one_sentence_and_the_script_goes_on(run, watched, capfd):
    net = Outer(Given(lambda s, u: s))
    handle = watched(net)
    for n in (N, N + 1, N):
        net(draws(B, n))
    words = f"inner had {N} neurons when it was first shown and gives ({B}, {N + 1}) now"
    assert handle.why.endswith(words) and capfd.readouterr().err.count(words) == 1


class Twice(nn.Module):
    """One layer for two widths."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.layer(x), self.layer(x[:, :3])], 1).sum()


class LIF(Given):
    """Stands for a layer of a known type."""

    __module__ = "t4dm.other"


LIF.__name__ = "LIFNeuron"


@pytest.mark.parametrize("kind", [LIF, Given])
def test_a_layer_of_two_widths_is_told_by_its_shapes(run, watched, capfd, kind):
    words = f"gave tensors of shapes ({B}, 3) and ({B}, {N}) in one call"
    net = Twice(kind(lambda s, u: s))
    handle = watched(net)
    for _ in range(3):
        net(draws(B, N))
    assert f"layer ({kind.__name__}) {words};" in handle.why and "other values" not in handle.why
    both = nn.Sequential(kind(lambda s, u: s), Twice(kind(lambda s, u: s)))
    watched(both, "both")
    both(draws(B, N))
    assert [g.name for g in window(run, "both", steps=1).layout.groups] == ["0"]
    assert (
        capfd.readouterr().err.count(f"'both' leaves out 1.layer ({kind.__name__}), which {words}")
        == 1
    )


def test_a_root_that_gives_a_loss_alone_is_named_so(run, watched):
    class Loss(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum()

    net = Loss()
    handle = watched(net)
    for _ in range(3):
        net(draws(B, N))
    assert "Loss gave a single number; docs" in handle.why


@pytest.mark.parametrize("made", [torch.jit.script, lambda net: torch.jit.trace(net, draws(B, N))])
def test_a_scripted_module_is_one_sentence_and_keeps_no_name(run, watched, capfd, made):
    handle = watched(made(Scale()))
    assert not handle.active and "scripted or traced module runs no hooks" in handle.why
    assert capfd.readouterr().err.count(handle.why) == 1
    assert watched(Given(lambda s, u: s)).name == "w"


def test_a_watch_that_cannot_begin_keeps_no_name_and_no_hook(run, watched, capfd):
    class Hookless(nn.Module):
        def register_forward_hook(self, *_: object, **__: object):
            raise RuntimeError("no hooks here")

    net = Hookless()
    handle = watched(net)
    assert not handle.active and not net._forward_pre_hooks
    assert "the script goes on: no hooks here" in capfd.readouterr().err
    assert watched(Given(lambda s, u: s)).name == "w"


@pytest.mark.parametrize("how", ["step", "run_lif"])
def test_a_sample_that_no_batch_has_is_told_once(run, watched, capfd, how):
    net = Called(how)
    watched(net, batch_index=99)
    for _ in range(3):
        net(1.5 * draws(B, T, N))
    found = window(run, steps=T)
    fired = torch.stack(net.spikes[: found.n_steps])[:, B - 1] > 0
    np.testing.assert_array_equal(raster(found, 0, N), fired)
    assert capfd.readouterr().err.count("batch_index is 99 and a batch has 3 samples") == 1


def test_a_time_axis_that_no_tensor_has_is_one_sentence_and_the_script_goes_on(run, watched, capfd):
    net = Whole()
    handle = watched(net, time_axis=5)
    for _ in range(3):
        assert net(draws(B, 6)).shape == (B, T, N)
    words = "time_axis is 5 and the layer's tensors have 3 axes: it goes from -3 to 2"
    assert handle.why == words and capfd.readouterr().err.count(words) == 1


def test_without_a_batch_axis_everything_is_shown(run, watched):
    net, image = Outer(Given(lambda s, u: (s, u))), draws(2, 3, 4)
    watched(net, batch_index=None)
    net(image)
    found = window(run, steps=1)
    np.testing.assert_array_equal(raster(found, 0, 24)[0], image.flatten() > 0.5)
    assert Axes(0, None).rows([draws(T, 2, 3)]).shape == (T, 6)


def test_a_root_that_is_let_go_is_collected_though_it_was_told_of(run):
    import weakref

    from t4dm.live import watch

    net = Called("step")
    watch(net, "gone", budget=None)
    net(draws(B, T, N))
    window(run, "gone", steps=T)
    ref = weakref.ref(net.lif)
    del net
    gc.collect()
    assert ref() is None

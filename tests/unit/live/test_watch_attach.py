"""What a watch attaches to: neurons of ours however they are called, and any module whose output spikes."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from t4dm.live.watch_layers import Axes
from t4dm.live.watch_settle import STEPS
from t4dm.spiking.cortical_stack import CorticalStack
from t4dm.spiking.fused import run_lif
from t4dm.spiking.gif import GIFNeuron
from t4dm.spiking.lif import LIFNeuron
from t4dm.spiking.settings import StepSettings
from tests.watched import B, T, raster, window

N = 8


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


class Called(nn.Module):
    """A layer of ours called as ``how`` says; keeps the spikes (T,B,N) and membranes it should show."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.lif, self.how = LIFNeuron(N, beta=0.7, u_max=0.9), how
        self.spikes: list[Tensor] = []
        self.u: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        steps, u = [], torch.zeros(len(x), N)
        twin = copy.deepcopy(self.lif)
        for x_t in x.unbind(1):
            s, u = twin(x_t, u)
            steps.append(s)
            self.spikes.append(s.detach())
            self.u.append(u.detach())
        if self.how == "run":
            return self.lif.run(x)[0]
        if self.how == "run_lif":
            return run_lif(self.lif, x)[0]
        u, out = torch.zeros(len(x), N), []
        for x_t in x.unbind(1):
            done = self.lif.step(x_t, u)
            u = done.u
            out.append(done.spikes)
        return torch.stack(out, 1)


@pytest.mark.parametrize("time_axis", [None, 1])
@pytest.mark.parametrize("how", ["run", "run_lif", "step"])
def test_ours_is_seen_however_it_is_called(run, watched, how, time_axis):
    net = Called(how)
    watched(net, time_axis=time_axis, batch_index=1)
    for seed in range(2):
        net(1.5 * draws(B, T, N, seed=seed))
    found = window(run, steps=2 * T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("lif", N)] and found.n_steps == 2 * T
    fired = torch.stack(net.spikes)[:, 1] > 0
    np.testing.assert_array_equal(raster(found, 0, N), fired)
    shown = torch.stack(net.u)[:, 1, found.membrane.tolist()]
    assert len(found.membrane)
    np.testing.assert_allclose(found.u, shown, rtol=1e-6, atol=1e-7)
    assert fired.any() and not fired.all() and (found.theta == 1.0).all()


def test_a_neuron_of_ours_has_nothing_on_it_between_calls_and_in_a_copy(run, watched):
    net = Called("run_lif")
    for name in ("one", "two"):
        watched(net, name)
    for seed in range(2):
        net(draws(B, T, N, seed=seed))
        assert "tap" not in net.lif.__dict__
        net.lif(draws(B, N))  # outside a call of the module
    for name in ("one", "two"):
        assert window(run, name, steps=2 * T).n_steps == 2 * T
    net.how = "step"
    twins = []
    handle = net.register_forward_hook(
        lambda *_: twins.extend([copy.deepcopy(net.lif), pickle.loads(pickle.dumps(net.lif))]),
        prepend=True,
    )
    net(draws(B, T, N))
    handle.remove()
    assert [twin.tap for twin in twins] == [None, None]


def test_the_cortical_stack_shows_its_neurons_and_the_thresholds_in_use(run, watched):
    stack, settings = CorticalStack(2, 32, 4), StepSettings.default(2)
    settings.v_thresh[:] = (0.8, 0.9, 1.1, 1.2)
    made = []
    watched(stack)
    for seed in range(2):
        made.append(stack(5 * (draws(1, T, 64, seed=seed) < 0.3).float(), settings=settings)[0])
    found = window(run, steps=2 * T)
    names = [f"spiking_blocks.{b}.lif_{side}" for b in range(2) for side in ("in", "out")]
    assert [(g.name, g.n) for g in found.layout.groups] == [(name, 32) for name in names]
    np.testing.assert_allclose(found.theta[-1], (0.8, 0.9, 1.1, 1.2), rtol=1e-6)
    last = raster(found, 64, 32).astype(int) + raster(found, 96, 32)
    np.testing.assert_array_equal(last, torch.cat(made, 1)[0].detach())
    assert last.any()


class Recurrent(nn.Module):
    """A layer of a user's own, with a Linear inside: ``(z, (z, u))``."""

    threshold = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.rec = nn.Linear(N, N)

    def forward(self, current: Tensor, state: tuple[Tensor, Tensor]) -> tuple:
        z, u = state
        u = 0.9 * u + current + self.rec(z) - z
        z = (u > self.threshold).float()
        return z, (z, u)


class Net(nn.Module):
    """``T`` steps of a cell that takes and gives its state, behind a Linear; ends in a readout."""

    def __init__(self, cell: nn.Module, state: object) -> None:
        super().__init__()
        self.fc, self.cell, self.state, self.out = nn.Linear(6, N), cell, state, nn.Linear(N, 2)
        self.seen: list[tuple] = []

    def forward(self, x: Tensor) -> Tensor:
        state = self.state
        for _ in range(T):
            z, state = self.cell(4 * self.fc(x).abs(), state)
            self.seen.append((z.detach(), state))
        return self.out(z)


def test_a_layer_with_modules_of_torch_inside(run, watched):
    net = Net(Recurrent(), (torch.zeros(B, N), torch.zeros(B, N)))
    watched(net)
    net(draws(B, 6))
    found = window(run, steps=T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("cell", N)]
    fired = torch.stack([z for z, _ in net.seen])[:, 0] > 0
    np.testing.assert_array_equal(raster(found, 0, N), fired)
    shown = torch.stack([u for _, (_, u) in net.seen])[:, 0, found.membrane.tolist()]
    assert len(found.membrane)
    np.testing.assert_allclose(found.u, shown.detach(), rtol=1e-6)
    assert fired.any() and (found.theta == 1.0).all()


class Whole(nn.Module):
    """Makes its spikes in its own ``forward``, all steps at once: (B,T,N)."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.fc, self.key = nn.Linear(6, N), key

    def forward(self, x: Tensor) -> object:
        u, out = torch.zeros(len(x), N), []
        for _ in range(T):
            u = 0.9 * u + 4 * self.fc(x).abs()
            z = (u > 1).float()
            u = u - z
            out.append(z)
        spikes = torch.stack(out, 1)
        self.made = spikes.detach()
        return {"loss": x.sum(), self.key: spikes} if self.key else spikes


@pytest.mark.parametrize("key", ["", "spikes"])
def test_a_root_that_makes_its_own_spikes(run, watched, key):
    net = Whole(key)
    watched(net, time_axis=1)
    net(draws(B, 6))
    found = window(run, steps=T)
    assert [(g.name, g.n) for g in found.layout.groups] == [("Whole", N)]
    np.testing.assert_array_equal(raster(found, 0, N), net.made[0] > 0)
    assert net.made[0].any()


class Given(nn.Module):
    """Gives spikes as ``make`` packs them."""

    def __init__(self, make) -> None:
        super().__init__()
        self.make = make

    def forward(self, x: Tensor) -> object:
        return self.make((x > 0.5).float(), 2 * x)


class Outer(nn.Module):
    """Not the one that spikes: what it gives is what the layer inside gave, so that is shown."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> object:
        return self.inner(x)


class Inside(NamedTuple):
    v: Tensor
    i: Tensor


class Outside(NamedTuple):
    lif: Inside
    rho: Tensor


@pytest.mark.parametrize(
    "make",
    [
        lambda s, u: [s, u],
        lambda s, u: {"spk": s, "mem": u, "rate": 3 * u},
        lambda s, u: {"out": s, "v": u},
        lambda s, u: (s, Outside(Inside(u, 5 * u), 7 * u)),
        lambda s, u: (s, [(s, u)]),
        lambda s, u: (s, {"i": 5 * u, "u": u}),
    ],
    ids=["list", "dict", "dict by place", "nested state", "plain tuples", "state in a dict"],
)
def test_spikes_and_membrane_are_found_in_any_output(run, watched, make):
    net, x = Outer(Given(make)), draws(B, N)
    watched(net)
    net(x)
    found = window(run, steps=1)
    assert [g.name for g in found.layout.groups] == ["inner"]
    np.testing.assert_array_equal(raster(found, 0, N)[0], x[0] > 0.5)
    assert len(found.membrane)
    np.testing.assert_allclose(found.u[0], 2 * x[0, found.membrane.tolist()], rtol=1e-6)


def test_a_nested_threshold_is_found(run, watched):
    class Lif(NamedTuple):
        tau: float
        v_th: Tensor

    class Parameters(NamedTuple):
        lif: Lif
        rho: float

    cell = Given(lambda s, u: s)
    cell.p = Parameters(Lif(5.0, torch.tensor(0.4)), 5.0)
    watched(net := Outer(cell))
    net(draws(B, N))
    assert window(run, steps=1).theta == pytest.approx(0.4)


def test_neurons_that_fire_several_spikes_are_seen_in_a_run(run, watched):
    class Gif(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gif = GIFNeuron(6, N, generator=torch.Generator().manual_seed(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.gif.run(x)[0]

    net, x = Gif(), 4 * draws(B, T, 6)
    watched(net)
    counts = net(x)
    found = window(run, steps=T)
    assert [g.name for g in found.layout.groups] == ["gif"] and counts.max() > 1
    np.testing.assert_array_equal(raster(found, 0, N), counts[0].detach() > 0)


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
        "no spiking layer was called in 3 calls of the module: Mixed gave other values than 0 and 1, "
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

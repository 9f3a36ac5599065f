"""t4dm's entry for a side-by-side benchmark of spiking libraries: workloads A, A2, B, B2 and C.

The benchmark (its path is given to ``bench_peers.py``) runs this file with its own names in scope:
``impl``, ``Impl``, ``make_noise``, ``make_W``, ``wmax_of``, ``a_plus``, ``a_minus``, ``ALPHA``, ``KN``.
Everything here goes through the public classes ``Population`` and ``LIFNeuron``.

The reference keeps weights in [0, w_max(N)]; here they lie in [0, 1] and ``gain`` = w_max(N) multiplies the
recurrent sum: the same network.
"""
# ruff: noqa: F821

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

CHUNK = 16  # times KN steps a call


class Recurrent(Impl):
    """The reference network; ``window`` in ms, 500 cuts nothing at tau = 20 ms in float32."""

    venv = sys.executable
    workloads = ("A", "A2", "B", "B2")
    window, mu = 500, 0.0
    note = "Population: spike-driven rows, row-lazy STDP, float32"

    def setup(self):
        from t4dm.learning.params import STDPParams
        from t4dm.spiking.population import Population

        w_max = wmax_of(self.n, density=self.density)
        rule = STDPParams(
            a_plus=a_plus(self.n, density=self.density) / w_max,
            a_minus=a_minus(self.n, density=self.density) / w_max,
            window_pre_to_post=self.window, window_post_to_pre=self.window, mu=self.mu,
        )  # fmt: skip
        self.inputs = self.noise()
        self.population = Population(
            self.n, self.density, stdp=rule if self.stdp else None, weights=self.W() / w_max,
            gain=w_max, alpha=ALPHA, u_max=1000.0, autapses=True,
        )  # fmt: skip

    def run(self, steps):
        while steps > 0:
            n = min(steps, CHUNK * KN)
            self.spikes = self.population.run(self.inputs, n, first=self.t % KN)
            self.t += n
            steps -= n

    def rate(self, steps=200):
        self.run(steps)
        return float(self.spikes.mean())


@impl("t4dm", "project")
class T4dm(Recurrent):
    pass


@impl("t4dm_cut", "project")
class LiveWindows(Recurrent):
    workloads = ("B",)
    window = 100
    note = "the same with the live default windows: pairs further than 100 ms apart do not count"


@impl("t4dm_mu", "project")
class WeightDependent(Recurrent):
    workloads = ("B",)
    mu = 0.5
    note = "the same with weight dependence mu = 0.5: event replay"


@impl("c_t4dm", "project")
class Training(Impl):
    """Workload C: two layers of 256, batch 32, 100 steps, squared error on the spike counts."""

    venv = sys.executable
    workloads = ("C",)
    note = "SpikeLinear + run_lif: fused forward and backward scans, rows that fired only"

    def setup(self):
        import torch

        from t4dm.spiking.fused import SpikeLinear, run_lif
        from t4dm.spiking.lif import LIFNeuron

        steps, batch, n = 100, 32, 256
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        self.x = (torch.rand(steps, batch, n) < 0.2).float()
        draws = torch.Generator().manual_seed(0)
        self.layers = [SpikeLinear(n, n, generator=draws) for _ in range(2)]
        for layer in self.layers:
            layer.weight.data.mul_(4.0)
        self.params = [p for layer in self.layers for p in layer.parameters()]
        self.target = torch.rand(batch, n) * 10
        self.neurons, self.run_lif = [LIFNeuron(n), LIFNeuron(n)], run_lif

    def run(self, steps):
        for _ in range(steps):
            for p in self.params:
                p.grad = None
            h = self.x
            for layer, neuron in zip(self.layers, self.neurons, strict=True):
                h, _ = self.run_lif(neuron, layer(h), time_axis=0)
            ((h.sum(0) - self.target) ** 2).mean().backward()

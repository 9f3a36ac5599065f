"""Watch your own model: train a spiking classifier of digits and see it on the dashboard meanwhile.

python examples/watch_your_own_model.py [FOLDER]   writes its .png; page: /?session=digits
"""

from pathlib import Path

import plotly.graph_objects as go
import torch
from picture import folder, save
from sklearn.datasets import load_digits
from torch import Tensor, nn

import t4dm.live
from dashboard.figures import raster
from t4dm.live.client import SessionClient
from t4dm.live.merge import merge, tail
from t4dm.live.paths import run_dir
from t4dm.live.segment import Segment
from t4dm.live.view import View
from t4dm.params import param
from t4dm.spiking.lif import LIFNeuron

STEPS, CALLS = 20, 60


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.hidden = nn.Linear(64, 48), LIFNeuron(48)
        self.fc2, self.classes = nn.Linear(48, 10), LIFNeuron(10)

    def forward(self, images: Tensor) -> Tensor:
        u, v, total = None, None, torch.zeros(len(images), 10)
        for _ in range(STEPS):
            spikes, u = self.hidden(self.fc1(images), u)
            winners, v = self.classes(self.fc2(spikes), v)
            total = total + winners
        return total


def main(where: Path) -> None:
    torch.manual_seed(0)
    images, labels = map(torch.as_tensor, load_digits(return_X_y=True))
    net, v_thresh = Net(), param(1.0, 0.2, 3.0, help="Threshold of both layers.")
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    with t4dm.live.watch(net, "digits", params={"v_thresh": v_thresh}, budget=None):
        for call in range(CALLS):
            batch = slice(call * 24, call * 24 + 24)
            loss = nn.functional.cross_entropy(net(images[batch].float() / 16), labels[batch])
            adam.zero_grad()
            loss.backward()
            adam.step()
    kept = tail([*map(Segment.decode, SessionClient(run_dir(), "digits").reader().since(0))])
    shown = raster.figure(merge(kept, View(rows="all"), kept[-1].step1 - 10 * STEPS), None)
    save(go.Figure(shown), "watch_your_own_model", where)


if __name__ == "__main__":
    main(folder())

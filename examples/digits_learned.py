"""A sensory layer learns handwritten digits: its receptive fields, and its score on held-out ones.

python examples/digits_learned.py [FOLDER]   writes digits_learned.png (3 passes: a minute)
The three curves are recorded ones (benchmarks/results/digits.json); weights and points are its own.
"""

import json
from pathlib import Path

import numpy as np
from picture import COLOURS, folder, save
from plotly.subplots import make_subplots

from t4dm.live.lesson import Lessons, split_of

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "digits.json"
SEED, NEURONS, ACROSS = 0, 256, 16


def fields(lessons: Lessons) -> np.ndarray:
    """Every neuron's 64 weights as an 8 x 8 image, sorted by label, a gap between two images."""
    by_label = np.argsort(lessons.sensory.readout.labels(), kind="stable")
    image = np.full((9 * NEURONS // ACROSS, 9 * ACROSS), np.nan)
    for place, neuron in enumerate(by_label):
        y, x = 9 * (place // ACROSS), 9 * (place % ACROSS)
        image[y : y + 8, x : x + 8] = lessons.sensory.arrays.weight[:, neuron].reshape(8, 8)
    return image


def main(where: Path, passes: int = 3, most: int = 2000, every: int = 360) -> None:
    train, kept = split_of(SEED)
    lessons, orders = Lessons(NEURONS, SEED), np.random.default_rng(SEED)
    order = np.concatenate([orders.permutation(train)[:most] for _ in range(passes)])
    shown, right = [*range(every, len(order), every), len(order)], []
    for stop in shown:
        lessons.show(order[len(right) * every : stop], "train")
        right.append(100 * lessons.test(kept[:most]))
    figure = make_subplots(1, 2, column_widths=[0.44, 0.56], horizontal_spacing=0.14)
    image, bar = fields(lessons), {"x": 0.37, "title": "w", "thickness": 12}
    cells, look = np.arange(len(image)), {"zmin": 0, "zmax": 0.8, "colorscale": "Cividis"}
    figure.add_heatmap(z=image, x=cells, y=cells, colorbar=bar, name="weights", **look)
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", col=1)
    figure.update_xaxes(title="Neurons, sorted by digit", showticklabels=False, col=1)
    for row, colour in zip(json.loads(RESULTS.read_text())["conditions"], COLOURS, strict=False):
        line = {"color": colour, "dash": "dash" if row["changed"] else "solid"}
        x, y, name = row["digits_shown"], 100 * np.array(row["curve_mean"]), row["condition"]
        figure.add_scatter(x=x, y=y, name=f"{name}, 5 seeds", line=line, row=1, col=2)
    dots = {"x": shown, "y": right, "mode": "markers", "marker": {"color": "#000000"}}
    figure.add_scatter(name="the layer on the left", row=1, col=2, **dots)
    figure.add_hline(10, line={"dash": "dot"}, annotation_text="chance 10 %", row=1, col=2)
    figure.update_xaxes(title="Training digits shown", col=2)
    figure.update_yaxes(title="Held-out digits right (%)", range=[0, 100], col=2)
    title = f"Digits learned: {right[-1]:.1f} % of the held-out ones after {len(order):,} lessons"
    save(figure.update_layout(legend={"x": 0.62, "y": 0.16}, title=title), "digits_learned", where)


if __name__ == "__main__":
    main(folder())

"""Break a network and mend it over HTTP, as a script on another machine would: finding, cause, remedy.

python examples/mend_over_http.py [FOLDER] [ADDRESS]   needs `make run`; writes mend_over_http.png
"""

import sys
import time
from pathlib import Path

import plotly.graph_objects as go
from picture import COLOURS, folder, save

from t4dm.client import DEFAULT_ADDRESS, Client, Refused

BIN, BROKEN_AT, END = 50, 1500, 4500  # ms


def is_ready(t4dm: Client) -> bool:
    """Whether the worker of a session that was just created answers; it is then paused."""
    try:
        return bool(t4dm.pause()["ok"])
    except Refused as refused:
        if refused.status != 503:
            raise
        return False


def main(where: Path, address: str) -> None:
    t4dm = Client(address).create(blocks=2, n=64, seed=0)
    rates, marks, found = [], {}, None
    try:
        while not is_ready(t4dm):
            time.sleep(0.2)
        t4dm.command([{"type": "reset", "seed": 0}, {"type": "pause"}])
        for t in range(BIN, END + 1, BIN):
            t4dm.step(BIN)
            rates.append(t4dm.stats(last_ms=BIN)["rate_hz"])
            if t == BROKEN_AT:
                t4dm.change({"homeostasis.enabled": False, "lif.v_thresh": 6.0})
                marks[t] = "v_thresh set to 6"
            called = {f["id"]: f for f in t4dm.health()["findings"]}
            if found is None and (found := called.get("not_firing")):
                marks[t] = f"found, cause: {found['cause']['code']}; remedy applied"
                t4dm.command(found["remedies"][0]["commands"])
            elif found and "not_firing" not in called and "over" not in marks.values():
                marks[t] = "over"
    finally:
        t4dm.delete()
    times = [t - BIN / 2 for t in range(BIN, END + 1, BIN)]
    figure = go.Figure(go.Scatter(x=times, y=rates, name="rate", line={"color": COLOURS[1]}))
    for k, (t, words) in enumerate(marks.items()):
        figure.add_vline(t, line={"dash": "dot"})
        at = {"x": t, "y": 1 - 0.09 * k, "yref": "paper", "xanchor": "left", "showarrow": False}
        figure.add_annotation(text=f"{t} ms: {words}", **at)
    figure.update_xaxes(title="Time (ms)").update_yaxes(title="Rate (Hz per neuron)")
    save(figure.update_layout(title=found["rule"] if found else ""), "mend_over_http", where)


if __name__ == "__main__":
    main(folder(), sys.argv[2] if len(sys.argv) > 2 else DEFAULT_ADDRESS)

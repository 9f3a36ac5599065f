"""Uploads: what is read, what is refused and how the refusal is worded."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from t4dm.live.tree import ParamTree
from t4dm.params import ParamError
from t4dm.stimuli import tables
from t4dm.stimuli.file import StimulusFile, load_stimulus_file
from t4dm.stimuli.registry import make_stimulus

WAVES = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)


def as_npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def as_csv(array, header=True):
    return pd.DataFrame(array).to_csv(index=False, header=header).encode()


def as_parquet(frame):
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def refusal(data, name):
    with pytest.raises(ParamError) as refused:
        load_stimulus_file(data, name)
    return refused.value


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", as_csv(WAVES)),
        ("a.csv", as_csv(WAVES, header=False)),
        ("a.csv", as_csv(pd.DataFrame(WAVES).add_prefix("pixel "))),
        ("A.NPZ", as_npz(currents=WAVES, other=np.zeros(3))),
        ("a.npz", as_npz(anything=WAVES.astype(np.float64))),
        ("a.parquet", as_parquet(pd.DataFrame(WAVES).add_prefix("c"))),
    ],
)
def test_currents_are_read(name, data):
    file = load_stimulus_file(data, name)
    assert (file.kind, file.rows, file.width) == ("currents", 20, 64)
    assert file.values.dtype == np.float32
    assert np.allclose(file.values, WAVES, atol=1e-6)


SPIKES = pd.DataFrame({"unit": [3, 3, 63], "time_ms": [0.2, 0.9, 7.0]})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("s.csv", SPIKES.to_csv(index=False).encode()),
        ("s.csv", b"Time_ms, Unit\n0.2,3\n0.9,3\n7,63\n"),
        ("s.parquet", as_parquet(SPIKES)),
        ("s.npz", as_npz(time_ms=SPIKES["time_ms"].to_numpy(), unit=SPIKES["unit"].to_numpy())),
    ],
)
def test_spike_times_are_read(name, data):
    file = load_stimulus_file(data, name)
    assert (file.kind, file.rows) == ("spikes", 8)
    assert file.values[0, 3] == 2 and file.values[7, 63] == 1 and file.values.sum() == 3


def holed(row, column, value):
    array = WAVES.copy()
    array[row, column] = value
    return array


@pytest.mark.parametrize(
    ("name", "data", "field", "words"),
    [
        ("a.csv", as_csv(WAVES[:, :60]), "currents", "20 x 60; expected T x 64"),
        ("a.npz", as_npz(currents=np.zeros((2, 3, 64))), "currents", "2 x 3 x 64; expected"),
        ("a.npz", as_npz(currents=np.zeros((0, 64))), "currents", "0 x 64; expected"),
        ("a.csv", as_csv(holed(4, 9, np.nan)), "currents", "row 5, column 9 is nan"),
        ("a.parquet", as_parquet(pd.DataFrame(holed(0, 2, np.inf)).add_prefix("c")), "currents",
         "row 1, column c2 is inf"),
        ("a.npz", as_npz(currents=holed(19, 63, 1e9)), "currents", "row 20, column 64 is 1e"),
        ("a.csv", as_csv(pd.DataFrame(WAVES).assign(who="me")), "column", "column who holds values"),
        ("a.npz", as_npz(a=WAVES, b=WAVES), "file", "arrays a, b; expected 'currents'"),
        ("a.npz", as_npz(currents=np.array(["x"] * 64)[None]), "currents", "not numbers"),
        ("a.txt", b"1", "file", "expected .csv, .npz or .parquet"),
        ("a", b"1", "currents", "shape 1 x 1"),  # no ending: read as what it begins like
        ("a.csv", b"", "file", "empty"),
        ("a.npz", b"PK\x03\x04 no", "file", "not a readable npz file"),
        ("a.parquet", b"PAR1 no PAR1", "file", "not a readable parquet file"),
        ("a.csv", b"\xff\xfe\x00,1\n", "file", "not a readable csv file"),
        ("s.csv", b"time_ms,unit\n1,64\n", "unit", "row 1 is 64; expected an integer from 0 to 63"),
        ("s.csv", b"time_ms,unit\n1,2\n2,2.5\n", "unit", "row 2 is 2.5"),
        ("s.csv", b"time_ms,unit\n1,2\n-1,2\n", "time_ms", "row 2 is -1"),
        ("s.csv", b"time_ms,unit\n1,2\n,2\n", "time_ms", "row 2 is nan"),
        ("s.csv", b"time_ms,unit\n1e12,2\n", "time_ms", "below 312500 ms"),
        ("s.csv", b"time_ms,unit\nsoon,2\n", "time_ms", "not numbers"),
        ("s.csv", b"time_ms,unit\n", "time_ms", "at least one"),
        ("s.npz", as_npz(time_ms=np.zeros(3), unit=np.zeros(2)), "time_ms", "3 times and 2 units"),
        ("s.npz", as_npz(time_ms=np.zeros((3, 1)), unit=np.zeros(3)), "time_ms", "one number a spike"),
    ],
)  # fmt: skip
def test_refusals_name_field_place_and_expectation(name, data, field, words):
    error = refusal(data, name)
    assert error.field == field
    assert words in error.message


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_no_pickle_is_opened():
    data = as_npz(currents=np.array([[Trap()]], dtype=object))
    assert "not a readable npz file" in refusal(data, "a.npz").message


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(tables, "MAX_VALUES", 640)
    bounds = [
        ("a.npz", as_npz(currents=np.zeros((20, 64), np.float32))),
        ("a.csv", as_csv(WAVES)),
        ("a.parquet", as_parquet(pd.DataFrame(WAVES).add_prefix("c"))),
    ]
    for name, data in bounds:
        assert "at most 640" in refusal(data, name).message


def test_a_packed_bomb_is_refused_before_unpacking():
    out = io.BytesIO()
    np.savez_compressed(out, currents=np.zeros((400_000, 64)))
    assert len(out.getvalue()) < 1_000_000
    assert "bytes unpacked" in refusal(out.getvalue(), "a.npz").message


def test_a_big_file_is_refused_by_its_size():
    assert "at most 20000000 bytes" in refusal(b"0" * 20_000_001, "a.csv").message


def test_kept_files_come_back_under_their_id_only(tmp_path):
    file = load_stimulus_file(as_csv(WAVES), "../../etc/waves.csv")
    file_id = file.save(tmp_path)
    again = StimulusFile.open(tmp_path, file_id)
    assert np.array_equal(again.values, file.values)
    assert (again.kind, again.name) == ("currents", "waves.csv")
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == [f"{file_id}.npz"]
    for wrong in ("", "0" * 16, "../uploads/" + file_id, file_id + "/", file_id.upper() + "x"):
        with pytest.raises(ParamError, match="no uploaded file"):
            StimulusFile.open(tmp_path, wrong)


def played(tmp_path, file, steps, **params):
    tree = ParamTree(1)
    tree.replace(
        {"stimulus.kind": "file", "stimulus.file_id": file.save(tmp_path)}
        | {f"stimulus.{k}": v for k, v in params.items()}
    )
    return make_stimulus(tree, 0, tmp_path).rows(0, steps)


def test_a_file_is_played_with_its_gain_and_over_again(tmp_path):
    file = load_stimulus_file(as_npz(currents=WAVES), "w.npz")
    rows, events, rest = played(tmp_path, file, 50, amplitude=2.0)
    assert np.allclose(rows, 2 * WAVES[np.arange(50) % 20])
    assert [(e["step"], e["label"], e["index"]) for e in events] == [
        (0, "w.npz", 0), (20, "w.npz", 1), (40, "w.npz", 2),
    ]  # fmt: skip
    assert not rest.any()


def test_a_missing_file_rests_and_says_so(tmp_path):
    tree = ParamTree(1)
    tree.replace({"stimulus.kind": "file", "stimulus.file_id": "nothing"})
    rows, events, rest = make_stimulus(tree, 0, tmp_path).rows(0, 20)
    assert not rows.any() and rest.all()
    assert [e["type"] for e in events] == ["rest", "note"]
    assert "no uploaded file 'nothing'" in events[1]["text"]


def test_the_reader_needs_neither_torch_nor_sklearn():
    code = "import t4dm.stimuli.file, sys; print({'torch', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

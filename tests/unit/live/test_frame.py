"""The wire codec: tested with numbers that mean nothing."""

import json

import numpy as np
import pytest

from t4dm.live.frame import DTYPES, FrameError, decode, dumps, encode


@pytest.mark.parametrize("code", DTYPES)
def test_every_dtype_and_shape_comes_back(code):
    arrays = {
        "a": np.arange(7).astype(code),
        "b": np.arange(6).astype(code).reshape(1, 2, 3),
        "c": np.zeros((0, 5), code),
    }
    meta, back = decode(encode({"kind": "x"}, arrays))
    assert meta == {"kind": "x"}
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
        assert back[name].shape == array.shape


def test_header_and_arrays_lie_at_multiples_of_eight():
    data = encode({"text": "ä"}, {"a": np.arange(3, dtype="u1"), "b": np.arange(2, dtype="f8")})
    assert data[:4] == b"T4F1"
    length = int.from_bytes(data[4:8], "little")
    assert (8 + length) % 8 == 0
    header = json.loads(data[8 : 8 + length])
    assert [row[3] for row in header["arrays"]] == [0, 8]
    start = 8 + length + 8
    assert np.frombuffer(data[start : start + 16], "<f8").tolist() == [0.0, 1.0]


def test_a_strided_and_a_big_endian_array_are_written_in_wire_order():
    arrays = {"a": np.arange(10, dtype="u2")[::2], "b": np.arange(3, dtype=">f4")}
    _, back = decode(encode({}, arrays))
    assert back["a"].tolist() == [0, 2, 4, 6, 8]
    assert back["b"].tolist() == [0.0, 1.0, 2.0]


def test_numbers_that_json_has_no_word_for_become_null():
    meta, _ = decode(encode({"a": float("nan"), "b": [1.0, {"c": float("inf")}]}, {}))
    assert meta == {"a": None, "b": [1.0, {"c": None}]}


@pytest.mark.parametrize(
    "value",
    [
        {"a": 2**70, "b": -(2**66)}, {"half": "\ud800"}, {3: "three", None: 1}, "ä😀", 2**63, 1e-7,
        {"deep": [[[[{"x": (1, 2.5, True, None)}]]]]},
    ],
)  # fmt: skip
def test_json_text_reads_back_as_what_the_standard_writes(value):
    assert json.loads(dumps(value)) == json.loads(json.dumps(value))


def test_numpy_numbers_and_arrays_are_json_too():
    held = {"n": np.float32(0.5), "k": np.int64(3), "rows": np.array([[1.0, np.nan], [2.0, 3.0]])}
    assert json.loads(dumps(held)) == {"n": 0.5, "k": 3, "rows": [[1.0, None], [2.0, 3.0]]}


@pytest.mark.parametrize("cut", [0, 3, 7, 20, -1])
def test_a_truncated_frame_is_refused(cut):
    data = encode({"k": 1}, {"a": np.arange(5, dtype="f8")})
    with pytest.raises(FrameError):
        decode(data[:cut])


def test_an_unknown_dtype_is_refused():
    with pytest.raises(FrameError, match="int64"):
        encode({}, {"a": np.arange(3)})

"""Bodies that lenient JSON readers accept are refused, and the field at fault is named."""

from __future__ import annotations

import math

import pytest

from dashboard.api.errors import ApiError
from dashboard.api.strict_json import MAX_DEPTH, loads


def test_plain_json_comes_through():
    assert loads(b'{"a": [1, 2.5, null, true, "x"], "b": {"c": -3}}') == {
        "a": [1, 2.5, None, True, "x"],
        "b": {"c": -3},
    }


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_not_finite_are_refused_by_field(number):
    body = f'{{"values": {{"lif.alpha": [1, {number}]}}}}'.encode()
    with pytest.raises(ApiError) as refused:
        loads(body)
    assert refused.value.status == 400
    assert refused.value.details["field"] == "values.lif.alpha[1]"


def test_numbers_that_are_not_finite_can_be_kept_for_a_range_check():
    assert math.isnan(loads(b'{"value": NaN}', keep_non_finite=True)["value"])
    assert loads(b'{"value": -1e999}', keep_non_finite=True)["value"] == -math.inf
    huge = b'{"value": -' + b"9" * 5000 + b"}"
    assert loads(huge, keep_non_finite=True)["value"] == -math.inf


def test_a_name_given_twice_is_refused():
    with pytest.raises(ApiError) as refused:
        loads(b'{"value": {"x": 1, "x": 2}}')
    assert refused.value.details["field"] == "value.x"


def test_depth_is_capped_before_it_is_parsed():
    loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 200_000):
        with pytest.raises(ApiError, match="nested deeper"):
            loads(b"[" * depth + b"]" * depth)


def test_brackets_inside_text_are_no_depth():
    assert loads(b'"' + b"[" * 100 + b'\\""') == "[" * 100 + '"'


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"{", b"[1,]", b"{'a': 1}", b"\xff\xfe", b"nul", b'{"a": 1} 2']
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ApiError) as refused:
        loads(body)
    assert refused.value.status == 400


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ApiError, match="surrogate"):
        loads(b'{"text": "\\ud800"}')

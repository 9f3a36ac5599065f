"""Query values, checked: a wrong one is refused with its name and range, never replaced."""

from __future__ import annotations

import math

from flask import request

from t4dm.live.window import View
from t4dm.params import ParamError, plain


def number(name: str, default: float | None, lo: float, hi: float) -> float | None:
    """A finite number of the query; raises :class:`ParamError` naming the range."""
    text = _single(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (lo <= value <= hi) or "_" in text or not text.isascii():
        message = f"{name}: expected a number from {plain(lo)} to {plain(hi)}"
        raise ParamError(name, message, lo=lo, hi=hi)
    return value


def integer(name: str, default: int | None, lo: int, hi: int) -> int | None:
    """An integer of the query in plain decimal digits; raises :class:`ParamError`."""
    text = _single(name)
    if text is None:
        return default
    whole = text.isascii() and text.isdecimal() and len(text) <= 18
    if not whole or not lo <= int(text) <= hi:
        raise ParamError(name, f"{name}: expected an integer from {lo} to {hi}", lo=lo, hi=hi)
    return int(text)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of ``choices``; raises :class:`ParamError` listing them."""
    text = _single(name)
    if text is None:
        return default
    if text not in choices:
        message = f"{name}: expected one of {', '.join(choices)}"
        raise ParamError(name, message, choices=list(choices))
    return text


def view() -> View:
    """The part of the network that is wanted; raises :class:`ParamError`."""
    return View.parse(
        rows=_single("rows"),
        membrane=_single("membrane"),
        gate_block=_single("gate_block") or 0,
        weights_block=_single("weights_block") or 0,
        attention_block=_single("attention_block") or 0,
    )


def _single(name: str) -> str | None:
    values = request.args.getlist(name)
    if len(values) > 1:
        raise ParamError(name, f"{name} is given twice")
    return values[0] if values and values[0] != "" else None

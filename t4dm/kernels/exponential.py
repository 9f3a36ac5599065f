"""e^x and the sigmoid in a form that the compiler turns into vector instructions.

e^x = 2^n * e^r with n = round(x / ln 2), |r| <= ln(2)/2 and a Taylor polynomial in r; relative error
below 2e-7 (float32) and 4e-16 (float64).  Arguments are cut to the range of normal numbers; NaN stays.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from t4dm.kernels.compiled import jit

_LOG2E = math.log2(math.e)
_F32 = np.float32
_C32 = tuple(_F32(1.0 / math.factorial(k)) for k in range(8))
_L32, _HI32, _LO32 = _F32(_LOG2E), _F32(0.693359375), _F32(-2.12194440e-4)
_MIN32, _MAX32, _HALF32 = _F32(-87.0), _F32(88.0), _F32(0.5)
_C64 = tuple(1.0 / math.factorial(k) for k in range(14))
_HI64, _LO64 = 6.93145751953125e-1, 1.42860682030941723212e-6


@intrinsic
def _power_of_two(typing_context, n):  # type: ignore[no-untyped-def]
    """2.0**n from the bits of the exponent: int32 -> float32, int64 -> float64."""
    narrow = n == types.int32
    result = types.float32 if narrow else types.float64
    bits, shift, bias = (32, 23, 127) if narrow else (64, 52, 1023)

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        whole = ir.IntType(bits)
        moved = builder.shl(
            builder.add(args[0], ir.Constant(whole, bias)), ir.Constant(whole, shift)
        )
        return builder.bitcast(moved, ir.FloatType() if narrow else ir.DoubleType())

    return result(types.int32 if narrow else types.int64), codegen


@jit()
def _exp32(x):  # type: ignore[no-untyped-def]
    x = _MIN32 if x < _MIN32 else x
    x = _MAX32 if x > _MAX32 else x
    n = np.floor(x * _L32 + _HALF32)
    r = x - n * _HI32 - n * _LO32
    p = _C32[7]
    p = p * r + _C32[6]
    p = p * r + _C32[5]
    p = p * r + _C32[4]
    p = p * r + _C32[3]
    p = p * r + _C32[2]
    p = p * r + _C32[1]
    p = p * r + _C32[0]
    return p * _power_of_two(np.int32(n))  # type: ignore[call-arg]


@jit()
def _exp64(x):  # type: ignore[no-untyped-def]
    x = -708.0 if x < -708.0 else x
    x = 709.0 if x > 709.0 else x
    n = np.floor(x * _LOG2E + 0.5)
    r = x - n * _HI64 - n * _LO64
    p = _C64[13]
    p = p * r + _C64[12]
    p = p * r + _C64[11]
    p = p * r + _C64[10]
    p = p * r + _C64[9]
    p = p * r + _C64[8]
    p = p * r + _C64[7]
    p = p * r + _C64[6]
    p = p * r + _C64[5]
    p = p * r + _C64[4]
    p = p * r + _C64[3]
    p = p * r + _C64[2]
    p = p * r + _C64[1]
    p = p * r + _C64[0]
    return p * _power_of_two(np.int64(n))  # type: ignore[call-arg]


def exp(x: float) -> float:
    """e^x of one float32 or float64 inside a kernel."""
    raise NotImplementedError("exp is for compiled code")


@overload(exp, inline="always")
def _exp_overload(x):  # type: ignore[no-untyped-def]
    if x == types.float32:
        return lambda x: _exp32(x)
    return lambda x: _exp64(x)


@jit()
def sigmoid(x):  # type: ignore[no-untyped-def]
    """x <- 1 / (1 + e^-x) for a vector, in place."""
    one = x.dtype.type(1)
    for i in range(x.shape[0]):
        x[i] = one / (one + exp(-x[i]))

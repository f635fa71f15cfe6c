"""Random inputs: a base array, drawn from the case's name alone, and a view of it that both sides apply."""

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

F32, F16, BF16, F64, C64 = "float32", "float16", "bfloat16", "float64", "complex64"
I8, I16, I32, I64 = "int8", "int16", "int32", "int64"
U8, U16, U32, U64 = "uint8", "uint16", "uint32", "uint64"
BOOL = "bool"
FLOATS = (F32, F16, BF16)
INTEGERS = (I8, I16, I32, I64, U8, U16, U32, U64)
# Every dtype; f64 is one of the CPU alone.
ALL = (*FLOATS, BOOL, *INTEGERS, C64, F64)

VIEWS = ("transposed", "strided", "reversed", "broadcast")
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1.5, 1e-30, 1e30, 3.4e38, -1e-40]


@dataclass(frozen=True)
class Input:
    """An array of `shape` as an op sees it. `kind` says which values, `view` how it lies in memory."""

    shape: tuple
    dtype: str = F32
    kind: object = "any"
    view: str = "plain"


def dtype_of(name):
    return mx.bool_ if name == BOOL else getattr(mx, name)


def name_of(dtype):
    return str(dtype).rpartition(".")[2].rstrip("_")


def recipe(shape, view):
    """The shape of the base array, and the steps from it to `shape`."""
    shape, n = list(shape), len(shape)
    if view == "transposed":
        return shape[::-1], [["transpose", list(range(n))[::-1]]]
    if view == "strided":
        return [*shape[:-1], 2 * shape[-1]], [["slice", [0] * n, [*shape[:-1], 2 * shape[-1]], [1] * (n - 1) + [2]]]
    if view == "reversed":
        last = shape[-1]
        return shape, [["slice", [0] * (n - 1) + [last - 1], [*shape[:-1], -last - 1], [1] * (n - 1) + [-1]]]
    if view == "broadcast":
        return [1, *shape[1:]], [["broadcast", shape]]
    return shape, []


def apply(base, steps):
    for name, *args in steps:
        if name == "transpose":
            base = mx.transpose(base, args[0])
        elif name == "slice":
            base = base[tuple(slice(a, None if b < 0 else b, c) for a, b, c in zip(*args))]
        else:
            base = mx.broadcast_to(base, args[0])
    return base


def integers(rng, kind, dtype, n):
    signed = not dtype.startswith("u")
    if isinstance(kind, list):
        return np.resize(np.array(kind), n)
    low, high = {"positive": (1, 9), "above_one": (1, 9), "small": (0, 4), "shift": (0, 7), "nonzero": (1, 9)}.get(kind, (0, 100))
    values = rng.integers(low, high, n)
    if signed and kind in ("any", "unit", "nonzero"):
        values = values * rng.choice([-1, 1], n)
    return values


def floats(rng, kind, n):
    if isinstance(kind, list):
        return np.resize(np.array(kind, np.float64), n)
    if kind == "special":
        return np.resize(SPECIAL, n)
    values = rng.standard_normal(n) * 2
    if kind == "unit":
        return np.tanh(values) * 0.97
    if kind == "distinct":
        return (rng.permutation(n) - n / 2 + 0.25) / 4
    if kind == "positive":
        return np.abs(values) + 0.1
    if kind == "above_one":
        return np.abs(values) + 1.05
    if kind == "nonzero":
        return values + np.where(values < 0, -0.3, 0.3)
    return values


def below(rng, bound, dtype, n):
    """Indices of an axis of size `bound`, negative ones too where the dtype has them."""
    return rng.integers(0 if dtype.startswith("u") else -bound, bound, n)


def base_of(rng, dtype, kind, n):
    """`n` values as a vector."""
    if isinstance(kind, int):
        return mx.array(below(rng, kind, dtype, n).astype(dtype))
    if dtype == BOOL:
        return mx.array(rng.integers(int(kind == "nonzero"), 2, n).astype(bool))
    if dtype in INTEGERS:
        return mx.array(integers(rng, kind, dtype, n).astype(dtype))
    if dtype == C64:
        return mx.array((floats(rng, kind, n) + 1j * floats(rng, kind, n)[::-1]).astype(np.complex64))
    values = floats(rng, kind, n)
    if dtype == F64:
        return mx.array(values.view(np.uint8)).view(mx.float64) if n else mx.zeros((0,), mx.float64)
    return mx.array(values.astype(np.float32)).astype(dtype_of(dtype))


def draw(rng, wanted):
    """The base array and the steps that make the input of it."""
    shape, steps = recipe(wanted.shape, wanted.view)
    base = base_of(rng, wanted.dtype, wanted.kind, int(np.prod(shape))).reshape(shape)
    if wanted.kind == "posdef" and mx.issubdtype(base.dtype, mx.floating):
        base = base @ mx.swapaxes(base, -1, -2) + 0.5 * mx.eye(shape[-1], dtype=base.dtype)
    elif wanted.kind == "regular":
        base = base + 4 * mx.eye(shape[-1], dtype=base.dtype)
    mx.eval(base)
    return base, steps

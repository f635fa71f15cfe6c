"""Random numbers: the same key gives the same ones, and so does the default key after the same seed."""

import mlx.core as mx

from ops.draw import F16, F32, FLOATS, I32, I64, I8, U8, U32
from ops.table import case, op, over_args, x

SHAPES = [[], [0], [3], [2, 5], [33]]


def key(a):
    """The key of a case, or none: then the default key, seeded."""
    if a.seed is None:
        return mx.random.key(a.key)
    mx.random.seed(a.seed)
    return None


def keyed(**lists):
    """Cases with a key and with a seed of the default key."""
    cases = over_args(case({"key": 7}), **lists)
    return cases + over_args(case({"seed": 11}), **lists)


def declare():
    op("random.key", "random", lambda a: mx.random.key(a.seed), over_args(case(), seed=[0, 1, 7, 2**32 + 5, 2**63]))
    op("random.seed", "random", seeded, over_args(case(), seed=[0, 9, 2**40]))
    op("random.split", "random", lambda a: mx.random.split(mx.random.key(a.seed), a.num), over_args(case(), seed=[0, 3], num=[1, 2, 5]))
    cases = keyed(shape=SHAPES, dtype=FLOATS, low=[0], high=[1]) + keyed(shape=[[4]], dtype=[F32], low=[-2.5], high=[7])
    cases += [case({"key": 1, "shape": [2], "dtype": I32, "low": 0, "high": 1})]
    op("random.uniform", "random", lambda a: mx.random.uniform(a.low, a.high, a.shape, a.dtype, key(a)), cases)
    cases = [
        case({"key": 3, "shape": [2, 3], "dtype": F32}, low=x((3,)), high=x((2, 1), kind=[9.0])),
        case({"key": 3, "shape": [2], "dtype": F32}, low=x((3,)), high=x(())),
    ]
    op(
        "random.uniform.bounds",
        "random",
        lambda a: mx.random.uniform(a.low, a.high, a.shape, a.dtype, key(a)),
        cases,
        covers=("random.uniform",),
        grad=("low", "high"),
    )
    op("random.normal", "random", lambda a: mx.random.normal(a.shape, a.dtype, key=key(a)), keyed(shape=SHAPES, dtype=FLOATS))
    cases = keyed(shape=[[3]], dtype=FLOATS, loc=[2.0], scale=[0.5])
    op("random.normal.with", "random", lambda a: mx.random.normal(a.shape, a.dtype, a.loc, a.scale, key(a)), cases, covers=("random.normal",))
    op("random.gumbel", "random", lambda a: mx.random.gumbel(a.shape, a.dtype, key(a)), keyed(shape=SHAPES, dtype=FLOATS))
    op(
        "random.laplace",
        "random",
        lambda a: mx.random.laplace(a.shape, a.dtype, a.loc, a.scale, key(a)),
        keyed(shape=SHAPES, dtype=FLOATS, loc=[0.0, 1.5], scale=[1.0, 0.25]),
    )
    op(
        "random.truncated_normal",
        "random",
        lambda a: mx.random.truncated_normal(a.low, a.high, a.shape, a.dtype, key(a)),
        keyed(shape=SHAPES, dtype=FLOATS, low=[-1.0], high=[2.0]),
    )
    cases = keyed(shape=SHAPES, dtype=[I32, I64, I8, U8, U32], low=[0], high=[100]) + keyed(shape=[[4]], dtype=[I32, F32], low=[-50], high=[50])
    op("random.randint", "random", lambda a: mx.random.randint(a.low, a.high, a.shape, a.dtype, key(a)), cases)
    op("random.bernoulli", "random", lambda a: mx.random.bernoulli(a.p, a.shape, key(a)), keyed(shape=SHAPES, p=[0.3, 0.0, 1.0]))
    cases = [case(args, x=x(s)) for args in ({"key": 7}, {"seed": 5}) for s in ((9,), (3, 9), (2, 3, 4))]
    op("random.categorical", "random", lambda a: mx.random.categorical(a.x, key=key(a)), cases)
    cases = over_args(case({"key": 7}, x=x((3, 9))), axis=[0, -1, 2], num=[1, 4])
    op(
        "random.categorical.num",
        "random",
        lambda a: mx.random.categorical(a.x, a.axis, num_samples=a.num, key=key(a)),
        cases,
        covers=("random.categorical",),
    )
    cases = over_args(case({"key": 7}, x=x((3, 9))), axis=[-1], shape=[[3], [4, 3], [2]])
    op("random.categorical.shape", "random", lambda a: mx.random.categorical(a.x, a.axis, a.shape, key=key(a)), cases, covers=("random.categorical",))
    cases = over_args(case({"key": 7}, x=x((4, 5))), axis=[0, 1, -1, 2]) + [
        case({"seed": 5, "axis": 0}, x=x((9,), I32)),
        case({"key": 5, "axis": 0}, x=x((0,))),
    ]
    op("random.permutation", "random", lambda a: mx.random.permutation(a.x, a.axis, key(a)), cases)
    op("random.permutation.of", "random", lambda a: mx.random.permutation(a.n, key=key(a)), keyed(n=[0, 1, 12]), covers=("random.permutation",))
    cases = over_args(case({"key": 7, "dtype": F32}, mean=x((3,)), cov=x((3, 3), kind="posdef")), shape=[[], [4], [2, 1]]) + [
        case({"key": 7, "shape": [], "dtype": F32}, mean=x((3,)), cov=x((2, 2))),
        case({"key": 7, "shape": [], "dtype": F16}, mean=x((3,)), cov=x((3, 3))),
    ]
    op(
        "random.multivariate_normal",
        "random",
        lambda a: mx.random.multivariate_normal(a.mean, a.cov, a.shape, a.dtype, key(a)),
        cases,
        tolerance="linalg",
    )


def seeded(a):
    """Two draws from the default key after a seed."""
    mx.random.seed(a.seed)
    return mx.random.normal((3,)), mx.random.uniform(shape=(2, 2))

"""Constructors, shapes, views and joins."""

import mlx.core as mx

from ops.draw import ALL, BF16, BOOL, F16, F32, I32, I8
from ops.table import SHAPES, axis_cases, case, op, over_args, over_dtypes, over_views, unary_cases, x


def constructors():
    shapes = [[], [0], [3], [2, 0], [2, 3, 4]]
    for name in ("zeros", "ones"):
        call = lambda a, f=getattr(mx, name): f(a.shape, a.dtype)
        op(name, "create", call, over_args(case(), shape=shapes, dtype=[F32, I32]) + over_args(case({"shape": [2, 3]}), dtype=ALL))
    for name in ("zeros_like", "ones_like"):
        op(name, "create", lambda a, f=getattr(mx, name): f(a.x), unary_cases())
    fills = over_args(case(), shape=shapes, value=[2.5], dtype=[F32, F16]) + over_args(
        case({"shape": [2], "value": 3}), dtype=[d for d in ALL if d != BOOL]
    )
    op("full", "create", lambda a: mx.full(a.shape, a.value, a.dtype), fills)
    fills = [case({"shape": [2, 3]}, x=x((3,))), case({"shape": [2, 3]}, x=x((2, 1), I32)), case({"shape": [2, 3]}, x=x((4,)))] + over_dtypes(
        case({"shape": [2, 3]}, x=x((3,)))
    )
    op("full.array", "create", lambda a: mx.full(a.shape, a.x), fills, grad=("x",), covers=("full",))
    op("full_like", "create", lambda a: mx.full_like(a.x, a.value), [case({"value": 3}, **c.inputs) for c in unary_cases()])
    spans = [(0, 5, 1), (2, 11, 3), (5, 0, -2), (0, 0, 1), (3, 1, 1), (0, 1, 0.25), (1, -1, -0.3), (0, 1, 0)]
    spans = [case(dict(start=a, stop=b, step=c, dtype=d)) for a, b, c in spans for d in (F32, I32, F16)]
    spans += over_args(case(dict(start=1, stop=9, step=2)), dtype=[d for d in ALL if d != BOOL])
    op("arange", "create", lambda a: mx.arange(a.start, a.stop, a.step, a.dtype), spans)
    spans = over_args(case(), start=[0, -1.5], stop=[1, 7], num=[0, 1, 2, 5, 50], endpoint=[True, False], dtype=[F32, F16])
    op("linspace", "create", lambda a: mx.linspace(a.start, a.stop, a.num, a.endpoint, a.dtype), spans)
    squares = over_args(case(), n=[0, 1, 3], m=[2, 5], k=[-9, -1, 0, 2], dtype=[F32, I32])
    op("eye", "create", lambda a: mx.eye(a.n, a.m, a.k, a.dtype), squares)
    op("tri", "create", lambda a: mx.tri(a.n, a.m, a.k, a.dtype), squares)
    op("identity", "create", lambda a: mx.identity(a.n, a.dtype), over_args(case(), n=[0, 1, 4], dtype=[F32, I32, BF16]))
    for name in ("hanning", "hamming", "bartlett", "blackman"):
        op(name, "create", lambda a, f=getattr(mx, name): f(a.n), over_args(case(), n=[-1, 0, 1, 2, 5, 16]))
    grids = over_args(case(x=x((3,)), y=x((2,))), sparse=[False, True], indexing=["xy", "ij"])
    grids += over_args(case(x=x((3,), I32), y=x((2,), I32), z=x((4,), I32)), sparse=[False, True], indexing=["xy", "ij"])
    call = lambda a: tuple(mx.meshgrid(*filter(lambda t: t is not None, (a.x, a.y, a.z)), sparse=a.sparse, indexing=a.indexing))
    op("meshgrid", "create", call, grids, grad=("x", "y"), vmap=("x", "y"))


def reshaped():
    shapes = [[15], [5, 3], [-1], [3, -1], [1, 3, 5, 1], [4, 4], [-1, -1], [2, -1]]
    dims = over_args(case(x=x()), shape=shapes) + over_dtypes(case({"shape": [5, 3]}, x=x()))
    dims += [case({"shape": s}, x=x(of)) for of, s in (((0,), [0, 3]), ((0, 3), [-1]), ((), [1]), ((1,), []), ((2, 3, 4), [6, 4]))]
    for view in over_views(case(x=x())):
        dims += over_args(view, shape=[[15], [5, 3]])
    op("reshape", "shape", lambda a: a.x.reshape(a.shape), dims, grad=("x",), vmap=("x",))
    dims = over_args(case(x=x((2, 3, 4))), start=[0, 1, -2], end=[-1, 1, 2, 0]) + [case({"start": 0, "end": -1}, **c.inputs) for c in unary_cases()]
    op("flatten", "shape", lambda a: mx.flatten(a.x, a.start, a.end), dims, grad=("x",), vmap=("x",))
    dims = [case({"axis": axis, "shape": s}, x=x((6, 4))) for axis in (0, 1, -1, 2) for s in ([2, 3], [-1, 2], [4], [2, 2], [])]
    op("unflatten", "shape", lambda a: mx.unflatten(a.x, a.axis, a.shape), dims, grad=("x",), vmap=("x",))
    orders = [[0, 1, 2], [2, 0, 1], [-1, 0, 1], [0, 1], [0, 0, 1], [0, 1, 5]]
    op(
        "transpose",
        "shape",
        lambda a: mx.transpose(a.x, a.axes),
        over_args(case(x=x((2, 3, 4))), axes=orders) + over_dtypes(case({"axes": [1, 0]}, x=x())),
        grad=("x",),
        vmap=("x",),
    )
    op("transpose.all", "shape", lambda a: mx.transpose(a.x), unary_cases(), covers=("transpose", "array.T"), vmap=("x",))
    op("matrix_transpose", "shape", lambda a: mx.matrix_transpose(a.x), unary_cases(), grad=("x",), vmap=("x",), covers=("array.mT",))
    pairs = over_args(case(x=x((2, 3, 4))), first=[0, -1, 3], second=[1, 2, -3])
    op("swapaxes", "shape", lambda a: mx.swapaxes(a.x, a.first, a.second), pairs, grad=("x",), vmap=("x",))
    op("moveaxis", "shape", lambda a: mx.moveaxis(a.x, a.first, a.second), pairs, grad=("x",), vmap=("x",))
    axes = [[0], [-1], [0, 2], [1, 1], [3], [7], []]
    op(
        "expand_dims",
        "shape",
        lambda a: mx.expand_dims(a.x, a.axes),
        over_args(case(x=x()), axes=axes) + over_args(case(x=x(())), axes=[[0], [0, 1]]),
        grad=("x",),
        vmap=("x",),
    )
    axes = [None, [0], [-1], [0, 2], [1], [0, 0], [7], []]
    op(
        "squeeze",
        "shape",
        lambda a: mx.squeeze(a.x, a.axes),
        over_args(case(x=x((1, 3, 1))), axes=axes) + over_dtypes(case({"axes": None}, x=x((1, 3)))),
        grad=("x",),
        vmap=("x",),
        base=case({"axes": [0]}, x=x((1, 3, 1))),
    )
    for n in (1, 2, 3):
        name = f"atleast_{n}d"
        op(name, "shape", lambda a, f=getattr(mx, name): f(a.x), [case(x=x(s)) for s in SHAPES], grad=("x",))
    targets = [case({"shape": s}, x=x(of)) for of in ((), (1,), (3,), (2, 1), (0,)) for s in ([3], [2, 3], [4, 2, 3], [], [0], [2, 0])]
    op("broadcast_to", "shape", lambda a: mx.broadcast_to(a.x, a.shape), targets, grad=("x",), base=case({"shape": [2, 3]}, x=x((3,))))
    arrays = [case(x=x(a), y=x(b)) for a, b in (((), (3,)), ((3, 1), (1, 4)), ((2, 3), (3,)), ((0, 1), (1, 2)), ((3,), (4,)))]
    op("broadcast_arrays", "shape", lambda a: tuple(mx.broadcast_arrays(a.x, a.y)), arrays, grad=("x", "y"))
    shapes = [[[3], [1]], [[2, 1], [3]], [[], [4, 5]], [[0], [1]], [[3], [4]], [[2, 1, 3], [4, 1], [1, 1]]]
    op("broadcast_shapes", "shape", lambda a: mx.array(mx.broadcast_shapes(*a.shapes), mx.int32), over_args(case(), shapes=shapes))
    strided = [
        case(dict(shape=s, strides=t, offset=o), x=x((4, 6)))
        for s, t, o in (([3, 2], [6, 2], 1), ([5], [0], 3), ([4, 3], [1, 1], 0), ([], [], 5), ([2, 2], [-6, -1], 23))
    ]
    op("as_strided", "shape", lambda a: mx.as_strided(a.x, a.shape, a.strides, a.offset), strided, grad=("x",))
    op("contiguous", "shape", lambda a: mx.contiguous(a.x), unary_cases(), grad=("x",), vmap=("x",))
    for name in ("tril", "triu"):
        cases = over_args(case(x=x((2, 3, 4))), k=[-5, -1, 0, 1, 9]) + over_dtypes(case({"k": 0}, x=x())) + [case({"k": 0}, x=x((3,)))]
        op(name, "shape", lambda a, f=getattr(mx, name): f(a.x, a.k), cases, grad=("x",), vmap=("x",))
    cases = [case({"k": k}, x=x(s)) for s in ((4,), (3, 5), (0,), (2, 2, 2)) for k in (-2, 0, 1)] + over_dtypes(case({"k": 1}, x=x((3,))))
    op("diag", "shape", lambda a: mx.diag(a.x, a.k), cases, grad=("x",))
    cases = over_dtypes(case(dict(offset=0, first=0, second=1), x=x())) + over_args(
        case(x=x((2, 3, 4))), offset=[-1, 0, 2, 9], first=[0, 2], second=[1, -3]
    )
    op("diagonal", "shape", lambda a: mx.diagonal(a.x, a.offset, a.first, a.second), cases, grad=("x",), vmap=("x",))
    # A diagonal of no elements would be a sum over nothing.
    cases = [c for c in cases if c.args["offset"] < 1]
    op("trace", "shape", lambda a: mx.trace(a.x, a.offset, a.first, a.second), cases, grad=("x",), vmap=("x",))


def moved():
    axes = [None, [0], [-1], [0, 2], [1, 1], [5], []]
    op(
        "flip",
        "shape",
        lambda a: mx.flip(a.x, a.axes),
        over_args(case(x=x((2, 3, 4))), axes=axes) + over_dtypes(case({"axes": None}, x=x())),
        grad=("x",),
        vmap=("x",),
    )
    cases = axis_cases(shift=[0, 1, -2, 9])
    op("roll", "shape", lambda a: mx.roll(a.x, a.shift, a.axis), cases, grad=("x",), vmap=("x",))
    cases = [case({"shifts": s, "axes": t}, x=x((2, 3, 4))) for s, t in (([1, 2], [0, 2]), ([1], [1]), ([-1, 1], [2, 2]), ([1, 2], [0, 5]))]
    op("roll.axes", "shape", lambda a: mx.roll(a.x, tuple(a.shifts), tuple(a.axes)), cases, covers=("roll",))
    op(
        "repeat",
        "shape",
        lambda a: mx.repeat(a.x, a.repeats, a.axis),
        axis_cases(repeats=[0, 1, 3, -1]),
        grad=("x",),
        vmap=("x",),
        base=case({"repeats": 2, "axis": -1}, x=x()),
    )
    reps = over_args(case(x=x((2, 3))), reps=[[2], [1, 2], [2, 1, 3], [0], [], [-1]]) + over_dtypes(case({"reps": [2, 2]}, x=x()))
    op("tile", "shape", lambda a: mx.tile(a.x, a.reps), reps, grad=("x",), vmap=("x",))
    parts = over_args(case(x=x((6, 4))), parts=[1, 2, 3, 4, 0], axis=[0, 1, -1, 2])
    op(
        "split",
        "shape",
        lambda a: tuple(mx.split(a.x, a.parts, a.axis)),
        parts,
        grad=("x",),
        vmap=("x",),
        base=case({"parts": 2, "axis": -1}, x=x((6, 4))),
    )
    cases = over_args(case(x=x((6, 4))), indices=[[2], [1, 3], [3, 1], [-1], [9], []], axis=[0, 1, -1])
    op(
        "split.at",
        "shape",
        lambda a: tuple(mx.split(a.x, a.indices, a.axis)),
        cases,
        grad=("x",),
        vmap=("x",),
        base=case({"indices": [1], "axis": -1}, x=x()),
        covers=("split",),
    )
    op(
        "unstack",
        "shape",
        lambda a: tuple(mx.unstack(a.x, axis=a.axis)),
        over_args(case(x=x((2, 3))), axis=[0, 1, -1, 2]) + [case({"axis": 0}, x=x(()))],
        grad=("x",),
    )
    widths = [case(dict(axes=[0, 1], low=[1, 0], high=[2, 3], value=v), x=x((2, 3))) for v in (0, 1.5)]
    widths += [case(dict(axes=[-1], low=[2], high=[0], value=0), x=x((2, 3), d)) for d in ALL]
    widths += [case(dict(axes=[0], low=[-1], high=[0], value=0), x=x((2, 3))), case(dict(axes=[0], low=[0], high=[2], value=1), x=x((0,)))]
    op("pad", "shape", padded, widths, grad=("x",), vmap=("x",))
    widths = over_args(case(dict(axes=[0, 1], low=[1, 2], high=[2, 1]), x=x((3, 4))), mode=["edge", "reflect", "symmetric"])
    widths += over_args(case(dict(axes=[0], low=[4], high=[4]), x=x((3,))), mode=["edge", "reflect", "symmetric"])
    op("pad.mode", "shape", padded, widths, grad=("x",), vmap=("x",), covers=("pad",))


def padded(a):
    pairs = [(0, 0)] * a.x.ndim
    for axis, low, high in zip(a.axes, a.low, a.high):
        pairs[axis] = (low, high)
    return mx.pad(a.x, pairs, a.mode or "constant", a.value or 0)


def joined():
    cases = [case({"axis": axis}, x=x((2, 3)), y=x((2, 3))) for axis in (0, 1, -1, -2, 2)]
    cases += [case({"axis": 0}, x=x(a), y=x(b)) for a, b in (((2, 3), (4, 3)), ((0, 3), (1, 3)), ((2, 3), (2, 4)), ((2,), (2, 3)), ((), ()))]
    cases += over_dtypes(case({"axis": 0}, x=x(), y=x())) + [
        case({"axis": 0}, x=x(dtype=a), y=x(dtype=b)) for a, b in ((F32, I32), (BOOL, I8), (F16, BF16))
    ]
    cases += over_views(cases[0])
    op("concatenate", "shape", lambda a: mx.concatenate([a.x, a.y], a.axis), cases, grad=("x", "y"), vmap=("x", "y"))
    cases = [case({"axis": axis}, x=x((2, 3)), y=x((2, 3))) for axis in (0, 1, -1, 2, -3, 3)] + [
        case({"axis": 0}, x=x(()), y=x(())),
        case({"axis": 0}, x=x((2,)), y=x((3,))),
    ]
    op("stack", "shape", lambda a: mx.stack([a.x, a.y], a.axis), cases + over_dtypes(cases[0]), grad=("x", "y"), vmap=("x", "y"))
    op("depends", "shape", lambda a: mx.depends(a.x, a.y), [case(x=x(), y=x((2,), I32))])


def declare():
    constructors()
    reshaped()
    moved()
    joined()

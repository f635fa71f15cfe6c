"""Products, convolutions, quantization, and the fused ops of mlx.core.fast."""

import mlx.core as mx

from ops.draw import BF16, BOOL, C64, F16, F32, F64, I32, U32
from ops.table import MIXED, case, op, over_args, over_dtypes, over_views, x

TYPED = (F32, F16, BF16, C64, F64, I32, BOOL)
BOTH = ("x", "y")


def products():
    pairs = [((3, 5), (5, 4)), ((5,), (5,)), ((5,), (5, 2)), ((3, 5), (5,)), ((2, 3, 5), (5, 4)), ((2, 3, 5), (2, 5, 4)),
             ((2, 1, 3, 5), (4, 5, 2)), ((0, 5), (5, 4)), ((3, 0), (0, 4)), ((2, 3), (4, 2)), ((), (3,)), ((17, 33), (33, 19)),
             ((1, 64), (64, 48)), ((13, 64), (64, 7)), ((2, 3, 5), (3, 5, 4))]  # fmt: skip
    cases = [case(x=x(a), y=x(b)) for a, b in pairs] + over_dtypes(case(x=x((3, 5)), y=x((5, 4))), TYPED)
    cases += (
        [case(x=x((3, 3), a), y=x((3, 3), b)) for a, b in MIXED]
        + over_views(cases[0])
        + over_views(cases[4])
        + over_views(case(x=x((16, 32)), y=x((32, 16))), ["y"])
    )
    op("matmul", "product", lambda a: a.x @ a.y, cases, tolerance="product", grad=BOTH, vmap=BOTH)
    cases = [case(x=x(a), y=x(b)) for a, b in (((3, 5), (4, 5)), ((5,), (5,)), ((2, 3, 5), (4, 5)), ((), (3,)), ((3, 5), (4, 2)))]
    op("inner", "product", lambda a: mx.inner(a.x, a.y), cases + over_dtypes(cases[0], TYPED), tolerance="product", grad=BOTH, vmap=BOTH)
    op(
        "outer",
        "product",
        lambda a: mx.outer(a.x, a.y),
        [case(x=x(a), y=x(b)) for a, b in (((3,), (4,)), ((2, 2), (3,)), ((), (2,)), ((0,), (3,)))] + over_dtypes(case(x=x((3,)), y=x((4,)))),
        grad=BOTH,
        vmap=BOTH,
    )
    op(
        "vecdot",
        "product",
        lambda a: mx.vecdot(a.x, a.y, axis=a.axis),
        over_args(case(x=x(), y=x()), axis=[0, -1, 2])
        + over_dtypes(case({"axis": -1}, x=x(), y=x()), TYPED)
        + [case({"axis": -1}, x=x(), y=x((3,)))],
        tolerance="product",
        grad=BOTH,
        vmap=BOTH,
    )
    cases = [
        case({"axes": [s, t]}, x=x((3, 4, 5)), y=x((4, 3, 2)))
        for s, t in (([0], [1]), ([1, 0], [0, 1]), ([-2], [0]), ([], []), ([2], [2]), ([0, 1], [1]))
    ]
    op("tensordot", "product", lambda a: mx.tensordot(a.x, a.y, a.axes), cases, tolerance="product", grad=BOTH, vmap=BOTH)
    op(
        "tensordot.count",
        "product",
        lambda a: mx.tensordot(a.x, a.y, a.count),
        over_args(case(x=x((3, 4, 5)), y=x((4, 5, 2))), count=[2, 0, 1, 9]),
        tolerance="product",
        grad=BOTH,
        covers=("tensordot",),
        base=case({"count": 2}, x=x((3, 4, 5)), y=x((4, 5, 2))),
    )
    op(
        "kron",
        "product",
        lambda a: mx.kron(a.x, a.y),
        [case(x=x(a), y=x(b)) for a, b in (((2, 3), (3, 2)), ((3,), (2, 2)), ((), (2,)), ((0,), (2,)))] + over_dtypes(case(x=x((2, 2)), y=x((2, 3)))),
        grad=BOTH,
        vmap=BOTH,
    )
    scaled = dict(alpha=0.5, beta=-2.0)
    cases = [
        case(scaled, c=x(c), a=x(p), b=x(q))
        for c, p, q in (
            ((3, 4), (3, 5), (5, 4)),
            ((4,), (3, 5), (5, 4)),
            ((), (2, 3, 5), (5, 4)),
            ((3, 4), (3, 5), (4, 4)),
            ((7,), (3, 5), (5, 4)),
            ((3, 4), (3, 0), (0, 4)),
        )
    ]
    op(
        "addmm",
        "product",
        lambda a: mx.addmm(a.c, a.a, a.b, a.alpha, a.beta),
        cases + over_dtypes(cases[0], (F32, F16, BF16, F64)) + over_args(cases[0], alpha=[1, 0], beta=[1, 0]),
        tolerance="product",
        grad=("c", "a", "b"),
        vmap=("c", "a", "b"),
    )
    cases = [
        case({"block": 32}, x=x((64, 32)), y=x((32, 64)), out=x((2, 2), BOOL)),
        case({"block": 32}, x=x((33, 40)), y=x((40, 20)), lhs=x((2, 2), BOOL), rhs=x((2, 1), BOOL)),
        case({"block": 64}, x=x((2, 10, 12)), y=x((2, 12, 9))),
        case({"block": 7}, x=x((3, 4)), y=x((4, 5))),
    ]
    op(
        "block_masked_mm",
        "product",
        lambda a: mx.block_masked_mm(a.x, a.y, a.block, a.out, a.lhs, a.rhs),
        cases,
        tolerance="product",
        grad=BOTH,
        base=cases[2],
    )
    segments = [0, 3, 3, 3, 1, 8]
    op(
        "segmented_mm",
        "product",
        lambda a: mx.segmented_mm(a.x, a.y, a.segments),
        [case(x=x((4, 8)), y=x((8, 5)), segments=x((3, 2), U32, segments))],
        tolerance="product",
        grad=BOTH,
    )
    cases = [
        case(x=x((5, 2, 4)), y=x((3, 4, 6)), rhs=x((5,), U32, 3)),
        case(x=x((4, 1, 2, 4)), y=x((3, 4, 6)), lhs=x((3,), U32, 4), rhs=x((3,), U32, 3)),
        case(x=x((3, 2, 4)), y=x((3, 4, 6))),
    ]
    cases += over_dtypes(cases[0], (F16, BF16), BOTH)
    op("gather_mm", "product", lambda a: mx.gather_mm(a.x, a.y, a.lhs, a.rhs), cases, tolerance="kernel", wide=True, grad=BOTH)


def einsums():
    three = case(x=x((3, 4)), y=x((4, 5)), z=x((5, 2)))
    cases = [case({"subscripts": "ij,jk->ik"}, x=x((3, 4)), y=x((4, 5))), case({"subscripts": "ij,jk"}, x=x((3, 4)), y=x((4, 5))), case({"subscripts": "ii->i"}, x=x((3, 3))), case({"subscripts": "ij->ji"}, x=x((3, 4))),
             case({"subscripts": "ij->"}, x=x((3, 4))), case({"subscripts": "bij,bjk->bik"}, x=x((2, 3, 4)), y=x((2, 4, 5))), case({"subscripts": "i,j->ij"}, x=x((3,)), y=x((4,))),
             case({"subscripts": "...ij,...jk->...ik"}, x=x((2, 3, 4)), y=x((4, 5))), case({"subscripts": "ij,jk,kl->il"}, **three.inputs), case({"subscripts": "ij,ij->i"}, x=x((3, 4)), y=x((3, 4))),
             case({"subscripts": "ij,kl->im"}, x=x((3, 4)), y=x((4, 5))), case({"subscripts": "ij,jk->ik"}, x=x((3, 4)), y=x((3, 5))), case({"subscripts": "ij"}, x=x((3, 4)), y=x((3, 4)))]  # fmt: skip
    operands = lambda a: [t for t in (a.x, a.y, a.z) if t is not None]
    op(
        "einsum",
        "product",
        lambda a: mx.einsum(a.subscripts, *operands(a)),
        cases + over_dtypes(cases[0], TYPED),
        tolerance="product",
        grad=BOTH,
        vmap=BOTH,
    )

    def path(a):
        steps, _ = mx.einsum_path(a.subscripts, *operands(a))
        return tuple(mx.array(list(step), mx.int32) for step in steps)

    op("einsum_path", "product", path, cases[5:12])


def convolutions():
    shapes = {1: ((2, 9, 4), (6, 3, 4)), 2: ((2, 7, 6, 4), (6, 3, 2, 4)), 3: ((1, 5, 4, 6, 2), (4, 2, 3, 2, 2))}
    for n, (image, kernel) in shapes.items():
        base = dict(stride=1, padding=0, dilation=1, groups=1)
        cases = [
            case({**base, **change}, x=x(image), y=x(kernel))
            for change in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "padding": 1})
        ]
        cases += [
            case({**base, "groups": 2}, x=x(image), y=x((*kernel[:-1], kernel[-1] // 2))),
            case({**base, "groups": 3}, x=x(image), y=x(kernel)),
            case(base, x=x(image), y=x((*kernel[:-1], 3))),
        ]
        cases += over_dtypes(cases[0], (F16, BF16)) + over_views(cases[0])
        name = f"conv{n}d"
        call = lambda a, f=getattr(mx, name): f(a.x, a.y, a.stride, a.padding, a.dilation, a.groups)
        op(name, "conv", call, cases, tolerance="product", grad=BOTH, vmap=BOTH if n == 1 else ())
        base = dict(stride=1, padding=0, dilation=1, output=0, groups=1)
        cases = [
            case({**base, **change}, x=x(image), y=x(kernel))
            for change in ({}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 2, "output": 1})
        ]
        name = f"conv_transpose{n}d"
        call = lambda a, f=getattr(mx, name): f(a.x, a.y, a.stride, a.padding, a.dilation, a.output, a.groups)
        op(name, "conv", call, cases, tolerance="product", grad=BOTH)
    general = dict(stride=[1], low=[0], high=[0], kernel=[1], input=[1], groups=1, flip=False)
    changes = ({}, {"stride": [2], "low": [1], "high": [2]}, {"kernel": [2]}, {"input": [3]}, {"flip": True}, {"low": [-1], "high": [1]})
    cases = [case({**general, **change}, x=x((2, 9, 4)), y=x((6, 3, 4))) for change in changes] + [
        case({**general, "stride": [2, 1], "low": [1, 0], "high": [0, 2], "kernel": [1, 2], "input": [2, 1]}, x=x((1, 6, 7, 2)), y=x((3, 2, 2, 2)))
    ]
    call = lambda a: mx.conv_general(a.x, a.y, a.stride, (a.low, a.high), a.kernel, a.input, a.groups, a.flip)
    op("conv_general", "conv", call, cases, tolerance="product", grad=BOTH)
    cases = [
        case({"mode": m}, x=x(p), y=x(q)) for m in ("full", "same", "valid") for p, q in (((7,), (3,)), ((3,), (7,)), ((4,), (4,)), ((6,), (2,)))
    ] + [case({"mode": "full"}, x=x((2, 2)), y=x((2,))), case({"mode": "full"}, x=x((0,)), y=x((2,)))]
    op("convolve", "conv", lambda a: mx.convolve(a.x, a.y, a.mode), cases, tolerance="product", grad=BOTH)


def declare():
    products()
    einsums()
    convolutions()

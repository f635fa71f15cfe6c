"""Quantization and the ops of mlx.core.fast, which ours computes with its own kernels on a CPU."""

import mlx.core as mx

from ops.draw import BF16, BOOL, F16, FLOATS, I32, U32
from ops.table import case, op, over_dtypes, over_views, x

MODES = [("affine", g, b) for g in (32, 64, 128) for b in (2, 3, 4, 5, 6, 8)] + [("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)]
SOME = [("affine", 64, 4), ("affine", 32, 8), ("affine", 128, 3), ("mxfp4", 32, 4), ("nvfp4", 16, 4), ("mxfp8", 32, 8)]


def packing(mode, group, bits):
    return dict(mode=mode, group=group, bits=bits)


def packed(a):
    """The input `w` packed as the case says, without biases where the mode has none."""
    parts = mx.quantize(a.w, a.group, a.bits, a.mode)
    return (*parts, None)[:3]


def how(a):
    return dict(group_size=a.group, bits=a.bits, mode=a.mode)


def quantized():
    cases = [case(packing(*m), w=x((4, 128))) for m in MODES] + [case(packing("affine", 64, 4), w=x((4, 128), d)) for d in (F16, BF16)]
    cases += [
        case(packing("affine", 64, 4), w=x((4, 96))),
        case(packing("affine", 64, 7), w=x((4, 64))),
        case(packing("affine", 48, 4), w=x((4, 96))),
        case(packing("affine", 64, 4), w=x((2, 3, 64))),
        case(packing("affine", 64, 4), w=x((64,))),
    ]
    op("quantize", "quantized", lambda a: tuple(mx.quantize(a.w, a.group, a.bits, a.mode)), cases)

    def restored(a):
        w, scales, biases = packed(a)
        return mx.dequantize(w, scales, biases, **how(a))

    op("dequantize", "quantized", restored, cases[:-5])
    cases = [case(packing(*m), x=x((rows, 128)), w=x((6, 128))) for m in MODES for rows in (1, 5)]
    cases += [case(packing(*m), x=x((2, 3, 128)), w=x((9, 128))) for m in SOME] + [
        case(packing(*m), x=x((rows, 128), d), w=x((6, 128))) for m in SOME for d in (F16, BF16) for rows in (1, 5)
    ]
    cases += [
        case(packing("affine", 64, 4), x=x((3, 64)), w=x((6, 128))),
        case(packing("affine", 64, 4), x=x((20, 64), view="transposed"), w=x((40, 64))),
    ]

    def product(a):
        w, scales, biases = packed(a)
        return mx.quantized_matmul(a.x, w, scales, biases, transpose=True, **how(a))

    op(
        "quantized_matmul",
        "quantized",
        product,
        cases,
        tolerance="packed",
        wide=True,
        grad=("x",),
        vmap=("x",),
        base=case(packing("affine", 64, 4), x=x((5, 128)), w=x((6, 128))),
    )

    def gathered(a):
        w, scales, biases = packed(a)
        return mx.gather_qmm(a.x, w, scales, biases, a.lhs, a.rhs, transpose=a.transposed, **how(a))

    cases = [
        case(
            {**packing(*m), "transposed": t},
            x=x((5, 1, 64 if m[1] < 128 else 128)),
            w=x((3, 64, 64) if m[1] < 128 else (3, 128, 128)),
            rhs=x((5,), U32, 3),
        )
        for m in SOME
        for t in (True, False)
    ]
    cases.append(
        case({**packing("affine", 64, 4), "transposed": True}, x=x((4, 1, 2, 64)), w=x((3, 8, 64)), lhs=x((3, 2), U32, 4), rhs=x((3, 2), U32, 3))
    )
    op("gather_qmm", "quantized", gathered, cases, tolerance="packed", wide=True, grad=("x",))


def norms():
    cases = [case({"eps": 1e-5}, x=x(s), w=x((s[-1],))) for s in ((3, 16), (1, 1), (2, 3, 64), (7,), (5, 33))] + over_dtypes(
        case({"eps": 1e-5}, x=x((3, 16)), w=x((16,))), FLOATS
    )
    cases += [
        case({"eps": 1e-3}, x=x((3, 16))),
        case({"eps": 1e-5}, x=x((3, 16)), w=x((15,))),
        case({"eps": 1e-5}, x=x(()), w=x((1,))),
        case({"eps": 1e-5}, x=x((3, 16), F16), w=x((16,))),
    ] + over_views(cases[0], ["x"])
    op("fast.rms_norm", "fast", lambda a: mx.fast.rms_norm(a.x, a.w, a.eps), cases, tolerance="kernel", wide=True, grad=("x", "w"), vmap=("x",))
    cases = [case(c.args, **c.inputs, **({"b": x(c.inputs["w"].shape, c.inputs["w"].dtype)} if "w" in c.inputs else {})) for c in cases] + [
        case({"eps": 1e-5}, x=x((3, 16)), w=x((16,)))
    ]
    op(
        "fast.layer_norm",
        "fast",
        lambda a: mx.fast.layer_norm(a.x, a.w, a.b, a.eps),
        cases,
        tolerance="kernel",
        wide=True,
        grad=("x", "w", "b"),
        vmap=("x",),
    )
    cases = [
        case(x=x((4, 7)), y=x((4,), I32, [0, 6, 3, 2])),
        case(x=x((2, 3, 5)), y=x((2, 3), U32, [0, 4, 3])),
        case(x=x((7,)), y=x((), I32, [2])),
        case(x=x((4, 7)), y=x((3,), I32, [0])),
    ] + over_dtypes(case(x=x((4, 7)), y=x((4,), I32, [0, 6, 3, 2])), (F16, BF16), ["x"])
    op("fast.cross_entropy", "fast", lambda a: mx.fast.cross_entropy(a.x, a.y), cases, grad=("x",), vmap=("x", "y"))


def positions():
    args = dict(dims=8, traditional=False, base=10000.0, scale=1.0, offset=0)
    changes = ({}, {"traditional": True}, {"dims": 4}, {"offset": 5}, {"scale": 0.5}, {"base": 500.0}, {"traditional": True, "offset": 3, "dims": 4})
    cases = [case({**args, **c}, x=x((2, 3, 5, 8))) for c in changes] + over_dtypes(case(args, x=x((1, 2, 5, 8))), FLOATS)
    cases += [
        case(args, x=x((1, 2, 1, 8))),
        case(args, x=x((5, 8))),
        case({**args, "dims": 16}, x=x((1, 2, 5, 8))),
        case(args, x=x((2, 3, 5, 8), view="transposed")),
    ]
    cases += [case({**args, "base": None, "offset": o}, x=x((1, 2, 5, 8)), freqs=x((4,), kind="positive")) for o in (0, 4)]
    call = lambda a: mx.fast.rope(a.x, a.dims, traditional=a.traditional, base=a.base, scale=a.scale, offset=a.offset, freqs=a.freqs)
    op("fast.rope", "fast", call, cases, tolerance="kernel", grad=("x",), vmap=("x",))


def attentions():
    shapes = [
        ((1, 2, 5, 8), (1, 2, 5, 8)),
        ((2, 4, 3, 16), (2, 2, 7, 16)),
        ((1, 4, 1, 32), (1, 1, 9, 32)),
        ((1, 2, 0, 8), (1, 2, 5, 8)),
        ((1, 2, 20, 64), (1, 2, 33, 64)),
    ]
    cases = [case({"scale": 0.3, "causal": c}, q=x(q), k=x(k), v=x(k)) for q, k in shapes for c in (False, True)]
    cases += [
        case({"scale": 0.3, "causal": False}, q=x((1, 4, 3, 8)), k=x((1, 2, 6, 8)), v=x((1, 2, 6, 8)), mask=m)
        for m in (x((3, 6)), x((1, 4, 3, 6)), x((3, 6), BOOL), x((1, 1, 3, 6), BOOL), x((2, 2)))
    ]
    cases += [case({"scale": 0.3, "causal": c}, q=x((1, 4, 3, 8)), k=x((1, 2, 6, 8)), v=x((1, 2, 6, 8)), sinks=x((4,))) for c in (False, True)]
    cases += over_dtypes(cases[0], (F16, BF16)) + over_views(cases[0])
    cases += [
        case({"scale": 1.0, "causal": False}, q=x((1, 2, 5, 8)), k=x((1, 2, 5, 4)), v=x((1, 2, 5, 8))),
        case({"scale": 1.0, "causal": False}, q=x((2, 5, 8)), k=x((2, 5, 8)), v=x((2, 5, 8))),
    ]
    call = lambda a: mx.fast.scaled_dot_product_attention(a.q, a.k, a.v, scale=a.scale, mask="causal" if a.causal else a.mask, sinks=a.sinks)
    op("fast.scaled_dot_product_attention", "fast", call, cases, tolerance="kernel", wide=True, grad=("q", "k", "v"), vmap=("q", "k", "v"))
    sizes = dict(
        q=x((2, 5, 2, 32), kind="unit"),
        k=x((2, 5, 2, 32), kind="unit"),
        v=x((2, 5, 4, 8)),
        gamma=x((2, 5, 4), kind=[0.9, 0.7]),
        beta=x((2, 5, 4), kind=[0.5, 0.3]),
    )
    short = dict(
        q=x((1, 2, 1, 32), kind="unit"),
        k=x((1, 2, 1, 32), kind="unit"),
        v=x((1, 2, 1, 4)),
        gamma=x((1, 2, 1), kind=[0.9]),
        beta=x((1, 2, 1), kind=[0.5]),
    )
    cases = [case(**short), case(**sizes), case(**sizes, state=x((2, 4, 8, 32))), case(**sizes, mask=x((2, 5), BOOL))]
    op(
        "fast.gated_delta_update",
        "fast",
        lambda a: tuple(mx.fast.gated_delta_update(a.q, a.k, a.v, a.gamma, a.beta, a.state, a.mask)),
        cases,
        tolerance="product",
        grad=("q", "k", "v"),
    )


def declare():
    quantized()
    norms()
    positions()
    attentions()

"""Reductions, running values, sorting and searching."""

import mlx.core as mx

from ops.draw import F16, F32, I32, I64, U8
from ops.table import axes_cases, axis_cases, case, op, over_args, over_dtypes, x

# Sums in another order differ in their last bits: MLX's CPU library is the same on both sides, so they are not in another order.
REDUCTIONS = {
    "sum": ("any", True), "mean": ("any", True), "prod": ("unit", True), "max": ("distinct", True),
    "min": ("distinct", True), "all": ("any", False), "any": ("any", False), "logsumexp": ("any", True),
    "median": ("distinct", False), "count_nonzero": ("any", False),
}  # fmt: skip


def reductions():
    for name, (kind, smooth) in REDUCTIONS.items():
        function = getattr(mx, name)
        call = lambda a, f=function: f(a.x, axis=a.axes, keepdims=a.keepdims)
        more = {"grad": ("x",)} if smooth else {}
        base = case({"axes": [-1], "keepdims": False}, x=x((3, 4), kind=kind))
        cases = axes_cases(kind)
        if name in ("max", "min"):
            cases += [case({"axes": axes, "keepdims": False}, x=x((0, 3))) for axes in (None, [0], [1])]
        op(name, "reduce", call, cases, vmap=("x",), base=base, **more)
    base = case({"axes": [-1], "keepdims": False, "ddof": 1}, x=x((3, 4)))
    for name in ("var", "std"):
        cases = axes_cases(ddof=0) + over_args(case({"axes": [1], "keepdims": True}, x=x()), ddof=[0, 1, 4, 5])
        call = lambda a, f=getattr(mx, name): f(a.x, axis=a.axes, keepdims=a.keepdims, ddof=a.ddof)
        op(name, "reduce", call, cases, grad=("x",), vmap=("x",), base=base)
    base = case({"axes": [-1], "keepdims": False}, x=x((3, 4), kind="distinct"))
    op(
        "minmax",
        "reduce",
        lambda a: tuple(mx.minmax(a.x, axis=a.axes, keepdims=a.keepdims)),
        axes_cases("distinct"),
        grad=("x",),
        vmap=("x",),
        base=base,
    )
    cases = [c for c in axes_cases() if not c.args["keepdims"]]
    cases = [case({"axes": c.args["axes"]}, **c.inputs) for c in cases]
    base = case({"axes": [-1]}, x=x((3, 4)))
    op(
        "softmax",
        "reduce",
        lambda a: mx.softmax(a.x, axis=a.axes, precise=True),
        cases,
        grad=("x",),
        vmap=("x",),
        base=base,
        tolerance="kernel",
        wide=True,
    )


def running():
    for name, kind in (("cumsum", "any"), ("cumprod", "unit"), ("cummax", "distinct"), ("cummin", "distinct"), ("logcumsumexp", "any")):
        call = lambda a, f=getattr(mx, name): f(a.x, a.axis, reverse=a.reverse, inclusive=a.inclusive)
        cases = axis_cases(kind, reverse=[False, True], inclusive=[True, False])
        op(name, "running", call, cases, grad=("x",), vmap=("x",))
    cases = over_args(case(x=x((3, 5))), n=[0, 1, 2, 5, 9, -1], axis=[0, -1, 2]) + over_dtypes(case({"n": 1, "axis": -1}, x=x()))
    op("diff", "running", lambda a: mx.diff(a.x, a.n, a.axis), cases, grad=("x",), vmap=("x",), base=case({"n": 1, "axis": -1}, x=x()))


def sorted_ops():
    for name in ("argmax", "argmin"):
        single = [c for c in axes_cases() if c.args["axes"] is None or len(c.args["axes"]) == 1]
        cases = [case({"axis": (c.args["axes"] or [None])[0], "keepdims": c.args["keepdims"]}, **c.inputs) for c in single]
        op(
            name,
            "sort",
            lambda a, f=getattr(mx, name): f(a.x, a.axis, a.keepdims),
            cases,
            vmap=("x",),
            base=case({"axis": -1, "keepdims": False}, x=x()),
        )
    for name in ("sort", "argsort"):
        op(
            name,
            "sort",
            lambda a, f=getattr(mx, name): f(a.x, a.axis),
            axis_cases("distinct"),
            vmap=("x",),
            **({"grad": ("x",)} if name == "sort" else {}),
        )
    # Which elements lie before the kth is MLX's choice; the same library chooses the same.
    for name in ("partition", "argpartition"):
        op(
            name,
            "sort",
            lambda a, f=getattr(mx, name): f(a.x, a.k, a.axis),
            axis_cases("distinct", k=[1, 0, -1, 9]),
            vmap=("x",),
            base=case({"axis": -1, "k": 1}, x=x(kind="distinct")),
            **({"grad": ("x",)} if name == "partition" else {}),
        )
    op(
        "topk",
        "sort",
        lambda a: mx.topk(a.x, a.k, a.axis),
        axis_cases("distinct", k=[1, 2, 9]),
        vmap=("x",),
        grad=("x",),
        base=case({"axis": -1, "k": 2}, x=x(kind="distinct")),
    )
    steps = [-3.0, -1.0, 0.5, 0.5, 2.0, 7.0]
    cases = over_args(case(x=x((6,), kind=steps), y=x((3, 5))), right=[False, True])
    cases += [
        case({"right": False}, x=x((6,), I32, [-3, -1, 0, 0, 2, 7]), y=x((9,), I32)),
        case({"right": True}, x=x((0,)), y=x((2,))),
        case({"right": True}, x=x((6,), kind=steps), y=x(())),
    ]
    cases += [
        case({"right": False}, x=x((6,), F16, steps), y=x((4,), F16)),
        case({"right": False}, x=x((6,), F32, steps), y=x((4,), I32)),
        case({"right": False}, x=x((2, 3)), y=x((2,))),
    ]
    op("searchsorted", "sort", lambda a: mx.searchsorted(a.x, a.y, side="right" if a.right else "left"), cases, vmap=("y",))
    values = [3, 1, 3, 2, 1, 5]
    cases = over_args(case(x=x((12,), I32, values)), size=[2, 4, 6, 20]) + over_dtypes(
        case({"size": 4}, x=x((2, 6), kind=values)), (F32, F16, U8, I64)
    )
    cases += [
        case({"size": 3}, x=x((0,))),
        case({"size": 5}, x=x((6,), I32, values), fill=x((), I32, [9])),
        case({"size": 0}, x=x((3,))),
        case({"size": 1}, x=x(())),
    ]
    call = lambda a: tuple(mx.unique(a.x, a.size, return_index=True, return_inverse=True, return_counts=True, fill_value=a.fill))
    op("unique", "sort", call, cases)


def declare():
    reductions()
    running()
    sorted_ops()

"""Elementwise ops."""

import mlx.core as mx

from ops.draw import ALL, BF16, BOOL, C64, F16, F32, F64, FLOATS, I8, I16, I32, I64, INTEGERS, U8, U16, U32, U64
from ops.table import binary_cases, case, op, over_args, over_dtypes, over_views, unary_cases, x

# Name: where the function is defined, and whether gradients mean anything.
UNARY = {
    "abs": ("any", True), "sign": ("any", True), "reciprocal": ("nonzero", True), "floor": ("any", True),
    "ceil": ("any", True), "trunc": ("any", True), "square": ("any", True), "sqrt": ("positive", True),
    "rsqrt": ("positive", True), "exp": ("any", True), "expm1": ("any", True), "log": ("positive", True),
    "log2": ("positive", True), "log10": ("positive", True), "log1p": ("positive", True), "sin": ("any", True),
    "cos": ("any", True), "tan": ("unit", True), "arcsin": ("unit", True), "arccos": ("unit", True),
    "arctan": ("any", True), "degrees": ("any", True), "radians": ("any", True), "sinh": ("any", True),
    "cosh": ("any", True), "tanh": ("any", True), "arcsinh": ("any", True), "arccosh": ("above_one", True),
    "arctanh": ("unit", True), "erf": ("any", True), "erfinv": ("unit", True), "sigmoid": ("any", True),
    "isnan": ("any", False), "isinf": ("any", False), "isposinf": ("any", False), "isneginf": ("any", False),
    "isfinite": ("any", False), "logical_not": ("any", False), "positive": ("any", True), "negative": ("any", True),
    "bitwise_invert": ("any", False), "conjugate": ("any", False), "real": ("any", False), "imag": ("any", False),
    "stop_gradient": ("any", True), "to_fp8": ("any", False),
}  # fmt: skip

BINARY = {
    "add": ("any", "any", True), "subtract": ("any", "any", True), "multiply": ("any", "any", True),
    "divide": ("any", "nonzero", True), "remainder": ("any", "nonzero", True), "floor_divide": ("any", "nonzero", True),
    "power": ("positive", "small", True), "maximum": ("any", "any", True), "minimum": ("any", "any", True),
    "logaddexp": ("any", "any", True), "arctan2": ("nonzero", "nonzero", True), "equal": ("any", "any", False),
    "not_equal": ("any", "any", False), "greater": ("any", "any", False), "greater_equal": ("any", "any", False),
    "less": ("any", "any", False), "less_equal": ("any", "any", False), "logical_and": ("any", "any", False),
    "logical_or": ("any", "any", False), "logical_xor": ("any", "any", False), "bitwise_and": ("any", "any", False),
    "bitwise_or": ("any", "any", False), "bitwise_xor": ("any", "any", False), "left_shift": ("shift", "shift", False),
    "right_shift": ("positive", "shift", False),
}  # fmt: skip

# A scalar takes the tensor's dtype on both sides.
SCALAR = {
    "add": lambda a: a.x + a.value, "sub": lambda a: a.x - a.value, "mul": lambda a: a.x * a.value,
    "truediv": lambda a: a.x / a.value, "mod": lambda a: a.x % a.value, "radd": lambda a: a.value + a.x,
    "rsub": lambda a: a.value - a.x, "rmul": lambda a: a.value * a.x, "rtruediv": lambda a: a.value / a.x,
    "rmod": lambda a: a.value % a.x,
}  # fmt: skip
OPERATORS = {
    "add": lambda a: a.x + a.y, "sub": lambda a: a.x - a.y, "mul": lambda a: a.x * a.y,
    "truediv": lambda a: a.x / a.y, "mod": lambda a: a.x % a.y, "and": lambda a: a.x & a.y, "or": lambda a: a.x | a.y,
    "xor": lambda a: a.x ^ a.y, "lshift": lambda a: a.x << a.y, "rshift": lambda a: a.x >> a.y,
}  # fmt: skip


def unary():
    for name, (kind, smooth) in UNARY.items():
        function = getattr(mx, name)
        more = {"grad": ("x",)} if smooth else {}
        if name == "bitwise_invert":
            more["base"] = case(x=x(dtype=I32))
        op(name, "unary", lambda a, f=function: f(a.x), unary_cases(kind), vmap=("x",), **more)
    rounded = over_args(case(x=x()), decimals=[0, 2, -1]) + [case({"decimals": 0}, **c.inputs) for c in unary_cases()]
    op("round", "unary", lambda a: mx.round(a.x, a.decimals), rounded, grad=("x",), vmap=("x",))
    codes = case({"dtype": F32}, x=x((3, 5), U8))
    codes = over_args(codes, dtype=FLOATS) + [case({"dtype": F32}, x=x((0,), U8))]
    op("from_fp8", "unary", lambda a: mx.from_fp8(a.x, a.dtype), codes, vmap=("x",))
    numbers = [case(dict(nan=nan, posinf=p, neginf=n), x=x((14,), dtype, "special"))
               for dtype in FLOATS for nan, p, n in ((0.0, None, None), (1.5, 9.0, -9.0))]  # fmt: skip
    numbers += [case(dict(nan=0.0, posinf=None, neginf=None), x=x(dtype=dtype)) for dtype in ALL]
    call = lambda a: mx.nan_to_num(a.x, a.nan, a.posinf, a.neginf)
    op("nan_to_num", "unary", call, numbers, grad=("x",), vmap=("x",))


def binary():
    for name, (kind, other, smooth) in BINARY.items():
        function = getattr(mx, name)
        cases = binary_cases(kind, other)
        if name in ("remainder", "floor_divide"):
            cases = [c for c in cases if c.inputs["y"].kind != "special"]
        more = {"grad": ("x", "y")} if smooth else {}
        # Any base but no exponent of integers is a power.
        if name == "power":
            more["base"] = case(x=x(kind="positive"), y=x(kind="any"))
        if "bitwise" in name or "shift" in name:
            more["base"] = case(x=x(dtype=I32, kind=kind), y=x(dtype=I32, kind=other))
        op(name, "binary", lambda a, f=function: f(a.x, a.y), cases, vmap=("x", "y"), **more)
    divided = [c for c in binary_cases("any", "nonzero") if c.inputs["y"].kind != "special"]
    # No vmap: MLX names an axis of the second output that it never set, and fails with another message in every run.
    op("divmod", "binary", lambda a: tuple(mx.divmod(a.x, a.y)), divided, grad=("x", "y"))
    for name, function in OPERATORS.items():
        kinds = ("positive", "shift") if "shift" in name else ("any", "nonzero")
        cases = over_dtypes(case(x=x(kind=kinds[0]), y=x((5,), kind=kinds[1])), (F32, I32, BF16, U8, BOOL, C64))
        op(f"operator.{name}", "operators", function, cases, vmap=("x", "y"), base=cases[1])
    for name, function in SCALAR.items():
        cases = over_args(case(x=x(kind="nonzero")), value=[2, 3])
        cases += over_dtypes(case({"value": 2}, x=x(kind="nonzero")), (F16, BF16, I8, I32, U32, I64, C64))
        cases += [case({"value": 0.7}, x=x(kind="nonzero", dtype=dtype)) for dtype in FLOATS]
        op(f"operator.{name}.scalar", "operators", function, cases, grad=("x",), vmap=("x",))
    op("operator.neg", "operators", lambda a: -a.x, over_dtypes(case(x=x())))
    op("operator.invert", "operators", lambda a: ~a.x, over_dtypes(case(x=x())))


def compared():
    near = dict(rtol=0.3, atol=0.2, equal_nan=False)
    pairs = [case(near, **c.inputs) for c in binary_cases()]
    pairs += over_args(case(near, x=x((14,), kind="special"), y=x((14,), kind="special")), equal_nan=[True, False])
    op("isclose", "binary", lambda a: mx.isclose(a.x, a.y, a.rtol, a.atol, equal_nan=a.equal_nan), pairs, vmap=("x", "y"))
    # Both end in a reduction, and must not be of nothing.
    some = lambda cases: [c for c in cases if 0 not in (*c.inputs["x"].shape, *c.inputs["y"].shape)]
    op("allclose", "binary", lambda a: mx.allclose(a.x, a.y, a.rtol, a.atol, equal_nan=a.equal_nan), some(pairs))
    pairs = [case({"equal_nan": False}, **c.inputs) for c in binary_cases()]
    pairs += over_args(case(x=x((5,), kind=[1, 2]), y=x((5,), kind=[1, 2])), equal_nan=[False])
    pairs += over_args(case(x=x((14,), kind="special"), y=x((14,), kind="special")), equal_nan=[True, False])
    op("array_equal", "binary", lambda a: mx.array_equal(a.x, a.y, equal_nan=a.equal_nan), some(pairs))


def chosen():
    limits = over_args(case(x=x()), low=[-0.5], high=[1.0])
    limits += over_dtypes(case({"low": 1, "high": 5}, x=x()), (*INTEGERS, *FLOATS, F64, BOOL, C64))
    limits += over_args(case(x=x((14,), kind="special")), low=[-1.0], high=[2.0])
    op("clip", "elementwise", lambda a: mx.clip(a.x, a.low, a.high), limits, grad=("x",), vmap=("x",))
    bounds = [case(x=x(), low=x((5,), kind=[-1.0]), high=x((3, 1), kind=[0.5])), case(x=x(dtype=I32), low=x((5,), I32, [-3]), high=x((), I32, [4]))]
    op("clip.arrays", "elementwise", lambda a: mx.clip(a.x, a.low, a.high), bounds, grad=("x", "low", "high"), vmap=("x",), covers=("clip",))
    where = over_dtypes(case(c=x(dtype=BOOL), x=x(), y=x()), only=("x", "y"))
    where += over_dtypes(case(c=x(), x=x(), y=x()), only=("c",))
    where += [case(c=x((3, 1), BOOL), x=x((1, 4)), y=x(())), case(c=x((), BOOL), x=x((2, 3)), y=x((3,))),
              case(c=x((0, 3), BOOL), x=x((0, 3)), y=x((1,))), case(c=x((2,), BOOL), x=x((3,)), y=x((3,))),
              case(c=x((3, 4), BOOL), x=x((3, 4), I8), y=x((3, 4), F16))]  # fmt: skip
    where += over_views(where[0])
    call = lambda a: mx.where(a.c, a.x, a.y)
    op("where", "elementwise", call, where, grad=("x", "y"), vmap=("c", "x", "y"), base=case(c=x(dtype=BOOL), x=x(), y=x()))
    casts = [case({"dtype": to}, x=x((3, 5), of, "positive")) for of in ALL for to in ALL]
    casts += over_views(case({"dtype": F16}, x=x())) + [case({"dtype": I32}, x=x(shape)) for shape in ((), (0,), (0, 2))]
    op("astype", "elementwise", lambda a: a.x.astype(a.dtype), casts, grad=("x",), vmap=("x",), base=case({"dtype": F32}, x=x()))
    reads = [case({"dtype": to}, x=x((3, 8), of)) for of in (F32, F16, I8, U64, C64, BF16, I32) for to in (U8, I16, U32, F32, I64, F16)]
    reads += [
        case({"dtype": U16}, x=x((3, 3), U8)),
        case({"dtype": I32}, x=x(())),
        case({"dtype": U8}, x=x(())),
        case({"dtype": U8}, x=x((3, 4), view="transposed")),
    ]
    op("view", "elementwise", lambda a: a.x.view(a.dtype), reads, base=case({"dtype": I32}, x=x()), vmap=("x",))
    widths = [case({"scale": scale}, x=x((2, n))) for n in (1, 2, 8, 12, 20, 28, 24, 64, 9) for scale in (None, 0.5)]
    widths += over_dtypes(case({"scale": None}, x=x((2, 16))), (F16, BF16, I32)) + over_views(case({"scale": None}, x=x((2, 8))))
    op("hadamard_transform", "elementwise", lambda a: mx.hadamard_transform(a.x, a.scale), widths, base=widths[4], grad=("x",), vmap=("x",))


def declare():
    unary()
    binary()
    compared()
    chosen()

"""The table's lines, and lists of cases that many ops share."""

from dataclasses import dataclass, field, replace
from itertools import product
from math import prod


from ops.draw import ALL, BF16, C64, F16, F32, I8, I32, I64, U8, U16, U32, U64, BOOL, VIEWS, Input, dtype_of

SHAPES = ((), (1,), (0,), (0, 3), (7,), (3, 5), (2, 3, 4), (2, 1, 3, 2))
PAIRS = (((), (3,)), ((3, 1), (1, 4)), ((2, 3, 4), (4,)), ((2, 1, 4), (3, 1)), ((0, 3), (1,)), ((1,), (5, 1)), ((3,), (4,)))
MIXED = ((F32, I32), (F16, F32), (BF16, F16), (I8, U8), (BOOL, I32), (U32, I64), (I64, F16), (C64, F32), (U64, I8), (U8, U16))


@dataclass(frozen=True)
class Case:
    inputs: dict
    args: dict = field(default_factory=dict)

    def elements(self):
        return sum(prod(x.shape) for x in self.inputs.values())

    def label(self):
        """What tells the case from the others of its op."""
        parts = []
        for name, x in self.inputs.items():
            shape = "x".join(map(str, x.shape)) or "scalar"
            kind = "" if x.kind == "any" else f"-{x.kind}".replace(" ", "")
            parts.append(f"{name}={x.dtype}-{shape}{kind}{'' if x.view == 'plain' else '-' + x.view}")
        parts += [f"{name}={value}".replace(" ", "") for name, value in self.args.items()]
        return ",".join(parts) or "plain"


@dataclass(frozen=True)
class Op:
    """One op: `call` takes the inputs and arguments of a case by name (`None` where it has none of that name)."""

    name: str
    family: str
    call: object
    cases: list
    # Which tolerance holds; the classes are those of tests/src/ops_case/compare.rs.
    tolerance: str = "same"
    # Whether the result for 16-bit inputs is that for the same inputs in f32, rounded: ours computes it so.
    wide: bool = False
    # The inputs that gradients are taken of, and those that vmap runs over.
    grad: tuple = ()
    vmap: tuple = ()
    # The case that transforms start from; the first one where there is none.
    base: object = None
    # Ops that are another way to spell this one.
    covers: tuple = ()


class Given:
    """Inputs and arguments by name; a dtype by its name."""

    def __init__(self, inputs, args):
        self.__dict__.update(inputs)
        self.__dict__.update(args)
        for name in ("dtype",):
            if args.get(name) is not None:
                self.__dict__[name] = dtype_of(args[name])

    def __getattr__(self, name):
        return None

    def some(self, *names):
        """The arguments of these names that the case has."""
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


TABLE = {}


def op(name, family, call, cases, **more):
    cases = list({case.label(): case for case in cases}.values())
    assert name not in TABLE, name
    TABLE[name] = Op(name, family, call, cases, **more)


def x(shape=(3, 5), dtype=F32, kind="any", view="plain"):
    return Input(tuple(shape), dtype, kind, view)


def case(args=None, **inputs):
    return Case(inputs, args or {})


def over_args(base, **lists):
    """`base` with every combination of arguments."""
    return [replace(base, args={**base.args, **dict(zip(lists, values))}) for values in product(*lists.values())]


def over_dtypes(base, dtypes=ALL, only=None):
    """`base` with its inputs (or `only` those) in every dtype."""

    def with_dtype(dtype):
        names = only or base.inputs
        return replace(base, inputs={n: replace(i, dtype=dtype) if n in names else i for n, i in base.inputs.items()})

    return [with_dtype(dtype) for dtype in dtypes]


def over_views(base, names=None):
    """`base` with all its inputs (or those of `names`) in every layout that their shapes have."""
    result = []
    for view in VIEWS:
        inputs = {n: replace(i, view=view) if i.shape and (not names or n in names) else i for n, i in base.inputs.items()}
        result.append(replace(base, inputs=inputs))
    return result


def unary_cases(kind="any", dtypes=ALL, **args):
    """One input `x`: all dtypes, all shapes, all layouts, and special values."""
    base = case(args, x=x(kind=kind))
    cases = over_dtypes(base, dtypes)
    for dtype in (F32, I32):
        cases += [case(args, x=x(shape, dtype, kind)) for shape in SHAPES]
    cases += over_views(base)
    cases += [case(args, x=x((14,), dtype, "special")) for dtype in (F32, F16, BF16)]
    return cases


def binary_cases(kind="any", other="any", dtypes=ALL):
    """Inputs `x` and `y`: all dtypes, mixed ones, all shapes, broadcast pairs, all layouts, and special values."""
    base = case(x=x(kind=kind), y=x(kind=other))
    cases = over_dtypes(base, dtypes)
    cases += [case(x=x((3, 4), a, kind), y=x((3, 4), b, other)) for a, b in MIXED]
    for dtype in (F32, I32):
        cases += [case(x=x(shape, dtype, kind), y=x(shape, dtype, other)) for shape in SHAPES]
    cases += [case(x=x(a, F32, kind), y=x(b, F32, other)) for a, b in PAIRS]
    cases += over_views(base) + over_views(base, ["y"])
    cases.append(case(x=x((14, 1), kind="special"), y=x((1, 14), kind="special")))
    return cases


def axes_cases(kind="any", dtypes=ALL, lists=((0,), (-1,), (1, 2), (0, -1), (2, 0, 1), (), (5,), (0, 0)), **more):
    """One input `x` reduced: all dtypes, and lists of axes (`None`: all), kept and dropped."""
    base = case({"axes": None, "keepdims": False, **more}, x=x((2, 3, 4), kind=kind))
    cases = over_dtypes(base, dtypes)
    for dtype in (F32, I32):
        typed = case(base.args, x=x((2, 3, 4), dtype, kind))
        cases += over_args(typed, axes=[None, *map(list, lists)], keepdims=[False, True])
    for shape in (shape for shape in SHAPES if 0 not in shape):
        cases += over_args(case(base.args, x=x(shape, kind=kind)), axes=[None, [-1]])
    for view in over_views(base):
        cases += over_args(view, axes=[None, [0], [1], [-1], [0, 2]])
    cases += over_args(case(base.args, x=x((14,), kind="special")), axes=[[0]])
    # Long enough for vector loops, and for rounding to show.
    cases += [case({**base.args, "axes": [axis]}, x=x((17, 37), kind=kind)) for axis in (0, 1)]
    return cases


def axis_cases(kind="any", dtypes=ALL, axes=(None, 0, 1, -1, -3, 7), **lists):
    """One input `x` along one axis (`None`: flattened)."""
    first = {name: values[0] for name, values in lists.items()}
    base = case({"axis": -1, **first}, x=x((2, 3, 4), kind=kind))
    cases = over_dtypes(base, dtypes)
    for dtype in (F32, I32):
        cases += over_args(case(base.args, x=x((2, 3, 4), dtype, kind)), axis=axes, **lists)
    for shape in SHAPES:
        cases += over_args(case(base.args, x=x(shape, kind=kind)), axis=[None, 0])
    for view in over_views(base):
        cases += over_args(view, axis=[None, 0, 1, -1])
    cases += [case({**base.args, "axis": axis}, x=x((17, 37), kind=kind)) for axis in (0, 1)]
    return cases

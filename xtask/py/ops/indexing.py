"""Indexing: `x[...]`, `x[...] = v`, `x.at[...]`, and the ops that take indices."""

import mlx.core as mx

from ops.draw import ALL, BF16, BOOL, C64, F16, F32, I32, I64, I8, U8, U32
from ops.table import case, op, over_dtypes, over_views, x

ALLOWED = (F32, F16, I32, I8, U8, BOOL, C64, BF16)
# A position is a number, a range [start, stop, step], "new", "rest", or the name of an input.
SPANS = [
    [0], [-1], [1, 2], [-1, -2, -3], [[None, None, None]], [[1, None, None]], [[None, -1, None]], [[None, None, 2]],
    [[None, None, -1]], [[5, 0, -2]], [[-2, None, None]], [[3, 1, None]], [[0, 99, None]], [[-99, 2, None]], ["rest", 0],
    ["rest", [0, 2, None]], [0, "rest", -1], ["new"], ["new", 1, "new"], [[None, None, None], "new", 0], ["rest", "new"],
    [1, "rest", "new", [None, None, -1]], [[0, 0, None]], [[1, None, 2], [None, None, -2], 1], [[None, None, None], [None, None, None], [1, 3, None]],
]  # fmt: skip
TAKEN = [
    (["i"], {"i": x((4,), I32, 3)}), (["i"], {"i": x((2, 2), I32, 3)}), (["i"], {"i": x((), I32, 3)}), (["i"], {"i": x((0,), I32, 3)}),
    ([[None, None, None], "i"], {"i": x((3,), I32, 4)}), (["rest", "i"], {"i": x((3,), I32, 5)}), (["i", "j"], {"i": x((2,), I32, 3), "j": x((2,), I32, 4)}),
    (["i", "j"], {"i": x((2, 1), I32, 3), "j": x((3,), U32, 4)}), ([0, "i"], {"i": x((3,), I32, 4)}), (["i", 0], {"i": x((3,), I32, 3)}),
    (["i", [1, None, None]], {"i": x((2,), I32, 3)}), ([[None, None, 2], "i"], {"i": x((2,), U8, 4)}), (["i", "new"], {"i": x((2,), I32, 3)}),
    (["new", "i"], {"i": x((2,), I32, 3)}), (["i", [None, None, None], "j"], {"i": x((2,), I32, 3), "j": x((2,), I32, 5)}),
    ([[None, None, None], "i", "j"], {"i": x((2,), I32, 4), "j": x((2,), I32, 5)}), ([0, [None, None, None], "i"], {"i": x((2,), I32, 5)}),
    (["i", "rest", "j"], {"i": x((2,), I32, 3), "j": x((2,), I64, 5)}), (["i", "j", "k"], {"i": x((2,), I32, 3), "j": x((1,), I32, 4), "k": x((3, 1), I32, 5)}),
]  # fmt: skip
SMALL = [index for index in SPANS if index not in (["new"], ["new", 1, "new"])]


def index(a):
    """The Python index of a case."""
    known = {"new": None, "rest": Ellipsis}

    def one(entry):
        if isinstance(entry, list):
            return slice(*entry)
        if isinstance(entry, str):
            return known[entry] if entry in known else getattr(a, entry)
        return entry

    found = tuple(one(entry) for entry in a.index)
    # A mask stands alone; a number alone would not be checked.
    return a.m if a.m is not None else found


def written(a):
    # A new array, as `x[...] = v` changes the one that it is called on.
    y = a.x + mx.zeros((), a.x.dtype) if a.x.dtype != mx.bool_ else mx.array(a.x)
    y[index(a)] = a.v if a.v is not None else a.value
    return y


def reads():
    base = x((3, 4, 5))
    cases = [case({"index": i}, x=base) for i in SPANS] + [case({"index": i}, x=base, **more) for i, more in TAKEN]
    cases += over_dtypes(case({"index": [1, [None, None, -1]]}, x=x((3, 4))))
    cases += [c for i in (SPANS[8], SPANS[4], SPANS[23]) for c in over_views(case({"index": i}, x=base))]
    cases += [case({"index": i}, x=x((3, 4))) for i in ([3], [0, 4], [-4], [0, 0, 0])]
    cases += [case({"index": i}, x=x(s)) for s in ((), (0, 3), (1,)) for i in (["rest"], [[None, None, None]], ["new", "rest"])]
    op(
        "getitem",
        "indexing",
        lambda a: a.x[index(a)],
        cases,
        grad=("x",),
        base=case({"index": ["i", [1, None, None], -1]}, x=base, i=x((2,), I32, 3)),
        vmap=("x",),
        covers=("array.__getitem__",),
    )
    op(
        "take",
        "indexing",
        lambda a: mx.take(a.x, a.i, a.axis),
        [case({"axis": axis}, x=base, i=x(s, I32, 3)) for axis in (None, 0, 1, -1) for s in ((), (4,), (2, 2), (0,))]
        + [case({"axis": 0}, x=x((3, 4), d), i=x((2,), U32, 3)) for d in ALL]
        + [case({"axis": 7}, x=base, i=x((2,), I32, 3)), case({"axis": 0}, x=x((0, 3)), i=x((1,), I32, 1)), case({"axis": 0}, x=base, i=x((2,)))],
        grad=("x",),
        vmap=("x", "i"),
        base=case({"axis": 0}, x=base, i=x((2,), I32, 3)),
    )
    same = [case({"axis": axis}, x=base, i=x(s, I32, 3)) for axis, s in ((0, (2, 4, 5)), (1, (3, 6, 5)), (-1, (3, 4, 1)), (5, (3, 4, 5)), (0, (4,)))]
    op(
        "take_along_axis",
        "indexing",
        lambda a: mx.take_along_axis(a.x, a.i, a.axis),
        same,
        grad=("x",),
        vmap=("x", "i"),
        base=case({"axis": 0}, x=x(), i=x((2, 5), I32, 3)),
    )
    call = lambda a: mx.slice(a.x, a.start, a.axes, a.sizes)
    cases = [
        case({"axes": [0, 2], "sizes": [2, 4, 3]}, x=base, start=x((2,), I32, [1, 2])),
        case({"axes": [1], "sizes": [3, 1, 5]}, x=base, start=x((1,), U32, [3])),
        case({"axes": [1], "sizes": [3, 9, 5]}, x=base, start=x((1,), U32, [3])),
    ]
    op("slice", "indexing", call, cases, grad=("x",), vmap=("x",))


def writes():
    base = x((3, 4, 5))
    cases = [case({"index": i, "value": 2}, x=base) for i in SMALL]
    cases += [
        case({"index": [1]}, x=base, v=x((4, 5))),
        case({"index": [1]}, x=base, v=x((5,))),
        case({"index": [[None, None, 2]]}, x=base, v=x((2, 1, 5))),
        case({"index": [[None, None, -1], 0]}, x=base, v=x((3, 5))),
        case({"index": [1]}, x=base, v=x((3,))),
        case({"index": ["rest"]}, x=base, v=x((), I32)),
    ]
    cases += [case({"index": i, "value": 3}, x=base, **more) for i, more in TAKEN if "k" not in more and i != ["i", [None, None, None], "j"]]
    cases += [case({"index": [0, [None, None, 2]], "value": 1}, x=x((3, 4), d)) for d in ALLOWED] + [
        case({"index": [0]}, x=x((3, 4), d), v=x((4,))) for d in (F16, I32)
    ]
    unique = x((2,), I32, [2, 0])
    cases += [
        case({"index": ["i"]}, x=base, i=unique, v=x((2, 4, 5))),
        case({"index": ["i"]}, x=base, i=unique, v=x((4, 1))),
        case({"index": [[None, None, None], "i"]}, x=base, i=unique, v=x((3, 2, 5))),
        case({"index": ["i", "j"]}, x=base, i=unique, j=unique, v=x((2, 5))),
        case({"index": ["i", 1]}, x=base, i=unique, v=x((2, 5))),
    ]
    cases += [
        case({"index": ["m"], "value": 4}, x=base, m=x((3, 4, 5), BOOL)),
        case({"index": ["m"], "value": 4}, x=base, m=x((3,), BOOL)),
        case({"index": ["m"], "value": 4}, x=base, m=x((3, 4), BOOL)),
        case({"index": ["m"]}, x=x((6,)), m=x((6,), BOOL, "any"), v=x(())),
        case({"index": ["m"], "value": 4}, x=base, m=x((4,), BOOL)),
    ]
    start = case({"index": [1, [None, None, 2]]}, x=base, v=x((2, 5)))
    op("setitem", "indexing", written, cases, covers=("array.__setitem__",), grad=("x", "v"), base=start)
    repeated = x((4,), I32, [0, 2, 0, -1])
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        call = lambda a, n=name: getattr(a.x.at[index(a)], n)(a.v if a.v is not None else a.value)
        cases = [
            case({"index": i, "value": 2}, x=base)
            for i in ([0], [[None, None, 2]], [[None, None, -1], 1], ["rest", -1], [[1, None, None], [0, 2, None]])
        ]
        cases += [
            case({"index": ["i"], "value": 2}, x=base, i=repeated),
            case({"index": ["i"]}, x=base, i=repeated, v=x((4, 4, 5), kind="nonzero")),
            case({"index": ["i", [1, 3, None]]}, x=base, i=repeated, v=x((5,), kind="nonzero")),
            case({"index": ["i", "j"], "value": 3}, x=base, i=repeated, j=repeated),
        ]
        cases += [case({"index": ["i"], "value": 2}, x=x((3, 4), d), i=repeated) for d in ((I32, F16, BF16) if name != "divide" else (F16, BF16))] + [
            case({"index": [0]}, x=base, v=x((3,), kind="nonzero"))
        ]
        op(
            f"at.{name}",
            "indexing",
            call,
            cases,
            covers=("array.at",),
            grad=("x", "v"),
            base=case({"index": ["i"]}, x=base, i=x((2,), I32, [2, 0]), v=x((2, 4, 5), kind="nonzero")),
        )


def placed():
    base = x((3, 4, 5))
    cases = [
        case({"axis": 1}, x=base, i=x((3, 2, 5), I32, [0, 2, 1, 3]), v=x((3, 2, 5))),
        case({"axis": -1}, x=base, i=x((3, 4, 1), I32, 5), v=x(())),
        case({"axis": 5}, x=base, i=x((3, 4, 5), I32, 3), v=x(())),
    ]
    op(
        "put_along_axis",
        "indexing",
        lambda a: mx.put_along_axis(a.x, a.i, a.v, a.axis),
        cases,
        grad=("x", "v"),
        base=case({"axis": 0}, x=x((3, 5)), i=x((1, 5), I32, 3), v=x((1, 5))),
    )
    call = lambda a: mx.slice_update(a.x, a.v, a.start, a.axes)
    cases = [
        case({"axes": [0, 2]}, x=base, v=x((2, 4, 3)), start=x((2,), I32, [1, 2])),
        case({"axes": [1]}, x=base, v=x((3, 1, 5)), start=x((1,), U32, [3])),
        case({"axes": [1]}, x=base, v=x((3, 9, 5)), start=x((1,), U32, [3])),
    ]
    op("slice_update", "indexing", call, cases, grad=("x", "v"))


def declare():
    reads()
    writes()
    placed()

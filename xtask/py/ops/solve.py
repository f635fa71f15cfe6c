"""Linear algebra and Fourier transforms."""

import mlx.core as mx

from ops.draw import C64, F16, F64, I32
from ops.table import case, op, over_args, over_dtypes, over_views, x

SQUARES = ((3, 3), (2, 4, 4), (1, 1))


def square(kind, **args):
    """Square matrices of `kind`, one stack of them, f64, a view, and what is refused."""
    cases = [case(args, x=x(s, kind=kind)) for s in SQUARES] + over_dtypes(case(args, x=x((3, 3), kind=kind)), (F64, F16, I32))
    return cases + [case(args, x=x((3, 3), kind=kind, view="transposed")), case(args, x=x((3, 5))), case(args, x=x((3,)))]


def several(function):
    return lambda a: tuple(function(a))


def linear_algebra():
    grad = {"grad": ("x",)}
    op("linalg.inv", "linalg", lambda a: mx.linalg.inv(a.x), square("regular"), tolerance="linalg", vmap=("x",), **grad)
    for name in ("tri_inv", "cholesky", "cholesky_inv"):
        kind = "regular" if name == "tri_inv" else "posdef"
        cases = [c for upper in (False, True) for c in square(kind, upper=upper)]
        call = lambda a, f=getattr(mx.linalg, name): f(a.x, a.upper)
        op(f"linalg.{name}", "linalg", call, cases, tolerance="linalg", vmap=("x",), **grad)
    for name, kind in (("pinv", "any"), ("det", "any"), ("eigvals", "any")):
        op(f"linalg.{name}", "linalg", lambda a, f=getattr(mx.linalg, name): f(a.x), square(kind), tolerance="linalg", vmap=("x",), **grad)
    for name, kind in (("qr", "any"), ("lu", "any"), ("lu_factor", "any"), ("eig", "any"), ("slogdet", "any")):
        call = several(lambda a, f=getattr(mx.linalg, name): f(a.x))
        op(f"linalg.{name}", "linalg", call, square(kind), tolerance="linalg", vmap=("x",), **grad)
    wide = [case(x=x(s)) for s in ((3, 5), (5, 3), (2, 4, 3))]
    op("linalg.svd", "linalg", several(lambda a: mx.linalg.svd(a.x)), square("any") + wide, tolerance="linalg", vmap=("x",))
    op(
        "linalg.svd.values",
        "linalg",
        lambda a: mx.linalg.svd(a.x, compute_uv=False),
        wide + square("any"),
        tolerance="linalg",
        covers=("linalg.svd",),
    )
    both = [c for upper in (False, True) for c in square("posdef", upper=upper)]
    op("linalg.eigh", "linalg", several(lambda a: mx.linalg.eigh(a.x, "U" if a.upper else "L")), both, tolerance="linalg", vmap=("x",))
    op("linalg.eigvalsh", "linalg", lambda a: mx.linalg.eigvalsh(a.x, "U" if a.upper else "L"), both, tolerance="linalg", vmap=("x",))
    pairs = [((3, 3), (3, 2)), ((3, 3), (3,)), ((2, 4, 4), (2, 4, 1)), ((3, 3), (4, 2)), ((3, 4), (3, 1))]
    cases = [case(x=x(a, kind="regular" if a[-1] == a[-2] else "any"), y=x(b)) for a, b in pairs]
    op("linalg.solve", "linalg", lambda a: mx.linalg.solve(a.x, a.y), cases, tolerance="linalg", vmap=("x", "y"), grad=("x", "y"))
    cases = [case({"upper": upper}, **c.inputs) for c in cases for upper in (False, True)]
    op(
        "linalg.solve_triangular",
        "linalg",
        lambda a: mx.linalg.solve_triangular(a.x, a.y, upper=a.upper),
        cases,
        tolerance="linalg",
        vmap=("x", "y"),
        grad=("x", "y"),
    )
    cases = [case({"axis": -1}, x=x(a), y=x(b)) for a, b in (((4, 3), (4, 3)), ((4, 2), (4, 2)), ((3,), (2, 3)), ((4, 2), (4, 3)), ((4, 5), (4, 5)))]
    cases += over_args(case(x=x((3, 3)), y=x((3, 3))), axis=[0, -2, 3]) + over_dtypes(cases[0], (F16, I32))
    op("linalg.cross", "linalg", lambda a: mx.linalg.cross(a.x, a.y, a.axis), cases, vmap=("x", "y"), grad=("x", "y"))
    orders = [None, 0, 1, 2, -1, -2, 3, 0.5, "inf", "-inf", "fro", "nuc"]
    cases = over_args(case(x=x((3, 5))), ord=orders, axes=[None, [0], [-1], [0, 1], [1, 0]], keepdims=[False, True])
    cases += over_args(case({"keepdims": False}, x=x((2, 3, 4))), ord=[None, 2, "fro", 1], axes=[None, [1, 2], [0, 1, 2], [7]])
    cases += over_dtypes(case(dict(ord=None, axes=None, keepdims=False), x=x()), (F16, C64, I32, F64))
    op("linalg.norm", "linalg", norm, cases, tolerance="linalg", vmap=("x",), **grad, base=case(dict(ord=2, axes=[-1], keepdims=False), x=x()))


def norm(a):
    ord = float(a.ord) if a.ord in ("inf", "-inf") else a.ord
    return mx.linalg.norm(a.x, ord, a.axes, a.keepdims)


NORMS = ("backward", "ortho", "forward")


def fourier():
    for name in ("fft", "ifft", "rfft", "irfft"):
        one, two, many = (getattr(mx.fft, name + end) for end in ("", "2", "n"))
        cases = over_args(case(x=x((3, 8))), n=[None, 5, 12], axis=[-1, 0, 2], norm=NORMS)
        cases += over_dtypes(case(dict(n=None, axis=-1, norm="backward"), x=x((3, 6)))) + over_views(
            case(dict(n=None, axis=-1, norm="backward"), x=x((3, 6), C64))
        )
        cases += [
            case(dict(n=n, axis=-1, norm="backward"), x=x(s))
            for s, n in (((1,), None), ((0,), None), ((), None), ((7,), None), ((3,), 0), ((3,), -1))
        ]
        call = lambda a, f=one: f(a.x, a.n, a.axis, a.norm)
        op(f"fft.{name}", "fft", call, cases, tolerance="linalg", grad=("x",), vmap=("x",))
        cases = over_args(case(x=x((2, 4, 6))), s=[None, [3, 5]], norm=NORMS) + [case(dict(s=None, norm="backward"), x=x((4,)))]
        op(f"fft.{name}2", "fft", lambda a, f=two: f(a.x, a.s, norm=a.norm), cases, tolerance="linalg", grad=("x",), vmap=("x",))
        cases = over_args(case({"norm": "backward"}, x=x((2, 4, 6))), axes=[None, [0], [0, 2], [1, 0], [5], [-1, 1]], s=[None])
        cases += over_args(case({"norm": "ortho", "axes": [0, 1]}, x=x((3, 4))), s=[[2, 6], [4, 3], [5]])
        op(f"fft.{name}n", "fft", lambda a, f=many: f(a.x, a.s, a.axes, a.norm), cases, tolerance="linalg", grad=("x",), vmap=("x",))
    for name in ("fftshift", "ifftshift"):
        cases = over_args(case(x=x((3, 4))), axes=[None, [0], [-1], [0, 1], [5]]) + over_dtypes(case({"axes": None}, x=x()))
        op(f"fft.{name}", "fft", lambda a, f=getattr(mx.fft, name): f(a.x, a.axes), cases, grad=("x",), vmap=("x",))
    for name in ("fftfreq", "rfftfreq"):
        cases = over_args(case(), n=[1, 5, 8, 0], d=[1.0, 0.25])
        op(f"fft.{name}", "fft", lambda a, f=getattr(mx.fft, name): f(a.n, a.d), cases)


def frames(a):
    return dict(n_fft=a.n_fft, hop_length=a.hop, win_length=a.win, norm=a.norm, onesided=a.onesided)


def short_time():
    base = dict(n_fft=8, hop=None, win=None, center=True, pad="reflect", norm="backward", onesided=None)
    changes = ({}, {"hop": 3}, {"win": 6}, {"center": False}, {"pad": "constant"}, {"pad": "edge"}, {"onesided": False}, {"norm": "ortho"})
    cases = [case({**base, **change}, x=x((40,))) for change in changes] + [
        case(base, x=x((2, 40))),
        case(base, x=x((40,)), window=x((8,), kind="positive")),
    ]
    cases += [case(base, x=x((3,))), case({**base, "hop": 0}, x=x((40,)))]
    op(
        "fft.stft",
        "fft",
        lambda a: mx.fft.stft(a.x, window=a.window, center=a.center, pad_mode=a.pad, **frames(a)),
        cases,
        tolerance="linalg",
        grad=("x",),
        vmap=("x",),
    )

    def back(a):
        spectrum = mx.fft.stft(a.x, window=a.window, center=a.center, pad_mode=a.pad, **frames(a))
        return mx.fft.istft(spectrum, window=a.window, center=a.center, length=a.length, **frames(a))

    cases = [case({**c.args, "length": length}, **c.inputs) for c in cases[:-2] for length in (None, 30)]
    op("fft.istft", "fft", back, cases, tolerance="linalg", grad=("x",))


def declare():
    linear_algebra()
    fourier()
    short_time()

"""Gradient, vmap and compile cases of the ops in the table, from one f32 case of each."""

from dataclasses import replace

import mlx.core as mx
import numpy as np

import oracle
from ops.draw import apply
from ops.table import Given

ROWS = 3
# MLX reads outside of the input that is not mapped.
UNSAFE_ALONE = ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
UNSAFE_ALONE += ("operator.and", "operator.or", "operator.xor", "operator.lshift", "operator.rshift")


def listed(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def attempt(function):
    try:
        result = listed(function())
        mx.eval(result)
        return result
    except (ValueError, RuntimeError, IndexError, SystemError) as error:
        return str(error)


def weights(outputs, name):
    """A fixed random weight for every output that has gradients, so that the cotangent is not trivial."""
    result = {}
    for number, output in enumerate(outputs):
        if mx.issubdtype(output.dtype, mx.inexact):
            rng = np.random.default_rng(oracle.seed_of(f"{name} weight {number}"))
            result[f"w{number}"] = mx.array(rng.standard_normal(output.shape).astype(np.float32)).astype(output.dtype)
    return result


def gradients(op, case, name, inputs):
    """The gradients of `sum(output * weight)` over all outputs."""
    seen = {key: apply(*value) for key, value in inputs.items()}
    outputs = listed(op.call(Given(seen, case.args)))
    weighed = weights(outputs, name)
    inputs.update({key: (value, []) for key, value in weighed.items()})

    def loss(*values):
        results = listed(op.call(Given({**seen, **dict(zip(op.grad, values))}, case.args)))
        return sum(mx.sum(mx.real(results[int(key[1:])] * weight)) for key, weight in weighed.items())

    values = [seen[key] for key in op.grad]
    return attempt(lambda: mx.grad(loss, argnums=list(range(len(values))))(*values))


def mapped(op, case, inputs, axes, out_axis):
    seen = {key: apply(*value) for key, value in inputs.items()}
    names = list(seen)

    def function(*values):
        return op.call(Given(dict(zip(names, values)), case.args))

    return attempt(lambda: mx.vmap(function, in_axes=tuple(axes[n] for n in names), out_axes=out_axis)(*seen.values()))


def compiled(op, case, inputs):
    seen = {key: apply(*value) for key, value in inputs.items()}
    names = list(seen)
    function = mx.compile(lambda *values: op.call(Given(dict(zip(names, values)), case.args)))
    return attempt(lambda: function(*seen.values()))


def batches(op, case):
    """Axes to map: the first for all; the last for the first input alone; the second for all."""
    every = [name for name in op.vmap if name in case.inputs]
    yield "all", {name: 0 for name in every}, 0
    if op.name not in UNSAFE_ALONE:
        yield "first", {every[0]: -1}, 0
    if all(case.inputs[name].shape for name in every):
        yield "second", {name: 1 for name in every}, -1


def batched(case, axes, name, drawn):
    """The inputs with a new axis of ROWS entries, where `axes` says."""
    inputs = drawn(name, {k: replace(v, shape=(ROWS, *v.shape)) if k in axes else v for k, v in case.inputs.items()})
    for key, axis in axes.items():
        inputs[key] = (mx.contiguous(mx.moveaxis(inputs[key][0], 0, axis)), [])
    return inputs


def write(op, writer, wanted, small, drawn):
    """Appends the cases of `op` whose name contains `wanted`; only one gradient or vmap of at most `small` elements, if given."""
    case = op.base or op.cases[0]
    committed = small is not None
    if committed and case.elements() > small:
        return
    line = {"op": op.name, "family": op.family, "tolerance": op.tolerance, "args": case.args}
    if op.grad:
        layouts = {"plain": case}
        if len(case.inputs[op.grad[0]].shape) > 1 and not committed:
            first = {op.grad[0]: replace(case.inputs[op.grad[0]], view="transposed")}
            layouts["transposed"] = replace(case, inputs={**case.inputs, **first})
        for layout, laid in layouts.items():
            name = f"grad/{op.name}/{layout}"
            if wanted in name:
                inputs = drawn(name, laid.inputs)
                result = gradients(op, laid, name, inputs)
                writer.case({"name": name, "kind": "grad", "wrt": list(op.grad), **line}, inputs, result)
    if op.vmap and not (committed and op.grad):
        for label, axes, out_axis in list(batches(op, case))[: 1 if committed else None]:
            name = f"vmap/{op.name}/{label}"
            if wanted in name:
                inputs = batched(case, axes, name, drawn)
                axes = {key: axes.get(key) for key in inputs}
                result = mapped(op, case, inputs, axes, out_axis)
                writer.case({"name": name, "kind": "vmap", "axes": axes, "out_axis": out_axis, **line}, inputs, result)
    name = f"compile/{op.name}"
    if (op.grad or op.vmap) and wanted in name and not committed:
        inputs = drawn(name, case.inputs)
        writer.case({"name": name, "kind": "compile", **line}, inputs, compiled(op, case, inputs))

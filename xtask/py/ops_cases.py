"""Every op of mlx.core on random inputs, with what Python's MLX gives for them.

    python ops_cases.py --out DIR [--filter SUBSTR] [--committed]

Writes DIR/cases.json (one case a line), DIR/values.bin (the numbers, little-endian) and DIR/manifest.json. A tensor in
cases.json is [dtype, shape, byte offset], an input [dtype, shape, byte offset, steps to its view]. The tables are in ops/.
"""

import argparse
import json
from pathlib import Path

import mlx.core as mx
import numpy as np

import oracle
from ops import cover, elementwise, fused, indexing, products, randoms, reduce, shapes, solve, transforms
from ops.draw import I32, apply, draw, name_of
from ops.table import TABLE, Given

MODULES = (elementwise, shapes, reduce, products, fused, solve, randoms, indexing)
PACKAGES = ("mlx", "numpy")
# Elements of the inputs of a committed case.
SMALL = 64


class Writer:
    """The files of cases, with equal numbers written once."""

    def __init__(self):
        self.blobs, self.size, self.places, self.lines = [], 0, {}, []

    def tensor(self, array):
        blob = np.array(mx.contiguous(array).reshape(-1).view(mx.uint8)).tobytes() if array.size else b""
        if blob not in self.places:
            self.places[blob] = self.size
            self.blobs.append(blob)
            self.size += len(blob)
        return [name_of(array.dtype), list(array.shape), self.places[blob]]

    def case(self, line, inputs, outcome):
        line["inputs"] = {name: self.tensor(base) + ([steps] if steps else []) for name, (base, steps) in inputs.items()}
        if isinstance(outcome, str):
            line["error"] = outcome
        else:
            line["outputs"] = [self.tensor(array) for array in outcome]
        self.lines.append(json.dumps({k: v for k, v in line.items() if v not in ({}, "same")}, separators=(",", ":")))

    def save(self, out, about):
        (out / "values.bin").write_bytes(b"".join(self.blobs))
        head = json.dumps(about, separators=(",", ":"))[:-1]
        (out / "cases.json").write_text(head + ',"cases":[\n' + ",\n".join(self.lines) + "\n]}\n", encoding="utf-8")


def listed(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def outcome(call, inputs, args):
    """The outputs, or the text of the error."""
    try:
        outputs = listed(call(Given(inputs, args)))
        mx.eval(outputs)
        return outputs
    except (ValueError, RuntimeError, IndexError, OverflowError, SystemError) as error:
        return str(error)


def widened(op, inputs, args, narrow):
    """The outputs for the inputs in f32, rounded to the dtypes of `narrow`."""
    low = (mx.float16, mx.bfloat16)
    if isinstance(narrow, str) or not any(x.dtype in low for x in inputs.values()):
        return narrow
    wide = {name: x.astype(mx.float32) if x.dtype in low else x for name, x in inputs.items()}
    return [a.astype(b.dtype) for a, b in zip(outcome(op.call, wide, args), narrow)]


def drawn(name, wanted):
    """The inputs of a case: each drawn from the case's name and its own."""
    return {key: draw(np.random.default_rng(oracle.seed_of(f"{name} {key}")), value) for key, value in wanted.items()}


def forward(op, writer, keep):
    for number, case in enumerate(op.cases):
        name = f"{op.name}/{case.label()}"
        if not keep(op, case, number, name):
            continue
        inputs = drawn(name, case.inputs)
        seen = {key: apply(*value) for key, value in inputs.items()}
        result = outcome(op.call, seen, case.args)
        result = widened(op, seen, case.args, result) if op.wide else result
        line = {"name": name, "op": op.name, "family": op.family, "tolerance": op.tolerance, "args": case.args}
        writer.case(line, inputs, result)


def committed(op, case, *_):
    """The first small case of every op (the smallest where none is), and the first of integers."""
    small = [c for c in op.cases if c.elements() <= SMALL] or [min(op.cases, key=lambda c: c.elements())]
    integers = [c for c in small if {x.dtype for x in c.inputs.values() if not isinstance(x.kind, int)} == {I32}]
    return case in (small[0], *integers[:1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--filter", default="", help="only cases whose name contains this")
    parser.add_argument("--committed", action="store_true", help="only the selection kept in tests/fixtures/ops")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    mx.set_default_device(mx.cpu)
    for module in MODULES:
        module.declare()

    def keep(op, case, number, name):
        return args.filter in name and (not args.committed or committed(op, case, number, name))

    writer = Writer()
    for op in TABLE.values():
        forward(op, writer, keep)
        transforms.write(op, writer, args.filter, SMALL if args.committed else None, drawn)
    about = {} if args.committed or args.filter else cover.coverage(TABLE)
    writer.save(args.out, about or {"covered": []})
    versions = {name: version for name, version in oracle.versions().items() if name in PACKAGES}
    files = {name: oracle.sha256(args.out / name) for name in ("cases.json", "values.bin")}
    manifest = {"made_by": "xtask/py/ops_cases.py", "versions": versions, "cases": len(writer.lines), "files": files}
    oracle.write_json(args.out / "manifest.json", manifest)
    print(f"{len(TABLE)} ops, {len(writer.lines)} cases, {writer.size} bytes of numbers")


if __name__ == "__main__":
    main()

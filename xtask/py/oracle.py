"""Shared by the oracle scripts: package versions, hashes and exact comparison with mlx-lm."""

import importlib.metadata
import json
import struct

import mlx.core as mx
import numpy as np

from hashes import seed_of, sha256, write_json  # noqa: F401 (the scripts have them from here)

PACKAGES = ("mlx", "mlx-lm", "transformers", "tokenizers", "numpy")


def versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def save_safetensors(path, arrays, metadata=None):
    """`mx.save_safetensors` with the tensors in the order of their names: the same bytes in every run."""
    names = {
        mx.float32: "F32", mx.float16: "F16", mx.bfloat16: "BF16",
        mx.uint32: "U32", mx.int32: "I32", mx.uint8: "U8", mx.bool_: "BOOL",
    }  # fmt: skip
    header, blobs, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, array in sorted(arrays.items()):
        blob = np.array(mx.contiguous(array).view(mx.uint8)).tobytes()
        header[name] = {
            "dtype": names[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(blobs)


def max_difference(a, b):
    return float(mx.max(mx.abs(a - b)))


def run_chunks(model, ids, cache, chunk):
    """Logits [len(ids), V] of `ids` fed in pieces of `chunk` tokens."""
    pieces = []
    for start in range(0, len(ids), chunk):
        pieces.append(model(mx.array([ids[start : start + chunk]]), cache=cache)[0])
        mx.eval(pieces[-1], [c.state for c in cache])
    return mx.concatenate(pieces)

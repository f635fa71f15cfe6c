"""Shared by the oracle scripts: package versions, hashes and exact comparison with mlx-lm."""

import hashlib
import importlib.metadata
import json
import struct
from pathlib import Path

import mlx.core as mx
import numpy as np

PACKAGES = ("mlx", "mlx-lm", "transformers", "tokenizers", "numpy")


def versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seed_of(name):
    """A seed that depends on the name alone, so that adding a case changes no other."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


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

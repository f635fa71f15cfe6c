"""Which public names of mlx.core the table covers, and why the others are left out."""

import mlx.core as mx

MODULES = {"": mx, "fast.": mx.fast, "linalg.": mx.linalg, "fft.": mx.fft, "random.": mx.random}

# Other names of the same function, where the signature does not tell.
ALIASES = {
    "concat": "concatenate", "permute_dims": "transpose", "conj": "conjugate", "array.T": "transpose.all",
    "matrix_norm": "linalg.norm", "array.mT": "matrix_transpose", "array.conj": "conjugate",
}  # fmt: skip

# Why a name has no cases.
EXCLUDED = {
    "returns a tensor of undefined values": ("empty", "empty_like"),
    "is a fact about dtypes, not an op": ("can_cast", "result_type", "issubdtype", "isdtype"),
    "turns a foreign object into an array; ours have their own constructors": ("asarray", "from_dlpack"),
    "is a file format, with tests of its own": ("load", "save", "savez", "savez_compressed", "save_gguf", "save_safetensors"),
    "is a transform, which the gradient, vmap and compile cases go through": ("grad", "value_and_grad", "vmap", "compile"),
    "is a transform without numbers of its own, with tests of its own": (
        "vjp", "jvp", "checkpoint", "export_function", "exporter", "import_function", "export_to_dot", "disable_compile", "enable_compile",
    ),
    "is about devices, streams, memory or evaluation": (
        "default_device", "set_default_device", "default_stream", "set_default_stream", "device_count", "device_info",
        "is_available", "new_stream", "new_thread_local_stream", "new_thread_unsafe_stream", "stream", "synchronize",
        "clear_streams", "clear_cache", "get_active_memory", "get_peak_memory", "reset_peak_memory", "get_cache_memory",
        "get_memory_limit", "set_memory_limit", "set_cache_limit", "set_wired_limit", "get_array_buffer_size", "eval", "async_eval",
    ),
    "is about printing": ("get_printoptions", "set_printoptions", "printoptions"),
    "has no CPU implementation, so the oracle has no values": ("qqmm", "gather_qqmm"),
    "is a kernel in another language, for GPUs": ("fast.metal_kernel", "fast.cuda_kernel", "fast.precompiled_cuda_kernel"),
    "is a property or conversion that every comparison goes through": (
        "array.dtype", "array.shape", "array.size", "array.ndim", "array.itemsize", "array.nbytes", "array.item", "array.tolist",
    ),
}  # fmt: skip

# Cases that would say nothing, or end this process.
DEFECTS = {
    "sums and the like over an axis of size 0": "gives the right values, and now and then takes minutes or never returns",
    "x[::0]": "divides by zero and ends the process",
    "x[i] out of range": "reads outside of the array, so such an index stands in a tuple",
    "x[(mask,)] = value": "raises an exception that Python's binding cannot translate",
    "quantized_matmul of zero rows": "divides by zero and ends the process",
    "vmap of bitwise ops and shifts with one input unmapped": "reads outside of that input",
    "vmap of divmod": "takes an axis that was never set",
    "integers divided by 0, shifted by more than their bits, or raised to a negative power": "has no defined result",
    "full of a number in dtype bool": "gives int32 in Python; ours gives bool",
}


def functions():
    """Every public function below mlx.core and every public method of its array."""
    for prefix, module in MODULES.items():
        for name in dir(module):
            value = getattr(module, name)
            # Classes, dtypes, constants and submodules are no functions.
            if not name.startswith("_") and callable(value) and not isinstance(value, type):
                yield prefix + name, value
    for name in dir(mx.array):
        if not name.startswith("_"):
            yield f"array.{name}", None


def spelled(name, function):
    """The name that the function itself goes by: `concat` and `acos` are other names of functions."""
    if name in ALIASES:
        return ALIASES[name]
    prefix, _, last = name.rpartition(".")
    if function is None:
        return last
    signature = getattr(function, "__nb_signature__", [[f"def {last}("]])[0][0]
    return (f"{prefix}." if prefix else "") + signature.removeprefix("def ").partition("(")[0]


def coverage(table):
    """Public names with cases, those left out with the reason, and those that are neither."""
    known = set(table) | {name for entry in table.values() for name in entry.covers}
    reasons = {name: reason for reason, names in EXCLUDED.items() for name in names}
    covered, uncovered = [], []
    for name, function in functions():
        if name in reasons:
            continue
        (covered if {name, spelled(name, function)} & known else uncovered).append(name)
    return {"covered": covered, "excluded": reasons, "defects": DEFECTS, "uncovered": uncovered}

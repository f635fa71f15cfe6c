"""Goldens of mlx-lm's small parts: samplers, penalties, seeded draws, rope and attention masks.

    python lm_goldens.py --sampling FILE.json --rope FILE.safetensors --masks FILE.json

Beside FILE.safetensors goes FILE.json, which describes each rope by the arguments of `initialize_rope`.
In JSON, null among log-probabilities stands for minus infinity.
"""

import argparse
import math
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm import sample_utils
from mlx_lm.models.base import create_causal_mask
from mlx_lm.models.cache import KVCache, RotatingKVCache
from mlx_lm.models.rope_utils import apply_yarn_mscale, initialize_rope

import oracle


def numbers(array):
    return [None if math.isinf(x) else x for x in array.astype(mx.float32).flatten().tolist()]


def log_softmax(logits):
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)


def inputs():
    """Logits by name: peaked, flat, with ties, with a token ruled out, and a long one."""
    rng = np.random.default_rng(oracle.seed_of("sampling"))
    return {
        "documented": mx.log(mx.array([0.01, 0.5, 0.39, 0.1])),
        "ties": mx.array([1.0, 2.0, 2.0, 2.0, 0.0, 1.0]),
        "flat": mx.zeros((8,)),
        "ruled_out": mx.array([0.5, -math.inf, 1.5, 0.0, -math.inf]),
        "negative": mx.array([-3.0, -1.0, -2.5, -0.25, -7.0]),
        "long": mx.array((3 * rng.standard_normal(1000)).astype(np.float32)),
    }


# (filter, function, values, inputs that it does not define an answer for)
FILTERS = [
    ("top_p", sample_utils.apply_top_p, (0.1, 0.6, 0.9, 0.999), ()),
    ("min_p", sample_utils.apply_min_p, (0.05, 0.3, 0.8, 1.0), ()),
    # Of equal values top_k keeps whichever argpartition leaves.
    ("top_k", sample_utils.apply_top_k, (1, 2, 3, 50), ("ties", "flat")),
]


def filter_case(name, logits, filter_name, apply, value):
    filtered = apply(log_softmax(logits)[None], value)
    case = {"input": name, "filter": filter_name, "value": value}
    if logits.size > 100:
        kept = mx.isfinite(filtered)[0].tolist()
        return {**case, "kept": [i for i, keep in enumerate(kept) if keep]}
    return {**case, "logprobs": numbers(filtered)}


def filter_cases():
    cases = []
    for name, logits in inputs().items():
        for filter_name, apply, values, undefined in FILTERS:
            values = [v for v in values if filter_name != "top_k" or v < logits.size]
            if name not in undefined:
                cases += [filter_case(name, logits, filter_name, apply, value) for value in values]
    return cases


PENALTIES = [
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 1.3, "repetition_context_size": 2},
    {"repetition_penalty": 0.7},
    {"presence_penalty": 0.5},
    {"frequency_penalty": 0.5},
    {"frequency_penalty": -0.25, "frequency_context_size": 3},
    {"logit_bias": {"1": 2.0, "3": -100.0}},
    {
        "logit_bias": {"0": 1.5},
        "repetition_penalty": 1.1,
        "presence_penalty": 0.25,
        "frequency_penalty": 0.125,
    },
]


def penalty_cases():
    cases = []
    logits = [0.5, -1.0, 2.0, -0.25, 3.5, 0.0]
    for tokens in ([], [2], [2, 1, 2, 2], [4, 0, 1, 3, 4, 4, 5]):
        for settings in PENALTIES:
            arguments = dict(settings)
            if "logit_bias" in arguments:
                arguments["logit_bias"] = {int(k): v for k, v in arguments["logit_bias"].items()}
            row = mx.array([logits])
            for process in sample_utils.make_logits_processors(**arguments):
                row = process(mx.array(tokens, mx.int32), row)
            cases.append({"tokens": tokens, "settings": settings, "logits": numbers(row)})
    return {"input": logits, "cases": cases}


def draw_cases():
    """One draw each for explicit keys: `mx.random.categorical(logits, key=mx.random.key(seed))`."""
    cases = []
    for name, logits in inputs().items():
        for seed in (0, 1, 2, 42, 12345, 2**32 + 7):
            draws = mx.random.categorical(logits[None], key=mx.random.key(seed))
            many = mx.random.categorical(logits[None], num_samples=8, key=mx.random.key(seed))
            cases.append({"input": name, "seed": seed, "draw": draws.item(), "eight": many[0].tolist()})
    return cases


def sequence_cases():
    """What a seeded run of mlx-lm's sampler draws, step after step, from the same log-probabilities."""
    cases = []
    settings = [
        {"temp": 1.0},
        {"temp": 0.7, "top_p": 0.9},
        {"temp": 1.3, "top_k": 40, "min_p": 0.02},
        {"temp": 0.8, "top_p": 0.95, "min_p": 0.05, "top_k": 5},
    ]
    for seed in (0, 7, 42):
        for setting in settings:
            logprobs = log_softmax(inputs()["long"])[None]
            sampler = sample_utils.make_sampler(**setting)
            mx.random.seed(seed)
            draws = [sampler(logprobs).item() for _ in range(16)]
            cases.append({"input": "long", "seed": seed, "settings": setting, "draws": draws})
    return cases


def key_cases():
    """The generator itself: a key, its split halves, and the uniforms it gives."""
    cases = []
    for seed in (0, 1, 42, 2**32 + 7):
        key = mx.random.key(seed)
        cases.append(
            {
                "seed": seed,
                "key": key.tolist(),
                "split": mx.random.split(key).tolist(),
                "uniform": mx.random.uniform(shape=(4,), key=key).tolist(),
            }
        )
    return cases


def write_sampling(file):
    oracle.write_json(
        file,
        {
            "made_by": "xtask/py/lm_goldens.py",
            "versions": oracle.versions(),
            "inputs": {name: numbers(logits) for name, logits in inputs().items()},
            "filters": filter_cases(),
            "penalties": penalty_cases(),
            "keys": key_cases(),
            "draws": draw_cases(),
            "sequences": sequence_cases(),
        },
    )


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
LONG = {
    "type": "longrope",
    "original_max_position_embeddings": 64,
    "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7],
    "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0],
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

# name: (dims, base, traditional, scaling_config, max_position_embeddings)
ROPES = {
    "default": (16, 10000.0, False, None, None),
    "default_type": (16, 500000.0, False, {"rope_type": "default", "rope_theta": 500000.0}, 512),
    "traditional": (16, 10000.0, True, None, None),
    "partial": (8, 10000.0, False, None, None),
    "partial_traditional": (12, 10000.0, True, None, None),
    "linear": (16, 10000.0, False, {"rope_type": "linear", "factor": 4.0}, 512),
    "linear_type_key": (16, 10000.0, True, {"type": "linear", "factor": 2.5}, 512),
    "dynamic": (16, 10000.0, False, {"rope_type": "dynamic", "factor": 2.0}, 512),
    "llama3": (16, 10000.0, False, LLAMA3, 512),
    "llama3_traditional": (16, 500000.0, True, LLAMA3, 512),
    "llama3_defaults": (16, 500000.0, False, {"rope_type": "llama3", "factor": 8.0}, 131072),
    "yarn": (16, 10000.0, False, YARN, 256),
    "yarn_defaults": (16, 10000.0, False, {"rope_type": "yarn", "factor": 4.0}, 256),
    "yarn_betas": (16, 10000.0, True, {**YARN, "beta_fast": 4, "beta_slow": 1}, 256),
    "yarn_mscale": (16, 10000.0, False, {**YARN, "beta_fast": 4, "mscale": 0.707}, 256),
    "yarn_mscale_all_dim": (16, 10000.0, False, {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0}, 256),
    "yarn_mscale_both": (8, 10000.0, False, {**YARN, "mscale": 0.5, "mscale_all_dim": 0.8}, 256),
    "yarn_flat_ramp": (16, 10000.0, False, {**YARN, "beta_fast": 1, "beta_slow": 1}, 256),
    "yarn_deepseek": (16, 10000.0, True, {**YARN, "rope_type": "deepseek_yarn", "mscale": 0.707, "mscale_all_dim": 0.707}, 256),
    "longrope": (16, 10000.0, False, LONG, 512),
    "longrope_short": (16, 10000.0, False, LONG, 64),
    "longrope_partial": (8, 10000.0, False, {**LONG, "short_factor": [1.0] * 4, "long_factor": [1.0, 2.0, 4.0, 8.0]}, 256),
    "proportional": (16, 10000.0, False, {"rope_type": "proportional", "partial_rotary_factor": 0.5}, 512),
    "proportional_factor": (16, 10000.0, True, {"rope_type": "proportional", "partial_rotary_factor": 0.75, "factor": 2.0}, 512),
    "mrope": (16, 10000.0, False, {"type": "mrope", "mrope_section": [2, 3, 3]}, 512),
}  # fmt: skip
OFFSETS = (0, 3, 1000)


def write_ropes(file):
    rng = np.random.default_rng(oracle.seed_of("rope"))
    x = mx.array(rng.standard_normal((1, 2, 5, 16), dtype=np.float32))
    arrays, entries = {"x": x}, []
    for name, (dims, base, traditional, scaling, positions) in ROPES.items():
        rope = initialize_rope(dims, base, traditional, scaling, positions)
        for offset in OFFSETS:
            arrays[f"{name}.{offset}"] = rope(x, offset=offset)
        entries.append(
            {
                "name": name,
                "dims": dims,
                "base": base,
                "traditional": traditional,
                "scaling_config": scaling,
                "max_position_embeddings": positions,
                "attention_scale": apply_yarn_mscale(1.0, scaling) if "yarn" in name else 1.0,
            }
        )
    description = {"made_by": "xtask/py/lm_goldens.py", "versions": oracle.versions(), "offsets": OFFSETS, "ropes": entries}
    oracle.write_json(file.with_suffix(".json"), description)
    oracle.save_safetensors(file, arrays)


def mask_after(cache, fed, length, window):
    """The mask mlx-lm gives `length` new tokens once `fed` (a list of chunk sizes) have gone in."""
    for chunk in fed:
        cache.update_and_fetch(mx.zeros((1, 1, chunk, 4)), mx.zeros((1, 1, chunk, 4)))
    mask = cache.make_mask(length, window_size=window, return_array=length > 1)
    return None if mask is None else mask.astype(mx.int32).tolist()


def write_masks(file):
    cases = []
    for size, offset, window in ((4, 0, None), (3, 5, None), (5, 0, 3), (4, 6, 3), (1, 9, 4)):
        mask = create_causal_mask(size, offset, window_size=window).astype(mx.int32).tolist()
        cases.append({"kind": "causal", "n": size, "offset": offset, "window": window, "mask": mask})
    for fed, length in (([], 6), ([3], 4), ([7], 5), ([7, 1, 1], 3), ([9, 2], 1)):
        full = mask_after(KVCache(), fed, length, None)
        cases.append({"kind": "full_cache", "fed": fed, "n": length, "mask": full})
        sliding = mask_after(RotatingKVCache(max_size=4), fed, length, 4)
        cases.append({"kind": "rotating_cache", "max_size": 4, "fed": fed, "n": length, "mask": sliding})
    oracle.write_json(file, {"made_by": "xtask/py/lm_goldens.py", "versions": oracle.versions(), "cases": cases})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sampling", type=Path)
    parser.add_argument("--rope", type=Path)
    parser.add_argument("--masks", type=Path)
    args = parser.parse_args()
    for file, write in ((args.sampling, write_sampling), (args.rope, write_ropes), (args.masks, write_masks)):
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file)


if __name__ == "__main__":
    main()

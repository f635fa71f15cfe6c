"""Tiny random checkpoints of every language-model preset, with mlx-lm's own logits for them.

    python lm_cases.py --out DIR [--filter SUBSTR] [--committed]

Writes DIR/<case>/{config.json, model*.safetensors, expect.safetensors} and DIR/manifest.json.
expect.safetensors holds `prompt` [24], `prompt_logits` [24, V], `decode` [16] (decode[0] is the
argmax of the last prompt position, decode[i] the token fed at step i) and `decode_logits` [16, V],
all computed in f32. lm_presets.py has the configs.
"""

import argparse
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import _get_classes, load_model

import lm_presets
import oracle

PROMPT, STEPS, SHARDS = 24, 16, 3
DTYPES = {"f32": mx.float32, "f16": mx.float16, "bf16": mx.bfloat16}
# Embeddings small enough that a tied model does not only repeat its input; heads that spread the logits.
EMBED_STD, GEMMA_EMBED_STD, HEAD_STD = 0.12, 0.06, 0.25
# What the reference may differ by between ways of feeding the same tokens.
SAME = 1e-5
# What a config change in `matters` must move the logits by at least.
MOVED = 1e-2


def draw(rng, name, shape, gemma):
    """Values that keep the logits near 1 and the attention far from uniform."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if name.endswith("bias"):
        return 0.3 * noise
    if "norm" in name:
        spread = 0.2 * noise
        sharper = 0.5 if name.endswith(("q_norm.weight", "k_norm.weight")) else 0.0
        return spread + sharper + (0.0 if gemma else 1.0)
    if name == "model.embed_tokens.weight":
        return (GEMMA_EMBED_STD if gemma else EMBED_STD) * noise
    if name == "lm_head.weight":
        return HEAD_STD * noise
    gain = 1.6 if any(part in name for part in ("q_proj", "k_proj", "qkv_proj")) else 1.0
    return gain * shape[-1] ** -0.5 * noise


def carries_head(preset):
    """Whether the dense checkpoint has an lm_head.weight, needed or not."""
    config = preset["config"]
    return "lm_head" in preset["extras"] or not config.get("tie_word_embeddings", "gemma" in config["model_type"])


def dense_weights(name, preset, model):
    """The preset's parameters, in its storage dtype; the same for every form."""
    rng = np.random.default_rng(oracle.seed_of(name))
    config = preset["config"]
    shapes = {key: value.shape for key, value in tree_flatten(model.parameters())}
    shapes.pop("lm_head.weight", None)
    if carries_head(preset):
        shapes["lm_head.weight"] = (config["vocab_size"], config["hidden_size"])
    gemma = config["model_type"].startswith("gemma")
    dtype = DTYPES[preset["dtype"]]
    return {key: mx.array(draw(rng, key, shapes[key], gemma)).astype(dtype) for key in sorted(shapes)}


def build(config):
    model_class, args_class = _get_classes(config)
    return model_class(args_class.from_dict(config))


def quantized_weights(model, weights, setting):
    """`weights` quantized as `setting` says, by the reference's own modules."""
    weights = model.sanitize(dict(weights)) if hasattr(model, "sanitize") else weights
    model.load_weights(list(weights.items()))

    def predicate(path, module):
        return setting.get(path, hasattr(module, "to_quantized"))

    whole = {key: setting[key] for key in ("group_size", "bits")}
    nn.quantize(model, **whole, mode=setting.get("mode", "affine"), class_predicate=predicate)
    return dict(tree_flatten(model.parameters()))


def with_ignored(preset, weights):
    """Adds what real files carry and no model reads."""
    if "inv_freq" in preset["extras"]:
        for layer in range(preset["config"]["num_hidden_layers"]):
            key = f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"
            weights[key] = mx.array([10000.0 ** (-i / 8) for i in range(8)], mx.float32)
    return weights


def shard_names(weights, scatter):
    """Lists of names, one a shard: neighbours together, or dealt out so that triples are split."""
    names = sorted(weights)
    if scatter:
        return [names[i::SHARDS] for i in range(SHARDS)]
    size = -(-len(names) // SHARDS)
    return [names[i : i + size] for i in range(0, len(names), size)]


def save_weights(folder, weights, sharded, scatter):
    if not sharded:
        oracle.save_safetensors(folder / "model.safetensors", weights, {"format": "mlx"})
        return
    shards = shard_names(weights, scatter)
    index = {}
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        oracle.save_safetensors(folder / file, {name: weights[name] for name in names}, {"format": "mlx"})
        index.update(dict.fromkeys(names, file))
    total = sum(array.nbytes for array in weights.values())
    oracle.write_json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))},
    )


def write_checkpoint(folder, name, setting, sharded):
    preset = lm_presets.PRESETS[name]
    config = dict(preset["config"])
    weights = dense_weights(name, preset, build(config))
    if setting is None:
        weights = with_ignored(preset, weights)
    else:
        weights = quantized_weights(build(config), weights, setting)
        config["quantization"] = setting
    if sharded and setting:
        config["quantization_config"] = setting
    folder.mkdir(parents=True, exist_ok=True)
    oracle.write_json(folder / "config.json", config)
    save_weights(folder, weights, sharded, scatter=setting is not None)


def load_f32(folder, overrides=None):
    """The reference model of `folder`, computing in f32; the uint8 scales of mx modes stay as they are."""
    model, _ = load_model(folder, model_config=overrides)
    before = {key: value.dtype for key, value in tree_flatten(model.parameters())}
    model.set_dtype(mx.float32)
    for key, value in tree_flatten(model.parameters()):
        integer = not mx.issubdtype(before[key], mx.floating)
        assert value.dtype == (before[key] if integer else mx.float32), key
    return model


def expectations(model, prompt):
    cache = make_prompt_cache(model)
    prompt_logits = model(mx.array([prompt]), cache=cache)[0]
    rows, tokens, last = [], [], prompt_logits[-1]
    for _ in range(STEPS):
        tokens.append(int(mx.argmax(last)))
        last = model(mx.array([[tokens[-1]]]), cache=cache)[0, -1]
        rows.append(last)
    values = {
        "prompt": mx.array(prompt, mx.int32),
        "prompt_logits": prompt_logits,
        "decode": mx.array(tokens, mx.int32),
        "decode_logits": mx.stack(rows),
    }
    mx.eval(values)
    return values


def consistency(model, prompt, values):
    """Largest difference of the reference to itself: chunked prefill, and one pass over everything."""
    everything = prompt + values["decode"].tolist()
    logits = mx.concatenate([values["prompt_logits"], values["decode_logits"]])
    worst = {}
    for label, chunk in (("1", 1), ("7", 7), ("all", len(everything))):
        again = oracle.run_chunks(model, everything, make_prompt_cache(model), chunk)
        worst[f"chunk_{label}"] = oracle.max_difference(logits, again)
    worst["no_cache"] = oracle.max_difference(logits, model(mx.array([everything]))[0])
    return worst


def check_that_it_matters(folder, preset, prompt, values):
    """Each change in `matters` moves the logits, and so does the first token of the prompt."""
    changed = [(prompt[0] + 1) % lm_presets.VOCAB, *prompt[1:]]
    variants = [(None, changed)] + [(change, prompt) for change in preset["matters"]]
    for overrides, ids in variants:
        logits = load_f32(folder, overrides)(mx.array([ids]))[0]
        moved = oracle.max_difference(logits[8:], values["prompt_logits"][8:])
        assert moved > MOVED, f"{folder.name}: {overrides or 'the first token'} moves the logits by {moved} only"


def margin(logits):
    top = mx.sort(logits, axis=-1)[:, -2:]
    return float(mx.min(top[:, 1] - top[:, 0]))


def make_case(out, case, name, setting, sharded):
    folder = out / case
    write_checkpoint(folder, name, setting, sharded)
    prompt = np.random.default_rng(oracle.seed_of(f"{name} prompt")).integers(0, lm_presets.VOCAB, PROMPT).tolist()
    model = load_f32(folder)
    values = expectations(model, prompt)
    worst = consistency(model, prompt, values)
    check_that_it_matters(folder, lm_presets.PRESETS[name], prompt, values)
    oracle.save_safetensors(folder / "expect.safetensors", values)
    logits = mx.concatenate([values["prompt_logits"], values["decode_logits"]])
    return {
        "case": case,
        "preset": name,
        "seed": oracle.seed_of(name),
        "dtype": lm_presets.PRESETS[name]["dtype"],
        "quantization": setting,
        "sharded": sharded,
        "logits_std": round(float(mx.std(logits)), 3),
        "distinct_tokens": len(set(values["decode"].tolist())),
        "least_margin": round(margin(logits[PROMPT - 1 :]), 6),
        "reference_differs_by": {key: float(f"{value:.2g}") for key, value in worst.items()},
        "files": {file.name: oracle.sha256(file) for file in sorted(folder.iterdir())},
    }


def write_manifest(out, entries):
    oracle.write_json(
        out / "manifest.json",
        {"made_by": "xtask/py/lm_cases.py", "versions": oracle.versions(), "prompt": PROMPT, "steps": STEPS, "cases": entries},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--filter", default="", help="only cases whose name contains this")
    parser.add_argument("--committed", action="store_true", help="only the selection kept in tests/fixtures/lm")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    entries, failed = [], []
    for case, name, setting, sharded in lm_presets.cases():
        if args.filter not in case or (args.committed and not lm_presets.is_committed(case)):
            continue
        entry = make_case(args.out, case, name, setting, sharded)
        entries.append(entry)
        worst = max(entry["reference_differs_by"].values())
        print(f"{case:40} std {entry['logits_std']:.2f}  margin {entry['least_margin']:.1e}  distinct {entry['distinct_tokens']:2}  reference {worst:.1e}")
        if worst > SAME:
            failed.append(case)
    write_manifest(args.out, entries)
    if failed:
        raise SystemExit(f"the reference differs from itself by more than {SAME}: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""A llama GGUF of SmolLM2's kind as an ordinary Hugging Face folder that mlx-lm loads.

Weights keep the packed affine triples that MLX's load_gguf gives, or become dense f32; the query
and key rows, which GGUF stores for interleaved rope, go back to Hugging Face's order. The tokenizer
is built from the metadata: byte-level BPE whose pre-tokenizer splits digits one by one ("smollm").
"""

import re

import mlx.core as mx
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

import oracle

GROUP = 32
NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}
CONTROL = 3  # llama.cpp's token type of special tokens


def read(path):
    return mx.load(str(path), return_metadata=True)


def hf_name(name):
    block = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(\w+)", name)
    if block:
        return f"model.layers.{block[1]}.{NAMES[block[2]]}.{block[3]}"
    stem, kind = name.split(".")
    return f"{NAMES[stem]}.{kind}"


def unpermute(rows, heads):
    """Rows (heads, pairs, 2) of interleaved rope to (heads, 2, pairs) of split halves."""
    shape = rows.shape
    return rows.reshape(heads, -1, 2, shape[-1]).swapaxes(1, 2).reshape(shape)


def hf_weights(arrays, meta, permuted=False):
    """The arrays under Hugging Face names; floating point ones in f32."""
    heads = {
        "q_proj": int(meta["llama.attention.head_count"]),
        "k_proj": int(meta["llama.attention.head_count_kv"]),
    }
    weights = {}
    for name, array in arrays.items():
        target = hf_name(name)
        count = heads.get(target.split(".")[-2])
        array = unpermute(array, count) if count and not permuted else array
        weights[target] = array.astype(mx.float32) if mx.issubdtype(array.dtype, mx.floating) else array
    return weights


def bits_of(weight, scales):
    return weight.shape[-1] * 32 // (scales.shape[-1] * GROUP)


def dense(weights):
    """Every triple dequantized in f32."""
    result = {}
    for name, array in weights.items():
        stem, _, kind = name.rpartition(".")
        if kind in ("scales", "biases"):
            continue
        scales = weights.get(f"{stem}.scales")
        if scales is not None:
            bits = bits_of(array, scales)
            array = mx.dequantize(array, scales, weights[f"{stem}.biases"], group_size=GROUP, bits=bits)
        result[name] = array
    return result


def config(meta, rope_traditional=False):
    def number(key):
        return meta[f"llama.{key}"].item()

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": number("embedding_length"),
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": number("attention.head_count"),
        "num_key_value_heads": number("attention.head_count_kv"),
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": round(number("attention.layer_norm_rms_epsilon"), 9),
        "rope_theta": number("rope.freq_base"),
        "rope_traditional": rope_traditional,
        "vocab_size": number("vocab_size"),
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "bos_token_id": meta["tokenizer.ggml.bos_token_id"].item(),
        "eos_token_id": meta["tokenizer.ggml.eos_token_id"].item(),
        "pad_token_id": meta["tokenizer.ggml.padding_token_id"].item(),
    }


def quantization(weights):
    """The commonest bit width as the default, the others by path."""
    bits = {
        name.removesuffix(".scales"): bits_of(weights[name.replace(".scales", ".weight")], array)
        for name, array in weights.items()
        if name.endswith(".scales")
    }
    common = max(set(bits.values()), key=list(bits.values()).count)
    setting = {"group_size": GROUP, "bits": common, "mode": "affine"}
    others = {path: {**setting, "bits": width} for path, width in sorted(bits.items()) if width != common}
    return {**setting, **others}


def tokenizer(meta):
    """The fast tokenizer that the metadata describes."""
    assert meta["tokenizer.ggml.model"] == "gpt2" and meta["tokenizer.ggml.pre"] == "smollm"
    tokens = meta["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in meta["tokenizer.ggml.merges"]]
    built = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges, fuse_unk=False))
    built.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    built.decoder = decoders.ByteLevel()
    kinds = meta["tokenizer.ggml.token_type"].tolist()
    built.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t, kind in zip(tokens, kinds) if kind == CONTROL]
    )
    return built


def write_tokenizer(folder, meta):
    tokenizer(meta).save(str(folder / "tokenizer.json"))
    tokens = meta["tokenizer.ggml.tokens"]

    def token(kind):
        return tokens[meta[f"tokenizer.ggml.{kind}_token_id"].item()]

    oracle.write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": meta["llama.context_length"].item(),
            "clean_up_tokenization_spaces": False,
            "add_prefix_space": False,
            "bos_token": token("bos"),
            "eos_token": token("eos"),
            "pad_token": token("padding"),
            "unk_token": token("unknown"),
            "chat_template": meta["tokenizer.chat_template"],
        },
    )


def write(folder, arrays, meta, quantized, permuted=False):
    """A folder for `mlx_lm.load`; `permuted` keeps GGUF's rows and asks for interleaved rope instead."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = config(meta, rope_traditional=permuted)
    weights = hf_weights(arrays, meta, permuted)
    if quantized:
        settings["quantization"] = settings["quantization_config"] = quantization(weights)
    else:
        weights = dense(weights)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    oracle.write_json(folder / "config.json", settings)
    write_tokenizer(folder, meta)

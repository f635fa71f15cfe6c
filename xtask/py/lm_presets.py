"""What the tiny checkpoints of lm_cases.py look like: one entry per preset, as data.

A preset is a config.json, the dtype its dense files are stored in, and `matters`:
changes to the config that must move the logits, so that no case passes by accident.
"""

VOCAB = 64
WINDOW = 8


def _base(model_type, **changes):
    config = {
        "model_type": model_type,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": VOCAB,
        "max_position_embeddings": 512,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
    }
    return {**config, **changes}


def _preset(config, matters, dtype="bf16", extras=(), core=False):
    """`extras` are tensors the dense files carry beside what the config asks for (ignored by
    the model, or found by it); `core` presets are committed in 4-bit form too."""
    return {"config": config, "matters": matters, "dtype": dtype, "extras": list(extras), "core": core}


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR = {"rope_type": "linear", "factor": 4.0}
YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "beta_fast": 4,
    "beta_slow": 1,
}


def _longrope(kind, pairs):
    return {
        "type": kind,
        "short_factor": [1.0 + 0.05 * i for i in range(pairs)],
        "long_factor": [1.0 + 0.35 * i for i in range(pairs)],
    }


SMALL = {"hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1}


def _llama(**changes):
    return _base("llama", **{**SMALL, "tie_word_embeddings": True, **changes})


def _phi3(**changes):
    return _base("phi3", original_max_position_embeddings=64, **changes)


def _gemma2():
    config = _base(
        "gemma2",
        rms_norm_eps=1e-6,
        head_dim=16,
        query_pre_attn_scalar=24,
        attn_logit_softcapping=3.0,
        final_logit_softcapping=4.0,
    )
    del config["tie_word_embeddings"]
    return config


def _gemma3(**changes):
    config = _base(
        "gemma3_text",
        **SMALL,
        rms_norm_eps=1e-6,
        num_hidden_layers=3,
        head_dim=16,
        rope_theta=1000000.0,
        rope_local_base_freq=10000.0,
        query_pre_attn_scalar=24,
        sliding_window=WINDOW,
        sliding_window_pattern=2,
    )
    del config["tie_word_embeddings"]
    return {**config, **changes}


def _qwen3(**changes):
    return _base("qwen3", head_dim=32, rms_norm_eps=1e-6, rope_theta=1000000.0, **changes)


def _qwen3_parameters(parameters):
    config = _qwen3(**SMALL, rope_parameters=parameters)
    del config["rope_theta"]
    return {**config, "tie_word_embeddings": True}


def _lfm2(**changes):
    config = _base(
        "lfm2",
        **SMALL,
        intermediate_size=32,
        num_hidden_layers=3,
        norm_eps=1e-5,
        conv_bias=False,
        conv_L_cache=3,
        block_dim=32,
        block_multiple_of=32,
        block_ffn_dim_multiplier=1.0,
        block_auto_adjust_ff_dim=False,
        rope_theta=1000000.0,
        layer_types=["conv", "full_attention", "conv"],
        tie_word_embeddings=True,
    )
    del config["rms_norm_eps"]
    return {**config, **changes}


PRESETS = {
    "llama": _preset(
        _base("llama", intermediate_size=128, rope_theta=500000.0),
        [{"rope_theta": 10000.0}],
        core=True,
    ),
    "llama-rope-llama3": _preset(_llama(rope_scaling=LLAMA3), [{"rope_scaling": None}]),
    "llama-rope-linear": _preset(_llama(rope_scaling=LINEAR), [{"rope_scaling": None}], dtype="f16"),
    "llama-rope-yarn": _preset(_llama(rope_scaling=YARN), [{"rope_scaling": None}], dtype="f32"),
    "llama-traditional": _preset(_llama(rope_traditional=True), [{"rope_traditional": False}]),
    "llama-bias": _preset(
        _llama(tie_word_embeddings=False, attention_bias=True, mlp_bias=True, head_dim=32),
        [],
    ),
    # A null head_dim, an unused window and the old inv_freq tensors, as in real Mistral files.
    "mistral": _preset(
        _base("mistral", head_dim=None, rope_scaling=None, sliding_window=WINDOW),
        [],
        extras=["inv_freq"],
        core=True,
    ),
    "mistral-sliding": _preset(
        _base(
            "mistral",
            **SMALL,
            num_hidden_layers=3,
            sliding_window=WINDOW,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        ),
        [{"sliding_window": 64}],
    ),
    # Three heads over one, tied, with an lm_head that must be ignored.
    "smollm": _preset(
        _llama(hidden_size=96, num_attention_heads=3, num_key_value_heads=1, rope_theta=100000.0),
        [{"rope_theta": 10000.0}],
        extras=["lm_head"],
        core=True,
    ),
    # Positions in layers 1 and 3 alone, by interval and by list.
    "smollm3": _preset(
        _base("smollm3", num_hidden_layers=4, rope_theta=50000.0, no_rope_layer_interval=2, tie_word_embeddings=True),
        [{"no_rope_layer_interval": 4}],
        core=True,
    ),
    "smollm3-listed": _preset(
        _base("smollm3", **SMALL, num_hidden_layers=3, rope_theta=50000.0, no_rope_layers=[0, 1, 1]),
        [{"no_rope_layers": [1, 1, 1]}],
    ),
    "lfm2": _preset(_lfm2(), [{"layer_types": None, "full_attn_idxs": [1], "rope_theta": 100.0}]),
    # 2/3 of 72, times 1.2, up to a multiple of 64; an even convolution with biases.
    "lfm2-adjusted": _preset(
        _lfm2(
            block_ff_dim=72,
            block_multiple_of=64,
            block_ffn_dim_multiplier=1.2,
            block_auto_adjust_ff_dim=True,
            num_hidden_layers=2,
            conv_bias=True,
            conv_L_cache=4,
            layer_types=None,
            full_attn_idxs=[0],
        ),
        [],
    ),
    "qwen2": _preset(_base("qwen2", rope_theta=1000000.0), [{"rope_theta": 10000.0}], core=True),
    "qwen2-tied": _preset(
        _base("qwen2", **SMALL, rope_theta=1000000.0, tie_word_embeddings=True), [], dtype="f16"
    ),
    "qwen3": _preset(_qwen3(), [{"rope_theta": 10000.0}], core=True),
    "qwen3-rope-parameters": _preset(
        _qwen3_parameters({"rope_type": "default", "rope_theta": 50000.0}),
        [{"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}],
    ),
    "qwen3-rope-yarn": _preset(
        _qwen3_parameters({**YARN, "rope_theta": 50000.0}),
        [{"rope_parameters": {"rope_type": "default", "rope_theta": 50000.0}}],
    ),
    "phi3": _preset(_phi3(), [{"rope_theta": 500.0}], core=True),
    "phi3-longrope": _preset(_phi3(**SMALL, rope_scaling=_longrope("longrope", 8)), [{"rope_scaling": None}]),
    "phi3-su-partial": _preset(
        _phi3(**SMALL, rope_scaling=_longrope("su", 4), partial_rotary_factor=0.5), [{"rope_scaling": None}]
    ),
    "phi3-partial": _preset(
        _phi3(**SMALL, partial_rotary_factor=0.75, tie_word_embeddings=True), [{"partial_rotary_factor": 1.0}]
    ),
    "phi3-linear": _preset(
        _phi3(**SMALL, rope_scaling={"type": "linear", "factor": 4.0, "long_factor": None}), [{"rope_scaling": None}]
    ),
    "gemma2": _preset(
        _gemma2(),
        [{"attn_logit_softcapping": 50.0}, {"final_logit_softcapping": 30.0}, {"query_pre_attn_scalar": 16}],
        core=True,
    ),
    # sqrt(32) is not a bf16 number: the reference rounds the embedding scale to bf16.
    "gemma3_text": _preset(
        _gemma3(num_attention_heads=4, num_hidden_layers=4, sliding_window_pattern=3),
        [{"sliding_window": 64}, {"rope_local_base_freq": 100.0}, {"rope_theta": 100.0}],
        core=True,
    ),
    "gemma3_text-untied": _preset(_gemma3(), [{"sliding_window": 64}], extras=["lm_head"]),
    "gemma3_text-linear": _preset(
        _gemma3(rope_theta=1000.0, rope_scaling={"rope_type": "linear", "factor": 8.0}),
        [{"rope_scaling": None}],
    ),
}

AFFINE = {"group_size": 64, "bits": 4}
MIXED = {
    **AFFINE,
    "mode": "affine",
    "model.embed_tokens": {"group_size": 64, "bits": 6, "mode": "affine"},
    "model.layers.0.self_attn.v_proj": {"group_size": 32, "bits": 8},
    "model.layers.1.mlp.down_proj": False,
    "model.layers.1.self_attn.o_proj": {"group_size": 32, "bits": 4, "mode": "mxfp4"},
    "model.layers.0.mlp.down_proj": {"group_size": 128, "bits": 3},
    "lm_head": {"group_size": 32, "bits": 8, "mode": "mxfp8"},
}


def _affine(bits, group_size):
    return {"group_size": group_size, "bits": bits, "mode": "affine"}


# Quantization settings that only the plain llama preset is stored in.
LLAMA_QUANTS = {
    "q2": _affine(2, 64),
    "q3": _affine(3, 32),
    "q4g32": _affine(4, 32),
    "q5": _affine(5, 64),
    "q6": _affine(6, 32),
    "q8": _affine(8, 64),
    "q8g32": _affine(8, 32),
    "mxfp4": {"group_size": 32, "bits": 4, "mode": "mxfp4"},
    "mxfp8": {"group_size": 32, "bits": 8, "mode": "mxfp8"},
    "nvfp4": {"group_size": 16, "bits": 4, "mode": "nvfp4"},
    "mixed": MIXED,
}


def four_bit(config):
    """The 4-bit setting of a preset: groups of 64 where every input size allows it, else of 32."""
    heads = config["num_attention_heads"] * (
        config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    )
    sizes = (config["hidden_size"], config["intermediate_size"], heads)
    return {**AFFINE, "group_size": 64 if all(size % 64 == 0 for size in sizes) else 32}


def cases():
    """(case name, preset name, quantization or None, sharded), in a fixed order."""
    for name, preset in PRESETS.items():
        quant = four_bit(preset["config"])
        for form, setting in (("dense", None), ("q4", quant)):
            for layout in ("single", "sharded"):
                yield f"{name}-{form}-{layout}", name, setting, layout == "sharded"
    for form, setting in LLAMA_QUANTS.items():
        yield f"llama-{form}-single", "llama", setting, False


def is_committed(case):
    """The selection that lives in tests/fixtures/lm."""
    if case in ("llama-q4-sharded", "gemma3_text-untied-dense-sharded"):
        return True
    if case.endswith("-dense-single"):
        return True
    if case.endswith("-q4-single"):
        return PRESETS[case.removesuffix("-q4-single")]["core"]
    return case in {f"llama-{form}-single" for form in LLAMA_QUANTS}

"""Cases of embed_cases.py whose transformer is a decoder."""

import embed_lfm2
from embed_presets import BASE, NORMALIZE, case, dense, pooling

DECODER = BASE | {
    "num_key_value_heads": 1,
    "head_dim": 8,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "tie_word_embeddings": False,
}
LLAMA = DECODER | {"model_type": "llama"}
MISTRAL = DECODER | {"model_type": "mistral", "sliding_window": 5}
QWEN2 = DECODER | {"model_type": "qwen2", "rope_theta": 1000000.0, "vocab_size": 300, "eos_token_id": 1}
QWEN3 = DECODER | {"model_type": "qwen3", "rope_theta": 1000000.0}
GEMMA2 = DECODER | {
    "model_type": "gemma2",
    "query_pre_attn_scalar": 64,
    "sliding_window": 5,
    "attn_logit_softcapping": 3.0,
    "final_logit_softcapping": 4.0,
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
}
GEMMA3 = DECODER | {
    "model_type": "gemma3_text",
    "num_hidden_layers": 3,
    "query_pre_attn_scalar": 64,
    "sliding_window": 8,
    "sliding_window_pattern": 2,
    "rope_theta": 1000000.0,
    "rope_local_base_freq": 10000.0,
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 16.0,
    "original_max_position_embeddings": 32,
    "beta_fast": 4.0,
    "beta_slow": 1.0,
    "mscale": 1.0,
    "mscale_all_dim": 1.0,
    "llama_4_scaling_beta": 0.1,
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MINISTRAL3 = DECODER | {"model_type": "ministral3", "rope_parameters": YARN, "max_position_embeddings": 512}
del MINISTRAL3["rope_theta"]
LFM2 = DECODER | {
    "model_type": "lfm2",
    "num_hidden_layers": 3,
    "norm_eps": 1e-5,
    "conv_L_cache": 3,
    "conv_bias": False,
    "block_auto_adjust_ff_dim": False,
    "layer_types": ["conv", "full_attention", "conv"],
    "tie_word_embeddings": True,
}
BOTH_WAYS = {"is_causal": False}
CAUSAL = {"is_causal": True}
# Of newer files, which have no rope_theta.
ROPE_PARAMETERS = {
    "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 50000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 500.0},
}

# What stands around a text: names of tokens in front and behind.
BOS, EOS, BOTH = ([1, 0], [0, 1], [1, 1])
LAST = [pooling("lasttoken"), NORMALIZE]
MEAN = [pooling("mean", old=False)]
GEMMA_DENSE = [
    pooling("mean"),
    dense(16, 32, "linear.Identity", bias=False),
    dense(32, 16, "linear.Identity", bias=False),
    NORMALIZE,
]
GEMMA_PROMPTS = {"prompts": {"query": "query: ", "document": "title: none | text: "}, "similarity_fn_name": "cosine"}
INSTRUCT = {"prompts": {"query": "Query:", "document": ""}, "default_prompt_name": None, "similarity_fn_name": "cosine"}


def decoder(config, modules, around=EOS, matters=(), **more):
    return case(config, modules, around=around, matters=list(matters), committed=False, **more)


CASES = {
    # EOS comes from tokenizer.json alone, although the other file says that nothing is added.
    "qwen3-last": decoder(
        QWEN3,
        LAST,
        runs=[{}, {"role": "query"}, {"role": "document"}, {"truncate_dim": 8, "normalize": True}],
        settings=INSTRUCT,
        tokenizer={"add_bos_token": False, "padding_side": "left"},
        matters=[BOTH_WAYS],
    )
    | {"committed": True},
    "qwen3-packed": decoder(
        QWEN3 | {"hidden_size": 32, "intermediate_size": 64, "head_dim": 16},
        [pooling("lasttoken", old=False, dims=32), NORMALIZE],
        packed=True,
    ),
    "qwen3-bare": decoder(QWEN3 | {"architectures": ["Qwen3ForCausalLM"]}, None, head="causal"),
    "qwen3-window": decoder(
        QWEN3 | {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1},
        LAST,
        matters=[{"sliding_window": 6}, {"max_window_layers": 0}],
    ),
    "gemma3-both-ways": decoder(
        GEMMA3 | {"use_bidirectional_attention": True},
        GEMMA_DENSE,
        around=BOTH,
        runs=[{}, {"role": "query"}, {"role": "document"}, {"truncate_dim": 8, "normalize": True}],
        settings=GEMMA_PROMPTS,
        matters=[{"sliding_window": 10}, {"use_bidirectional_attention": False}],
    )
    | {"committed": True},
    "gemma3-causal": decoder(
        GEMMA3 | {"layer_types": ["full_attention", "sliding_attention", "sliding_attention"]},
        MEAN,
        around=BOS,
        matters=[{"sliding_window": 9}, {"layer_types": ["sliding_attention"] * 3}],
    ),
    "gemma3-rope-parameters": decoder(
        {key: value for key, value in GEMMA3.items() if not key.startswith("rope")} | {"rope_parameters": ROPE_PARAMETERS},
        MEAN,
        around=BOTH,
    ),
    "gemma2-last": decoder(GEMMA2, LAST, around=BOTH, matters=[{"sliding_window": 6}, {"attn_logit_softcapping": 30.0}]),
    "llama-last": decoder(LLAMA, LAST, around=BOTH, matters=[BOTH_WAYS]),
    "llama-both-ways": decoder(LLAMA | BOTH_WAYS, MEAN, around=BOS, head="causal", matters=[CAUSAL]),
    "llama-bidirec": decoder(
        LLAMA | BOTH_WAYS | {"rope_scaling": LLAMA3},
        MEAN,
        around=BOS,
        written={"model_type": "llama_bidirec", "is_causal": None},
        matters=[{"rope_scaling": None}],
    ),
    "mistral-last": decoder(MISTRAL, LAST, around=BOTH, matters=[{"sliding_window": 6}]),
    "mistral-both-ways": decoder(
        MISTRAL | BOTH_WAYS, MEAN, around=BOS, dtype="bfloat16", matters=[{"sliding_window": 6}, CAUSAL]
    )
    | {"committed": True},
    "ministral3-both-ways": decoder(MINISTRAL3 | BOTH_WAYS, MEAN, around=BOS, matters=[CAUSAL]),
    "qwen2-last": decoder(QWEN2, LAST, bytes=True, tokenizer={"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False}),
    "qwen2-both-ways": decoder(QWEN2 | BOTH_WAYS, LAST, bytes=True, matters=[CAUSAL]),
    "lfm2-last": decoder(LFM2, LAST, around=BOTH, matters=[BOTH_WAYS]),
    "lfm2-both-ways": decoder(
        LFM2 | BOTH_WAYS | {"conv_bias": True},
        [pooling("cls"), NORMALIZE],
        around=BOS,
        reference=embed_lfm2.both_ways,
        written={"architectures": ["Lfm2BidirectionalModel"], "is_causal": None},
        matters=[CAUSAL],
    )
    | {"committed": True},
}

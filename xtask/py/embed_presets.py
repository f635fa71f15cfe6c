"""The cases of embed_cases.py: an encoder's config.json, what stands around it, and how it is asked."""

from contextlib import nullcontext

TEXTS = [
    "A small test of words.",
    "",
    "a",
    "the cat and the dog",
    "the dog and the cat sat on a mat in the sun and the rain all day, and so on and so on and on again",
    "MIXED Case and caf\u00e9 \u2603 with 12 numbers",
    "before [PAD] behind",
    "dog the and cat the",
]

BASE = {
    "vocab_size": 100,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}
BERT = BASE | {"model_type": "bert", "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
SHORT = BERT | {"num_hidden_layers": 1}
ROBERTA = BERT | {"model_type": "roberta", "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
MPNET = BASE | {"model_type": "mpnet", "pad_token_id": 1, "layer_norm_eps": 1e-5, "relative_attention_num_buckets": 32}
DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 100,
    "dim": 16,
    "hidden_dim": 24,
    "n_heads": 2,
    "n_layers": 2,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
    "activation": "gelu",
}
MODERNBERT = BASE | {
    "model_type": "modernbert",
    "num_hidden_layers": 3,
    "local_attention": 8,
    "global_attn_every_n_layers": 2,
    "global_rope_theta": 160000.0,
    "local_rope_theta": 10000.0,
    "hidden_activation": "gelu",
    "norm_eps": 1e-5,
    "max_position_embeddings": 128,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}
PLAIN = [{}]
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


def case(config, modules, runs=PLAIN, **more):
    """`modules`: names and configs of what follows the transformer; None: no modules.json at all."""
    settings = {"limit": 24, "lower": False, "settings": {}, "dtype": "float32", "head": False}
    # Tokens in front and behind, or a byte-level tokenizer; more of tokenizer_config.json; changes of the config.json that is
    # kept, and those that must move the vectors; whether matrices are packed; what stands around the reference's
    # run; whether tests/fixtures/embed has the case.
    settings |= {"around": [1, 1], "bytes": False, "tokenizer": {}, "written": {}, "matters": [], "packed": False}
    settings |= {"reference": nullcontext, "committed": True} | more
    return {"config": config, "modules": modules, "runs": runs} | settings


def pooling(*modes, old=True, dims=16, **more):
    if not old:
        return "Pooling", {"embedding_dimension": dims, "pooling_mode": modes[0] if len(modes) == 1 else list(modes)} | more
    flags = {"cls": "cls_token", "lasttoken": "lasttoken"}
    flags = {mode: f"pooling_mode_{flags.get(mode, mode if mode.endswith('tokens') else mode + '_tokens')}" for mode in MODES}
    return "Pooling", {"word_embedding_dimension": 16} | {flags[mode]: mode in modes for mode in MODES} | more


def dense(inputs, outputs, function, bias=True):
    path = f"torch.nn.modules.{function}"
    return "Dense", {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": path}


NORMALIZE = ("Normalize", {})
PROMPTS = {
    "prompts": {"query": "the query: ", "document": "a document: ", "other": "on "},
    "default_prompt_name": "other",
    "similarity_fn_name": "dot",
}

CASES = {
    "bert-mean": case(BERT, [pooling("mean"), NORMALIZE], [{}, {"truncate_dim": 8}, {"truncate_dim": 8, "normalize": True}]),
    "bert-bare": case(SHORT, None),
    "bert-head": case(SHORT | {"hidden_act": "relu"}, [pooling("cls")], head=True),
    "bert-all-modes": case(
        SHORT | {"hidden_act": "gelu_new"},
        [pooling(*MODES), dense(96, 20, "activation.Tanh"), ("LayerNorm", {"dimension": 20}), NORMALIZE],
    ),
    "bert-prompts": case(
        SHORT,
        [pooling("mean", "weightedmean", "cls", old=False, include_prompt=False)],
        [{}, {"prompt": ""}, {"prompt": "so on "}, {"prompt_name": "query"}, {"role": "query"}, {"role": "document"}],
        settings=PROMPTS,
        lower=True,
    ),
    "bert-f16": case(SHORT, [pooling("mean"), dense(16, 12, "linear.Identity", bias=False)], dtype="float16"),
    "roberta-cls": case(ROBERTA, [pooling("cls"), NORMALIZE]),
    "xlm-roberta-max": case(ROBERTA | {"model_type": "xlm-roberta"}, [pooling("max", "mean_sqrt_len_tokens")], limit=38),
    "distilbert-last": case(DISTILBERT, [pooling("lasttoken"), dense(16, 8, "activation.GELU")]),
    "mpnet-mean": case(MPNET, [pooling("mean"), NORMALIZE], limit=38),
    "modernbert-cls": case(MODERNBERT, [pooling("cls"), NORMALIZE], limit=64),
    "modernbert-mean": case(MODERNBERT | {"norm_bias": True, "attention_bias": True, "mlp_bias": True}, [pooling("mean")], limit=64),
}

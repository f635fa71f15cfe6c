"""The cases of embed_heads.py: a model with a head, and how it is asked."""

from embed_presets import BASE, BERT, DISTILBERT, MODERNBERT, MPNET, ROBERTA, SHORT, TEXTS

LONG = TEXTS[4]
PAIRS = [
    ["a cat", "the cat and the dog"],
    ["", ""],
    ["the dog", ""],
    [TEXTS[0], TEXTS[5]],
    ["the dog and the cat", LONG],
    [LONG, "the dog and the cat"],
    [LONG, LONG],
    ["so", TEXTS[6]],
]
MASKED = [
    "the [MASK] sat on a dog",
    "[MASK] day and the [MASK]",
    "a small test of [MASK].",
]

BERT_PAIR = "[CLS] $A [SEP] $B:1 [SEP]:1"
ROBERTA_PAIR = "[CLS] $A [SEP] [SEP] $B [SEP]"
UNTYPED = ["input_ids", "attention_mask"]
TYPED = ["input_ids", "token_type_ids", "attention_mask"]
IDENTITY, TANH = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"


def labels(*names):
    return {"id2label": {str(i): name for i, name in enumerate(names)}, "label2id": {name: i for i, name in enumerate(names)}}


ONE, THREE = labels("LABEL_0"), labels("contradiction", "entailment", "neutral")
QWEN3 = BASE | {
    "model_type": "qwen3",
    "num_key_value_heads": 1,
    "head_dim": 8,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "max_position_embeddings": 400,
    "tie_word_embeddings": True,
}
SPLADE = {"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": 100}
TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'system' %}so {{ m['content'] }} . {% elif m['role'] == 'query' %}"
    "on {{ m['content'] }} {% elif m['role'] == 'document' %}in {{ m['content'] }} {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}the day . {% endif %}"
)
# A template that knows none of a pair's roles, as Qwen3's own.
CHAT = "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] }}{% endif %}{% endfor %}"


def case(kind, config, **more):
    """`modules`: what follows the Transformer in modules.json; None: no such file."""
    usual = {"limit": 24, "pair": BERT_PAIR, "inputs": TYPED, "modules": None, "settings": {}, "runs": [{}], "words": ()}
    usual |= {"template": None, "processing": {}, "committed": False, "module": "Transformer", "causal": False, "router": None}
    return usual | {"kind": kind, "config": config} | more


def rerank(config, **more):
    return case("rerank", config, **more)


def roberta(kind, model_type, config, **more):
    return case(kind, ROBERTA | {"model_type": model_type} | config, pair=ROBERTA_PAIR, inputs=UNTYPED, **more)


YES_NO = ("yes", "no")
CASES = {
    "rerank-bert": rerank(BERT | ONE | {"sentence_transformers": {"activation_fn": IDENTITY}}, committed=True),
    "rerank-bert-untyped": rerank(SHORT | THREE, inputs=None),
    "rerank-bert-sigmoid": rerank(SHORT | ONE, modules=[], runs=[{}, {"prompt": "so on "}, {"prompt_name": "query"}], settings={"prompts": {"query": "the dog: "}}),
    "rerank-roberta": roberta("rerank", "roberta", ONE | {"sbert_ce_default_activation_function": IDENTITY}),
    "rerank-xlm-roberta": roberta("rerank", "xlm-roberta", ONE, committed=True),
    "rerank-camembert": roberta("rerank", "camembert", THREE),
    "rerank-distilbert": rerank(DISTILBERT | ONE, inputs=UNTYPED),
    "rerank-mpnet": rerank(MPNET | ONE, pair=ROBERTA_PAIR, inputs=UNTYPED),
    "rerank-modernbert": rerank(MODERNBERT | ONE, limit=64, inputs=UNTYPED, modules=[], settings={"activation_fn": TANH}),
    "rerank-modernbert-mean": rerank(
        MODERNBERT | THREE | {"classifier_pooling": "mean", "classifier_bias": True, "norm_bias": True, "classifier_activation": "relu"},
        inputs=UNTYPED,
        committed=True,
    ),
    "rerank-qwen3-score": rerank(QWEN3 | ONE, inputs=UNTYPED),
    "rerank-qwen3-plain": rerank(
        QWEN3 | {"tie_word_embeddings": False}, words=YES_NO, inputs=UNTYPED, causal=True
    ),
    "rerank-qwen3-card": rerank(
        QWEN3,
        limit=309,
        words=YES_NO,
        inputs=UNTYPED,
        causal=True,
        template=CHAT,
        runs=[{}, {"prompt": "a test of words"}],
        committed=True,
    ),
    "rerank-qwen3-template": rerank(
        QWEN3,
        limit=30,
        words=YES_NO,
        inputs=UNTYPED,
        causal=True,
        template=TEMPLATE,
        processing={"chat_template": {"add_generation_prompt": True}},
        modules=[("LogitScore", {"true_token_id": 7, "false_token_id": 11, "module_input_name": "causal_logits"})],
        runs=[{}, {"prompt": "rain"}],
    ),
    "classify-bert": case("classify", BERT | THREE),
    "classify-roberta": roberta("classify", "roberta", THREE | {"problem_type": "multi_label_classification"}),
    "classify-distilbert": case("classify", DISTILBERT | ONE, inputs=UNTYPED),
    "classify-modernbert": case("classify", MODERNBERT | THREE | {"num_hidden_layers": 2, "problem_type": "regression"}, inputs=UNTYPED, committed=True),
    "fill-bert": case("fill", SHORT, committed=True),
    "fill-bert-untied": case("fill", SHORT | {"tie_word_embeddings": False, "hidden_act": "relu"}),
    "fill-roberta": roberta("fill", "roberta", {}),
    "fill-xlm-roberta": roberta("fill", "xlm-roberta", {}),
    "fill-distilbert": case("fill", DISTILBERT, inputs=UNTYPED),
    "fill-mpnet": case("fill", MPNET, pair=ROBERTA_PAIR, inputs=UNTYPED),
    "fill-modernbert": case("fill", MODERNBERT | {"classifier_bias": True}, inputs=UNTYPED),
    "sparse-bert": case(
        "sparse",
        SHORT,
        modules=[("SpladePooling", SPLADE)],
        runs=[{}, {"max_active_dims": 5}, {"role": "query"}, {"role": "document"}],
        settings={"prompts": {"query": "the query: ", "document": "a document: "}, "similarity_fn_name": "dot"},
        committed=True,
    ),
    "sparse-distilbert": case(
        "sparse",
        DISTILBERT,
        inputs=UNTYPED,
        module="MLMTransformer",
        modules=[("SpladePooling", SPLADE | {"pooling_strategy": "sum", "activation_function": "log1p_relu"})],
        settings={"max_active_dims": 9},
    ),
    "sparse-words": case("sparse", BERT, router="words", runs=[{}, {"max_active_dims": 3}], limit=9, committed=True),
    "sparse-router": case(
        "sparse",
        SHORT,
        router="query",
        modules=[],
        runs=[{}, {"role": "query"}, {"role": "document"}],
        settings={"prompts": {"query": "the rain "}},
    ),
    "sparse-modernbert": case("sparse", MODERNBERT | {"max_position_embeddings": 700}, limit=600, inputs=UNTYPED),
    "sparse-modernbert-sum": case(
        "sparse",
        MODERNBERT | {"max_position_embeddings": 700},
        limit=600,
        inputs=UNTYPED,
        modules=[("SpladePooling", SPLADE | {"pooling_strategy": "sum"})],
    ),
}

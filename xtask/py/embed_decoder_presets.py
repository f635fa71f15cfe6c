"""Cases of embed_cases.py whose transformer is a decoder."""

from embed_presets import BASE, MODES, NORMALIZE, PROMPTS, case, dense, pooling  # noqa: F401

DECODER = BASE | {
    "num_key_value_heads": 1,
    "head_dim": 8,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "tie_word_embeddings": False,
}

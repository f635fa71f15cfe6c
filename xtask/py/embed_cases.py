"""Tiny random sentence-transformers folders of every encoder, with the reference's own vectors for them.

    python embed_cases.py --out DIR [--filter SUBSTR] [--committed]

Writes DIR/<case>/ (a model folder with expect.json in it) and DIR/manifest.json. expect.json holds the texts, for each run
its options and vectors, and for the first run the vectors in fewer bits and the similarities of the first three. embed_presets.py and
embed_decoder_presets.py have the cases, embed_modules.py those of other modules and of late interaction, embed_heads.py those of models with
heads.
"""

import argparse
import importlib.metadata
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import quantize_embeddings
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedTokenizerFast

import embed_decoder_presets
import embed_modules
import embed_presets
from hashes import seed_of, sha256, write_json

PACKAGES = ("torch", "sentence-transformers", "transformers", "tokenizers", "numpy")
HEADS = {False: AutoModel, True: AutoModelForMaskedLM, "causal": AutoModelForCausalLM}
# What a change in `matters` must move the vectors by at least.
MOVED = 1e-2
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
WORDS = "the a and cat dog sat on so in ##s ##at test word day rain sun".split()


def tokenizer(padding, lower, around=(1, 1), pair=None, words=(), **settings):
    """WordPiece over letters and a few words, `padding` being the id of [PAD]; [CLS] and [SEP] as `around` says; `pair` is the template
    of two texts."""
    special = ["[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    special.insert(padding, "[PAD]")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocab = special + WORDS + list(words) + letters + [f"##{x}" for x in letters] + list(".,0123456789"[:11])
    vocab = {token: i for i, token in enumerate(dict.fromkeys(vocab))}
    assert len(vocab) <= 100, len(vocab)
    core = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=not lower)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, vocab[token]) for token in ("[CLS]", "[SEP]")]
    single = "[CLS] " * around[0] + "$A" + " [SEP]" * around[1]
    core.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ends)
    roles = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "unk", "mask", "pad")}
    return PreTrainedTokenizerFast(**{"tokenizer_object": core, "model_max_length": 512} | roles | settings)


def byte_tokenizer():
    """Byte-level BPE as Qwen has it, with EOS behind each text."""
    special = ["[PAD]", "<|endoftext|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("a", "n"), ("an", "d")]
    vocab = {token: i for i, token in enumerate(special + letters + [a + b for a, b in merges])}
    core = Tokenizer(models.BPE(vocab, merges))
    core.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(QWEN2), "isolated")
    core.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    core.add_special_tokens(special)
    end = processors.TemplateProcessing(single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", 1)])
    core.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), end])
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=512, pad_token="[PAD]", eos_token="<|endoftext|>")


def draw(rng, name, shape):
    """Values that keep the hidden states near 1 and the attention far from uniform."""
    noise = torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32))
    if name.endswith("bias"):
        return 0.3 * noise
    if "norm" in name.lower():
        return 1 + 0.2 * noise
    if "embed" in name or "relative_attention_bias" in name:
        return 0.7 * noise
    gain = 1.6 if any(part in name for part in ("query", "key", "q_lin", "k_lin", "attn.q", "attn.k", "Wqkv", "q_proj", "k_proj")) else 1.0
    return gain * shape[-1] ** -0.5 * noise


def fill(rng, module):
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            parameter.copy_(draw(rng, name, parameter.shape))


def pack(folder, keep):
    """Packs the matrices to 8 bits in groups of 32 as MLX does; with `keep`, they stay dense with the values that this gives."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, weight in list(tensors.items()):
        if weight.dim() != 2:
            continue
        groups = weight.reshape(weight.shape[0], -1, 32)
        least = groups.amin(-1, keepdim=True)
        scales = (groups.amax(-1, keepdim=True) - least) / 255
        codes = ((groups - least) / scales).round()
        if keep:
            tensors[name] = (codes * scales + least).reshape(weight.shape)
            continue
        module = name.removesuffix(".weight")
        tensors[name] = codes.to(torch.uint8).reshape(weight.shape).view(torch.uint32)
        tensors |= {f"{module}.scales": scales.squeeze(-1), f"{module}.biases": least.squeeze(-1)}
    save_file(tensors, path, {"format": "pt"})


def write_model(folder, name, case):
    rng = np.random.default_rng(seed_of(name))
    config = AutoConfig.for_model(**case["config"])
    model = HEADS[case["head"]].from_config(config)
    fill(rng, model)
    model.to(getattr(torch, case["dtype"])).save_pretrained(folder)
    if case["packed"]:
        pack(folder, keep=True)
    # As it was written by hand: what transformers adds would be read in place of what is tested.
    write_json(folder / "config.json", case["config"])
    split = byte_tokenizer() if case["bytes"] else tokenizer(case["config"]["pad_token_id"], case["lower"], case["around"])
    split.save_pretrained(folder)
    if case["tokenizer"]:
        path = folder / "tokenizer_config.json"
        write_json(path, json.loads(path.read_text()) | case["tokenizer"])
    if case["modules"] is None:
        return
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": case["limit"], "do_lower_case": case["lower"]})
    write_json(folder / "config_sentence_transformers.json", case["settings"])
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for i, (kind, settings) in enumerate(case["modules"], 1):
        path = f"{i}_{kind}"
        modules.append({"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"})
        (folder / path).mkdir()
        write_json(folder / path / "config.json", settings)
        if kind == "Dense":
            linear = torch.nn.Linear(settings["in_features"], settings["out_features"], settings["bias"])
            fill(rng, linear)
            dtype = getattr(torch, case["dtype"])
            tensors = {f"linear.{key}": value.to(dtype) for key, value in linear.state_dict().items()}
            save_file(tensors, folder / path / "model.safetensors")
        if kind == "LayerNorm":
            tensors = {f"norm.{key}": draw(rng, f"norm.{key}", (settings["dimension"],)) for key in ("weight", "bias")}
            save_file(tensors, folder / path / "model.safetensors")
    write_json(folder / "modules.json", modules)


def short(array):
    """The shortest numbers of seven digits, finer than what is allowed."""
    return [[float(f"{x:.7g}") for x in row] for row in np.asarray(array, dtype=np.float64)]


def encode(model, run):
    options = {"normalize_embeddings": run.get("normalize", False), "truncate_dim": run.get("truncate_dim")}
    options |= {key: run[key] for key in ("prompt", "prompt_name") if key in run}
    how = {"query": model.encode_query, "document": model.encode_document}.get(run.get("role"), model.encode)
    return how(embed_presets.TEXTS, batch_size=3, **options)


def expect(folder, case):
    model = SentenceTransformer(str(folder), device="cpu").to(torch.float32)
    runs = [run | {"vectors": short(encode(model, run))} for run in case["runs"]]
    vectors = np.array(runs[0]["vectors"], dtype=np.float32)
    bits = {name: quantize_embeddings(vectors, name).tolist() for name in ("int8", "uint8", "binary", "ubinary")}
    alike = {}
    for name in ("cosine", "dot", "euclidean", "manhattan"):
        model.similarity_fn_name = name
        alike[name] = short(model.similarity(vectors[:3], vectors))
    return {"texts": embed_presets.TEXTS, "runs": runs, "quantized": bits, "similarities": alike}


def check_that_it_matters(folder, case, expected):
    """Each change in `matters` moves the vectors."""
    for change in case["matters"]:
        write_json(folder / "config.json", case["config"] | change)
        model = SentenceTransformer(str(folder), device="cpu").to(torch.float32)
        moved = np.abs(np.array(encode(model, {})) - expected["runs"][0]["vectors"]).max()
        assert moved > MOVED, f"{folder.name}: {change} moves the vectors by {moved} only"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--filter", default="")
    parser.add_argument("--committed", action="store_true", help="only the cases kept in tests/fixtures/embed")
    args = parser.parse_args()
    cases = embed_presets.CASES | embed_decoder_presets.CASES
    cases = {name: case for name, case in cases.items() if args.filter in name and (case["committed"] or not args.committed)}
    torch.set_num_threads(1)
    for name, case in cases.items():
        folder = args.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_model(folder, name, case)
        with case["reference"]():
            expected = expect(folder, case)
            check_that_it_matters(folder, case, expected)
        (folder / "expect.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")
        write_json(folder / "config.json", case["config"] | case["written"])
        if case["packed"]:
            pack(folder, keep=False)
    embed_modules.write(args.out, args.filter, args.committed)
    # It takes the model's parts from here.
    import embed_heads

    embed_heads.write_all(args.out, lambda name, case: args.filter in name and (case["committed"] or not args.committed))
    files = sorted(path for path in args.out.rglob("*") if path.is_file() and path.name != "manifest.json")
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    hashes = {str(path.relative_to(args.out)): sha256(path) for path in files}
    write_json(args.out / "manifest.json", {"versions": versions, "sha256": hashes})


if __name__ == "__main__":
    main()

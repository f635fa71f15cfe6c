"""Cases of embed_cases.py beyond a transformer and its pooling: other modules, PyTorch's files, and late interaction.

Models are put together and saved by sentence-transformers itself, but for the folders of PyLate and of Stanford's ColBERT, which it
only reads. A case with a vector for each token has late.json in place of expect.json: texts, for each run its options and matrices,
and for the first queries and documents the scores.
"""

import json
import shutil
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, WeightedLayerPooling
from transformers import AutoTokenizer

import embed_cases
import embed_lfm2
import embed_presets
from embed_decoder_presets import BOTH_WAYS, LFM2
from embed_presets import MODERNBERT, ROBERTA, SHORT
from hashes import seed_of, write_json

TOKENS = "token_embeddings"
LATE_TEXTS = ["the cat, and the dog.", "", "a", "the dog and the cat sat on a mat in the sun and the rain all day; so on", "12 . . 0"]
PYLATE = {"model_type": "ColBERT", "query_length": 16, "document_length": 20, "attend_to_expansion_tokens": False}
MARKERS = {"query_prefix": "[Q] ", "document_prefix": "[D] "}
ROLES = [{"role": "query"}, {"role": "document"}, {}]


def base(name, config, lower=False, limit=24):
    """A folder with the transformer alone, filled for the case `name`."""
    folder = Path(tempfile.mkdtemp())
    embed_cases.write_model(folder, name, embed_presets.case(config, None, lower=lower))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": lower})
    return folder


def transformer(name, config, **more):
    folder = base(name, config)
    made = Transformer(str(folder), **more)
    shutil.rmtree(folder)
    return made


def filled(name, module):
    embed_cases.fill(np.random.default_rng(seed_of(name + type(module).__name__)), module)
    return module


def save(folder, modules, kind=SentenceTransformer, **more):
    kind(modules=modules, device="cpu", **more).save(str(folder), create_model_card=False)


def static(folder, name):
    core = embed_cases.tokenizer(0, False).backend_tokenizer
    rows = np.random.default_rng(seed_of(name)).standard_normal((100, 16), dtype=np.float32)
    save(folder, [StaticEmbedding(core, embedding_weights=rows), Normalize()])


def model2vec(folder, name):
    """Tokens that share rows, each with a weight of its own, in half precision."""
    core = embed_cases.tokenizer(0, False).backend_tokenizer
    rng = np.random.default_rng(seed_of(name))
    tensors = {
        "embeddings": torch.from_numpy(rng.standard_normal((40, 12), dtype=np.float32)).half(),
        "mapping": torch.from_numpy(rng.integers(0, 40, 100)),
        "weights": torch.from_numpy(rng.random(100)),
    }
    save_file(tensors, folder / "model.safetensors")
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", {"model_type": "model2vec", "normalize": False})
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"}])


def router(folder, name):
    """Queries through a table, documents through a transformer, and one layer behind both."""
    core = embed_cases.tokenizer(0, False).backend_tokenizer
    rows = np.random.default_rng(seed_of(name)).standard_normal((100, 16), dtype=np.float32)
    ways = {"query": [StaticEmbedding(core, embedding_weights=rows)], "document": [transformer(name, SHORT), Pooling(16, "cls")]}
    routes = Router(ways, default_route=None, allow_empty_key=False)
    save(folder, [routes, filled(name, Dense(16, 8)), Normalize()], prompts={"query": "the ", "document": "a "})


def asymmetric(folder, name):
    """One transformer, with a layer of its own for queries; a rule leads other texts to that of documents."""
    query, document = filled(name + "q", Dense(16, 12)), filled(name + "d", Dense(16, 12, bias=False))
    routes = Router({"query": [query], "document": [document]}, route_mappings={(None, "text"): "document", ("query", None): "query"})
    save(folder, [transformer(name, SHORT), Pooling(16, "mean"), routes])


def layers(folder, name, config, start):
    count = config["num_hidden_layers"]
    weights = torch.nn.Parameter(torch.linspace(0.5, 1.5, count + 1 - start))
    first = transformer(name, config, config_kwargs={"output_hidden_states": True})
    save(folder, [first, WeightedLayerPooling(16, count, start, layer_weights=weights), Pooling(16, "mean")])


def token_layers(folder, name):
    """Layers for each token before pooling and others behind it, with what goes in added to what comes out."""
    narrow = filled(name, Dense(16, 12, module_input_name=TOKENS, use_residual=True))
    same = filled(name + "2", Dense(12, 12, activation_function=torch.nn.SiLU(), use_residual=True))
    save(folder, [transformer(name, SHORT), narrow, Normalize(module_input_name=TOKENS), Pooling(12, "mean"), same])


def pickled(folder, name, parts=1):
    """The files of torch.save in place of safetensors, in one part or more."""
    source = base(name, SHORT)
    first = Transformer(str(source))
    save(folder, [first, Pooling(16, "mean"), filled(name, Dense(16, 8).to(torch.bfloat16)).float()])
    shutil.rmtree(source)
    for path in sorted(folder.rglob("model.safetensors")):
        tensors = load_file(path)
        path.unlink()
        if path.parent == folder:
            tensors["embeddings.position_ids"] = torch.arange(40).unsqueeze(0)
        names = sorted(tensors)
        count = parts if path.parent == folder else 1
        files = ["pytorch_model.bin"] if count == 1 else [f"pytorch_model-{i + 1:05}-of-{count:05}.bin" for i in range(count)]
        for i, file in enumerate(files):
            torch.save({key: tensors[key] for key in names[i::count]}, path.parent / file)
        if count > 1:
            places = {key: files[i % count] for i, key in enumerate(names)}
            write_json(path.parent / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": places})


def pylate(folder, name, config, settings, layers=1, known=False):
    """PyLate's folder: a projection, and all settings in one file. Markers that are `known` are tokens, spaces and all."""
    source = base(name, config)
    if known:
        tokens = AutoTokenizer.from_pretrained(source)
        tokens.add_tokens(["[Q] ", "[D] "])
        tokens.save_pretrained(source)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.rmtree(source)
    write_json(folder / "config_sentence_transformers.json", settings)
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for i in range(1, layers + 1):
        modules.append({"idx": i, "name": str(i), "path": f"{i}_Dense", "type": "pylate.models.Dense.Dense"})
        (folder / f"{i}_Dense").mkdir()
        shape = {"in_features": 16, "out_features": 8 if i == layers else 16, "bias": False}
        write_json(folder / f"{i}_Dense" / "config.json", shape | {"activation_function": "torch.nn.modules.linear.Identity"})
        linear = filled(f"{name}{i}", torch.nn.Linear(16, shape["out_features"], bias=False))
        save_file({"linear.weight": linear.weight.detach()}, folder / f"{i}_Dense" / "model.safetensors")
    write_json(folder / "modules.json", modules)


def stanford(folder, name):
    """Stanford's folder: the projection beside the encoder, and markers that are rows of its table."""
    source = base(name, SHORT | {"architectures": ["HF_ColBERT"]}, lower=True)
    tensors = {f"bert.{key}": value for key, value in load_file(source / "model.safetensors").items()}
    linear = filled(name, torch.nn.Linear(16, 8, bias=False))
    shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.rmtree(source)
    (folder / "sentence_bert_config.json").unlink()
    save_file(tensors | {"linear.weight": linear.weight.detach()}, folder / "model.safetensors")
    core = json.loads((folder / "tokenizer.json").read_text())
    core["model"]["vocab"] |= {"[unused0]": 98, "[unused1]": 99}
    write_json(folder / "tokenizer.json", core)
    about = {"query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 12, "doc_maxlen": 18, "mask_punctuation": True}
    write_json(folder / "artifact.metadata", about | {"attend_to_mask_tokens": False})


def own(folder, name):
    """sentence-transformers' own folder, whose short queries are filled up and long ones kept."""
    expansion = {"strategy": "min", "length": 8, "attend": True}
    first = transformer(name, SHORT, query_length=14, document_length=20, query_expansion=expansion)
    mask = MultiVectorMask(["a", "the", "."], skiplist_tasks=["query", "document"])
    projection = filled(name, Dense(16, 8, bias=False, activation_function=None, module_input_name=TOKENS))
    modules = [first, projection, mask, Normalize(module_input_name=TOKENS)]
    save(folder, modules, MultiVectorEncoder, prompts={"query": "so on ", "document": "a "}, similarity_fn_name="meanmaxsim")


# Kept in tests/fixtures/embed.
COMMITTED = ["layers-bert", "late-lfm2-both-ways", "late-modernbert", "late-own", "late-stanford", "router", "static-model2vec", "torch-sharded"]
SINGLE = {
    "static-mean": (static, [{}, {"truncate_dim": 4, "normalize": True}]),
    "static-model2vec": (model2vec, [{}]),
    "router": (router, [{"role": "query"}, {"role": "document"}]),
    "router-asymmetric": (asymmetric, [{"role": "query"}, {"role": "document"}, {}]),
    "layers-bert": (lambda folder, name: layers(folder, name, SHORT | {"num_hidden_layers": 2}, 0), [{}]),
    "layers-modernbert": (lambda folder, name: layers(folder, name, MODERNBERT, 1), [{}]),
    "dense-tokens": (token_layers, [{}]),
    "torch-bert": (pickled, [{}]),
    "torch-sharded": (lambda folder, name: pickled(folder, name, 3), [{}]),
}
LATE = {
    "late-pylate": lambda folder, name: pylate(folder, name, SHORT, PYLATE | MARKERS),
    "late-attend": lambda folder, name: pylate(
        folder, name, ROBERTA, PYLATE | MARKERS | {"attend_to_expansion_tokens": True, "skiplist_words": ["a"]}, 2
    ),
    "late-plain": lambda folder, name: pylate(folder, name, SHORT, PYLATE | MARKERS | {"do_query_expansion": False}),
    "late-modernbert": lambda folder, name: pylate(
        folder, name, MODERNBERT, PYLATE | MARKERS | {"query_length": 32}, known=True
    ),
    "late-lfm2": lambda folder, name: pylate(folder, name, LFM2, PYLATE | MARKERS),
    "late-lfm2-both-ways": lambda folder, name: pylate(folder, name, LFM2 | BOTH_WAYS, PYLATE | MARKERS),
    "late-stanford": stanford,
    "late-own": own,
}


@contextmanager
def both_ways(folder):
    """The reference's code while it computes, and then what config.json of folders from the hub says in its place."""
    with embed_lfm2.both_ways(embed_lfm2.centred_over_all):
        yield
    path = folder / "config.json"
    write_json(path, json.loads(path.read_text()) | {"architectures": ["Lfm2BidirectionalModel"], "is_causal": None})


# What stands around the reference, which then takes text by text: its convolutions see padding.
AROUND = {"late-lfm2-both-ways": both_ways}


def expect_late(folder, batch):
    model = MultiVectorEncoder(str(folder), device="cpu").to(torch.float32)
    how = {"query": model.encode_query, "document": model.encode_document, None: model.encode}
    runs = []
    for run in ROLES:
        found = how[run.get("role")](LATE_TEXTS, batch_size=batch)
        runs.append(run | {"vectors": [embed_cases.short(matrix.numpy()) for matrix in found]})
    queries, documents = (encode(LATE_TEXTS, batch_size=batch) for encode in (model.encode_query, model.encode_document))
    return {"texts": LATE_TEXTS, "runs": runs, "scores": embed_cases.short(model.similarity(queries, documents))}


def write(out, filter, committed):
    """Writes the cases whose name contains `filter` into folders of `out`, all or those that are `committed`."""
    for name in COMMITTED if committed else [*SINGLE, *LATE]:
        if filter not in name:
            continue
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if name in LATE:
            LATE[name](folder, name)
            with AROUND.get(name, nullcontext)(folder):
                file, found = "late.json", expect_late(folder, 1 if name in AROUND else 2)
        else:
            make, runs = SINGLE[name]
            make(folder, name)
            file, found = "expect.json", embed_cases.expect(folder, {"runs": runs})
        (folder / file).write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")

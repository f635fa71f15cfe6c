"""Tiny random models with heads, with what the reference makes of texts with them: scores of pairs, labels, words for gaps,
and sparse vectors. embed_cases.py calls this; embed_heads_presets.py has the cases.

Each DIR/<case>/ is a model folder with expect.json in it: its `kind`, what goes in, and what the reference gave.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SparseEncoder
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

import embed_cases
import embed_heads_presets as presets
from hashes import seed_of, write_json

# What Qwen's authors put around a pair.
QWEN_BEFORE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
QWEN_BEHIND = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
QWEN_INSTRUCT = "Given a web search query, retrieve relevant passages that answer the query"


def write_model(folder, name, case):
    rng = np.random.default_rng(seed_of(name))
    config = AutoConfig.for_model(**case["config"])
    classes = {"fill": AutoModelForMaskedLM, "sparse": AutoModelForMaskedLM}
    kind = AutoModelForCausalLM if case["causal"] else classes.get(case["kind"], AutoModelForSequenceClassification)
    model = kind.from_config(config)
    embed_cases.fill(rng, model)
    model.save_pretrained(folder)
    # As it was written by hand: what transformers adds would be read in place of what is tested.
    write_json(folder / "config.json", {"architectures": [type(model).__name__]} | case["config"])
    settings = {"model_max_length": case["limit"]}
    settings |= {} if case["inputs"] is None else {"model_input_names": case["inputs"]}
    settings |= {} if case["template"] is None else {"chat_template": case["template"]}
    tokenizer = embed_cases.tokenizer(case["config"]["pad_token_id"], False, pair=case["pair"], words=case["words"], **settings)
    tokenizer.save_pretrained(folder)
    if case["modules"] is None:
        return
    model_type = {"sparse": "SparseEncoder", "rerank": "CrossEncoder"}[case["kind"]]
    write_json(folder / "config_sentence_transformers.json", {"model_type": model_type} | case["settings"])
    task = {"sparse": "fill-mask", "rerank": "text-generation" if case["causal"] else "sequence-classification"}[case["kind"]]
    limits = {"transformer_task": task, "processing_kwargs": case["processing"]}
    if case["template"] is not None:
        method = {"method": "forward", "method_output_name": "logits"}
        limits |= {"modality_config": {"text": method, "message": method | {"format": "flat"}}, "module_output_name": "causal_logits"}
    old = case["module"] == "MLMTransformer"
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": case["limit"]} if old else limits)
    space = "sentence_transformers.sparse_encoder.models" if old else "sentence_transformers.base.modules.transformer"
    modules = [{"idx": 0, "name": "0", "path": "", "type": f"{space}.{case['module']}"}]
    spaces = {"SpladePooling": "sparse_encoder.models", "LogitScore": "cross_encoder.modules"}
    for i, (kind, settings) in enumerate(case["modules"], 1):
        path = f"{i}_{kind}"
        modules.append({"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.{spaces[kind]}.{kind}"})
        (folder / path).mkdir()
        write_json(folder / path / "config.json", settings)
    write_json(folder / "modules.json", modules)


def write_words(folder, name, case):
    """A sparse encoder that weighs a text's own words, or does so for queries alone."""
    settings = {"model_max_length": case["limit"], "model_input_names": case["inputs"]}
    tokens = embed_cases.tokenizer(case["config"]["pad_token_id"], False, pair=case["pair"], **settings)
    weights = np.abs(np.random.default_rng(seed_of(name)).standard_normal(len(tokens))).astype(np.float32)
    words = SparseStaticEmbedding(tokens, torch.from_numpy(weights))
    modules = [words]
    if case["router"] == "query":
        with tempfile.TemporaryDirectory() as inner:
            write_model(Path(inner), name, case | {"modules": None})
            documents = [Transformer(inner, transformer_task="fill-mask"), SpladePooling()]
            modules = [Router.for_query_document([words], documents)]
    SparseEncoder(modules=modules, device="cpu", prompts=case["settings"].get("prompts")).save_pretrained(str(folder))
    (folder / "README.md").unlink()


def short(x):
    """The shortest number of seven digits, finer than what is allowed."""
    return float(f"{float(x):.7g}")


def scores_by_the_card(folder, case, run):
    """The steps of Qwen3-Reranker's model card, a pair at a time."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    before, behind = (tokenizer.encode(text, add_special_tokens=False) for text in (QWEN_BEFORE, QWEN_BEHIND))
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    room = case["limit"] - len(before) - len(behind)
    scores = []
    for query, document in presets.PAIRS:
        text = f"<Instruct>: {run.get('prompt', QWEN_INSTRUCT)}\n<Query>: {query}\n<Document>: {document}"
        inner = tokenizer(text, truncation="longest_first", max_length=room)["input_ids"]
        with torch.no_grad():
            last = model(torch.tensor([before + inner + behind])).logits[0, -1]
        answer = torch.nn.functional.log_softmax(torch.stack([last[no], last[yes]]), dim=0)
        scores.append([short(answer[1].exp())])
    return scores


def rerank(folder, case):
    pairs = presets.PAIRS
    card = case["template"] is not None and case["modules"] is None
    model = None if card else CrossEncoder(str(folder), device="cpu")
    runs = []
    for run in case["runs"]:
        if card:
            scores = scores_by_the_card(folder, case, run)
        else:
            found = np.asarray(model.predict(pairs, batch_size=3, **run), dtype=np.float64)
            scores = [[short(x) for x in row] for row in found.reshape(len(pairs), -1)]
        runs.append(run | {"scores": scores})
    ranked = []
    if len(runs[0]["scores"][0]) == 1 and not card:
        documents = [document for _, document in pairs]
        ranked = [found["corpus_id"] for found in model.rank("the dog", documents, top_k=4)]
    return {"pairs": pairs, "runs": runs, "query": "the dog", "ranked": ranked}


def classify(folder, case):
    pipe = pipeline("text-classification", model=str(folder), device="cpu")
    options = {"top_k": None, "truncation": True, "max_length": case["limit"]}
    found = pipe(presets.TEXTS, **options)
    # The pipeline takes an empty second text for none.
    pairs = [[a, b] for a, b in presets.PAIRS if b]
    of_pairs = [pipe({"text": a, "text_pair": b}, **options) for a, b in pairs]
    listed = lambda rows: [[[x["label"], short(x["score"])] for x in row] for row in rows]
    return {"texts": presets.TEXTS, "labels": listed(found), "pairs": pairs, "of_pairs": listed(of_pairs)}


def fill(folder, case):
    pipe = pipeline("fill-mask", model=str(folder), device="cpu", top_k=4)
    guesses = []
    for text in presets.MASKED:
        found = pipe(text)
        found = found if isinstance(found[0], list) else [found]
        guesses.append([[[x["token"], x["token_str"], short(x["score"])] for x in row] for row in found])
    return {"texts": presets.MASKED, "guesses": guesses}


def sparse(folder, case):
    model = SparseEncoder(str(folder), device="cpu")
    # The long one has more tokens than go through the head together.
    texts = presets.TEXTS + ([" ".join(presets.TEXTS * 6)] if case["limit"] > 500 else [])
    runs = []
    for run in case["runs"]:
        options = {key: run[key] for key in ("prompt_name", "max_active_dims") if key in run}
        how = {"query": model.encode_query, "document": model.encode_document}.get(run.get("role"), model.encode)
        dense = how(texts, batch_size=3, convert_to_sparse_tensor=False, **options).numpy()
        vectors = [[[int(i), short(row[i])] for i in np.nonzero(row)[0]] for row in dense]
        runs.append(run | {"vectors": vectors})
    decoded = model.decode(model.encode(texts[:1], convert_to_sparse_tensor=False), top_k=3)
    decoded = [[token, short(weight)] for token, weight in decoded[0]]
    alike = model.similarity(model.encode(texts[:2]), model.encode(texts[:3])).numpy()
    return {"texts": texts, "runs": runs, "decoded": decoded, "dot": [[short(x) for x in row] for row in alike]}


def write_all(out, wanted):
    """Writes the cases whose name and description `wanted` says yes to."""
    for name, case in presets.CASES.items():
        if not wanted(name, case):
            continue
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (write_words if case["router"] else write_model)(folder, name, case)
        kinds = {"rerank": rerank, "classify": classify, "fill": fill, "sparse": sparse}
        expected = {"kind": case["kind"]} | kinds[case["kind"]](folder, case)
        (folder / "expect.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")

"""Measures one program on texts: texts a second over all of them, and the time of one alone. Prints a JSON object.

usage: bench_embed.py PROGRAM MODEL TEXTS [--onnx DIR] [--repeats N] [--alone N] [--batch N]
PROGRAM is onnxruntime, sentence-transformers or mlx-embeddings. Every program sorts by length, pools the mean and
normalises, and gets all cores.
"""

import argparse
import json
import os
import statistics
import time

import numpy as np

from measuring import peak_resident


def sorted_batches(texts, size):
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    return [order[at : at + size] for at in range(0, len(order), size)]


def in_batches(texts, size, dims, encode):
    """Rows in the order of the texts."""
    rows = np.zeros((len(texts), dims), np.float32)
    for batch in sorted_batches(texts, size):
        rows[batch] = encode([texts[i] for i in batch])
    return rows


def onnxruntime(args):
    import onnxruntime as ort
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{args.model}/tokenizer.json")
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = os.cpu_count()
    session = ort.InferenceSession(f"{args.onnx}/fused.onnx", options, providers=["CPUExecutionProvider"])
    # The fused graph may want 32-bit ids.
    types = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
    kinds = {i.name: types[i.type] for i in session.get_inputs()}

    def encode(texts):
        found = tokenizer.encode_batch(texts)
        mask = np.array([e.attention_mask for e in found])
        ids = np.array([e.ids for e in found])
        values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, {name: values[name].astype(kind) for name, kind in kinds.items()})[0]
        rows = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return encode


def sentence_transformers(args):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(os.cpu_count())
    model = SentenceTransformer(args.model, device="cpu")
    return lambda texts: model.encode(texts, batch_size=args.batch, normalize_embeddings=True, show_progress_bar=False)


def mlx_embeddings(args):
    import mlx.core as mx
    from mlx_embeddings import generate, load

    mx.set_default_device(mx.cpu)
    model, tokenizer = load(args.model)
    return lambda texts: np.array(generate(model, tokenizer, texts=texts).text_embeds)


def main():
    programs = {
        "onnxruntime": onnxruntime,
        "sentence-transformers": sentence_transformers,
        "mlx-embeddings": mlx_embeddings,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=programs)
    parser.add_argument("model")
    parser.add_argument("texts")
    parser.add_argument("--onnx")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", type=int, default=50)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--first", type=int, help="so many texts alone are encoded")
    parser.add_argument("--vectors", help="where to write the vectors, .npy")
    args = parser.parse_args()
    with open(args.texts, encoding="utf-8") as file:
        texts = [line.rstrip("\n") for line in file][: args.first]
    start = time.perf_counter()
    encode = programs[args.program](args)
    load = time.perf_counter() - start
    dims = encode([texts[0]]).shape[1]

    def seconds(run):
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    alone = [seconds(lambda: encode([texts[i % len(texts)]])) for i in range(args.alone)]
    every = [seconds(lambda: in_batches(texts, args.batch, dims, encode)) for _ in range(args.repeats)]
    if args.vectors:
        np.save(args.vectors, in_batches(texts, args.batch, dims, encode))
    result = {
        "texts": len(texts),
        "texts_per_second": len(texts) / statistics.median(every),
        "load_seconds": load,
        "peak_resident": peak_resident(),
    }
    if alone:
        result["latency_ms"] = statistics.median(alone) * 1e3
    print(json.dumps(result))


if __name__ == "__main__":
    main()

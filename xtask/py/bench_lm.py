"""mlx-lm's best CPU setting, measured: everything in f32, its own generation loop.

    python bench_lm.py --model DIR --prompt-tokens P --gen-tokens G [--repeats N] [--json]

Prints prompt_tps, generation_tps (medians of the repeats after a warm-up), peak_memory (MLX's) and peak_resident (the
process's) in bytes and load_seconds. P may be a list: the two rates are then the first length's, and prefill and decode
have all by length. The prompt is fixed pseudo-random ids, decoding is greedy and does not stop at the end token.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import mlx.core as mx
from mlx_lm.generate import generate_step
from mlx_lm.utils import load_model

import oracle
from measuring import peak_resident, prompt_ids, sizes


def load_f32(folder):
    start = time.perf_counter()
    model, config = load_model(folder)
    model.set_dtype(mx.float32)
    mx.eval(model.parameters())
    return model, config["vocab_size"], time.perf_counter() - start


def measure(model, ids, count):
    """(prompt tokens a second, generated tokens a second), counted as mlx-lm's stream_generate does:
    the prompt's time ends with its first token, and the rest is divided among all tokens."""
    start = time.perf_counter()
    prompt_seconds = 0.0
    for number, _ in enumerate(generate_step(mx.array(ids), model, max_tokens=count)):
        if number == 0:
            prompt_seconds = time.perf_counter() - start
            start = time.perf_counter()
    return len(ids) / prompt_seconds, count / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--prompt-tokens", type=sizes, default=[128])
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    args = parser.parse_args()

    model, vocab, load_seconds = load_f32(args.model)
    measure(model, prompt_ids(8, vocab), 4)
    prefill, decode = {}, {}
    for length in args.prompt_tokens:
        rates = [measure(model, prompt_ids(length, vocab), args.gen_tokens) for _ in range(args.repeats)]
        prefill[length] = round(statistics.median(rate[0] for rate in rates), 3)
        decode[length] = round(statistics.median(rate[1] for rate in rates), 3)
    first = args.prompt_tokens[0]
    result = {
        "prompt_tps": prefill[first],
        "generation_tps": decode[first],
        "prefill": prefill,
        "decode": decode,
        "peak_memory": mx.get_peak_memory(),
        "peak_resident": peak_resident(),
        "load_seconds": round(load_seconds, 3),
        "prompt_tokens": args.prompt_tokens,
        "gen_tokens": args.gen_tokens,
        "repeats": args.repeats,
        "versions": oracle.versions(),
    }
    if args.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:16} {value}")


if __name__ == "__main__":
    main()

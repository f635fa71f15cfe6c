"""mlx-lm's best CPU setting, measured: everything in f32, its own generation loop.

    python bench_lm.py --model DIR --prompt-tokens P --gen-tokens G [--repeats N] [--json]

Prints prompt_tps, generation_tps (medians of the repeats after a warm-up), peak_memory in bytes and
load_seconds. The prompt is fixed pseudo-random ids, decoding is greedy and does not stop at the end token.
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


def load_f32(folder):
    start = time.perf_counter()
    model, config = load_model(folder)
    model.set_dtype(mx.float32)
    mx.eval(model.parameters())
    return model, config["vocab_size"], time.perf_counter() - start


def prompt_ids(count, vocab):
    """A linear congruential sequence, so that another program can feed the same ids."""
    state, ids = 1, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        ids.append((state >> 16) % vocab)
    return ids


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
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    args = parser.parse_args()

    model, vocab, load_seconds = load_f32(args.model)
    ids = prompt_ids(args.prompt_tokens, vocab)
    measure(model, ids[:8], 4)
    rates = [measure(model, ids, args.gen_tokens) for _ in range(args.repeats)]
    result = {
        "prompt_tps": round(statistics.median(rate[0] for rate in rates), 3),
        "generation_tps": round(statistics.median(rate[1] for rate in rates), 3),
        "peak_memory": mx.get_peak_memory(),
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

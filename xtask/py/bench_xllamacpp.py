"""The prebuilt llama.cpp (xllamacpp's wheel, AVX2), measured through its server: the wheel has no lower level.

    python bench_xllamacpp.py --model FILE --prompt-tokens 32,128 --context 128 --sequences 1,4 --gen-tokens G

Prints what bench_llama.py prints. The rates are the server's own timings of prompts given as ids. A prompt's time ends
with its first token, so that the rest of the tokens share the time of the generation.
"""

import argparse
import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import xllamacpp

from measuring import peak_resident, prompt_ids, sizes

# The ids that SmolLM2 knows: the server does not tell.
VOCAB = 49152


def server(args, count, length):
    """A server with `count` slots of `length` positions each, and the seconds until it was ready."""
    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.n_parallel = count
    params.n_ctx = count * -(-length // 256) * 256
    params.n_batch = params.n_ubatch = args.batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = args.threads
    # It would keep copies of the caches of past prompts.
    params.cache_ram_mib = 0
    start = time.perf_counter()
    return xllamacpp.Server(params), time.perf_counter() - start


def timings(to, ids, count, slot=0, cached=False):
    """The server's timings of `count` greedy tokens after a prompt."""
    request = {
        "prompt": ids,
        "n_predict": count,
        "ignore_eos": True,
        "temperature": 0.0,
        "samplers": ["top_k"],
        "top_k": 1,
        "id_slot": slot,
        "cache_prompt": cached,
    }
    answer = to.handle_completions(request)
    answer = answer if isinstance(answer, dict) else json.loads(answer)
    if "timings" not in answer or answer["timings"]["predicted_n"] != count:
        raise SystemExit(f"The server did not answer with {count} tokens and timings: {json.dumps(answer)[:500]}")
    return answer["timings"]


def measure(args):
    lengths = args.prompt_tokens + [context + args.gen_tokens for context in args.context]
    # Besides the tokens that count, the one that ends the prompt.
    one, load_seconds = server(args, 1, max(lengths) + 2)
    timings(one, prompt_ids(128, VOCAB), 8)

    def prefill(length):
        return timings(one, prompt_ids(length, VOCAB), 1)["prompt_per_second"]

    def decode(length):
        run = timings(one, prompt_ids(length, VOCAB), args.gen_tokens + 1)
        return args.gen_tokens / run["predicted_ms"] * 1000

    def repeated(run, size):
        return statistics.median(run(size) for _ in range(args.repeats))

    result = {
        "prefill": {size: repeated(prefill, size) for size in args.prompt_tokens},
        "decode": {size: repeated(decode, size) for size in args.context},
        "load_seconds": load_seconds,
        "sequences": {},
    }
    del one
    length = (args.context + args.prompt_tokens)[0]
    for count in args.sequences:
        many, _ = server(args, count, length + args.gen_tokens + 2)
        ids = prompt_ids(count * length, VOCAB)
        prompts = [ids[i * length : (i + 1) * length] for i in range(count)]

        def together(count):
            # The prompts are in the slots' caches before the clock starts, so that all begin at once.
            for slot, prompt in enumerate(prompts):
                timings(many, prompt, 1, slot, cached=True)
            with ThreadPoolExecutor(count) as pool:
                runs = pool.map(
                    lambda slot: timings(many, prompts[slot], args.gen_tokens + 1, slot, cached=True), range(count)
                )
                return count * args.gen_tokens / max(run["predicted_ms"] for run in runs) * 1000

        result["sequences"][count] = repeated(together, count)
        del many
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt-tokens", type=sizes, default=[])
    parser.add_argument("--context", type=sizes, default=[])
    parser.add_argument("--sequences", type=sizes, default=[])
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch", type=int, default=512, help="n_batch and n_ubatch")
    args = parser.parse_args()
    result = measure(args)
    result["peak_resident"] = peak_resident()
    result["system"] = xllamacpp.get_system_info().strip()
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()

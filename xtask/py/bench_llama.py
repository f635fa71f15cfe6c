"""llama.cpp on this CPU, measured through its C API: llama-cpp-python's low-level functions.

    python bench_llama.py --model FILE --prompt-tokens 32,128 --context 128 --sequences 1,4 --gen-tokens G
    python bench_llama.py --model FILE --quantize Q4_0 --to FILE

Prints one JSON object: prefill by prompt length, decode by context and by the number of sequences (tokens a second),
load_seconds and peak_resident in bytes. Prompts are bench_lm.py's fixed ids, decoding is greedy and does not stop.
"""

import argparse
import ctypes
import json
import os
import statistics
import time

import llama_cpp as llama
import numpy as np

from measuring import peak_resident, prompt_ids, sizes

FLASH = {
    "auto": llama.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
FTYPES = {"Q4_0": llama.LLAMA_FTYPE_MOSTLY_Q4_0, "Q4_1": llama.LLAMA_FTYPE_MOSTLY_Q4_1}

# llama.cpp's log of the load and of the conversion; the callback must outlive every call.
log_lines = []


@llama.llama_log_callback
def keep_log(_level, text, _data):
    log_lines.append(text.decode(errors="replace"))


class Context:
    """A context for `count` sequences of `length` positions each."""

    def __init__(self, model, count, length, args):
        params = llama.llama_context_default_params()
        # A sequence's share of the context is rounded down to a multiple of 256.
        params.n_ctx = count * -(-length // 256) * 256
        params.n_batch = params.n_ubatch = args.batch
        params.n_seq_max = count
        params.n_threads = params.n_threads_batch = args.threads
        params.flash_attn_type = FLASH[args.flash]
        params.kv_unified = False
        self.handle = llama.llama_init_from_model(model, params)
        if not self.handle:
            raise SystemExit("llama.cpp made no context: " + "".join(log_lines[-5:]))
        self.size = args.batch
        self.batch = llama.llama_batch_init(args.batch, 0, 1)
        self.vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))

    def clear(self):
        llama.llama_memory_clear(llama.llama_get_memory(self.handle), True)

    def close(self):
        llama.llama_batch_free(self.batch)
        llama.llama_free(self.handle)

    def decode(self, rows):
        """One llama_decode of (id, position, sequence, wants logits) rows."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence, logits) in enumerate(rows):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = logits
        if code := llama.llama_decode(self.handle, batch):
            raise SystemExit(f"llama_decode ended with {code}: " + "".join(log_lines[-5:]))

    def prefill(self, ids, sequence=0):
        """Runs a prompt; returns the likeliest next id."""
        end = len(ids) - 1
        for start in range(0, len(ids), self.size):
            chunk = enumerate(ids[start : start + self.size], start)
            self.decode([(token, at, sequence, at == end) for at, token in chunk])
        return self.likeliest(-1)

    def likeliest(self, row):
        logits = llama.llama_get_logits_ith(self.handle, row)
        return int(np.ctypeslib.as_array(logits, (self.vocab,)).argmax())

    def generate(self, tokens, position, count):
        """`count` greedy steps of the sequences whose last ids are `tokens`; returns the seconds."""
        start = time.perf_counter()
        for step in range(count):
            self.decode([(token, position + step, i, True) for i, token in enumerate(tokens)])
            tokens = [self.likeliest(i) for i in range(len(tokens))]
        return time.perf_counter() - start


def measure(model, args):
    lengths = args.prompt_tokens + [context + args.gen_tokens for context in args.context]
    context = Context(model, 1, max(lengths), args)
    vocab = context.vocab
    # The warm-up: the first passes also repack weights and start threads.
    context.generate([context.prefill(prompt_ids(128, vocab))], 128, 8)

    def prefill(length):
        ids = prompt_ids(length, vocab)
        context.clear()
        start = time.perf_counter()
        context.prefill(ids)
        return length / (time.perf_counter() - start)

    def decode(length):
        context.clear()
        token = context.prefill(prompt_ids(length, vocab))
        return args.gen_tokens / context.generate([token], length, args.gen_tokens)

    def repeated(run, size):
        return statistics.median(run(size) for _ in range(args.repeats))

    result = {
        "prefill": {size: repeated(prefill, size) for size in args.prompt_tokens},
        "decode": {size: repeated(decode, size) for size in args.context},
    }
    context.close()
    result["sequences"] = {}
    length = (args.context + args.prompt_tokens)[0]
    for count in args.sequences:
        context = Context(model, count, length + args.gen_tokens, args)

        def together(count):
            context.clear()
            ids = prompt_ids(count * length, vocab)
            tokens = [context.prefill(ids[i * length : (i + 1) * length], i) for i in range(count)]
            return count * args.gen_tokens / context.generate(tokens, length, args.gen_tokens)

        result["sequences"][count] = repeated(together, count)
        context.close()
    return result


def quantize(source, target, ftype):
    """Converts the file and returns the lines of the log that say what became of the outer matrices."""
    params = llama.llama_model_quantize_default_params()
    params.ftype = FTYPES[ftype]
    params.allow_requantize = True
    partial = f"{target}.partial"
    if llama.llama_model_quantize(os.fsencode(source), os.fsencode(partial), params):
        raise SystemExit(f"{source} cannot be converted: " + "".join(log_lines[-5:]))
    os.replace(partial, target)
    lines = [line.split("]", 1)[-1].strip() for line in "".join(log_lines).splitlines() if line.startswith("[")]
    outer = [" ".join(line.split()) for line in lines if line.startswith(("token_embd.weight", "output.weight"))]
    return {"outer": outer, "bytes": os.path.getsize(target)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--quantize", choices=FTYPES, help="convert to this type in place of measuring")
    parser.add_argument("--to", help="the file that --quantize writes")
    parser.add_argument("--prompt-tokens", type=sizes, default=[])
    parser.add_argument("--context", type=sizes, default=[])
    parser.add_argument("--sequences", type=sizes, default=[])
    parser.add_argument("--gen-tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch", type=int, default=512, help="n_batch and n_ubatch")
    parser.add_argument("--flash", choices=FLASH, default="auto")
    args = parser.parse_args()

    llama.llama_log_set(keep_log, ctypes.c_void_p())
    llama.llama_backend_init()
    if args.quantize:
        print(json.dumps(quantize(args.model, args.to, args.quantize)))
        return
    start = time.perf_counter()
    model = llama.llama_model_load_from_file(os.fsencode(args.model), llama.llama_model_default_params())
    if not model:
        raise SystemExit("llama.cpp cannot load the model: " + "".join(log_lines[-5:]))
    load_seconds = time.perf_counter() - start
    result = measure(model, args)
    result["load_seconds"] = load_seconds
    result["peak_resident"] = peak_resident()
    result["system"] = llama.llama_print_system_info().decode().strip()
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""The real SmolLM2 GGUF: folders that mlx-lm loads, and goldens of what mlx-lm makes of them in f32.

    python lm_real.py GGUF --export DIR        DIR/q4 (packed triples) and DIR/f32 (dense)
    python lm_real.py GGUF --goldens FILE.json FILE.json and FILE.safetensors beside it

The goldens: greedy continuations of five prompts with the margin of every choice, logits of the last
prompt position, the chat template rendered, and ids of text that tells pre-tokenizers apart.
"""

import argparse
import tempfile
from pathlib import Path

import mlx.core as mx
import mlx_lm
from mlx_lm.generate import generate_step

import gguf_folder
import oracle

STEPS, TOP, EVERY = 64, 64, 16

PROMPTS = {
    "prose": "The history of bread begins long before writing. In the river valleys of the ancient Near East,",
    "code": 'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n    if n < 2:\n        return n\n',
    "numbers": "Powers of two: 1, 2, 4, 8, 16, 32, 64, 128, 256,",
    "list": "The planets of the Solar System, from the Sun outward:\n1. Mercury\n2. Venus\n3.",
    "multilingual": "Bonjour à tous ! Ich heiße Müller. 你好，世界。 Привет 👋🏽 The word for cat in French is",
}

CHAT = [
    {"role": "user", "content": "What is 12 + 30?"},
    {"role": "assistant", "content": "12 + 30 = 42."},
    {"role": "user", "content": "And in   French?\n"},
]

# A space before a digit that is not ASCII, contractions, runs of blanks, special tokens, half emoji.
TEXTS = [
    "",
    " ",
    "Hello, world!",
    " ٣٤ and ½ of Ⅷ or x²",
    "In 2024, 3.14159 people paid $1,000,000",
    "don't I'LL we've  they're",
    "a\n\n\n  b\t\tc \r\n d   ",
    "naïve café e\u0301 Straße ΑΒΓ αβγ",
    "日本語のテキスト 한국어 ภาษาไทย العربية",
    "👩‍👩‍👧‍👦🇫🇷😀",
    "<|im_start|>user\nhi<|im_end|>\n<|endoftext|>",
    "<|im_start|> <|im_end> <repo_name>",
    "fn main() { println!(\"{}\", 0x1F); }",
]


def export(gguf, out):
    arrays, meta = gguf_folder.read(gguf)
    gguf_folder.write(out / "q4", arrays, meta, quantized=True)
    gguf_folder.write(out / "f32", arrays, meta, quantized=False)
    return arrays, meta


def check_interleaved(gguf, out, model, ids):
    """GGUF's own row order with interleaved rope must be the same model."""
    arrays, meta = gguf_folder.read(gguf)
    gguf_folder.write(out / "interleaved", arrays, meta, quantized=False, permuted=True)
    other, _ = mlx_lm.load(str(out / "interleaved"))
    difference = oracle.max_difference(model(mx.array([ids])), other(mx.array([ids])))
    assert difference < 1e-3, f"the two row orders differ by {difference}"


def continuation(model, ids):
    """(greedy tokens, margin of each choice) from mlx-lm's own loop."""
    tokens, margins = [], []
    for token, logprobs in generate_step(mx.array(ids), model, max_tokens=STEPS):
        best = mx.sort(logprobs)[-2:].tolist()
        tokens.append(int(token))
        margins.append(float(f"{best[1] - best[0]:.4g}"))
    return tokens, margins


def prompt_goldens(model, tokenizer):
    records, tops, top_logits, sampled = [], [], [], []
    for name, text in PROMPTS.items():
        ids = tokenizer.encode(text)
        logits = model(mx.array([ids]))[0, -1]
        order = mx.argsort(-logits)[:TOP]
        tokens, margins = continuation(model, ids)
        assert tokens[0] == int(order[0])
        tops.append(order.astype(mx.int32))
        top_logits.append(logits[order])
        sampled.append(logits[::EVERY])
        records.append(
            {
                "name": name,
                "prompt": text,
                "ids": ids,
                "tokens": tokens,
                "text": tokenizer.decode(tokens),
                "margins": margins,
                "least_margin": min(margins),
            }
        )
        print(f"{name:14} {len(ids):3} tokens, least margin {min(margins):.1e}: {records[-1]['text']!r}")
    arrays = {"top_ids": mx.stack(tops), "top_logits": mx.stack(top_logits), "logits_every_16": mx.stack(sampled)}
    return records, arrays


def chat_goldens(tokenizer):
    cases = []
    for messages in (CHAT[:1], CHAT, [{"role": "system", "content": "Be brief."}, *CHAT[:1]]):
        for generation_prompt in (True, False):
            rendered = tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=generation_prompt
            )
            cases.append(
                {
                    "messages": messages,
                    "add_generation_prompt": generation_prompt,
                    "rendered": rendered,
                    "ids": tokenizer.encode(rendered, add_special_tokens=False),
                }
            )
    return cases


def text_goldens(tokenizer):
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text, text
        cases.append({"text": text, "ids": ids})
    return cases


def write_goldens(gguf, file):
    with tempfile.TemporaryDirectory() as scratch:
        export(gguf, Path(scratch))
        model, tokenizer = mlx_lm.load(f"{scratch}/f32")
        check_interleaved(gguf, Path(scratch), model, tokenizer.encode(PROMPTS["prose"]))
        records, arrays = prompt_goldens(model, tokenizer)
    value = {
        "made_by": "xtask/py/lm_real.py",
        "versions": oracle.versions(),
        "gguf": {"name": gguf.name, "sha256": oracle.sha256(gguf)},
        "steps": STEPS,
        "prompts": records,
        "chat": chat_goldens(tokenizer),
        "texts": text_goldens(tokenizer),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    oracle.write_json(file, value)
    oracle.save_safetensors(file.with_suffix(".safetensors"), arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--export", type=Path, metavar="DIR")
    parser.add_argument("--goldens", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    if args.export:
        export(args.gguf, args.export)
    if args.goldens:
        write_goldens(args.gguf, args.goldens)


if __name__ == "__main__":
    main()

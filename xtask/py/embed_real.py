"""The vectors that sentence-transformers gives for real texts with a real model.

    python embed_real.py --model DIR --out DIR

Writes minilm.json (texts, package versions, the weights' sha256) and minilm.safetensors: `vectors`, f32, of the first texts,
and `mixed`, f16, of the others, which are drawn.
"""

import argparse
import importlib.metadata
import random
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

from hashes import sha256, write_json

TEXTS = [
    "This is an example sentence",
    "",
    "a",
    "The cat sits outside, waiting for somebody to open the door.",
    "A man is playing guitar on the stage while it rains.",
    "def mean(values):\n    return sum(values) / len(values)",
    "Caf\u00e9 cr\u00e8me, na\u00efve fa\u00e7ade \u2014 \u201cquoted\u201d \u2026",
    "\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u3002",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \U0001f642\U0001f680",
    "[CLS] [MASK] tokens written out [SEP] in a text [PAD]",
    "3.14159 2.71828 https://example.org/a?b=c#d user@example.org",
    "Long texts end early. " * 120,
]

# What sentences are drawn from: common words, others that split into pieces, numbers, marks and scripts.
WORDS = (
    "the of and to in a is that for it as was with be by on not he but at are this have from or one had were all there "
    "would their we him been has when who will no more if out so what up said about time than into only some could "
    "transformers tokenization Schadenfreude \u00fcberm\u00e4\u00dfig na\u00efvet\u00e9 \u00e9t\u00e9 \u0441\u043e\u0431\u0430\u043a\u0430 \u732b \u6771\u4eac \u0628\u064a\u062a \u0915\u092e\u0932 \U0001f642 "
    "1984 3.5% $12.99 2026-11-22 C++ e.g. U.S.A. foo_bar() don't state-of-the-art (see below) [1] #tag @name ... ; -- \u201cso\u201d"
).split()
MIXED = 188


def mixed():
    draw = random.Random(11)
    return [" ".join(draw.choice(WORDS) for _ in range(int(draw.lognormvariate(2.7, 0.8)) + 1)) for _ in range(MIXED)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = SentenceTransformer(str(args.model), device="cpu")
    texts = TEXTS + mixed()
    vectors = model.encode(texts, batch_size=1, convert_to_tensor=True)
    first, others = vectors[: len(TEXTS)].contiguous(), vectors[len(TEXTS) :].half().contiguous()
    save_file({"vectors": first, "mixed": others}, args.out / "minilm.safetensors")
    packages = ("torch", "sentence-transformers", "transformers", "tokenizers")
    about = {
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "weights_sha256": sha256(args.model / "model.safetensors"),
        "texts": texts,
    }
    write_json(args.out / "minilm.json", about)


if __name__ == "__main__":
    main()

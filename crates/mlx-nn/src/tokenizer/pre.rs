//! How text is cut before byte-level BPE merges it, by GGUF's `tokenizer.ggml.pre`.
//!
//! The expressions are those of the models' own tokenizer.json. Files named `default` get GPT-2's, as in transformers;
//! llama.cpp has another one for them.

use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use crate::{Error, Result};

pub(super) struct Pre {
    names: &'static [&'static str],
    cut: Cut,
    /// A piece that is a token as a whole is that token, whatever the merges say.
    pub ignore_merges: bool,
    /// Whether `<bos>` starts a text where the file does not say.
    pub add_bos: bool,
    /// The model's text is in Unicode's composed form.
    pub nfc: bool,
}

enum Cut {
    Gpt2,
    /// Each digit alone, then as GPT-2.
    Digits,
    Regex(&'static str),
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

#[rustfmt::skip]
const KNOWN: &[Pre] = &[
    Pre { names: &["default", "gpt-2", "phi-2"], cut: Cut::Gpt2, ignore_merges: false, add_bos: false, nfc: false },
    Pre {
        names: &["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
        cut: Cut::Digits, ignore_merges: false, add_bos: false, nfc: false,
    },
    Pre {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
        cut: Cut::Regex(LLAMA3), ignore_merges: true, add_bos: true, nfc: false,
    },
    Pre { names: &["qwen2"], cut: Cut::Regex(QWEN2), ignore_merges: false, add_bos: false, nfc: true },
    Pre { names: &["deepseek-r1-qwen"], cut: Cut::Regex(QWEN2), ignore_merges: false, add_bos: false, nfc: false },
    Pre { names: &["qwen35"], cut: Cut::Regex(QWEN35), ignore_merges: false, add_bos: false, nfc: true },
    Pre { names: &["tekken"], cut: Cut::Regex(TEKKEN), ignore_merges: true, add_bos: true, nfc: false },
];

impl Pre {
    pub fn named(name: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|pre| pre.names.contains(&name))
    }

    pub fn names() -> String {
        KNOWN.iter().flat_map(|pre| pre.names).copied().collect::<Vec<_>>().join(", ")
    }

    pub fn pre_tokenizer(&self) -> Result<PreTokenizerWrapper> {
        let bytes = |use_regex| PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, use_regex));
        let sequence = |steps: Vec<PreTokenizerWrapper>| Sequence::new(steps).into();
        Ok(match self.cut {
            Cut::Gpt2 => bytes(true),
            Cut::Digits => sequence(vec![Digits::new(true).into(), bytes(true)]),
            Cut::Regex(regex) => {
                let split = Split::new(SplitPattern::Regex(regex.into()), SplitDelimiterBehavior::Isolated, false)
                    .map_err(|e| Error::msg(format!("The expression {regex} does not compile: {e}.")))?;
                sequence(vec![split.into(), bytes(false)])
            }
        })
    }
}

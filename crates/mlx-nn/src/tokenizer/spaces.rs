//! Whether a tokenizer's tokens end at spaces between words.

use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::PreTokenizerWrapper as Pre;

/// The words of the expressions that GPT-2 and its successors split texts with: letters, with at most one other character in front.
const WORDS: [&str; 2] = [r" ?\p{L}+", r"[^\r\n\p{L}\p{N}]?\p{L}+"];

pub(super) fn split(model: &Tokenizer) -> bool {
    let reaches_across = |content: &str| content.trim().contains(char::is_whitespace);
    model.get_pre_tokenizer().is_some_and(splits)
        && !model.get_added_tokens_decoder().values().any(|token| reaches_across(&token.content))
}

fn splits(pre: &Pre) -> bool {
    match pre {
        Pre::BertPreTokenizer(_) | Pre::Whitespace(_) | Pre::WhitespaceSplit(_) => true,
        Pre::ByteLevel(bytes) => bytes.use_regex,
        Pre::Metaspace(spaces) => spaces.split,
        Pre::Split(split) => match &split.pattern {
            tokenizers::pre_tokenizers::split::SplitPattern::Regex(regex) => {
                WORDS.iter().any(|word| regex.contains(word))
            }
            tokenizers::pre_tokenizers::split::SplitPattern::String(_) => false,
        },
        // What an earlier part has split, a later one sees apart.
        Pre::Sequence(parts) => parts.as_ref().first().is_some_and(splits),
        _ => false,
    }
}

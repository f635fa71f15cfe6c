//! SentencePiece BPE as Hugging Face runs it: the merges, which SentencePiece does not store, come from the scores.

use tokenizers::decoders::DecoderWrapper;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::{Merges, Vocab};
use tokenizers::normalizers::{NormalizerWrapper, Prepend, Replace, Sequence as Normalizers};

use crate::{Error, Result};

/// Every cut of a token into two tokens is a merge. The token with the best score merges first; equal scores go to the
/// longer left part, then to the longer right part, then to the older parts.
pub(super) fn merges(
    tokens: &[String],
    rank: impl Fn(usize) -> f64,
    usable: impl Fn(usize) -> bool,
    vocab: &Vocab,
) -> Merges {
    struct Merge<'a> {
        score: f64,
        chars: (usize, usize),
        parts: (&'a str, &'a str),
    }
    let mut merges = Vec::new();
    for (id, token) in tokens.iter().enumerate().filter(|&(id, _)| usable(id)) {
        let score = rank(id);
        let count = token.chars().count();
        let mut cuts = Vec::new();
        for (left_chars, (at, _)) in token.char_indices().enumerate().skip(1) {
            let parts @ (left, right) = token.split_at(at);
            if let (Some(left), Some(right)) = (vocab.get(left), vocab.get(right)) {
                cuts.push(((left, right), Merge { score, chars: (left_chars, count - left_chars), parts }));
            }
        }
        cuts.sort_by_key(|(ids, _)| *ids);
        merges.extend(cuts.into_iter().map(|(_, merge)| merge));
    }
    merges.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.chars.cmp(&a.chars)));
    merges.into_iter().map(|merge| (merge.parts.0.to_owned(), merge.parts.1.to_owned())).collect()
}

/// Spaces are `▁`, and `add_prefix` puts one before the text.
pub(super) fn normalizer(add_prefix: bool) -> Result<NormalizerWrapper> {
    let spaces: NormalizerWrapper = replace(" ", "▁")?.into();
    Ok(match add_prefix {
        true => Normalizers::new(vec![Prepend::new("▁".into()).into(), spaces]).into(),
        false => spaces,
    })
}

/// The reverse of [`normalizer`], with byte tokens joined to characters.
pub(super) fn decoder(add_prefix: bool) -> Result<DecoderWrapper> {
    let mut steps: Vec<DecoderWrapper> =
        vec![replace("▁", " ")?.into(), ByteFallback::new().into(), Fuse::new().into()];
    if add_prefix {
        steps.push(Strip::new(' ', 1, 0).into());
    }
    Ok(Decoders::new(steps).into())
}

fn replace(from: &str, to: &str) -> Result<Replace> {
    Replace::new(from, to).map_err(|e| Error::msg(format!("The normalizer for \"{from}\" cannot be built: {e}.")))
}

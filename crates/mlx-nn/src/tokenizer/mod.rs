//! Text to token ids and back, from a Hugging Face folder or a GGUF file.

mod dir;
mod gguf;
mod pair;
mod pieces;
mod pre;
mod spaces;
mod spm;
mod stream;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::chat::ChatTemplate;
use crate::{Error, Result};
pub use pair::Encoded;
pub use stream::Detokenizer;
use tokenizers::AddedToken;
use tokenizers::normalizers::{Lowercase, Sequence};

use pieces::Pieces;

/// A tokenizer with its special tokens and chat template. Cheap to clone, and may be used from many threads.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    model: tokenizers::Tokenizer,
    special: Special,
    /// A template that does not parse fails when it is asked for: completion works without it.
    chat: Result<Option<ChatTemplate>>,
    pieces: Pieces,
}

/// The roles that token ids play, as the model's files state them.
#[derive(Default)]
struct Special {
    bos: Option<u32>,
    pad: Option<u32>,
    unk: Option<u32>,
    mask: Option<u32>,
    eos: Vec<u32>,
    /// The model tells the texts of a pair apart by types.
    typed: bool,
    /// What `encode` puts around the text, where the files say so; otherwise tokenizer.json's post-processor does.
    around: Option<(Vec<u32>, Vec<u32>)>,
}

impl Tokenizer {
    /// Reads a Hugging Face model folder: `tokenizer.json`, and where they exist `tokenizer_config.json`,
    /// `special_tokens_map.json`, `chat_template.jinja`, `generation_config.json` and `config.json`.
    ///
    /// `tokenizer.json` decides how text is split; transformers' own classes rebuild a few old tokenizers differently.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        dir::load(dir.as_ref())
    }

    /// Builds the tokenizer that a GGUF file describes: byte-level BPE (`gpt2`) or SentencePiece BPE (`llama`).
    pub fn from_gguf(header: &crate::gguf::Header) -> Result<Self> {
        gguf::load(header)
    }

    fn new(model: tokenizers::Tokenizer, special: Special, chat: Result<Option<ChatTemplate>>) -> Result<Self> {
        let pieces = Pieces::new(&model)?;
        Ok(Self(Arc::new(Inner { model, special, chat, pieces })))
    }

    /// The same tokenizer for texts in lower case: it makes them so first.
    pub fn lowercased(self) -> Result<Self> {
        let mut inner = Arc::try_unwrap(self.0).map_err(|_| Error::msg("A tokenizer in use cannot change."))?;
        let before = inner.model.get_normalizer().cloned();
        let all = std::iter::once(Lowercase.into()).chain(before).collect();
        let failed = |e| Error::msg(format!("The tokenizer cannot make texts lower case: {e}."));
        inner.model.with_normalizer(Some(Sequence::new(all))).map_err(failed)?;
        Ok(Self(Arc::new(inner)))
    }

    /// The same tokenizer to which these texts are special tokens, each one token of its own wherever it is written.
    pub fn with_special(self, texts: &[String]) -> Result<Self> {
        let mut inner = Arc::try_unwrap(self.0).map_err(|_| Error::msg("A tokenizer in use cannot change."))?;
        let tokens = texts.iter().map(|text| AddedToken::from(text.as_str(), true).normalized(false));
        let failed = |e| Error::msg(format!("The tokenizer cannot take special tokens: {e}."));
        inner.model.add_special_tokens(tokens).map_err(failed)?;
        inner.pieces = Pieces::new(&inner.model)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Whether tokens end at a space between two words, whatever follows, so that the beginning of a text has the first tokens of
    /// the whole.
    pub fn splits_at_spaces(&self) -> bool {
        spaces::split(&self.0.model)
    }

    /// Token ids of `text`. Special tokens written in the text become their ids; `add_special` adds what the model
    /// expects around a text, such as a first `<s>`. A rendered chat has them already: pass `false` there.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>> {
        let around = self.0.special.around.as_ref().filter(|_| add_special);
        let encoding = self
            .0
            .model
            .encode_fast(text, add_special && around.is_none())
            .map_err(|e| Error::msg(format!("The text cannot be encoded: {e}.")))?;
        Ok(match around {
            Some((before, after)) => [before, encoding.get_ids(), after].concat(),
            None => encoding.get_ids().to_vec(),
        })
    }

    /// [`Tokenizer::encode`] with each token's characters in `text`, counted from 0; `None` for what was added around it.
    pub fn encode_spans(&self, text: &str, add_special: bool) -> Result<Vec<(u32, Option<Range<usize>>)>> {
        let around = self.0.special.around.as_ref().filter(|_| add_special);
        let encoding = self
            .0
            .model
            .encode_char_offsets(text, add_special && around.is_none())
            .map_err(|e| Error::msg(format!("The text cannot be encoded: {e}.")))?;
        let added = encoding.get_special_tokens_mask();
        let inner = encoding.get_ids().iter().zip(encoding.get_offsets()).zip(added);
        let inner = inner.map(|((&id, &(start, end)), &added)| (id, (added == 0).then_some(start..end)));
        let outer = |ids: &Vec<u32>| ids.iter().map(|&id| (id, None)).collect::<Vec<_>>();
        let (before, after) = around.map(|(before, after)| (outer(before), outer(after))).unwrap_or_default();
        Ok(before.into_iter().chain(inner).chain(after).collect())
    }

    /// Text of `ids`. Ids outside the vocabulary decode to nothing.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        self.0.model.decode(ids, skip_special).map_err(|e| Error::msg(format!("The token ids cannot be decoded: {e}.")))
    }

    /// A decoder for one growing sequence. It skips special tokens; see [`Detokenizer::keep_special`].
    pub fn stream(&self) -> Detokenizer {
        Detokenizer::new(self.clone())
    }

    /// The token as the vocabulary spells it, which is not its text: see [`Tokenizer::decode`].
    pub fn token(&self, id: u32) -> Option<String> {
        self.0.model.id_to_token(id)
    }

    /// The id of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.0.model.token_to_id(token)
    }

    /// One more than the largest id, added tokens included. A model's embedding may have more rows.
    pub fn vocab_size(&self) -> usize {
        self.0.pieces.len()
    }

    /// Ids that end a reply.
    pub fn eos(&self) -> &[u32] {
        &self.0.special.eos
    }

    /// The token that begins a text.
    pub fn bos(&self) -> Option<u32> {
        self.0.special.bos
    }

    /// The token that fills up a batch.
    pub fn pad(&self) -> Option<u32> {
        self.0.special.pad
    }

    /// The token for what the vocabulary cannot spell.
    pub fn unk(&self) -> Option<u32> {
        self.0.special.unk
    }

    /// The token that stands for a word to be guessed.
    pub fn mask(&self) -> Option<u32> {
        self.0.special.mask
    }

    /// True for control tokens, which `decode` leaves out on request.
    pub fn is_special(&self, id: u32) -> bool {
        self.0.pieces.is_special(id)
    }

    /// The model's chat template, if it has one. An error is one that does not parse.
    pub fn chat_template(&self) -> Result<Option<&ChatTemplate>> {
        self.0.chat.as_ref().map(Option::as_ref).map_err(|e| Error::msg(e.to_string()))
    }
}

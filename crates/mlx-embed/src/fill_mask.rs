//! Words for a gap in a text. Follows transformers' pipelines/fill_mask.py.

use crate::Overlong;
use crate::headed::{Headed, limit};
use crate::load::LoadOptions;
use crate::source::locate;
use crate::text::Limits;
use mlx_nn::encoder::heads::{MaskedLm, MaskedLmConfig};
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::{Error, Result};
use mlx_ops::{Dtype, Tensor};
use std::path::Path;

/// A masked language model: it guesses the words of a text that are masked.
pub struct FillMask {
    model: Headed<MaskedLm>,
    mask: u32,
}

/// A word that may stand in a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// Its token's id.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// Its probability among all words.
    pub score: f32,
}

/// Loads the folder of an encoder with the head of a masked language model.
pub fn load_masked(dir: &Path, options: &mut LoadOptions) -> Result<Headed<MaskedLm>> {
    Headed::load(dir, options, |c, encoder, w, tokens| {
        MaskedLm::new(&MaskedLmConfig::read(c, encoder)?, encoder, tokens, w)
    })
}

impl FillMask {
    /// Loads the folder of a masked language model.
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = &locate(source.as_ref(), &options)?;
        let model = load_masked(dir, &mut options)?;
        let mask = model.text.tokenizer().mask();
        let mask = mask.ok_or_else(|| Error::msg("the tokenizer's files name no `mask_token`.").in_file(dir))?;
        Ok(Self { model, mask })
    }

    /// The likeliest words for each masked place of `text` in order, `top_k` of them, the likeliest first.
    ///
    /// An error if `text` has no mask, such as `[MASK]`, or more tokens than the model takes.
    pub fn fill(&self, text: &str, top_k: usize) -> Result<Vec<Vec<Guess>>> {
        let max_tokens = limit(None, self.model.max_tokens, self.model.max_tokens)?;
        let limits = Limits { prompt: "", max_tokens, overlong: Overlong::Refuse, first: 0 };
        let ids = self.model.text.encode_all(&[text], limits)?.remove(0);
        let places: Vec<i32> = (0..).zip(&ids).filter(|&(_, &id)| id == self.mask).map(|(at, _)| at).collect();
        if places.is_empty() {
            return Err(Error::msg(format!(
                "The text has no `{}`, which stands for a word to be guessed.",
                self.mask()
            )));
        }
        let places = Tensor::from_slice(&places, [places.len() as i32])?;
        let (hidden, _) = self.model.hidden(&[&Encoded { ids, types: Vec::new(), left_out: 0 }])?;
        let logits = self.model.head.forward(&hidden.take(&places, 0)?)?; // (masks, vocab)
        let scores = logits.astype(Dtype::F32)?.softmax(-1)?;
        let vocab = self.model.encoder.config().vocab_size as usize;
        scores.to_vec::<f32>()?.chunks_exact(vocab).map(|row| self.guesses(row, top_k)).collect()
    }

    fn guesses(&self, scores: &[f32], top_k: usize) -> Result<Vec<Guess>> {
        if scores.iter().any(|x| !x.is_finite()) {
            return Err(Error::msg(
                "The scores of words are not finite: the model overflows, or its weights are broken.",
            ));
        }
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        order.truncate(top_k);
        let guess =
            |id: u32| Ok(Guess { id, text: self.tokenizer().decode(&[id], false)?, score: scores[id as usize] });
        order.into_iter().map(guess).collect()
    }

    /// The token that stands for a word to be guessed.
    pub fn mask(&self) -> String {
        self.tokenizer().token(self.mask).unwrap_or_default()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.model.text.tokenizer()
    }
}

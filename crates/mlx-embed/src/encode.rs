//! From texts to vectors.

use crate::schedule::bins;
use crate::settings::Settings;
use crate::stage::{Stages, normalize};
use crate::text::{Limits, TextEncoder};
use crate::{Embeddings, EncodeOptions, Prompt, Similarity};
use mlx_nn::encoder::Encoder;
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Error, Result};
use mlx_ops::{Dtype, Tensor, async_eval};
use std::collections::VecDeque;

/// A model from texts to vectors.
pub struct Embedder {
    pub(crate) encoder: Encoder,
    pub(crate) stages: Stages,
    pub(crate) text: TextEncoder,
    pub(crate) settings: Settings,
    pub(crate) max_tokens: usize,
}

impl Embedder {
    /// A vector for each text, in the order of the texts.
    ///
    /// An empty text is encoded as the tokens that stand around every text. An error names the text that is too long, where
    /// that is not allowed, or whose vector would not be finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Embeddings> {
        let plan = self.plan(options)?;
        self.run(&plan, texts, 0)
    }

    /// [`Embedder::encode`] with the model's prompt for queries.
    pub fn encode_query<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Embeddings> {
        self.encode(texts, &EncodeOptions { prompt: Prompt::Query, ..options.clone() })
    }

    /// [`Embedder::encode`] with the model's prompt for documents.
    pub fn encode_document<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Embeddings> {
        self.encode(texts, &EncodeOptions { prompt: Prompt::Document, ..options.clone() })
    }

    /// The vectors of any number of texts in order, of which only some thousands are in memory at a time.
    pub fn encode_iter<'a, I>(&'a self, texts: I, options: &EncodeOptions) -> Result<Vectors<'a, I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsRef<str> + Sync,
    {
        let plan = self.plan(options)?;
        Ok(Vectors { model: self, plan, texts: texts.into_iter(), ready: VecDeque::new(), taken: 0, failed: false })
    }

    /// Numbers of a vector before any truncation.
    pub fn dims(&self) -> usize {
        self.stages.dims as usize
    }

    /// The most tokens of a text, those around it included, that the model's files allow.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// How the model's authors compare its vectors.
    pub fn similarity(&self) -> Similarity {
        self.settings.similarity
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.text.tokenizer()
    }

    /// The vectors of texts that are ids, of which the first `prompt_tokens` are a prompt's where those do not count.
    #[cfg(feature = "serve")]
    pub(crate) fn encode_ids<I: AsRef<[u32]>>(
        &self,
        ids: &[I],
        prompt_tokens: usize,
        first: usize,
    ) -> Result<Embeddings> {
        let plan = Plan { prompt_tokens, ..self.plan(&EncodeOptions::default())? };
        self.run_ids(&plan, ids, first)
    }

    fn plan(&self, options: &EncodeOptions) -> Result<Plan> {
        let dims = self.dims();
        let kept = options.truncate_dim.unwrap_or(dims);
        if kept == 0 || kept > dims {
            return Err(Error::msg(format!("Vectors have {dims} numbers; {kept} of them cannot be kept.")));
        }
        let max_tokens = options.max_tokens.unwrap_or(self.max_tokens);
        let most = self.encoder.config().context as usize;
        if max_tokens == 0 || max_tokens > most {
            return Err(Error::msg(format!("The model takes texts of 1 to {most} tokens, not of {max_tokens}.")));
        }
        let prompt = self.settings.prompt(&options.prompt)?.to_owned();
        let prompt_tokens = if self.stages.pooling.include_prompt { 0 } else { self.text.prompt_tokens(&prompt)? };
        Ok(Plan { options: options.clone(), prompt, prompt_tokens, kept, max_tokens })
    }

    /// The vectors of `texts`, of which the first is called number `first` in errors.
    fn run<S: AsRef<str> + Sync>(&self, plan: &Plan, texts: &[S], first: usize) -> Result<Embeddings> {
        let limits =
            Limits { prompt: &plan.prompt, max_tokens: plan.max_tokens, overlong: plan.options.overlong, first };
        self.run_ids(plan, &self.text.encode_all(texts, limits)?, first)
    }

    /// [`Embedder::run`] for texts that are ids already.
    fn run_ids<I: AsRef<[u32]>>(&self, plan: &Plan, ids: &[I], first: usize) -> Result<Embeddings> {
        let lengths: Vec<usize> = ids.iter().map(|ids| ids.as_ref().len()).collect();
        let mut values = vec![0.0; ids.len() * plan.kept];
        // A bin is on its way while the one before it is read.
        let mut before: Option<(Vec<usize>, Tensor)> = None;
        for bin in bins(&lengths, plan.options.batch_tokens) {
            let rows = self.forward(plan, &bin.iter().map(|&i| ids[i].as_ref()).collect::<Vec<_>>())?;
            async_eval([&rows])?;
            if let Some((bin, rows)) = before.replace((bin, rows)) {
                read(&bin, &rows, first, &mut values)?;
            }
        }
        if let Some((bin, rows)) = before {
            read(&bin, &rows, first, &mut values)?;
        }
        Embeddings::new(values, plan.kept)
    }

    fn forward(&self, plan: &Plan, sequences: &[&[u32]]) -> Result<Tensor> {
        let batch = self.encoder.batch(sequences)?;
        let hidden = self.encoder.forward(&batch)?;
        let mut rows = self.stages.forward(&hidden, batch.segments(), plan.prompt_tokens)?;
        if plan.kept < self.dims() {
            rows = rows.i((.., ..plan.kept as i32))?;
        }
        if plan.options.normalize {
            rows = normalize(&rows)?;
        }
        Ok(rows.astype(Dtype::F32)?)
    }
}

/// Options that were checked against the model.
struct Plan {
    options: EncodeOptions,
    prompt: String,
    prompt_tokens: usize,
    kept: usize,
    max_tokens: usize,
}

/// Puts the rows of a bin where its texts are.
fn read(bin: &[usize], rows: &Tensor, first: usize, values: &mut [f32]) -> Result<()> {
    let rows = rows.to_vec::<f32>()?;
    let dims = rows.len() / bin.len();
    for (&i, row) in bin.iter().zip(rows.chunks_exact(dims)) {
        if row.iter().any(|x| !x.is_finite()) {
            return Err(Error::msg(format!(
                "The vector of text {} is not finite: the model overflows on it, or its weights are broken.",
                first + i
            )));
        }
        values[i * dims..(i + 1) * dims].copy_from_slice(row);
    }
    Ok(())
}

/// Texts that are in memory at a time: enough to find many of one length.
const WINDOW: usize = 2048;

/// The vectors of a stream of texts; see [`Embedder::encode_iter`]. After an error it ends.
pub struct Vectors<'a, I> {
    model: &'a Embedder,
    plan: Plan,
    texts: I,
    ready: VecDeque<Vec<f32>>,
    taken: usize,
    failed: bool,
}

impl<I: Iterator<Item: AsRef<str> + Sync>> Iterator for Vectors<'_, I> {
    type Item = Result<Vec<f32>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && !self.failed {
            let texts: Vec<I::Item> = self.texts.by_ref().take(WINDOW).collect();
            match self.model.run(&self.plan, &texts, self.taken) {
                Ok(vectors) => self.ready.extend(vectors.rows().map(<[f32]>::to_vec)),
                Err(e) => {
                    self.failed = true;
                    return Some(Err(e));
                }
            }
            self.taken += texts.len();
        }
        self.ready.pop_front().map(Ok)
    }
}

//! From texts to vectors.

use crate::input::Input;
use crate::router::Router;
use crate::settings::Settings;
use crate::stage::{Stages, normalize};
use crate::text::{Limits, TextEncoder};
use crate::{Embeddings, EncodeOptions, Prompt, Similarity, pipeline};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Error, Result};
use mlx_ops::Tensor;
use std::collections::VecDeque;
use std::rc::Rc;

/// A model from texts to vectors.
pub struct Embedder {
    pub(crate) input: Rc<Input>,
    pub(crate) stages: Stages,
    pub(crate) text: TextEncoder,
    pub(crate) settings: Settings,
    pub(crate) max_tokens: usize,
    /// Which of a model's routes a text takes: this one, or the others in order.
    pub(crate) router: Option<Router>,
    pub(crate) others: Vec<Embedder>,
}

impl Embedder {
    /// A vector for each text, in the order of the texts.
    ///
    /// An empty text is encoded as the tokens that stand around every text. An error names the text that is too long, where
    /// that is not allowed, or whose vector would not be finite. A model that treats queries and documents differently, and has
    /// no default, needs to be told by the prompt which the texts are.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Embeddings> {
        let model = self.routed(&options.prompt)?;
        let plan = model.plan(options)?;
        model.run(&plan, texts, 0)
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
        let model = self.routed(&options.prompt)?;
        let plan = model.plan(options)?;
        Ok(Vectors { model, plan, texts: texts.into_iter(), ready: VecDeque::new(), taken: 0, failed: false })
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

    /// The model that texts with this prompt go through.
    fn routed(&self, prompt: &Prompt) -> Result<&Self> {
        let Some(router) = &self.router else { return Ok(self) };
        Ok(match router.route(prompt)? {
            0 => self,
            route => &self.others[route - 1],
        })
    }

    fn plan(&self, options: &EncodeOptions) -> Result<Plan> {
        let dims = self.dims();
        let kept = options.truncate_dim.unwrap_or(dims);
        if kept == 0 || kept > dims {
            return Err(Error::msg(format!("Vectors have {dims} numbers; {kept} of them cannot be kept.")));
        }
        let max_tokens = options.max_tokens.unwrap_or(self.max_tokens);
        let most = self.input.context();
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
        let forward = |bin: &[usize]| self.forward(plan, &bin.iter().map(|&i| ids[i].as_ref()).collect::<Vec<_>>());
        let take = |i: usize, row: &[f32]| values[i * plan.kept..(i + 1) * plan.kept].copy_from_slice(row);
        pipeline::run(&lengths, plan.options.batch_tokens, "vector", first, forward, take)?;
        Embeddings::new(values, plan.kept)
    }

    fn forward(&self, plan: &Plan, sequences: &[&[u32]]) -> Result<Tensor> {
        let (hidden, segments) = self.input.hidden(sequences, self.stages.layers.as_ref(), None)?;
        let mut rows = self.stages.forward(&hidden, &segments, plan.prompt_tokens)?;
        if plan.kept < self.dims() {
            rows = rows.i((.., ..plan.kept as i32))?;
        }
        if plan.options.normalize {
            rows = normalize(&rows)?;
        }
        Ok(rows)
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

//! Late interaction: a vector for each token of a text. Follows sentence_transformers/multi_vector_encoder, which reads the
//! folders of PyLate and of Stanford's ColBERT too.

mod score;
mod settings;

pub use score::maxsim;

use crate::input::Input;
use crate::load::{progress, text};
use crate::model::Model;
use crate::settings::{Settings, modules};
use crate::source::locate;
use crate::stage::{Stage, TOKENS, normalize, run, stage};
use crate::text::{Limits, TextEncoder};
use crate::{Embeddings, EncodeOptions, LoadOptions, Prompt, pipeline};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Error, Result};
use mlx_ops::Tensor;
use settings::{Expansion, Form, Late};
use std::collections::BTreeSet;
use std::path::Path;

/// A model from texts to a vector for each of their tokens.
///
/// ```no_run
/// use mlx_embed::{EncodeOptions, LoadOptions, MultiVector};
///
/// let model = MultiVector::load("colbert-ir/colbertv2.0", LoadOptions::default())?;
/// let options = EncodeOptions::default();
/// let queries = model.encode_query(&["who barks?"], &options)?;
/// let documents = model.encode_document(&["A cat sits outside.", "The dog barks."], &options)?;
/// println!("{:?}", model.similarity(&queries, &documents)?);
/// # Ok::<(), mlx_embed::Error>(())
/// ```
pub struct MultiVector {
    input: Input,
    stages: Vec<Stage>,
    dims: i32,
    text: TextEncoder,
    max_tokens: usize,
    settings: Settings,
    late: Late,
    /// The id that fills queries up.
    filler: u32,
    /// Tokens that are left out.
    skipped: BTreeSet<u32>,
}

impl MultiVector {
    /// Whether a folder holds such a model.
    pub fn is_at(dir: impl AsRef<Path>) -> Result<bool> {
        Ok(Form::of(dir.as_ref())?.is_some())
    }

    /// Loads a folder, or the hub's repository of this id, as sentence-transformers, PyLate or Stanford's ColBERT write it.
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = locate(source.as_ref(), &options)?;
        let no_late = || Error::msg("the model there gives one vector for a text, not one for each token.");
        let form = Form::of(&dir)?.ok_or_else(|| no_late().in_file(&dir))?;
        let mut settings = Settings::read(&dir)?;
        let modules = modules(&dir)?;
        let Some((first, rest)) = modules.split_first().filter(|(first, _)| first.kind == "Transformer") else {
            return Err(Error::msg("the first module should be a Transformer.").in_file(dir.join("modules.json")));
        };
        let late = Late::read(&dir, form, first, rest, &mut settings)?;
        let dtype = options.dtype()?;
        let checkpoint = Checkpoint::folder(&first.dir)?;
        let config = checkpoint.config.clone();
        let weights = checkpoint.weights(dtype);
        let w = weights.for_many_rows(options.sums()?);
        let mut stages = Vec::new();
        let mut dims = 0;
        if form == Form::Stanford {
            // The projection lies beside the encoder, which knows only its own tensors.
            let Some(&[outputs, inputs]) = weights.shape("linear.weight").as_deref() else {
                return Err(Error::msg("the projection `linear.weight` of two axes is missing.").in_file(&first.dir));
            };
            stages.push(Stage::linear(w.linear("linear", inputs, outputs, false)?));
            dims = outputs;
        }
        let input = Input::Transformer(Box::new(Model::new(&config, &w)?));
        weights.finish(progress(&mut options))?;
        if form != Form::Stanford {
            dims = input.dims();
        }
        for module in rest.iter().filter(|module| form.keeps(&module.kind)) {
            let name = (form == Form::Own).then_some(TOKENS);
            stages.push(stage(module, name, &mut dims, dtype)?);
        }
        if form != Form::Own {
            stages.push(Stage::Normalize);
        }
        let (text, max_tokens) = text(first, &input)?;
        let text = text.with_markers(&late.markers)?;
        let (filler, skipped) = (late.filler(text.tokenizer())?, late.skipped(text.tokenizer()));
        let context = input.context();
        if let Some(Expansion { length, .. }) = late.expansion.as_ref().filter(|expansion| expansion.length > context) {
            let what = format!("queries are filled up to {length} tokens, but the encoder takes {context}.");
            return Err(Error::msg(what).in_file(&dir));
        }
        Ok(Self { input, stages, dims, text, max_tokens, settings, late, filler, skipped })
    }

    /// A matrix `(tokens, dims)` for each text, in the order of the texts: a row for each of its tokens that counts.
    ///
    /// Texts with the prompt for queries are filled up where the model does that; of all others the tokens are left out that the
    /// model skips, such as punctuation. An error names the text that is too long, where that is not allowed, or whose vectors
    /// would not be finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Vec<Embeddings>> {
        self.encode_from(texts, options, 0)
    }

    /// [`MultiVector::encode`] with the model's prompt for queries.
    pub fn encode_query<S: AsRef<str> + Sync>(&self, texts: &[S], options: &EncodeOptions) -> Result<Vec<Embeddings>> {
        self.encode(texts, &EncodeOptions { prompt: Prompt::Query, ..options.clone() })
    }

    /// [`MultiVector::encode`] with the model's prompt for documents.
    pub fn encode_document<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &EncodeOptions,
    ) -> Result<Vec<Embeddings>> {
        self.encode(texts, &EncodeOptions { prompt: Prompt::Document, ..options.clone() })
    }

    /// The matrices of any number of texts in order, of which only some hundreds are in memory at a time.
    pub fn encode_iter<'a, I>(
        &'a self,
        texts: I,
        options: &EncodeOptions,
    ) -> impl Iterator<Item = Result<Embeddings>> + use<'a, I>
    where
        I: IntoIterator,
        I::Item: AsRef<str> + Sync,
    {
        const WINDOW: usize = 256;
        let (mut texts, options) = (texts.into_iter(), options.clone());
        let mut first = 0;
        let windows = std::iter::from_fn(move || {
            let window: Vec<I::Item> = texts.by_ref().take(WINDOW).collect();
            let found = (!window.is_empty()).then(|| self.encode_from(&window, &options, first))?;
            first += window.len();
            Some(found.map_or_else(|e| vec![Err(e)], |found| found.into_iter().map(Ok).collect()))
        });
        windows.flatten()
    }

    /// How alike queries and documents are, as the model's authors compare them: a row of `documents.len()` numbers for each query.
    pub fn similarity(&self, queries: &[Embeddings], documents: &[Embeddings]) -> Result<Vec<f32>> {
        let mut scores = maxsim(queries, documents)?;
        if self.late.mean && !documents.is_empty() {
            for (row, query) in scores.chunks_exact_mut(documents.len()).zip(queries) {
                row.iter_mut().for_each(|score| *score /= query.len().max(1) as f32);
            }
        }
        Ok(scores)
    }

    /// Numbers of a vector before any truncation.
    pub fn dims(&self) -> usize {
        self.dims as usize
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.text.tokenizer()
    }

    fn encode_from<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &EncodeOptions,
        first: usize,
    ) -> Result<Vec<Embeddings>> {
        let dims = options.truncate_dim.unwrap_or(self.dims());
        if dims == 0 || dims > self.dims() {
            return Err(Error::msg(format!("Vectors have {} numbers; {dims} of them cannot be kept.", self.dims())));
        }
        let expansion = self.late.expansion.as_ref().filter(|_| options.prompt == Prompt::Query);
        let max_tokens = self.max_tokens(options, expansion)?;
        let prompt = self.settings.prompt(&options.prompt)?;
        let mut ids = self.text.encode_all(texts, Limits { prompt, max_tokens, overlong: options.overlong, first })?;
        let seen: Vec<usize> = ids.iter().map(Vec::len).collect();
        if let Some(expansion) = expansion {
            ids.iter_mut().for_each(|ids| ids.resize(ids.len().max(expansion.length), self.filler));
        }
        let lengths: Vec<usize> = ids.iter().map(Vec::len).collect();
        let hides = expansion.is_some_and(|expansion| !expansion.attend);
        let forward = |bin: &[usize]| {
            let sequences: Vec<&[u32]> = bin.iter().map(|&i| &ids[i][..]).collect();
            let seen: Option<Vec<usize>> = hides.then(|| bin.iter().map(|&i| seen[i]).collect());
            self.forward(&sequences, seen.as_deref(), dims, options.normalize)
        };
        let mut found = vec![Vec::new(); texts.len()];
        let take = |i: usize, rows: &[f32]| {
            let counts = |id: &u32| self.late.counts(*id, &options.prompt, &self.skipped);
            let kept = ids[i].iter().zip(rows.chunks_exact(dims)).filter(|(id, _)| counts(id));
            found[i] = kept.flat_map(|(_, row)| row).copied().collect();
        };
        pipeline::run(&lengths, options.batch_tokens, "vector", first, forward, take)?;
        found.into_iter().map(|values| Embeddings::new(values, dims)).collect()
    }

    /// The most tokens of a text, and no more than the encoder takes.
    fn max_tokens(&self, options: &EncodeOptions, expansion: Option<&Expansion>) -> Result<usize> {
        let of_role = match options.prompt {
            Prompt::Query => self.late.query_length,
            Prompt::Document => self.late.document_length,
            _ => None,
        };
        let most = self.input.context();
        let stated = options.max_tokens.unwrap_or(of_role.unwrap_or(self.max_tokens).min(most));
        let max_tokens = match expansion {
            Some(expansion) if expansion.fixed => expansion.length,
            Some(expansion) => stated.max(expansion.length),
            None => stated,
        };
        match (1..=most).contains(&max_tokens) {
            true => Ok(max_tokens),
            false => Err(Error::msg(format!("The model takes texts of 1 to {most} tokens, not of {max_tokens}."))),
        }
    }

    /// The vectors of all tokens, `(T, dims)`.
    fn forward(&self, sequences: &[&[u32]], seen: Option<&[usize]>, dims: usize, to_one: bool) -> Result<Tensor> {
        let (hidden, _) = self.input.hidden(sequences, None, seen)?;
        let mut rows = run(&self.stages, hidden)?;
        if dims < self.dims() {
            rows = rows.i((.., ..dims as i32))?;
        }
        if to_one {
            rows = normalize(&rows)?;
        }
        Ok(rows)
    }
}

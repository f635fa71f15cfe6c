//! From texts to weights of words. Follows sentence_transformers' sparse_encoder/model.py.

mod splade;
mod vector;
mod way;

pub use vector::SparseVector;

use crate::headed::limit;
use crate::load::LoadOptions;
use crate::router::Router;
use crate::settings::{Settings, modules, optional};
use crate::source::locate;
use crate::text::Limits;
use crate::{Overlong, Prompt};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Error, Result};
use std::path::Path;
use way::Way;

/// A model from texts to sparse vectors.
pub struct SparseEncoder {
    router: Option<Router>,
    ways: Vec<Way>,
    settings: Settings,
    max_active_dims: Option<usize>,
}

/// How to encode into sparse vectors.
#[derive(Clone, Debug)]
pub struct SparseOptions {
    /// What stands in front of each text.
    pub prompt: Prompt,
    /// The most words of a vector, those of the largest weights; `None`: as many as the model's files say, or all.
    pub max_active_dims: Option<usize>,
    /// The most tokens of a text, those around it included; `None`: as many as the model's files say.
    pub max_tokens: Option<usize>,
    /// What becomes of longer texts.
    pub overlong: Overlong,
    /// The most tokens that go through the model together. More take more memory.
    pub batch_tokens: usize,
}

impl Default for SparseOptions {
    fn default() -> Self {
        let (prompt, overlong) = (Prompt::Default, Overlong::Truncate);
        Self { prompt, max_active_dims: None, max_tokens: None, overlong, batch_tokens: 1024 }
    }
}

impl SparseEncoder {
    /// Loads a sentence-transformers folder, or one with a masked language model alone, whose words' largest weights then
    /// count. A Router's routes for queries and documents are those of [`SparseEncoder::encode_query`] and
    /// [`SparseEncoder::encode_document`].
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = &locate(source.as_ref(), &options)?;
        let (router, ways) = Router::expand(modules(dir)?)?;
        let ways = ways.iter().map(|modules| Way::load(dir, modules, &mut options)).collect::<Result<_>>()?;
        let saved = optional(&dir.join("config_sentence_transformers.json"))?;
        let max_active_dims = saved.opt_int("max_active_dims")?.map(|most| most as usize);
        Ok(Self { router, ways, settings: Settings::read(dir)?, max_active_dims })
    }

    /// A sparse vector for each text, in the order of the texts.
    ///
    /// An error names the text that is too long, where that is not allowed, or whose weights would not be finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S], options: &SparseOptions) -> Result<Vec<SparseVector>> {
        let most = options.max_active_dims.or(self.max_active_dims);
        if most == Some(0) {
            return Err(Error::msg("The option `max_active_dims` should be 1 or more."));
        }
        let route = self.router.as_ref().map_or(Ok(0), |router| router.route(&options.prompt))?;
        let way = &self.ways[route];
        let max_tokens = limit(options.max_tokens, way.max_tokens(), way.context())?;
        let prompt = self.settings.prompt(&options.prompt)?;
        let limits = Limits { prompt, max_tokens, overlong: options.overlong, first: 0 };
        way.encode(texts, limits, options.batch_tokens, most)
    }

    /// [`SparseEncoder::encode`] with the model's prompt for queries.
    pub fn encode_query<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &SparseOptions,
    ) -> Result<Vec<SparseVector>> {
        self.encode(texts, &SparseOptions { prompt: Prompt::Query, ..options.clone() })
    }

    /// [`SparseEncoder::encode`] with the model's prompt for documents.
    pub fn encode_document<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        options: &SparseOptions,
    ) -> Result<Vec<SparseVector>> {
        self.encode(texts, &SparseOptions { prompt: Prompt::Document, ..options.clone() })
    }

    /// The words of a vector, as the vocabulary spells them, the weightiest first, `top_k` of them or all.
    pub fn decode(&self, vector: &SparseVector, top_k: Option<usize>) -> Vec<(String, f32)> {
        let mut pairs: Vec<(u32, f32)> = vector.indices.iter().copied().zip(vector.weights.iter().copied()).collect();
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
        pairs.truncate(top_k.unwrap_or(usize::MAX));
        // The embedding may have rows beyond the vocabulary.
        let spell = |id| self.tokenizer().token(id).unwrap_or_default();
        pairs.into_iter().map(|(id, weight)| (spell(id), weight)).collect()
    }

    /// Words that a vector may have: of several routes, the most.
    pub fn dims(&self) -> usize {
        self.ways.iter().map(Way::dims).max().unwrap_or_default()
    }

    /// The most tokens of a text, those around it included, that the model's files allow: the first route's where there are
    /// several.
    pub fn max_tokens(&self) -> usize {
        self.ways[0].max_tokens()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.ways[0].tokenizer()
    }
}

//! From requests to ids, off the model's thread, and what the model's thread makes of them.

use super::engine::Engine;
use super::items::Items;
use super::refusal::{Kind, Refusal};
use crate::settings::Settings;
use crate::text::{Limits, TextEncoder};
use crate::{Embedder, Overlong, Prompt};
use mlx_nn::Result;
use mlx_nn::tokenizer::Tokenizer;
use std::collections::BTreeMap;

/// What has to be known of a model to make ids for it.
pub struct Intake {
    text: TextEncoder,
    settings: Settings,
    include_prompt: bool,
    pub max_tokens: usize,
    pub dims: usize,
}

/// A text as the model takes it.
pub struct Tokens {
    ids: Vec<u32>,
    /// How many ids are those of a prompt that does not count.
    prompt: usize,
}

/// The thread of a model that makes vectors.
pub type Vectors = Engine<Tokens, Vec<f32>>;

/// How to make ids.
#[derive(Clone)]
pub struct Reading {
    pub prompt: Prompt,
    pub overlong: Overlong,
}

impl Intake {
    /// An error for a model that has routes: requests do not say which of them a text takes.
    pub fn of(model: &Embedder) -> mlx_nn::Result<Self> {
        if model.router.is_some() {
            return Err(mlx_nn::Error::msg("A model with routes for queries and documents cannot be served."));
        }
        Ok(Self {
            text: model.text.clone(),
            settings: model.settings.clone(),
            include_prompt: model.stages.pooling.include_prompt,
            max_tokens: model.max_tokens(),
            dims: model.dims(),
        })
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        self.text.tokenizer()
    }

    /// The text of a prompt.
    pub fn prompt<'a>(&'a self, prompt: &'a Prompt) -> Result<&'a str, Refusal> {
        self.settings.prompt(prompt).map_err(|e| Refusal::field("prompt_name", e.to_string()))
    }

    /// The ids of each text, with their number. Ids that came as such are taken as they are, without a prompt.
    pub fn tokens(
        &self,
        items: Items,
        field: &'static str,
        reading: &Reading,
    ) -> Result<Vec<(usize, Tokens)>, Refusal> {
        let wrong = |e: mlx_nn::Error| Refusal::field(field, e.to_string());
        let prompt = self.prompt(&reading.prompt)?;
        let limits = Limits { prompt, max_tokens: self.max_tokens, overlong: reading.overlong, first: 0 };
        let (all, prompt) = match items {
            Items::Texts(texts) => {
                let skipped = if self.include_prompt { 0 } else { self.text.prompt_tokens(prompt).map_err(wrong)? };
                (self.text.encode_all(&texts, limits).map_err(wrong)?, skipped)
            }
            Items::Ids(mut all) => {
                let known = self.tokenizer().vocab_size();
                for (i, ids) in all.iter_mut().enumerate() {
                    if let Some(id) = ids.iter().find(|&&id| id as usize >= known) {
                        let message = format!("Text {i} has the id {id}; the tokenizer's ids are below {known}.");
                        return Err(Refusal::field(field, message));
                    }
                    self.text.fit(i, ids, true, limits).map_err(wrong)?;
                }
                (all, 0)
            }
        };
        Ok(all.into_iter().map(|ids| (ids.len(), Tokens { ids, prompt })).collect())
    }

    /// Brings a vector to what the request asks for: fewer numbers, then length 1.
    pub fn finish(&self, vector: &mut Vec<f32>, dims: Option<usize>, normalize: bool) {
        vector.truncate(dims.unwrap_or(self.dims));
        if normalize {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
            vector.iter_mut().for_each(|x| *x /= length);
        }
    }

    /// Refuses a number of dimensions that vectors do not have.
    pub fn check_dims(&self, dims: Option<usize>) -> Result<(), Refusal> {
        match dims {
            Some(dims) if dims == 0 || dims > self.dims => {
                let message = format!("Vectors have {} numbers; `dimensions` is {dims}.", self.dims);
                Err(Refusal::field("dimensions", message))
            }
            _ => Ok(()),
        }
    }
}

/// The vectors of texts from many requests, each with its place in its request.
pub fn embed(model: &Embedder, batch: &[(usize, Tokens)]) -> Result<Vec<Vec<f32>>> {
    let mut rows = vec![Vec::new(); batch.len()];
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    batch.iter().enumerate().for_each(|(i, (_, tokens))| groups.entry(tokens.prompt).or_default().push(i));
    // An error names a text by its number; only of a text alone is that its place.
    let first = if let [(place, _)] = batch { *place } else { 0 };
    for (prompt, group) in groups {
        let ids: Vec<&[u32]> = group.iter().map(|&i| &batch[i].1.ids[..]).collect();
        let vectors = model.encode_ids(&ids, prompt, first)?;
        group.into_iter().zip(vectors.rows()).for_each(|(i, row)| rows[i] = row.to_vec());
    }
    Ok(rows)
}

/// Refuses more texts than a request may have.
pub fn check_count(field: &'static str, count: usize, most: usize) -> Result<(), Refusal> {
    if count <= most {
        return Ok(());
    }
    let message = format!("`{field}` has {count} texts; a request may have {most}.");
    Err(Refusal { kind: Kind::TooLarge, ..Refusal::field(field, message) })
}

//! Pairs of texts scored together. Follows sentence_transformers' cross_encoder/model.py.

use crate::causal::Words;
use crate::load::LoadOptions;
use crate::score::{ScoreOptions, Scorer};
use crate::settings::{Settings, modules, optional};
use crate::source::locate;
use crate::text::Limits;
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Config, Error, Function, Result};
use mlx_ops::Tensor;
use std::path::Path;

/// A cross-encoder: a model that reads two texts at once and says how well they fit.
pub struct Reranker {
    scorer: Scorer,
    settings: Settings,
    function: Function,
}

/// A document's place among others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Its number in the list that was ranked.
    pub index: usize,
    /// How well it fits.
    pub score: f32,
}

impl Reranker {
    /// Loads the folder of a model for sequence classification, or of a decoder whose answer is yes or no.
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = &locate(source.as_ref(), &options)?;
        let modules = modules(dir)?;
        let (first, rest) = match &modules[..] {
            [first, rest @ ..] if first.kind == "Transformer" => (first, rest),
            _ => return Err(Error::msg("the first module should be a Transformer.").in_file(dir.join("modules.json"))),
        };
        let words = match rest {
            [] => None,
            [module] if module.kind == "LogitScore" => {
                Some(Words::read(&Config::read(&module.dir.join("config.json"))?)?)
            }
            [module, ..] => {
                let what = format!(
                    "the module `{}` is not known behind a Transformer that scores pairs; a model with it gives vectors, not scores.",
                    module.kind
                );
                return Err(Error::msg(what).in_file(&module.dir));
            }
        };
        let scorer = Scorer::load(&first.dir, &mut options, words)?;
        let saved = optional(&dir.join("config_sentence_transformers.json"))?;
        let function = function(&saved, scorer.config(), scorer.labels())?;
        Ok(Self { scorer, settings: Settings::read(dir)?, function })
    }

    /// The scores of each pair, a row of [`Reranker::labels`] numbers each, after the model's own function: the one that its
    /// files name, else the logistic one where there is one label.
    ///
    /// An error names the pair that is too long, where that is not allowed, or whose score would not be finite.
    pub fn predict<A, B>(&self, pairs: &[(A, B)], options: &ScoreOptions) -> Result<Vec<f32>>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        let prompt = self.settings.prompt(&options.prompt)?;
        let max_tokens = self.scorer.limit(options.max_tokens)?;
        let limits = Limits { prompt, max_tokens, overlong: options.overlong, first: 0 };
        let logits = self.scorer.logits(&self.scorer.pairs(pairs, limits)?, options.batch_tokens)?;
        if options.raw { Ok(logits) } else { self.activated(&logits) }
    }

    /// Scores behind the model's function.
    pub(crate) fn activated(&self, logits: &[f32]) -> Result<Vec<f32>> {
        if logits.is_empty() {
            return Ok(Vec::new());
        }
        let logits = Tensor::from_slice(logits, [logits.len() as i32])?;
        Ok(self.function.forward(&logits)?.to_vec()?)
    }

    /// Whether a folder holds a model that scores pairs, as its files say: a transformer for sequence classification without
    /// pooling, or one whose answers are scored.
    pub fn is_at(dir: &Path) -> Result<bool> {
        let modules = modules(dir)?;
        Ok(match &modules[..] {
            [module] if module.kind == "Transformer" => {
                let config = Config::read(&module.dir.join("config.json"))?;
                let architectures = config.opt_texts("architectures")?.unwrap_or_default();
                architectures.iter().any(|name| name.ends_with("ForSequenceClassification"))
            }
            [.., last] => last.kind == "LogitScore",
            [] => false,
        })
    }

    /// The documents that fit `query` best, the best first, `top_k` of them or all. Those of one score keep their order.
    /// An error for a model of several labels.
    pub fn rank<S: AsRef<str> + Sync>(
        &self,
        query: &str,
        documents: &[S],
        top_k: Option<usize>,
        options: &ScoreOptions,
    ) -> Result<Vec<Ranked>> {
        if self.labels() != 1 {
            let labels = self.labels();
            return Err(Error::msg(format!("The model gives a pair {labels} scores; documents are ranked by one.")));
        }
        let pairs: Vec<(&str, &str)> = documents.iter().map(|document| (query, document.as_ref())).collect();
        let scores = self.predict(&pairs, options)?;
        let mut ranked: Vec<_> = scores.into_iter().enumerate().map(|(index, score)| Ranked { index, score }).collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked.truncate(top_k.unwrap_or(usize::MAX));
        Ok(ranked)
    }

    /// Scores of each pair.
    pub fn labels(&self) -> usize {
        self.scorer.labels()
    }

    /// The most tokens of a pair, those around it included, that the model's files allow.
    pub fn max_tokens(&self) -> usize {
        self.scorer.max_tokens()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.scorer.text().tokenizer()
    }
}

/// What scores pass through: the first of the places that name it, else as many labels want.
fn function(saved: &Config, config: &Config, labels: usize) -> Result<Function> {
    const NEW: &str = "activation_fn";
    const OLD: &str = "sbert_ce_default_activation_function";
    let nested = config.object("sentence_transformers")?;
    for (c, key) in [(Some(saved), NEW), (nested.as_ref(), NEW), (Some(config), OLD)] {
        let Some(c) = c else { continue };
        // Classes outside of PyTorch are code that the reference does not run either.
        if let Some(path) = c.opt_text(key)?.filter(|path| path.starts_with("torch.")) {
            return Function::of_class(path).ok_or_else(|| c.wrong(key, Function::CLASSES, path));
        }
    }
    Ok(if labels == 1 { Function::Sigmoid } else { Function::Identity })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn config(values: Value) -> Config {
        let Value::Object(values) = values else { panic!("an object") };
        Config::new(values, "config.json")
    }

    #[track_caller]
    fn check(saved: Value, own: Value, labels: usize, expected: Function) {
        assert_eq!(function(&config(saved), &config(own), labels).unwrap(), expected);
    }

    #[test]
    fn the_function_is_the_one_that_the_files_name() {
        let [identity, tanh] = ["torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"];
        let nested = json!({ "sentence_transformers": { "activation_fn": identity } });
        let old = json!({ "sbert_ce_default_activation_function": identity });
        check(json!({}), json!({}), 1, Function::Sigmoid);
        check(json!({}), json!({}), 3, Function::Identity);
        check(json!({}), nested.clone(), 1, Function::Identity);
        check(json!({}), old, 1, Function::Identity);
        check(json!({ "activation_fn": tanh }), nested, 1, Function::Tanh);
        check(json!({ "activation_fn": "somebody.elses.Code" }), json!({}), 1, Function::Sigmoid);
        let error = function(&config(json!({ "activation_fn": "torch.nn.Mish" })), &config(json!({})), 1).unwrap_err();
        assert!(error.to_string().contains("activation_fn") && error.to_string().contains("torch.nn.Mish"), "{error}");
    }
}

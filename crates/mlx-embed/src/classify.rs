//! Labels of texts. Follows transformers' pipelines/text_classification.py.

use crate::load::LoadOptions;
use crate::score::{ScoreOptions, Scorer};
use crate::settings::Settings;
use crate::source::locate;
use crate::text::Limits;
use mlx_nn::tokenizer::{Encoded, Tokenizer};
use mlx_nn::{Config, Function, Result};
use mlx_ops::Tensor;
use std::path::Path;

/// A model that says which labels fit a text.
pub struct Classifier {
    scorer: Scorer,
    settings: Settings,
    names: Vec<String>,
    answer: Answer,
}

/// How logits become scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Each label has a probability of its own.
    Each,
    /// The labels share one.
    One,
    /// As they are: the labels are quantities.
    Raw,
}

/// A label and how well it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// What the model's files call it.
    pub name: String,
    /// Its probability, or what the model measures.
    pub score: f32,
}

impl Classifier {
    /// Loads the folder of a model for sequence classification.
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = &locate(source.as_ref(), &options)?;
        let scorer = Scorer::load(dir, &mut options, None)?;
        let (names, answer) = (names(scorer.config(), scorer.labels())?, answer(scorer.config(), scorer.labels())?);
        Ok(Self { scorer, settings: Settings::read(dir)?, names, answer })
    }

    /// All labels with their scores for each text, the best first.
    ///
    /// An error names the text that is too long, where that is not allowed, or whose scores would not be finite.
    pub fn classify<S: AsRef<str> + Sync>(&self, texts: &[S], options: &ScoreOptions) -> Result<Vec<Vec<Label>>> {
        self.labelled(&self.scorer.texts(texts, self.limits(options)?)?, options)
    }

    /// As [`Classifier::classify`], of pairs, such as a premise and a hypothesis.
    pub fn classify_pairs<A, B>(&self, pairs: &[(A, B)], options: &ScoreOptions) -> Result<Vec<Vec<Label>>>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        self.labelled(&self.scorer.pairs(pairs, self.limits(options)?)?, options)
    }

    /// The labels in the model's order.
    pub fn labels(&self) -> &[String] {
        &self.names
    }

    /// The most tokens of a text, those around it included, that the model's files allow.
    pub fn max_tokens(&self) -> usize {
        self.scorer.max_tokens()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.scorer.text().tokenizer()
    }

    fn limits<'a>(&'a self, options: &'a ScoreOptions) -> Result<Limits<'a>> {
        let prompt = self.settings.prompt(&options.prompt)?;
        let max_tokens = self.scorer.limit(options.max_tokens)?;
        Ok(Limits { prompt, max_tokens, overlong: options.overlong, first: 0 })
    }

    fn labelled(&self, texts: &[Encoded], options: &ScoreOptions) -> Result<Vec<Vec<Label>>> {
        let logits = self.scorer.logits(texts, options.batch_tokens)?;
        if logits.is_empty() {
            return Ok(Vec::new());
        }
        let labels = self.names.len();
        let rows = Tensor::from_slice(&logits, [texts.len() as i32, labels as i32])?;
        let scores = match self.answer {
            _ if options.raw => rows,
            Answer::Each => Function::Sigmoid.forward(&rows)?,
            Answer::One => rows.softmax(-1)?,
            Answer::Raw => rows,
        };
        let best_first = |row: &[f32]| {
            let label = |(name, &score): (&String, &f32)| Label { name: name.clone(), score };
            let mut row: Vec<Label> = self.names.iter().zip(row).map(label).collect();
            row.sort_by(|a, b| b.score.total_cmp(&a.score));
            row
        };
        Ok(scores.to_vec::<f32>()?.chunks_exact(labels).map(best_first).collect())
    }
}

/// `id2label`, or the names that transformers gives labels without one.
fn names(c: &Config, labels: usize) -> Result<Vec<String>> {
    let Some(names) = c.object("id2label")? else { return Ok((0..labels).map(|i| format!("LABEL_{i}")).collect()) };
    (0..labels)
        .map(|i| {
            let id = i.to_string();
            let expected =
                || c.wrong("id2label", &format!("names of the labels 0 to {}", labels - 1), format!("one without {i}"));
            names.opt_text(&id)?.map(str::to_owned).ok_or_else(expected)
        })
        .collect()
}

fn answer(c: &Config, labels: usize) -> Result<Answer> {
    Ok(match c.opt_text("problem_type")? {
        Some("regression") => Answer::Raw,
        Some("multi_label_classification") => Answer::Each,
        None | Some("single_label_classification") if labels == 1 => Answer::Each,
        None | Some("single_label_classification") => Answer::One,
        Some(other) => {
            let known = "regression, single_label_classification or multi_label_classification";
            return Err(c.wrong("problem_type", known, other));
        }
    })
}

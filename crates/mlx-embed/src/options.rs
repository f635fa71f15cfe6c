//! How to encode.

/// What stands in front of each text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// The model's default, if it names one.
    #[default]
    Default,
    /// The model's prompt for queries; nothing where it has none.
    Query,
    /// The model's prompt for documents, also called `passage` or `corpus`; nothing where it has none.
    Document,
    /// The model's prompt of this name.
    Named(String),
    /// This text.
    Text(String),
}

/// What becomes of a text with more tokens than the model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlong {
    /// Its end is left out.
    #[default]
    Truncate,
    /// Its beginning is left out, a prompt's too.
    TruncateStart,
    /// It is an error.
    Refuse,
}

/// How to encode.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// What stands in front of each text.
    pub prompt: Prompt,
    /// How many of a vector's leading numbers to keep; `None`: all.
    pub truncate_dim: Option<usize>,
    /// Scales vectors to length 1, after truncation. Models that have a module for that do so before it, whatever is said here.
    pub normalize: bool,
    /// The most tokens of a text, those around it included; `None`: as many as the model's files say.
    pub max_tokens: Option<usize>,
    /// What becomes of longer texts.
    pub overlong: Overlong,
    /// The most tokens that go through the model together. More take more memory.
    pub batch_tokens: usize,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            prompt: Prompt::Default,
            truncate_dim: None,
            normalize: false,
            max_tokens: None,
            overlong: Overlong::Truncate,
            batch_tokens: 1024,
        }
    }
}

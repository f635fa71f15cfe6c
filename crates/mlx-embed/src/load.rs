//! From a folder to a model that encodes.

use crate::Embedder;
use crate::settings::{Settings, modules, optional};
use crate::stage::Stages;
use crate::text::TextEncoder;
use mlx_nn::encoder::{Encoder, EncoderConfig, presets};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Result};
use mlx_ops::{Device, Dtype};
use std::path::Path;

/// How to load.
#[derive(Default)]
pub struct LoadOptions {
    /// The dtype of floating-point weights and of activations. By default f32 on a CPU, whose 16-bit arithmetic is
    /// slow, and the checkpoint's own on a GPU.
    pub dtype: Option<Dtype>,
    /// Hears of the bytes read and in all.
    pub progress: Option<Box<dyn FnMut(usize, usize)>>,
}

impl LoadOptions {
    /// The dtype to load in; `None`: the checkpoint's own.
    pub(crate) fn dtype(&self) -> Result<Option<Dtype>> {
        Ok(match (self.dtype, Device::current()?) {
            (Some(dtype), _) => Some(dtype),
            (None, Device::Cpu) => Some(Dtype::F32),
            (None, Device::Gpu(_)) => None,
        })
    }
}

/// Hands bytes read on to whom the options name.
pub(crate) fn progress(options: &mut LoadOptions) -> impl FnMut(usize, usize) {
    |done, all| {
        if let Some(hears) = &mut options.progress {
            hears(done, all);
        }
    }
}

/// Loads a sentence-transformers folder, or one with a text encoder alone, whose tokens' mean is then the vector.
pub fn load(dir: impl AsRef<Path>) -> Result<Embedder> {
    Embedder::load(dir, LoadOptions::default())
}

impl Embedder {
    /// Loads a sentence-transformers folder, or one with a text encoder alone, whose tokens' mean is then the vector.
    pub fn load(dir: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = dir.as_ref();
        if !dir.is_dir() {
            return Err(Error::msg(format!("{} is not a folder.", dir.display())));
        }
        let settings = Settings::read(dir)?;
        let modules = modules(dir)?;
        let Some((first, rest)) = modules.split_first().filter(|(first, _)| first.kind == "Transformer") else {
            return Err(Error::msg("the first module should be a Transformer.").in_file(dir.join("modules.json")));
        };
        let dtype = options.dtype()?;
        let checkpoint = Checkpoint::folder(&first.dir)?;
        let config = describe(&checkpoint.config)?;
        let weights = checkpoint.weights(dtype);
        let encoder = Encoder::new(config, &weights)?;
        weights.finish(progress(&mut options))?;
        let stages = Stages::read(rest, encoder.config().hidden_size, dtype)?;

        let (tokenizer, max_tokens) = tokenizer(&first.dir, encoder.config().context)?;
        Ok(Self { encoder, stages, text: TextEncoder::new(tokenizer)?, settings, max_tokens })
    }
}

/// The tokenizer of a Transformer's folder, and the most tokens of a text for a model that takes `context`.
pub(crate) fn tokenizer(dir: &Path, context: i32) -> Result<(Tokenizer, usize)> {
    let limits = limits_file(dir)?;
    let mut tokenizer = Tokenizer::from_dir(dir)?;
    if limits.flag("do_lower_case")? {
        tokenizer = tokenizer.lowercased()?;
    }
    let stated = match limits.opt_int("max_seq_length")? {
        Some(max) => f64::from(max),
        // Tokenizers without a limit say 1e30.
        None => optional(&dir.join("tokenizer_config.json"))?.float_or("model_max_length", f64::INFINITY)?,
    };
    Ok((tokenizer, stated.min(f64::from(context)) as usize))
}

/// sentence_bert_config.json, or what it was called for some families.
fn limits_file(dir: &Path) -> Result<Config> {
    let families = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"];
    let all = families.map(|family| dir.join(format!("sentence_{family}_config.json")));
    optional(all.iter().find(|path| path.is_file()).unwrap_or(&all[0]))
}

pub(crate) fn describe(config: &Config) -> Result<EncoderConfig> {
    let model_type = config.text("model_type")?;
    let Some(preset) = presets::find(model_type) else {
        let known = presets::PRESETS.map(|(name, _)| name).join(", ");
        return Err(config.wrong("model_type", &format!("one of {known}"), format_args!("`{model_type}`")));
    };
    preset(config)
}

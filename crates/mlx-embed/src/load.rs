//! From a folder to a model that encodes.

use crate::Embedder;
use crate::model::{Model, generates};
use crate::pooling::Pooling;
use crate::settings::{Settings, modules, optional};
use crate::stage::Stages;
use crate::text::TextEncoder;
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Result};
use mlx_ops::{Device, Dtype, Sums};
use std::path::Path;

/// How to load.
#[derive(Default)]
pub struct LoadOptions {
    /// The dtype of floating-point weights and of activations. By default f32 on a CPU and the checkpoint's own on a GPU.
    ///
    /// On a CPU bf16 is for products alone: matrices are held so and rows are rounded as they are multiplied, which takes half
    /// of the time and of the memory; all else stays f32.
    pub dtype: Option<Dtype>,
    /// Hears of the bytes read and in all.
    pub progress: Option<Box<dyn FnMut(usize, usize)>>,
}

/// Loads a sentence-transformers folder, or one with a transformer alone: the vector is then the mean of its tokens, or the
/// last one's of a model that generates.
pub fn load(dir: impl AsRef<Path>) -> Result<Embedder> {
    Embedder::load(dir, LoadOptions::default())
}

impl Embedder {
    /// Loads a sentence-transformers folder, or one with a transformer alone: the vector is then the mean of its tokens, or the
    /// last one's of a model that generates.
    pub fn load(dir: impl AsRef<Path>, options: LoadOptions) -> Result<Self> {
        let dir = dir.as_ref();
        if !dir.is_dir() {
            return Err(Error::msg(format!("{} is not a folder.", dir.display())));
        }
        let settings = Settings::read(dir)?;
        let modules = modules(dir)?;
        let Some((first, rest)) = modules.split_first().filter(|(first, _)| first.kind == "Transformer") else {
            return Err(Error::msg("the first module should be a Transformer.").in_file(dir.join("modules.json")));
        };
        let (dtype, sums) = match (options.dtype, Device::current()?) {
            (Some(Dtype::Bf16), Device::Cpu) => (Some(Dtype::F32), Sums::Bf16),
            (None, Device::Cpu) => (Some(Dtype::F32), Sums::Exact),
            (dtype, _) => (dtype, Sums::Exact),
        };
        let checkpoint = Checkpoint::folder(&first.dir)?;
        let config = checkpoint.config.clone();
        let weights = checkpoint.weights(dtype);
        let model = Model::new(&config, &weights.for_many_rows(sums))?;
        weights.finish(options.progress.unwrap_or_else(|| Box::new(|_, _| {})))?;
        let mut stages = Stages::read(rest, model.hidden_size(), dtype)?;
        if rest.is_empty() && generates(&config)? {
            stages.pooling = Pooling::last();
        }

        let limits = limits_file(&first.dir)?;
        let mut tokenizer = Tokenizer::from_dir(&first.dir)?;
        if limits.flag("do_lower_case")? {
            tokenizer = tokenizer.lowercased()?;
        }
        let stated = match limits.opt_int("max_seq_length")? {
            Some(max) => f64::from(max),
            // Tokenizers without a limit say 1e30.
            None => optional(&first.dir.join("tokenizer_config.json"))?.float_or("model_max_length", f64::INFINITY)?,
        };
        let max_tokens = stated.min(f64::from(model.context())) as usize;
        Ok(Self { model, stages, text: TextEncoder::new(tokenizer)?, settings, max_tokens })
    }
}

/// sentence_bert_config.json, or what it was called for some families.
fn limits_file(dir: &Path) -> Result<Config> {
    let families = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"];
    let all = families.map(|family| dir.join(format!("sentence_{family}_config.json")));
    optional(all.iter().find(|path| path.is_file()).unwrap_or(&all[0]))
}

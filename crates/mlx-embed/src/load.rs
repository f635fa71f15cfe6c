//! From a folder or a hub id to a model that encodes.

use crate::input::Input;
use crate::model::generates;
use crate::pooling::Pooling;
use crate::router::Router;
use crate::settings::{Module, Settings, modules, optional};
use crate::source::locate;
use crate::stage::Stages;
use crate::text::TextEncoder;
use crate::{Embedder, MultiVector};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::{Config, Error, Result};
use mlx_ops::{Device, Dtype, Sums};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How to load.
#[derive(Default)]
pub struct LoadOptions {
    /// The dtype of floating-point weights and of activations. By default f32 on a CPU and the checkpoint's own on a GPU.
    ///
    /// On a CPU bf16 is for products alone: matrices are held so and rows are rounded as they are multiplied, which takes half
    /// of the time and of the memory; all else stays f32.
    pub dtype: Option<Dtype>,
    /// A branch, tag or commit of a hub repository.
    pub revision: Option<String>,
    /// Never asks the network; also set by the variable `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// Hears of the bytes read and in all.
    pub progress: Option<Box<dyn FnMut(usize, usize)>>,
}

impl LoadOptions {
    /// The dtype to load in; `None`: the checkpoint's own.
    pub(crate) fn dtype(&self) -> Result<Option<Dtype>> {
        Ok(match (self.dtype, Device::current()?) {
            (None | Some(Dtype::Bf16), Device::Cpu) => Some(Dtype::F32),
            (dtype, _) => dtype,
        })
    }

    /// How matrices are held for products of many rows.
    pub(crate) fn sums(&self) -> Result<Sums> {
        let pairs = self.dtype == Some(Dtype::Bf16) && Device::current()? == Device::Cpu;
        Ok(if pairs { Sums::Bf16 } else { Sums::Exact })
    }
}

/// Loads a sentence-transformers folder, or one with a transformer alone: the vector is then the mean of its tokens, or the
/// last one's of a model that generates. Or the hub's repository of this id, such as `sentence-transformers/all-MiniLM-L6-v2`.
pub fn load(source: impl AsRef<Path>) -> Result<Embedder> {
    Embedder::load(source, LoadOptions::default())
}

impl Embedder {
    /// Loads a sentence-transformers folder, or one with a transformer alone: the vector is then the mean of its tokens, or the
    /// last one's of a model that generates. Or the hub's repository of this id.
    pub fn load(source: impl AsRef<Path>, mut options: LoadOptions) -> Result<Self> {
        let dir = locate(source.as_ref(), &options)?;
        if MultiVector::is_at(&dir)? {
            let hint = "the model there gives a vector for each token of a text: load it as a MultiVector.";
            return Err(Error::msg(hint).in_file(&dir));
        }
        let settings = Settings::read(&dir)?;
        let (router, ways) = Router::expand(modules(&dir)?)?;
        let mut inputs = BTreeMap::new();
        let mut models = Vec::new();
        for modules in ways {
            models.push(build(&dir, &modules, &settings, &mut inputs, &mut options)?);
        }
        let others = models.split_off(1);
        let first = models.into_iter().next().ok_or_else(|| Error::msg("it holds no module.").in_file(&dir))?;
        Ok(Self { router, others, ..first })
    }
}

/// The model of one way through the modules, which shares what it begins with.
fn build(
    dir: &Path,
    modules: &[Module],
    settings: &Settings,
    inputs: &mut BTreeMap<PathBuf, Rc<Input>>,
    options: &mut LoadOptions,
) -> Result<Embedder> {
    let is_input = |module: &Module| ["Transformer", "StaticEmbedding"].contains(&module.kind.as_str());
    let Some((first, rest)) = modules.split_first().filter(|(first, _)| is_input(first)) else {
        let expected = "the first module should be a Transformer or a StaticEmbedding.";
        return Err(Error::msg(expected).in_file(dir.join("modules.json")));
    };
    let input = match inputs.get(&first.dir) {
        Some(input) => input.clone(),
        None => {
            let input = Rc::new(Input::read(first, options)?);
            inputs.insert(first.dir.clone(), input.clone());
            input
        }
    };
    let mut stages = Stages::read(first, rest, input.dims(), options.dtype()?)?;
    if rest.is_empty() && generates(&optional(&first.dir.join("config.json"))?)? {
        stages.pooling = Pooling::last();
    }
    let (text, max_tokens) = text(first, &input)?;
    let settings = settings.clone();
    Ok(Embedder { input, stages, text, settings, max_tokens, router: None, others: Vec::new() })
}

/// Hands bytes read on to whom the options name.
pub(crate) fn progress(options: &mut LoadOptions) -> impl FnMut(usize, usize) {
    |done, all| {
        if let Some(hears) = &mut options.progress {
            hears(done, all);
        }
    }
}

/// How texts become ids for a model's first module, and the most tokens that its files allow.
pub(crate) fn text(first: &Module, input: &Input) -> Result<(TextEncoder, usize)> {
    if let Input::Static(_) = input {
        return Ok((TextEncoder::bare(Tokenizer::from_dir(&first.dir)?), input.context()));
    }
    let (tokenizer, max_tokens) = tokenizer(&first.dir, input.context())?;
    Ok((TextEncoder::new(tokenizer)?, max_tokens))
}

/// The tokenizer of a Transformer's folder, and the most tokens of a text for a model that takes `context`.
pub(crate) fn tokenizer(dir: &Path, context: usize) -> Result<(Tokenizer, usize)> {
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
    Ok((tokenizer, stated.min(context as f64) as usize))
}

/// sentence_bert_config.json, or what it was called for some families.
pub(crate) fn limits_file(dir: &Path) -> Result<Config> {
    let families = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"];
    let all = families.map(|family| dir.join(format!("sentence_{family}_config.json")));
    optional(all.iter().find(|path| path.is_file()).unwrap_or(&all[0]))
}

//! From a folder, a GGUF file or a hub id to a model that answers.

use crate::Chat;
use mlx_nn::chat::{Message, Prompt};
use mlx_nn::decoder::{Decoder, Language, presets};
use mlx_nn::generate::{Options, TextStream};
use mlx_nn::gguf::Header;
use mlx_nn::ops::{Device, Dtype};
use mlx_nn::source::{self, Hub};
use mlx_nn::tokenizer::Tokenizer;
use mlx_nn::weights::{self, Checkpoint, ModelFiles};
use mlx_nn::{Config, Error, Result};
use std::path::{Path, PathBuf};

/// How to load.
#[derive(Default)]
pub struct LoadOptions {
    /// The dtype of floating-point weights and of activations. By default f32 on a CPU, whose 16-bit arithmetic is
    /// slow, and the checkpoint's own on a GPU. Packed weights stay packed.
    pub dtype: Option<Dtype>,
    /// A branch, tag or commit of a hub repository.
    pub revision: Option<String>,
    /// Never asks the network; also set by the variable `HF_HUB_OFFLINE`.
    pub offline: bool,
    /// Hears of the bytes read and in all.
    pub progress: Option<Box<dyn FnMut(usize, usize)>>,
}

/// A language model with its tokenizer.
pub struct Model {
    language: Box<dyn Language>,
    tokenizer: Tokenizer,
}

/// Loads a model from a folder, a `.gguf` file or a hub id such as `mlx-community/Qwen3-0.6B-4bit`.
pub fn load(source: impl AsRef<str>) -> Result<Model> {
    Model::load(source.as_ref(), LoadOptions::default())
}

/// Loads the weights alone, without a tokenizer: from ids to logits.
pub fn load_language(path: impl AsRef<Path>, options: LoadOptions) -> Result<Box<dyn Language>> {
    match ModelFiles::at(path.as_ref())? {
        ModelFiles::Folder(dir) => build(Checkpoint::folder(&dir)?, options, None),
        ModelFiles::Gguf(file) => build(Checkpoint::gguf(&file, &Header::read(&file)?)?, options, GGUF_DTYPE),
    }
}

/// GGUF files mix f16 scales with f32 norms, which would make all activations f32 on a GPU.
const GGUF_DTYPE: Option<Dtype> = Some(Dtype::F16);

fn build(checkpoint: Checkpoint, options: LoadOptions, on_gpu: Option<Dtype>) -> Result<Box<dyn Language>> {
    let dtype = match (options.dtype, Device::current()?) {
        (Some(dtype), _) => Some(dtype),
        (None, Device::Cpu) => Some(Dtype::F32),
        (None, Device::Gpu(_)) => on_gpu,
    };
    let config = describe(&checkpoint.config)?;
    let weights = checkpoint.weights(dtype);
    let decoder = Decoder::new(config, &weights)?;
    weights.finish(options.progress.unwrap_or_else(|| Box::new(|_, _| {})))?;
    Ok(Box::new(decoder))
}

fn describe(config: &Config) -> Result<mlx_nn::decoder::DecoderConfig> {
    let model_type = config.text("model_type")?;
    let Some(preset) = presets::find(model_type) else {
        let known: Vec<&str> = presets::PRESETS.iter().map(|&(name, _)| name).collect();
        return Err(config.wrong(
            "model_type",
            &format!("one of {}", known.join(", ")),
            format_args!("`{model_type}`"),
        ));
    };
    preset(config)
}

impl Model {
    /// Loads a model from a folder, a `.gguf` file or a hub id.
    pub fn load(source: &str, options: LoadOptions) -> Result<Self> {
        match ModelFiles::at(&locate(source, &options)?)? {
            ModelFiles::Folder(dir) => {
                let checkpoint = Checkpoint::folder(&dir)?;
                let tokenizer = Tokenizer::from_dir(&dir)?;
                Ok(Self { language: build(checkpoint, options, None)?, tokenizer })
            }
            ModelFiles::Gguf(file) => {
                let header = Header::read(&file)?;
                let tokenizer = Tokenizer::from_gguf(&header)?;
                let checkpoint = Checkpoint::gguf(&file, &header)?;
                drop(header);
                Ok(Self { language: build(checkpoint, options, GGUF_DTYPE)?, tokenizer })
            }
        }
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model from ids to logits.
    pub fn language(&self) -> &dyn Language {
        &*self.language
    }

    /// Continues `prompt`, a plain text; returns the continuation.
    pub fn generate(&self, prompt: &str, options: Options) -> Result<String> {
        self.stream(prompt, options)?.collect()
    }

    /// Continues `prompt`, a plain text, piece by piece.
    pub fn stream(&self, prompt: &str, options: Options) -> Result<TextStream<'_>> {
        if prompt.is_empty() {
            return Err(Error::msg("The prompt is empty: it needs at least one character."));
        }
        self.stream_ids(&self.tokenizer.encode(prompt, true)?, options)
    }

    /// Continues a prompt given as ids.
    pub fn stream_ids(&self, prompt: &[u32], options: Options) -> Result<TextStream<'_>> {
        TextStream::new(self.language(), &self.tokenizer, self.language.caches(), prompt, options)
    }

    /// The ids of a conversation that the model is to answer, as its chat template writes it.
    pub fn chat_ids(&self, messages: Vec<Message>) -> Result<Vec<u32>> {
        let Some(template) = self.tokenizer.chat_template()? else {
            return Err(Error::msg("The model has no chat template: continue a plain text instead."));
        };
        let text = template.render(&Prompt { messages, add_generation_prompt: true, ..Prompt::default() })?;
        // A template writes the special tokens itself.
        self.tokenizer.encode(&text, false)
    }

    /// A conversation that keeps what it has computed.
    pub fn chat(&self) -> Chat<'_> {
        Chat::new(self)
    }
}

fn locate(source: &str, options: &LoadOptions) -> Result<PathBuf> {
    let hub = Hub {
        revision: options.revision.as_deref(),
        offline: options.offline,
        is_complete: |dir| {
            dir.join("config.json").exists() && dir.join("tokenizer.json").exists() && weights::are_complete(dir)
        },
        folders: |_| Ok(Vec::new()),
    };
    source::locate(Path::new(source), "an existing folder or .gguf file", &hub)
}

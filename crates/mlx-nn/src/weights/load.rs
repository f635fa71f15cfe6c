//! Checkpoints from a folder of safetensors or PyTorch files or from a GGUF file.

use crate::gguf::Header;
use crate::{Config, Error, Result, Weights};
use mlx_ops::{Dtype, Tensor, io};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a model is loaded from.
pub enum ModelFiles {
    /// A folder with `config.json`, safetensors files and a tokenizer.
    Folder(PathBuf),
    /// A GGUF file, which holds all of it.
    Gguf(PathBuf),
}

/// A model's configuration and its tensors, not yet read into memory.
pub struct Checkpoint {
    /// The configuration.
    pub config: Config,
    tensors: BTreeMap<String, Tensor>,
    origin: String,
}

impl ModelFiles {
    /// A folder or a `.gguf` file that exists.
    pub fn at(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        match path.is_file() {
            true => Ok(Self::Gguf(path.to_owned())),
            false => Err(Error::msg(format!("{} does not exist.", path.display()))),
        }
    }
}

impl Checkpoint {
    /// Opens a folder: `config.json`, and the files that `model.safetensors.index.json` names, else `model*.safetensors`. Where
    /// there are none, `pytorch_model.bin` or the files of its index, of which only tensors are read.
    pub fn folder(dir: &Path) -> Result<Self> {
        let config = Config::read(&dir.join("config.json"))?;
        reject_foreign_quantization(&config)?;
        Self::with_config(dir, config)
    }

    /// Opens a folder as [`Checkpoint::folder`] does, with a configuration that is not in its `config.json`.
    pub fn with_config(dir: &Path, config: Config) -> Result<Self> {
        let Files { names, index } = Files::of(dir)?;
        let mut tensors = BTreeMap::new();
        for file in names {
            tensors.append(&mut read_file(&dir.join(&file))?);
        }
        if let Some((path, expected)) = index {
            for (name, file) in expected {
                if !tensors.contains_key(&name) {
                    let path = path.display();
                    return Err(Error::msg(format!("{path} names tensor `{name}` in {file}, which does not hold it.")));
                }
            }
        }
        // TensorFlow's names for the parts of a norm, which early BERT checkpoints have.
        let tensors = tensors.into_iter().map(|(name, tensor)| (name_of_norms(name), tensor)).collect();
        Ok(Self { config, tensors, origin: dir.display().to_string() })
    }

    /// Opens a GGUF file whose header was read and checked; names become Hugging Face's.
    pub fn gguf(path: &Path, header: &Header) -> Result<Self> {
        let config = gguf_config(path, header)?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in header.read_tensors()? {
            let name = gguf_name(&name).ok_or_else(|| {
                Error::msg(format!("{}: tensor `{name}` is not one of a text decoder's.", path.display()))
            })?;
            tensors.insert(name, tensor);
        }
        // A table of rope frequencies, which follows from the configuration.
        tensors.remove("rope_freqs.weight");
        Ok(Self { config, tensors, origin: path.display().to_string() })
    }

    /// The tensors as a model takes them, floating-point ones as `dtype` if given.
    pub fn weights(self, dtype: Option<Dtype>) -> Weights {
        Weights::new(self.tensors, dtype, self.origin)
    }
}

fn read_json(path: &Path) -> Result<Value> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Error::msg(format!("{} cannot be read: {e}.", path.display())))?;
    serde_json::from_str(&text).map_err(|e| Error::msg(format!("{} is not valid JSON: {e}.", path.display())))
}

/// The files of an index in order, and which tensor is in which.
fn read_index(index: &Path) -> Result<(BTreeSet<String>, BTreeMap<String, String>)> {
    let value = read_json(index)?;
    let bad = || Error::msg(format!("{}: the key `weight_map` should map tensor names to files.", index.display()));
    let map = value.get("weight_map").and_then(Value::as_object).ok_or_else(bad)?;
    let mut expected = BTreeMap::new();
    for (name, file) in map {
        expected.insert(name.clone(), file.as_str().ok_or_else(bad)?.to_owned());
    }
    Ok((expected.values().cloned().collect(), expected))
}

/// The weight files of a folder, and where an index expects each tensor.
struct Files {
    names: BTreeSet<String>,
    index: Option<(PathBuf, BTreeMap<String, String>)>,
}

/// Names of single files and of indices, in the order of preference.
const KINDS: [(&str, &str); 2] =
    [("model.safetensors", "model.safetensors.index.json"), ("pytorch_model.bin", "pytorch_model.bin.index.json")];

/// Whether a folder holds weights, all of them where an index names several files.
pub fn are_complete(dir: &Path) -> bool {
    let complete = |(single, index): (&str, &str)| match read_index(&dir.join(index)) {
        Ok((files, _)) => files.iter().all(|file| dir.join(file).exists()),
        Err(_) => dir.join(single).exists(),
    };
    KINDS.into_iter().any(complete)
}

impl Files {
    fn of(dir: &Path) -> Result<Self> {
        let unreadable = |e| Error::msg(format!("{} cannot be read: {e}.", dir.display()));
        let mut all = BTreeSet::new();
        for entry in std::fs::read_dir(dir).map_err(unreadable)? {
            all.insert(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        }
        for (single, index) in KINDS {
            if all.contains(index) {
                let index = dir.join(index);
                let (names, expected) = read_index(&index)?;
                return Ok(Self { names, index: Some((index, expected)) });
            }
            let (start, end) = single.split_once('.').unwrap_or((single, ""));
            let is_part = |name: &&String| name.starts_with(start) && name.ends_with(end);
            let names: BTreeSet<String> = all.iter().filter(is_part).cloned().collect();
            if !names.is_empty() {
                return Ok(Self { names, index: None });
            }
        }
        Err(Error::msg(format!("{} holds no model*.safetensors file and no pytorch_model*.bin.", dir.display())))
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    if path.extension().is_some_and(|end| end == "bin") {
        return super::torch::tensors(path);
    }
    if check_safetensors(path)?.tensors().values().any(|tensor| tensor.dtype == safetensors::Dtype::F64) {
        return super::doubles::tensors(path);
    }
    let loaded = io::load_safetensors(path).map_err(|e| Error::msg(e.message()).in_file(path))?;
    Ok(loaded.arrays.into_iter().map(|(name, array)| (name, Tensor::from(array))).collect())
}

fn name_of_norms(name: String) -> String {
    for (old, new) in [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")] {
        if let Some(module) = name.strip_suffix(old) {
            return [module, new].concat();
        }
    }
    name
}

/// MLX reads tensors when they are first used, too late to report a file that ends early.
fn check_safetensors(path: &Path) -> Result<safetensors::tensor::Metadata> {
    let unreadable = |e: std::io::Error| Error::msg(format!("{} cannot be read: {e}.", path.display()));
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut length = [0u8; 8];
    file.read_exact(&mut length)
        .map_err(|_| Error::msg(format!("{} is not a safetensors file: it has only {size} bytes.", path.display())))?;
    let header = u64::from_le_bytes(length);
    if header > size - 8 {
        let path = path.display();
        return Err(Error::msg(format!(
            "{path} is truncated: its header needs {header} bytes and {} follow.",
            size - 8
        )));
    }
    let mut bytes = Vec::new();
    file.take(header).read_to_end(&mut bytes).map_err(unreadable)?;
    let metadata: safetensors::tensor::Metadata = serde_json::from_slice(&bytes)
        .map_err(|e| Error::msg(format!("{} has a broken safetensors header: {e}.", path.display())))?;
    let (data, there) = (metadata.data_len() as u64, size - 8 - header);
    match data > there {
        true => Err(Error::msg(format!(
            "{} is truncated: its tensors need {data} bytes and {there} are there.",
            path.display()
        ))),
        false => Ok(metadata),
    }
}

fn reject_foreign_quantization(config: &Config) -> Result<()> {
    let Some(foreign) = config.object("quantization_config")? else { return Ok(()) };
    match foreign.opt_text("quant_method")? {
        None | Some("mxfp4" | "mxfp8") => Ok(()),
        Some(method) => Err(config.wrong("quantization_config.quant_method", "a format that MLX packs", method)),
    }
}

/// Keys of `config.json` and of GGUF, the latter without the architecture in front.
const COUNTS: [(&str, &str); 7] = [
    ("hidden_size", "embedding_length"),
    ("num_hidden_layers", "block_count"),
    ("intermediate_size", "feed_forward_length"),
    ("num_attention_heads", "attention.head_count"),
    ("num_key_value_heads", "attention.head_count_kv"),
    ("head_dim", "attention.key_length"),
    ("max_position_embeddings", "context_length"),
];

const NUMBERS: [(&str, &str); 2] =
    [("rms_norm_eps", "attention.layer_norm_rms_epsilon"), ("rope_theta", "rope.freq_base")];

fn gguf_config(path: &Path, header: &Header) -> Result<Config> {
    let arch: &str = header.require("general.architecture")?;
    if !["llama", "qwen2", "qwen3"].contains(&arch) {
        return Err(Error::msg(format!(
            "{}: the architecture `{arch}` cannot be read from GGUF; llama, qwen2 and qwen3 can.",
            path.display()
        )));
    }
    let mut values = Map::new();
    values.insert("model_type".into(), json!(arch));
    for (name, key) in COUNTS {
        if let Some(value) = header.get::<u64>(&format!("{arch}.{key}"))? {
            values.insert(name.into(), json!(value));
        }
    }
    for (name, key) in NUMBERS {
        if let Some(value) = header.get::<f64>(&format!("{arch}.{key}"))? {
            values.insert(name.into(), json!(value));
        }
    }
    match header.get::<&str>(&format!("{arch}.rope.scaling.type"))? {
        None | Some("none") => {}
        Some(kind) => {
            let factor: f64 = header.require(&format!("{arch}.rope.scaling.factor"))?;
            values.insert("rope_scaling".into(), json!({ "type": kind, "factor": factor }));
        }
    }
    // Rows of q and k are stored in the order that rotates neighbours.
    values.insert("rope_traditional".into(), json!(arch == "llama"));
    if let Some(table) = header.tensors().iter().find(|tensor| tensor.name == "token_embd.weight") {
        values.insert("vocab_size".into(), json!(table.dims.last()));
    }
    Ok(Config::new(values, path))
}

/// llama.cpp's tensor names and Hugging Face's.
const NAMES: [(&str, &str); 14] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
    ("token_embd", "model.embed_tokens"),
    ("output_norm", "model.norm"),
    ("output", "lm_head"),
];

fn gguf_name(name: &str) -> Option<String> {
    if name == "rope_freqs.weight" {
        return Some(name.to_owned());
    }
    let lookup = |part: &str| NAMES.iter().find(|(theirs, _)| *theirs == part).map(|&(_, ours)| ours);
    match name.strip_prefix("blk.") {
        Some(rest) => {
            let mut parts = rest.splitn(3, '.');
            let (layer, module, kind) = (parts.next()?, parts.next()?, parts.next()?);
            Some(format!("model.layers.{layer}.{}.{kind}", lookup(module)?))
        }
        None => {
            let (module, kind) = name.split_once('.')?;
            Some(format!("{}.{kind}", lookup(module)?))
        }
    }
}

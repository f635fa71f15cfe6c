//! The modules behind the transformer, from hidden states to vectors.

use crate::pooling::Pooling;
use crate::settings::Module;
use mlx_nn::encoder::Segment;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Function, Linear, Norm, NormKind, Result};
use mlx_ops::{Dtype, Tensor};

/// What follows pooling.
pub enum Stage {
    Dense { linear: Linear, activation: Function },
    LayerNorm(Norm),
    Normalize,
}

/// The modules behind the transformer, and the size of the vectors that come out.
pub struct Stages {
    pub pooling: Pooling,
    pub stages: Vec<Stage>,
    pub dims: i32,
}

impl Stages {
    /// Reads the modules that follow the transformer, whose hidden states have `hidden` features.
    pub fn read(modules: &[Module], hidden: i32, dtype: Option<Dtype>) -> Result<Self> {
        let (pooling, rest) = match modules.split_first() {
            None => (Pooling::mean(), modules),
            Some((first, rest)) if first.kind == "Pooling" => {
                let c = Config::read(&first.dir.join("config.json"))?;
                let key = if c.value("embedding_dimension").is_some() {
                    "embedding_dimension"
                } else {
                    "word_embedding_dimension"
                };
                same(&c, key, hidden)?;
                (Pooling::read(&c)?, rest)
            }
            Some((first, _)) => return Err(unexpected(first, "Pooling behind the transformer")),
        };
        let mut dims = hidden * pooling.modes.len() as i32;
        let mut stages = Vec::new();
        for module in rest {
            stages.push(match module.kind.as_str() {
                "Normalize" => Stage::Normalize,
                "Dropout" => continue,
                "Dense" => dense(module, &mut dims, dtype)?,
                "LayerNorm" => layer_norm(module, dims, dtype)?,
                _ => return Err(unexpected(module, "Dense, LayerNorm, Normalize or Dropout behind the pooling")),
            });
        }
        Ok(Self { pooling, stages, dims })
    }

    /// `(T, hidden)` to a row for each text, `(texts, dims)`.
    pub fn forward(&self, hidden: &Tensor, segments: &[Segment], prompt: usize) -> Result<Tensor> {
        let prompt = if self.pooling.include_prompt { 0 } else { prompt };
        let mut x = self.pooling.forward(hidden, segments, prompt)?;
        for stage in &self.stages {
            x = match stage {
                Stage::Dense { linear, activation } => activation.forward(&linear.forward(&x)?)?,
                Stage::LayerNorm(norm) => norm.forward(&x)?,
                Stage::Normalize => normalize(&x)?,
            };
        }
        Ok(x)
    }
}

/// Rows of length 1; a row of zeros stays so.
pub fn normalize(x: &Tensor) -> Result<Tensor> {
    let length = (x * x)?.sum(-1, true)?.sqrt()?.maximum(1e-12)?;
    Ok((x / length)?)
}

/// The function of a dense module.
fn function(c: &Config) -> Result<Function> {
    let path = c.opt_text("activation_function")?.unwrap_or("torch.nn.modules.activation.Tanh");
    Function::of_class(path).ok_or_else(|| c.wrong("activation_function", Function::CLASSES, path))
}

fn unexpected(module: &Module, expected: &str) -> Error {
    let kind = &module.kind;
    Error::msg(format!("the module `{kind}` is not known there, which should be {expected}.")).in_file(&module.dir)
}

fn same(c: &Config, key: &str, dims: i32) -> Result<()> {
    match c.int(key)? {
        found if found == dims => Ok(()),
        found => Err(c.wrong(key, &format!("{dims}, the size of what comes in"), found)),
    }
}

fn dense(module: &Module, dims: &mut i32, dtype: Option<Dtype>) -> Result<Stage> {
    let checkpoint = Checkpoint::folder(&module.dir)?;
    let c = checkpoint.config.clone();
    same(&c, "in_features", *dims)?;
    for (key, usual) in [("module_input_name", "sentence_embedding"), ("module_output_name", "sentence_embedding")] {
        if let Some(name) = c.opt_text(key)?.filter(|&name| name != usual) {
            return Err(c.wrong(key, usual, name));
        }
    }
    if c.flag("use_residual")? {
        return Err(c.wrong("use_residual", "false", true));
    }
    let (inputs, bias) = (*dims, c.opt_flag("bias")?.unwrap_or(true));
    *dims = c.int("out_features")?;
    let weights = checkpoint.weights(dtype);
    let linear = weights.linear("linear", inputs, *dims, bias)?;
    weights.finish(|_, _| {})?;
    Ok(Stage::Dense { linear, activation: function(&c)? })
}

fn layer_norm(module: &Module, dims: i32, dtype: Option<Dtype>) -> Result<Stage> {
    let checkpoint = Checkpoint::folder(&module.dir)?;
    same(&checkpoint.config, "dimension", dims)?;
    let weights = checkpoint.weights(dtype);
    let norm = Norm::new(&weights, "norm", dims, NormKind::Layer, 1e-5)?;
    weights.finish(|_, _| {})?;
    Ok(Stage::LayerNorm(norm))
}

//! The modules behind the transformer, from hidden states to vectors.

use crate::layers::LayerPooling;
use crate::pooling::Pooling;
use crate::settings::{Module, optional};
use mlx_nn::encoder::Segment;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Error, Function, Linear, Norm, NormKind, Result};
use mlx_ops::{Dtype, Tensor};

/// What follows pooling, or comes before it for each token.
pub enum Stage {
    Dense { linear: Linear, activation: Function, residual: Residual },
    LayerNorm(Norm),
    Normalize,
}

impl Stage {
    /// A linear layer alone.
    pub fn linear(linear: Linear) -> Self {
        Self::Dense { linear, activation: Function::Identity, residual: Residual::None }
    }
}

/// What a dense module adds to its output.
pub enum Residual {
    None,
    Input,
    Projected(Linear),
}

/// The modules behind the transformer, and the size of the vectors that come out.
pub struct Stages {
    /// Takes the hidden states of all layers in place of the last one's.
    pub layers: Option<LayerPooling>,
    /// Run for each token, before pooling.
    pub tokens: Vec<Stage>,
    pub pooling: Pooling,
    pub stages: Vec<Stage>,
    pub dims: i32,
}

impl Stages {
    /// Reads the modules that follow the first one, whose hidden states have `hidden` features. Behind a table there is no
    /// pooling but the mean.
    pub fn read(first: &Module, modules: &[Module], hidden: i32, dtype: Option<Dtype>) -> Result<Self> {
        let mut dims = hidden;
        let (layers, rest) = layer_pooling(first, modules, hidden)?;
        let (before, rest) = rest.split_at(rest.iter().position(|module| module.kind == "Pooling").unwrap_or(0));
        let tokens =
            before.iter().map(|module| stage(module, Some(TOKENS), &mut dims, dtype)).collect::<Result<Vec<_>>>()?;
        let (pooling, rest) = match rest.split_first() {
            None => (Pooling::mean(), rest),
            Some(_) if first.kind == "StaticEmbedding" => (Pooling::mean(), rest),
            Some((pooling, rest)) if pooling.kind == "Pooling" => {
                let c = Config::read(&pooling.dir.join("config.json"))?;
                let key = if c.value("embedding_dimension").is_some() {
                    "embedding_dimension"
                } else {
                    "word_embedding_dimension"
                };
                same(&c, key, dims)?;
                (Pooling::read(&c)?, rest)
            }
            Some((other, _)) => return Err(unexpected(other, "Pooling behind the transformer")),
        };
        dims *= pooling.modes.len() as i32;
        let mut stages = Vec::new();
        for module in rest.iter().filter(|module| module.kind != "Dropout") {
            stages.push(stage(module, Some(SENTENCE), &mut dims, dtype)?);
        }
        Ok(Self { layers, tokens, pooling, stages, dims })
    }

    /// `(T, hidden)` to a row for each text, `(texts, dims)`.
    pub fn forward(&self, hidden: &Tensor, segments: &[Segment], prompt: usize) -> Result<Tensor> {
        let prompt = if self.pooling.include_prompt { 0 } else { prompt };
        let tokens = run(&self.tokens, hidden.clone())?;
        run(&self.stages, self.pooling.forward(&tokens, segments, prompt)?)
    }
}

/// Runs modules one after the other on rows of any number of axes.
pub fn run(stages: &[Stage], mut x: Tensor) -> Result<Tensor> {
    for stage in stages {
        x = match stage {
            Stage::Dense { linear, activation, residual } => {
                let y = activation.forward(&linear.forward(&x)?)?;
                match residual {
                    Residual::None => y,
                    Residual::Input => (y + &x)?,
                    Residual::Projected(linear) => (y + linear.forward(&x)?)?,
                }
            }
            Stage::LayerNorm(norm) => norm.forward(&x)?,
            Stage::Normalize => normalize(&x)?,
        };
    }
    Ok(x)
}

/// What sentence-transformers calls the vectors of tokens, and the one of a text.
pub const TOKENS: &str = "token_embeddings";
const SENTENCE: &str = "sentence_embedding";

/// The module that takes all layers, where it stands next to a transformer that gives them, and what comes after it.
fn layer_pooling<'a>(
    first: &Module,
    modules: &'a [Module],
    hidden: i32,
) -> Result<(Option<LayerPooling>, &'a [Module])> {
    match modules.split_first() {
        Some((module, rest)) if module.kind == "WeightedLayerPooling" => {
            let gives_all = optional(&first.dir.join("config.json"))?.flag("output_hidden_states")?;
            Ok((gives_all.then(|| LayerPooling::read(module, hidden)).transpose()?, rest))
        }
        _ => Ok((None, modules)),
    }
}

/// The module as one that takes and gives what `input` names, unless that is no matter; `dims` becomes the size of what comes out.
pub fn stage(module: &Module, input: Option<&str>, dims: &mut i32, dtype: Option<Dtype>) -> Result<Stage> {
    match module.kind.as_str() {
        "Normalize" => {
            names(&optional(&module.dir.join("config.json"))?, input, SENTENCE)?;
            Ok(Stage::Normalize)
        }
        "Dense" => dense(module, input, dims, dtype),
        "LayerNorm" if input == Some(SENTENCE) => layer_norm(module, *dims, dtype),
        _ if input == Some(SENTENCE) => {
            Err(unexpected(module, "Dense, LayerNorm, Normalize or Dropout behind the pooling"))
        }
        _ => Err(unexpected(module, "Dense or Normalize for each token")),
    }
}

/// Checks that a module takes and gives what `expected` names; where it says nothing it takes `usual`.
fn names(c: &Config, expected: Option<&str>, usual: &str) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    let input = c.opt_text("module_input_name")?.unwrap_or(usual);
    let output = c.opt_text("module_output_name")?.unwrap_or(input);
    for (key, name) in [("module_input_name", input), ("module_output_name", output)] {
        if name != expected {
            return Err(c.wrong(key, expected, name));
        }
    }
    Ok(())
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

/// Checks that the size under `key` is that of what comes in.
pub fn same(c: &Config, key: &str, dims: i32) -> Result<()> {
    match c.int(key)? {
        found if found == dims => Ok(()),
        found => Err(c.wrong(key, &format!("{dims}, the size of what comes in"), found)),
    }
}

fn dense(module: &Module, input: Option<&str>, dims: &mut i32, dtype: Option<Dtype>) -> Result<Stage> {
    let checkpoint = Checkpoint::folder(&module.dir)?;
    let c = checkpoint.config.clone();
    same(&c, "in_features", *dims)?;
    // Files of before layers for tokens were do not say what they take.
    names(&c, input, input.unwrap_or(SENTENCE))?;
    let (inputs, bias) = (*dims, c.opt_flag("bias")?.unwrap_or(true));
    *dims = c.int("out_features")?;
    let weights = checkpoint.weights(dtype);
    let linear = weights.linear("linear", inputs, *dims, bias)?;
    let residual = match c.flag("use_residual")? {
        false => Residual::None,
        true if inputs == *dims => Residual::Input,
        true => Residual::Projected(weights.linear("residual", inputs, *dims, false)?),
    };
    weights.finish(|_, _| {})?;
    Ok(Stage::Dense { linear, activation: function(&c)?, residual })
}

fn layer_norm(module: &Module, dims: i32, dtype: Option<Dtype>) -> Result<Stage> {
    let checkpoint = Checkpoint::folder(&module.dir)?;
    same(&checkpoint.config, "dimension", dims)?;
    let weights = checkpoint.weights(dtype);
    let norm = Norm::new(&weights, "norm", dims, NormKind::Layer, 1e-5)?;
    weights.finish(|_, _| {})?;
    Ok(Stage::LayerNorm(norm))
}

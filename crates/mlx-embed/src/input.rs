//! What makes hidden states of ids: a transformer, or a table.

use crate::LoadOptions;
use crate::layers::LayerPooling;
use crate::load::progress;
use crate::model::Model;
use crate::settings::Module;
use crate::table::StaticEmbedding;
use mlx_nn::Result;
use mlx_nn::packed::Segment;
use mlx_nn::weights::Checkpoint;
use mlx_ops::Tensor;

/// The first module of a model.
pub enum Input {
    Transformer(Box<Model>),
    Static(StaticEmbedding),
}

impl Input {
    /// Reads the module, which is a transformer or a table.
    pub fn read(module: &Module, options: &mut LoadOptions) -> Result<Self> {
        let dtype = options.dtype()?;
        if module.kind == "StaticEmbedding" {
            return Ok(Self::Static(StaticEmbedding::read(&module.dir, dtype, &mut progress(options))?));
        }
        let checkpoint = Checkpoint::folder(&module.dir)?;
        let config = checkpoint.config.clone();
        let weights = checkpoint.weights(dtype);
        let model = Model::new(&config, &weights.for_many_rows(options.sums()?))?;
        weights.finish(progress(options))?;
        Ok(Self::Transformer(Box::new(model)))
    }

    /// The most tokens of a text.
    pub fn context(&self) -> usize {
        match self {
            Self::Transformer(model) => model.context() as usize,
            Self::Static(_) => usize::MAX,
        }
    }

    /// Features of a hidden state.
    pub fn dims(&self) -> i32 {
        match self {
            Self::Transformer(model) => model.hidden_size(),
            Self::Static(table) => table.dims(),
        }
    }

    /// Hidden states of all tokens, `(T, dims)`, and how the sequences lie: those of the last layer, or of all as `layers` says.
    /// Of each sequence only the first `seen` tokens are seen, where that is given.
    pub fn hidden(
        &self,
        sequences: &[&[u32]],
        layers: Option<&LayerPooling>,
        seen: Option<&[usize]>,
    ) -> Result<(Tensor, Vec<Segment>)> {
        let model = match self {
            Self::Static(table) => return table.forward(sequences),
            Self::Transformer(model) => model,
        };
        let mut batch = model.batch(sequences)?;
        if let Some(seen) = seen {
            batch = batch.seen(seen)?;
        }
        let states = match layers {
            Some(layers) => layers.forward(&model.hidden_states(&batch)?)?,
            None => model.forward(&batch)?,
        };
        Ok((states, batch.segments().to_vec()))
    }
}

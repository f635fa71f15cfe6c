//! From the scores of every word at every token to one weight for each word. Follows sentence_transformers'
//! sparse_encoder/modules/splade_pooling.py.

use mlx_nn::encoder::Segment;
use mlx_nn::encoder::heads::MaskedLm;
use mlx_nn::{Config, Result};
use mlx_ops::{Tensor, async_eval, concatenate};

/// The most tokens whose scores of all words are in memory at a time.
const ROWS: i32 = 256;

/// How tokens' scores become a text's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Splade {
    /// Adds what tokens say; otherwise the largest counts.
    sum: bool,
    /// Takes the logarithm of one more twice.
    twice: bool,
}

impl Splade {
    /// What a masked language model without modules.json gets.
    pub fn largest() -> Self {
        Self { sum: false, twice: false }
    }

    pub fn read(c: &Config) -> Result<Self> {
        let sum = match c.opt_text("pooling_strategy")?.unwrap_or("max") {
            "max" => false,
            "sum" => true,
            other => return Err(c.wrong("pooling_strategy", "max or sum", other)),
        };
        let twice = match c.opt_text("activation_function")?.unwrap_or("relu") {
            "relu" => false,
            "log1p_relu" => true,
            other => return Err(c.wrong("activation_function", "relu or log1p_relu", other)),
        };
        Ok(Self { sum, twice })
    }

    /// `(T, hidden)` to a weight of each word for each sequence, `(sequences, vocab)`.
    pub fn forward(self, head: &MaskedLm, hidden: &Tensor, segments: &[Segment]) -> Result<Tensor> {
        let mut rows = Vec::new();
        let mut at = 0;
        for &Segment { count, length } in segments {
            let together = (ROWS / length).max(1);
            for first in (0..count).step_by(together as usize) {
                let texts = together.min(count - first);
                let start = at + first * length;
                let mut pooled: Option<Tensor> = None;
                // Texts of more than ROWS tokens go alone, in parts.
                for from in (0..texts * length).step_by(ROWS as usize) {
                    let to = (from + ROWS).min(texts * length);
                    let part = head.forward(&hidden.i(start + from..start + to)?)?;
                    let part = self.pool(&part.reshape([texts, (to - from) / texts, -1])?)?;
                    pooled = Some(match pooled {
                        Some(before) if self.sum => (before + part)?,
                        Some(before) => before.maximum(part)?,
                        None => part,
                    });
                    // Begun now, so that the scores behind it need not wait for the last ones.
                    async_eval(&pooled)?;
                }
                rows.extend(pooled);
            }
            at += count * length;
        }
        Ok(concatenate(&rows, 0)?)
    }

    /// `(B, L, vocab)` to `(B, vocab)`.
    fn pool(self, logits: &Tensor) -> Result<Tensor> {
        // The largest stays the largest, so that of many numbers only that one needs its logarithm.
        match self.sum {
            true => Ok(self.weigh(logits)?.sum(1, false)?),
            false => self.weigh(&logits.max(1, false)?),
        }
    }

    fn weigh(self, logits: &Tensor) -> Result<Tensor> {
        let weight = logits.maximum(0.0)?.log1p()?;
        if self.twice { Ok(weight.log1p()?) } else { Ok(weight) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlx_nn::Weights;
    use mlx_nn::encoder::heads::MaskedLmConfig;
    use mlx_nn::encoder::presets;
    use mlx_ops::{Dtype, random};
    use serde_json::json;

    fn read(values: serde_json::Value) -> Result<Splade> {
        let serde_json::Value::Object(values) = values else { panic!("an object") };
        Splade::read(&Config::new(values, "1_SpladePooling/config.json"))
    }

    #[test]
    fn settings_are_read_or_named() {
        assert_eq!(read(json!({})).unwrap(), Splade::largest());
        let both = json!({ "pooling_strategy": "sum", "activation_function": "log1p_relu" });
        assert_eq!(read(both).unwrap(), Splade { sum: true, twice: true });
        for (key, value) in [("pooling_strategy", "mean"), ("activation_function", "gelu")] {
            let error = read(json!({ key: value })).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(value) && error.contains("1_SpladePooling"), "{error}");
        }
    }

    #[track_caller]
    fn check(splade: Splade, expected: [f32; 2]) {
        let logits = Tensor::from_slice(&[1f32, -1.0, 3.0, -2.0], [1, 2, 2]).unwrap();
        let found = splade.pool(&logits).unwrap().to_vec::<f32>().unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{splade:?}: {found:?}");
    }

    #[test]
    fn words_weigh_as_in_the_reference() {
        let (one, three) = (2f32.ln(), 4f32.ln());
        check(Splade { sum: false, twice: false }, [three, 0.0]);
        check(Splade { sum: true, twice: false }, [one + three, 0.0]);
        check(Splade { sum: false, twice: true }, [three.ln_1p(), 0.0]);
    }

    /// A head of random weights over 4 features and 6 words.
    fn head() -> MaskedLm {
        let config = json!({"model_type": "bert", "vocab_size": 6, "hidden_size": 4, "intermediate_size": 4,
            "num_attention_heads": 1, "num_hidden_layers": 1});
        let serde_json::Value::Object(config) = config else { panic!("an object") };
        let config = Config::new(config, "config.json");
        let encoder = presets::find("bert").unwrap()(&config).unwrap();
        let random = |dims: &[i32], seed| random::normal(dims, Dtype::F32, Some(&random::key(seed).unwrap()));
        let shapes: [(&str, &[i32]); 6] = [
            ("tokens.weight", &[6, 4]),
            ("cls.predictions.bias", &[6]),
            ("cls.predictions.transform.dense.weight", &[4, 4]),
            ("cls.predictions.transform.dense.bias", &[4]),
            ("cls.predictions.transform.LayerNorm.weight", &[4]),
            ("cls.predictions.transform.LayerNorm.bias", &[4]),
        ];
        let tensors = (0..).zip(shapes).map(|(i, (name, dims))| (name.to_owned(), random(dims, i).unwrap()));
        let w = Weights::new(tensors.collect(), None, "random");
        let tokens = w.embedding("tokens", 6, 4).unwrap();
        MaskedLm::new(&MaskedLmConfig::read(&config, &encoder).unwrap(), &encoder, &tokens, &w).unwrap()
    }

    #[test]
    fn parts_of_long_texts_count_as_the_whole() {
        let segments = [(3, 7), (1, 2 * ROWS + 5), (2, 200)].map(|(count, length)| Segment { count, length });
        let total: i32 = segments.iter().map(|s| s.count * s.length).sum();
        let values: Vec<f32> = (0..total * 4).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
        let (head, hidden) = (head(), Tensor::from_slice(&values, [total, 4]).unwrap());
        for splade in [Splade::largest(), Splade { sum: true, twice: true }] {
            let found = splade.forward(&head, &hidden, &segments).unwrap();
            assert_eq!(found.shape(), [6, 6]);
            let (mut at, mut whole) = (0, Vec::new());
            for length in segments.iter().flat_map(|s| (0..s.count).map(|_| s.length)) {
                let logits = head.forward(&hidden.i(at..at + length).unwrap()).unwrap();
                whole.extend(splade.pool(&logits.expand_dims([0]).unwrap()).unwrap().to_vec::<f32>().unwrap());
                at += length;
            }
            let found = found.to_vec::<f32>().unwrap();
            assert!(found.iter().any(|x| *x > 0.5), "{found:?}");
            assert!(found.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-5 * b.max(1.0)), "{found:?} {whole:?}");
        }
    }
}

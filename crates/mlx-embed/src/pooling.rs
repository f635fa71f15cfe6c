//! From the hidden states of a text's tokens to one vector. Follows sentence_transformers' modules/pooling.py.

use mlx_nn::encoder::Segment;
use mlx_nn::{Config, Error, Result};
use mlx_ops::{Dtype, Tensor, arange, concatenate, zeros};

/// How tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Cls,
    Max,
    Mean,
    MeanSqrtLen,
    WeightedMean,
    LastToken,
}

/// Names of the modes, and the flags that older files have in place of them, in the order of concatenation.
const MODES: [(&str, &str, Mode); 6] = [
    ("cls", "pooling_mode_cls_token", Mode::Cls),
    ("max", "pooling_mode_max_tokens", Mode::Max),
    ("mean", "pooling_mode_mean_tokens", Mode::Mean),
    ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Mode::MeanSqrtLen),
    ("weightedmean", "pooling_mode_weightedmean_tokens", Mode::WeightedMean),
    ("lasttoken", "pooling_mode_lasttoken", Mode::LastToken),
];

/// The vectors of one or more modes side by side.
#[derive(Debug, PartialEq)]
pub struct Pooling {
    pub modes: Vec<Mode>,
    /// Whether the tokens of a prompt count.
    pub include_prompt: bool,
}

impl Pooling {
    /// What a folder without modules.json gets.
    pub fn mean() -> Self {
        Self { modes: vec![Mode::Mean], include_prompt: true }
    }

    /// The same, where the model generates.
    pub fn last() -> Self {
        Self { modes: vec![Mode::LastToken], include_prompt: true }
    }

    pub fn read(c: &Config) -> Result<Self> {
        let named = match c.value("pooling_mode").and_then(|value| value.as_str()) {
            Some(one) => Some(vec![one.to_owned()]),
            None => c.opt_texts("pooling_mode")?,
        };
        let mut modes = Vec::new();
        match named {
            Some(names) => {
                for name in &names {
                    let known = MODES.iter().find(|(known, ..)| known == name).map(|&(.., mode)| mode);
                    let all = MODES.map(|(name, ..)| name).join(", ");
                    modes.push(known.ok_or_else(|| c.wrong("pooling_mode", &format!("one of {all}"), name))?);
                }
            }
            None => {
                for (_, flag, mode) in MODES {
                    modes.extend(c.flag(flag)?.then_some(mode));
                }
            }
        }
        if modes.is_empty() {
            modes.push(Mode::Mean);
        }
        Ok(Self { modes, include_prompt: c.opt_flag("include_prompt")?.unwrap_or(true) })
    }

    /// One row for each sequence: `(T, dims)` to `(texts, modes * dims)`. The first `prompt` tokens of each do not count.
    pub fn forward(&self, hidden: &Tensor, segments: &[Segment], prompt: usize) -> Result<Tensor> {
        let mut rows = Vec::with_capacity(segments.len());
        let mut at = 0;
        for &Segment { count, length } in segments {
            let tokens = hidden.i(at..at + count * length)?.reshape([count, length, -1])?; // (B, L, dims)
            at += count * length;
            let parts =
                self.modes.iter().map(|&mode| pool(mode, &tokens, prompt as i32)).collect::<Result<Vec<_>>>()?;
            rows.push(concatenate(&parts, -1)?);
        }
        Ok(concatenate(&rows, 0)?)
    }
}

/// `(B, L, dims)` to `(B, dims)`, without the first `skip` tokens.
fn pool(mode: Mode, tokens: &Tensor, skip: i32) -> Result<Tensor> {
    let [b, length, dims] = tokens.dims()?;
    if skip >= length {
        // A prompt as long as the limit leaves nothing to pool.
        return match mode {
            Mode::Cls => Ok(tokens.i((.., 0))?),
            Mode::Max => Err(Error::msg("A prompt fills all tokens of a text, so that their maximum is of nothing.")),
            _ => Ok(zeros([b, dims], tokens.dtype())?),
        };
    }
    let rest = if skip > 0 { &tokens.i((.., skip..))? } else { tokens };
    Ok(match mode {
        Mode::Cls => rest.i((.., 0))?,
        Mode::LastToken => rest.i((.., -1))?,
        Mode::Max => rest.max(1, false)?,
        Mode::Mean => rest.mean(1, false)?,
        Mode::MeanSqrtLen => (rest.sum(1, false)? / ((length - skip) as f32).sqrt())?,
        Mode::WeightedMean => {
            // Tokens keep their places in the whole text.
            let weights = arange(f64::from(skip + 1), f64::from(length + 1), 1.0, Dtype::F32)?;
            let weights = (&weights / weights.sum(0, false)?)?.astype(tokens.dtype())?.expand_dims([1])?; // (L, 1)
            (rest * weights)?.sum(1, false)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(values: serde_json::Value) -> Result<Pooling> {
        let serde_json::Value::Object(values) = values else { panic!("an object") };
        Pooling::read(&Config::new(values, "1_Pooling/config.json"))
    }

    #[test]
    fn modes_come_from_either_kind_of_file() {
        let old = json!({ "pooling_mode_max_tokens": true, "pooling_mode_cls_token": true, "include_prompt": false });
        assert_eq!(read(old).unwrap(), Pooling { modes: vec![Mode::Cls, Mode::Max], include_prompt: false });
        let new = json!({ "pooling_mode": ["max", "cls"] });
        assert_eq!(read(new).unwrap().modes, [Mode::Max, Mode::Cls]);
        assert_eq!(read(json!({ "pooling_mode": "lasttoken" })).unwrap().modes, [Mode::LastToken]);
        assert_eq!(read(json!({ "pooling_mode_mean_tokens": false })).unwrap(), Pooling::mean());
        let error = read(json!({ "pooling_mode": "median" })).unwrap_err().to_string();
        assert!(error.contains("pooling_mode") && error.contains("median"), "{error}");
    }

    #[track_caller]
    fn check(mode: Mode, skip: usize, expected: &[f32]) {
        let hidden = [1f32, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0];
        let hidden = Tensor::from_slice(&hidden, [7, 2]).unwrap();
        let segments = [Segment { count: 1, length: 3 }, Segment { count: 1, length: 4 }];
        let pooling = Pooling { modes: vec![mode], include_prompt: false };
        let rows = pooling.forward(&hidden, &segments, skip).unwrap().to_vec::<f32>().unwrap();
        let near = rows.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(rows.len() == expected.len() && near, "{mode:?} without {skip}: {rows:?}");
    }

    #[test]
    fn tokens_pool_as_in_the_reference() {
        check(Mode::Cls, 0, &[1.0, 2.0, 10.0, 20.0]);
        check(Mode::Max, 0, &[5.0, 6.0, 70.0, 80.0]);
        check(Mode::Mean, 0, &[3.0, 4.0, 40.0, 50.0]);
        check(Mode::LastToken, 0, &[5.0, 6.0, 70.0, 80.0]);
        check(Mode::MeanSqrtLen, 0, &[5.196_152, 6.928_203, 80.0, 100.0]);
        check(Mode::WeightedMean, 0, &[22.0 / 6.0, 28.0 / 6.0, 50.0, 60.0]);
        check(Mode::Cls, 1, &[3.0, 4.0, 30.0, 40.0]);
        check(Mode::Mean, 2, &[5.0, 6.0, 60.0, 70.0]);
        check(Mode::WeightedMean, 1, &[21.0 / 5.0, 26.0 / 5.0, 490.0 / 9.0, 580.0 / 9.0]);
        check(Mode::Mean, 3, &[0.0, 0.0, 70.0, 80.0]);
        check(Mode::Cls, 3, &[1.0, 2.0, 70.0, 80.0]);
    }
}

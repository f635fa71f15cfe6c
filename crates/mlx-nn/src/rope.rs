//! Rotary position embeddings: plain, traditional, and the scalings of long-context models.
//!
//! Follows mlx_lm/models/rope_utils.py, with the tables computed in f64.

use crate::{Config, Error, Result};
use mlx_ops::fast::{Frequencies, Rotation};
use mlx_ops::{Tensor, fast};
use std::f64::consts::PI;

/// How the frequencies of a model are stretched beyond its training length.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// Positions divided by a factor.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Long wavelengths divided by a factor, with a smooth passage (Llama 3).
    Llama3 {
        /// The divisor.
        factor: f64,
        /// Wavelengths above `original / low` are divided.
        low: f64,
        /// Wavelengths below `original / high` are kept.
        high: f64,
        /// The training length.
        original: f64,
    },
    /// YaRN: a ramp between kept and divided frequencies, and a scale on the rotated features.
    Yarn {
        /// The divisor.
        factor: f64,
        /// The training length.
        original: f64,
        /// Rotations above which a frequency is kept.
        beta_fast: f64,
        /// Rotations below which a frequency is divided.
        beta_slow: f64,
        /// Weight of the log-scale in the numerator.
        mscale: f64,
        /// Weight of the log-scale in the denominator.
        mscale_all_dim: f64,
    },
    /// LongRoPE: one factor per frequency, and a scale on the rotated features.
    Long {
        /// The factors for long contexts, one per pair of features.
        factors: Vec<f64>,
        /// The scale on the rotated features.
        scale: f64,
    },
}

/// What a rotary embedding needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeConfig {
    /// How many leading features of a head are rotated.
    pub dims: i32,
    /// The base of the wavelengths.
    pub theta: f64,
    /// Neighbouring features form a pair, instead of the two halves.
    pub traditional: bool,
    /// The stretching.
    pub scaling: RopeScaling,
}

impl RopeConfig {
    /// An unscaled embedding.
    pub fn plain(dims: i32, theta: f64) -> Self {
        Self { dims, theta, traditional: false, scaling: RopeScaling::None }
    }

    /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters` of newer files (where these tell kinds of layers apart,
    /// those of full attention), for heads of `dims` rotated features.
    pub fn read(c: &Config, dims: i32, default_theta: Option<f64>) -> Result<Self> {
        let parameters = match c.object("rope_parameters")? {
            Some(parameters) => Some(parameters.object("full_attention")?.unwrap_or(parameters)),
            None => None,
        };
        let nested = parameters.as_ref().map(|p| p.opt_float("rope_theta")).transpose()?.flatten();
        let theta = match c.opt_float("rope_theta")?.or(nested).or(default_theta) {
            Some(theta) => theta,
            None => return Err(c.missing("rope_theta")),
        };
        let scaling = match c.object("rope_scaling")?.or(parameters) {
            Some(s) => read_scaling(c, &s)?,
            None => RopeScaling::None,
        };
        Ok(Self { dims, theta, traditional: c.flag("rope_traditional")?, scaling })
    }
}

fn read_scaling(c: &Config, s: &Config) -> Result<RopeScaling> {
    let kind = s.opt_text("type")?.or(s.opt_text("rope_type")?).unwrap_or("default");
    Ok(match kind {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear { factor: s.float("factor")? },
        "llama3" => RopeScaling::Llama3 {
            factor: s.float("factor")?,
            low: s.float_or("low_freq_factor", 1.0)?,
            high: s.float_or("high_freq_factor", 4.0)?,
            original: s.float_or("original_max_position_embeddings", 8192.0)?,
        },
        "yarn" | "deepseek_yarn" | "telechat3-yarn" => RopeScaling::Yarn {
            factor: s.float("factor")?,
            original: s.float_or("original_max_position_embeddings", 4096.0)?,
            beta_fast: s.float_or("beta_fast", 32.0)?,
            beta_slow: s.float_or("beta_slow", 1.0)?,
            mscale: s.float_or("mscale", 1.0)?,
            mscale_all_dim: s.float_or("mscale_all_dim", 0.0)?,
        },
        "longrope" | "su" => read_long(c, s)?,
        other => return Err(c.wrong("rope_scaling", "of a known type (linear, llama3, yarn, longrope)", other)),
    })
}

fn read_long(c: &Config, s: &Config) -> Result<RopeScaling> {
    let factors = s.opt_floats("long_factor")?.ok_or_else(|| c.missing("rope_scaling.long_factor"))?;
    let original = match s.opt_float("original_max_position_embeddings")? {
        Some(original) => original,
        None => c.float_or("original_max_position_embeddings", 4096.0)?,
    };
    let stretch = c.float_or("max_position_embeddings", 131072.0)? / original;
    let scale = if stretch <= 1.0 { 1.0 } else { (1.0 + stretch.ln() / original.ln()).sqrt() };
    Ok(RopeScaling::Long { factors, scale })
}

/// Rotates queries and keys by their positions.
pub struct Rope {
    dims: i32,
    traditional: bool,
    theta: f32,
    table: Option<Tensor>,
    position_scale: f32,
    feature_scale: f32,
}

impl Rope {
    /// An embedding with its frequency table, if the scaling needs one.
    pub fn new(c: &RopeConfig) -> Result<Self> {
        let plain: Vec<f64> = (0..c.dims / 2).map(|i| c.theta.powf(f64::from(2 * i) / f64::from(c.dims))).collect();
        let (mut position_scale, mut feature_scale) = (1.0, 1.0);
        let table = match &c.scaling {
            RopeScaling::None => None,
            RopeScaling::Linear { factor } => {
                position_scale = 1.0 / factor;
                None
            }
            &RopeScaling::Llama3 { factor, low, high, original } => {
                Some(plain.iter().map(|&f| llama3(f, factor, low, high, original)).collect())
            }
            &RopeScaling::Yarn { factor, mscale, mscale_all_dim, .. } => {
                feature_scale = yarn_mscale(factor, mscale) / yarn_mscale(factor, mscale_all_dim);
                Some(yarn(c, &plain))
            }
            RopeScaling::Long { factors, scale } => {
                feature_scale = *scale;
                Some(long(&plain, factors)?)
            }
        };
        let table = table.map(|table: Vec<f64>| {
            let table: Vec<f32> = table.into_iter().map(|f| f as f32).collect();
            Tensor::from_slice(&table, [c.dims / 2])
        });
        Ok(Self {
            dims: c.dims,
            traditional: c.traditional,
            theta: c.theta as f32,
            table: table.transpose()?,
            position_scale: position_scale as f32,
            feature_scale: feature_scale as f32,
        })
    }

    /// As fused layers take it.
    pub fn rotation(&self) -> Rotation<'_> {
        Rotation {
            dims: self.dims,
            traditional: self.traditional,
            frequencies: self.table.as_ref().map_or(Frequencies::Base(self.theta), Frequencies::Table),
            scale: self.position_scale,
            amplitude: self.feature_scale,
        }
    }

    /// Rotates `(B, H, L, D)` whose first position is `offset`.
    pub fn forward(&self, x: &Tensor, offset: i32) -> Result<Tensor> {
        Ok(fast::rope(x, &self.rotation(), offset)?)
    }
}

fn llama3(wave: f64, factor: f64, low: f64, high: f64, original: f64) -> f64 {
    let length = 2.0 * PI * wave;
    if length > original / low {
        wave * factor
    } else if length > original / high {
        let smooth = (original / length - low) / (high - low);
        wave / ((1.0 - smooth) / factor + smooth)
    } else {
        wave
    }
}

fn yarn_mscale(factor: f64, mscale: f64) -> f64 {
    if factor <= 1.0 { 1.0 } else { 0.1 * mscale * factor.ln() + 1.0 }
}

fn yarn(c: &RopeConfig, plain: &[f64]) -> Vec<f64> {
    let RopeScaling::Yarn { factor, original, beta_fast, beta_slow, .. } = c.scaling else { return plain.to_vec() };
    let dims = f64::from(c.dims);
    let place = |rotations: f64| dims * (original / (rotations * 2.0 * PI)).ln() / (2.0 * c.theta.ln());
    let low = place(beta_fast).floor().max(0.0);
    let mut high = place(beta_slow).ceil().min(dims - 1.0);
    if low == high {
        high += 0.001;
    }
    let stretch = |(i, &f): (usize, &f64)| {
        let keep = 1.0 - ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
        let divided = factor * f;
        divided * f / (divided * keep + f * (1.0 - keep))
    };
    plain.iter().enumerate().map(stretch).collect()
}

fn long(plain: &[f64], factors: &[f64]) -> Result<Vec<f64>> {
    match factors {
        &[factor] => Ok(plain.iter().map(|f| f * factor).collect()),
        factors if factors.len() == plain.len() => {
            Ok(plain.iter().zip(factors).map(|(f, factor)| f * factor).collect())
        }
        factors => Err(Error::msg(format!(
            "rope_scaling.long_factor has {} entries where the rotated features need {}.",
            factors.len(),
            plain.len()
        ))),
    }
}

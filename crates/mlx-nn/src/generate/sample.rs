//! From logits to a token: filters, temperature and penalties, as mlx_lm/sample_utils.py defines them.

use crate::{Error, Result};
use mlx_ops::{Dtype, Tensor, full, random, select};

/// How the next token is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the log-probabilities; 0 takes the most likely token.
    pub temperature: f32,
    /// Keeps the smallest set of likely tokens whose probabilities reach this sum; 0 and 1 keep all.
    pub top_p: f32,
    /// Keeps tokens at least this fraction as likely as the likeliest; 0 keeps all.
    pub min_p: f32,
    /// Keeps the `top_k` likeliest tokens; 0 keeps all.
    pub top_k: usize,
    /// Divides positive and multiplies negative logits of recent tokens; 1 does nothing.
    pub repetition_penalty: f32,
    /// How many recent tokens the penalty looks at.
    pub repetition_context: usize,
    /// Makes the draws repeatable.
    pub seed: Option<u64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_p: 0.0,
            min_p: 0.0,
            top_k: 0,
            repetition_penalty: 1.0,
            repetition_context: 20,
            seed: None,
        }
    }
}

impl Sampling {
    fn check(&self) -> Result<()> {
        let wrong = |name: &str, expected: &str, found: f32| {
            Err(Error::msg(format!("The option `{name}` should be {expected}, not {found}.")))
        };
        match self {
            s if s.temperature.is_nan() || s.temperature < 0.0 => wrong("temperature", "0 or more", s.temperature),
            s if !(0.0..=1.0).contains(&s.top_p) => wrong("top_p", "between 0 and 1", s.top_p),
            s if !(0.0..=1.0).contains(&s.min_p) => wrong("min_p", "between 0 and 1", s.min_p),
            s if s.repetition_penalty.is_nan() || s.repetition_penalty <= 0.0 => {
                wrong("repetition_penalty", "more than 0", s.repetition_penalty)
            }
            _ => Ok(()),
        }
    }
}

/// Draws tokens, keeping what that needs from one draw to the next.
pub struct Sampler {
    options: Sampling,
    key: Option<Tensor>,
    recent: Option<Tensor>,
}

impl Sampler {
    /// A sampler whose penalty already knows the prompt; an error names an option out of range.
    pub fn new(options: &Sampling, prompt: &[u32]) -> Result<Self> {
        options.check()?;
        let mut sampler = Self { options: options.clone(), key: None, recent: None };
        if options.temperature > 0.0 {
            sampler.key = options.seed.map(random::key).transpose()?;
        }
        let tail = &prompt[prompt.len().saturating_sub(options.repetition_context)..];
        if sampler.penalizes() && !tail.is_empty() {
            sampler.recent = Some(Tensor::from_slice(tail, [1, tail.len() as i32])?);
        }
        Ok(sampler)
    }

    fn penalizes(&self) -> bool {
        self.options.repetition_penalty != 1.0 && self.options.repetition_context > 0
    }

    /// Logits `(1, vocab)` to a token `(1,)`, all of it lazy.
    pub fn sample(&mut self, logits: &Tensor) -> Result<Tensor> {
        let penalized = self.recent.as_ref().map(|recent| penalize(logits, recent, self.options.repetition_penalty));
        let penalized = penalized.transpose()?;
        let logits = penalized.as_ref().unwrap_or(logits);
        let token = match self.options.temperature > 0.0 {
            false => logits.argmax(-1, false)?,
            true => self.draw(logits)?,
        };
        if self.penalizes() {
            self.remember(&token)?;
        }
        Ok(token)
    }

    fn draw(&mut self, logits: &Tensor) -> Result<Tensor> {
        let o = &self.options;
        // Filters see probabilities before the temperature, in f32 so that small ones are not lost.
        let mut logprobs = log_probabilities(logits)?;
        if 0.0 < o.top_p && o.top_p < 1.0 {
            logprobs = keep_top_p(&logprobs, o.top_p)?;
        }
        if o.min_p > 0.0 {
            logprobs = keep_min_p(&logprobs, o.min_p)?;
        }
        if o.top_k > 0 && (o.top_k as i32) < logprobs.dim(-1)? {
            logprobs = keep_top_k(&logprobs, o.top_k as i32)?;
        }
        let scaled = (logprobs * (1.0 / o.temperature))?;
        let Some(key) = self.key.take() else {
            return Ok(random::categorical(&scaled, None)?);
        };
        let (next, now) = random::split(&key)?;
        self.key = Some(next);
        Ok(random::categorical(&scaled, Some(&now))?)
    }

    fn remember(&mut self, token: &Tensor) -> Result<()> {
        let token = token.astype(Dtype::U32)?.reshape([1, 1])?;
        self.recent = Some(match self.recent.take() {
            None => token,
            Some(recent) => {
                let joined = mlx_ops::concatenate(&[recent, token], 1)?;
                let extra = joined.dim(1)? - self.options.repetition_context as i32;
                if extra > 0 { joined.i((.., extra..))? } else { joined }
            }
        });
        Ok(())
    }
}

/// Logits to log-probabilities over the last axis, f32.
pub fn log_probabilities(logits: &Tensor) -> Result<Tensor> {
    let logits = logits.astype(Dtype::F32)?;
    Ok((&logits - logits.logsumexp(-1, true)?)?)
}

/// Keeps the smallest set of likely tokens whose probabilities reach the fraction `p` of all; the rest become -inf.
pub fn keep_top_p(logprobs: &Tensor, p: f32) -> Result<Tensor> {
    let sorted = logprobs.sort(-1)?;
    let probabilities = sorted.exp()?;
    let above = probabilities.cumsum(-1, true, false)?;
    let total = (above.i((.., ..1))? + probabilities.i((.., ..1))?)?;
    let dropped = above.greater_equal(total * &Tensor::scalar(p.into(), Dtype::F32)?)?;
    let dropped = dropped.astype(Dtype::I32)?.sum(-1, true)?;
    let threshold = sorted.take_along_axis(&dropped, -1)?;
    Ok(select(&logprobs.greater_equal(threshold)?, logprobs, f32::NEG_INFINITY)?)
}

/// Keeps tokens at least `p` times as likely as the likeliest; the rest become -inf.
pub fn keep_min_p(logprobs: &Tensor, p: f32) -> Result<Tensor> {
    let least = (logprobs.max(-1, true)? + p.ln())?;
    Ok(select(&logprobs.greater_equal(least)?, logprobs, f32::NEG_INFINITY)?)
}

/// Keeps the `k` likeliest tokens; the rest become -inf.
pub fn keep_top_k(logprobs: &Tensor, k: i32) -> Result<Tensor> {
    let order = (-logprobs)?.argpartition(k - 1, -1)?;
    let rest = order.i((.., k..))?;
    let low = full(rest.shape(), f64::NEG_INFINITY, logprobs.dtype())?;
    Ok(logprobs.put_along_axis(&rest, &low, -1)?)
}

/// Divides positive and multiplies negative logits `(1, vocab)` of the tokens `(1, n)` by `penalty`.
pub fn penalize(logits: &Tensor, tokens: &Tensor, penalty: f32) -> Result<Tensor> {
    let chosen = logits.take_along_axis(tokens, -1)?;
    let lowered = select(&chosen.less(0.0)?, &(&chosen * penalty)?, &chosen / penalty)?;
    Ok(logits.put_along_axis(tokens, &lowered, -1)?)
}

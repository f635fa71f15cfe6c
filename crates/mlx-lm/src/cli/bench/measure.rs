//! The timed runs of `mlx-lm bench`.

use mlx_lm::ops::{Tensor, async_eval, eval, memory};
use mlx_lm::{Error, Language, Options, Result};
use mlx_nn::cache::KvCache;
use mlx_nn::decoder::{Input, Logits, Step};
use mlx_nn::generate::Generation;
use std::time::Instant;

/// How many rows a chunk of a batch's prompt takes, of all its sequences.
const ROWS: usize = 256;

/// What one run found.
pub struct Run {
    /// Tokens of the prompt a second, up to its first answer token.
    pub prefill: f64,
    /// Tokens a second after the first, of all sequences together; 0 where none was asked for.
    pub decode: f64,
    /// Bytes of keys and values that the middle step of the generation reads.
    pub cache_read: usize,
    /// Bytes that the caches take at the end.
    pub cache_capacity: usize,
}

/// The ids that xtask/py/bench_lm.py uses: a linear congruential generator.
pub fn tokens(count: usize, vocab: usize) -> Vec<u32> {
    let mut state = 1u64;
    let next = |_| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        ((state >> 16) as usize % vocab) as u32
    };
    (0..count).map(next).collect()
}

/// Times a prompt, and `count` tokens after the one that ends it.
pub fn generation(language: &dyn Language, prompt: &[u32], count: usize) -> Result<Run> {
    fits(language, prompt.len(), count)?;
    let start = Instant::now();
    let options = Options { max_tokens: count + 1, ..Options::default() };
    let mut generation = Generation::new(language, language.caches(), prompt, options)?;
    let first = Instant::now();
    for token in &mut generation {
        token?;
    }
    let seconds = first.elapsed().as_secs_f64();
    let (caches, _) = generation.take_caches();
    Ok(Run {
        prefill: prompt.len() as f64 / (first - start).as_secs_f64(),
        decode: count as f64 / seconds,
        cache_read: held(&caches, prompt.len() + count / 2)?,
        cache_capacity: caches.iter().map(KvCache::nbytes).sum(),
    })
}

/// Times `count` tokens of each of several sequences decoded together, after prompts of `context` different tokens.
pub fn sequences(language: &dyn Language, batch: usize, context: usize, count: usize) -> Result<Run> {
    fits(language, context, count)?;
    let ids = tokens(batch * context, language.vocab_size());
    let ids = Tensor::from_slice(&ids, [batch as i32, context as i32])?;
    let mut caches = language.caches();
    let start = Instant::now();
    let mut token = prefill(language, &ids, &mut caches)?;
    token.eval()?;
    let first = Instant::now();
    for _ in 0..count {
        // As in a generation: the next step is on its way before the last one's tokens are read.
        let next = step(language, &token, &mut caches)?;
        token.to_vec::<u32>()?;
        token = next;
    }
    token.to_vec::<u32>()?;
    Ok(Run {
        prefill: (batch * context) as f64 / (first - start).as_secs_f64(),
        decode: (batch * count) as f64 / first.elapsed().as_secs_f64(),
        cache_read: held(&caches, context + count / 2)?,
        cache_capacity: caches.iter().map(KvCache::nbytes).sum(),
    })
}

/// Runs prompts of shape `(B, L)` in chunks; returns each one's next token, `(B, 1)`.
fn prefill(language: &dyn Language, ids: &Tensor, caches: &mut [KvCache]) -> Result<Tensor> {
    let [batch, length] = ids.dims()?;
    caches.iter_mut().for_each(|cache| cache.reserve(length));
    let step_by = (ROWS as i32 / batch).max(1);
    let last = (length - 1) / step_by * step_by;
    for from in (0..last).step_by(step_by as usize) {
        let chunk = ids.i((.., from..from + step_by))?;
        language.forward(&Step { input: Input::Tokens(&chunk), logits: Logits::Skip }, caches)?;
        eval(caches.iter().flat_map(KvCache::buffers))?;
        memory::clear_cache()?;
    }
    step(language, &ids.i((.., last..length))?, caches)
}

/// One forward pass and the likeliest token of each sequence, `(B, 1)`: scheduled but not waited for.
fn step(language: &dyn Language, ids: &Tensor, caches: &mut [KvCache]) -> Result<Tensor> {
    let logits = language.forward(&Step { input: Input::Tokens(ids), logits: Logits::Last }, caches)?;
    let logits = logits.ok_or_else(|| Error::msg("The model gave no logits."))?; // (B, 1, vocab)
    let token = logits.argmax(-1, false)?;
    async_eval([&token])?;
    Ok(token)
}

/// Bytes of the keys and values of `positions` tokens: the caches' buffers have room for more.
fn held(caches: &[KvCache], positions: usize) -> Result<usize> {
    let mut bytes = 0;
    for buffer in caches.iter().flat_map(KvCache::buffers) {
        let capacity = buffer.dim(-2)? as usize;
        bytes += buffer.nbytes() * positions.min(capacity) / capacity;
    }
    Ok(bytes)
}

/// Refuses what the model's context cannot hold: a generation would end early and its rate be wrong.
fn fits(language: &dyn Language, prompt: usize, count: usize) -> Result<()> {
    match language.context() {
        Some(most) if prompt + count > most => Err(Error::msg(format!(
            "{count} tokens after a prompt of {prompt} are more than the {most} that the model's context holds."
        ))),
        _ => Ok(()),
    }
}

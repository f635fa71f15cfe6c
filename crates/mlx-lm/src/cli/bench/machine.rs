//! What the machine itself does: memory read a second.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Several times the largest cache, so that reads come from memory.
const BYTES: usize = 512 << 20;

const PASSES: usize = 7;

/// Bytes a second that all cores together read from memory: the best of several passes.
pub fn read_bandwidth() -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let words = vec![1u64; BYTES / size_of::<u64>()];
    let chunk = words.len().div_ceil(threads);
    let pass = |_| {
        let start = Instant::now();
        thread::scope(|scope| {
            for part in words.chunks(chunk) {
                // A sum of integers has no order, so the compiler reads as wide as it can.
                scope.spawn(move || black_box(part.iter().fold(0u64, |sum, word| sum.wrapping_add(*word))));
            }
        });
        BYTES as f64 / start.elapsed().as_secs_f64()
    };
    (0..PASSES).map(pass).fold(0.0, f64::max)
}

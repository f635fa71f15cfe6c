//! What the machine itself does: memory read a second, and memory that the process took.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Several times the largest cache, so that reads come from memory.
const BYTES: usize = 512 << 20;

const PASSES: usize = 7;

/// The most memory this process had resident, in bytes; `None` where the system does not say.
pub fn peak_resident() -> Option<usize> {
    high_water(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        for (status, expected) in [
            ("Name:\tx\nVmHWM:\t    1000 kB\nVmRSS:\t 10 kB\n", Some(1_024_000)),
            ("VmRSS:\t 10 kB\n", None),
            ("VmHWM:\tmany kB\n", None),
        ] {
            assert_eq!(high_water(status), expected, "{status}");
        }
    }
}

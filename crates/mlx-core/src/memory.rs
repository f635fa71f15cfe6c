//! Memory counters and limits of MLX's allocator and of the process, in bytes.

use crate::Array;
use crate::bridge::runtime::ffi;
use crate::call::functions;

/// The most memory this process had resident, of whatever kind; `None` where the system does not say.
pub fn peak_resident() -> Option<usize> {
    high_water(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

functions! { ffi;
    /// Memory in use by arrays.
    fn active_memory() -> usize;
    /// The most memory in use since the start or [`reset_peak_memory`].
    fn peak_memory() -> usize;
    /// Sets the peak to zero.
    fn reset_peak_memory() -> ();
    /// Memory kept for reuse.
    fn cache_memory() -> usize;
    /// The current memory limit.
    fn memory_limit() -> usize;
    /// Sets the limit above which allocations wait or fail; returns the previous one.
    fn set_memory_limit(bytes: usize) -> usize;
    /// Sets how much freed memory is kept for reuse; returns the previous limit.
    fn set_cache_limit(bytes: usize) -> usize;
    /// Frees memory kept for reuse.
    fn clear_cache() -> ();
    /// Gives freed memory that the C library still holds back to the system, where that is glibc; worth it after loading.
    fn trim() -> ();
    /// Sets how much memory Metal keeps resident (macOS 15 and later); returns the previous limit.
    fn set_wired_limit(bytes: usize) -> usize;
    /// The size of the distinct buffers behind evaluated arrays.
    fn buffer_size(arrays: &[Array]) -> usize;
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

//! Work split over the cores, on the pool that `gemm` uses, so that the two never compete.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Chunks handed out per thread: a thread that wakes late leaves its share to the others.
const CHUNKS_PER_THREAD: usize = 4;

/// Calls `f` on ranges that cover `0..n`, each a multiple of `step` long but the last; on this thread alone unless `parallel`.
pub fn split(n: usize, step: usize, parallel: bool, f: impl Fn(Range<usize>) + Sync) {
    let threads = if parallel { rayon::current_num_threads() } else { 1 };
    if threads == 1 || n <= step {
        return f(0..n);
    }
    let chunk = n.div_ceil(threads * CHUNKS_PER_THREAD).next_multiple_of(step);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let start = next.fetch_add(chunk, Ordering::Relaxed);
            if start >= n {
                return;
            }
            f(start..n.min(start + chunk));
        }
    };
    // The caller works too: waking a thread costs microseconds, in which a small product is half done.
    rayon::in_place_scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| work());
        }
        work();
    });
}

/// A pointer that threads share; what it leads to must not be written twice.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T);

// SAFETY: whoever dereferences it on several threads keeps to disjoint elements, as `new` asks.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// # Safety
    /// Threads that use the pointer write disjoint elements, and none reads what another writes.
    pub unsafe fn new(pointer: *mut T) -> Self {
        Self(pointer)
    }

    pub fn get(self) -> *mut T {
        self.0
    }
}

//! Buffers that a thread keeps from one product to the next: fresh memory would cost more than what is written to it.

use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Buffers beyond this many elements are given back to the system.
const LARGEST: usize = 16 << 20;

/// Calls `f` with a buffer of `n` elements, which hold anything.
pub fn with<R>(n: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
    let result = f(&mut buffer[..n]);
    if buffer.len() <= LARGEST {
        FREE.with_borrow_mut(|free| free.push(buffer));
    }
    result
}

/// As [`with`], the first element at a cache line.
pub fn aligned<R>(n: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    const LINE: usize = 64;
    with(n + LINE / size_of::<f32>(), |buffer| {
        // A line's distance at most, in elements, since those are aligned themselves.
        let skip = (LINE - buffer.as_ptr() as usize % LINE) / size_of::<f32>();
        f(&mut buffer[skip..skip + n])
    })
}

#[cfg(test)]
mod tests {
    use super::{aligned, with};

    #[test]
    fn buffers_in_use_are_apart() {
        with(8, |outer| {
            outer.fill(1.0);
            with(100, |inner| inner.fill(2.0));
            assert_eq!(outer, [1.0; 8]);
        });
        assert_eq!(with(5, |buffer| buffer.len()), 5);
        assert_eq!(with(0, |buffer| buffer.len()), 0);
        assert_eq!(aligned(7, |buffer| (buffer.len(), buffer.as_ptr() as usize % 64)), (7, 0));
    }
}

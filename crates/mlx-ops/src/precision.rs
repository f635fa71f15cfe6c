//! How exact products on a CPU are.

use std::cell::Cell;
use std::sync::OnceLock;

/// How exact products of f32 are where a faster way is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// All of it in f32.
    Full,
    /// Products with a packed matrix may take the rows of `x` as fixed-point numbers of 16 bits, each off by at most
    /// 1/65,000 of the largest in its group: between f32 and TF32, which MLX takes on NVIDIA GPUs.
    Fast,
}

thread_local! {
    static SCOPED: Cell<Option<Precision>> = const { Cell::new(None) };
}

impl Precision {
    /// What ops that are built now on this thread take: that of [`with_precision`], else [`Precision::Fast`], unless
    /// `MLX_ENABLE_TF32=0` is set, which makes MLX exact on GPUs too.
    pub fn current() -> Self {
        static DEFAULT: OnceLock<Precision> = OnceLock::new();
        let default = || match std::env::var("MLX_ENABLE_TF32").as_deref() {
            Ok("0") => Self::Full,
            _ => Self::Fast,
        };
        SCOPED.get().unwrap_or_else(|| *DEFAULT.get_or_init(default))
    }
}

/// Calls `f`; ops that it builds on this thread have this precision on a CPU.
///
/// ```
/// use mlx_ops::{Precision, with_precision};
/// assert_eq!(with_precision(Precision::Full, Precision::current), Precision::Full);
/// ```
pub fn with_precision<R>(precision: Precision, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Precision>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPED.set(self.0);
        }
    }
    let _restore = Restore(SCOPED.replace(Some(precision)));
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_end() {
        let outer = Precision::current();
        let inner = with_precision(Precision::Full, || {
            assert!(std::panic::catch_unwind(|| with_precision(Precision::Fast, || panic!("inside"))).is_err());
            Precision::current()
        });
        assert_eq!((inner, Precision::current()), (Precision::Full, outer));
    }
}

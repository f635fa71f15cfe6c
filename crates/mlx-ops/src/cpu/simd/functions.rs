//! Functions of vectors.

use super::Lanes;

/// `exp` of each lane to about a unit in the last place; below -87 and above 88 it stays what it is there.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn exp<V: Lanes>(x: V) -> V {
    // SAFETY: the caller's.
    unsafe {
        // x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts so that n ln 2 is exact enough.
        let low = V::splat(-87.0).max(x).mul(V::splat(-1.0));
        let x = V::splat(-88.0).max(low).mul(V::splat(-1.0));
        let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
        let r = n.mul_add(V::splat(-0.693_359_4), x);
        let r = n.mul_add(V::splat(2.121_944_4e-4), r);
        // The series of exp to the seventh power.
        let mut sum = V::splat(1.0 / 5040.0);
        for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            sum = sum.mul_add(r, V::splat(term));
        }
        sum.times_power(n)
    }
}

/// [`exp`] down to 0: `exp(-inf)` is 0, to about two units in the last place.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn exp_or_zero<V: Lanes>(x: V) -> V {
    // SAFETY: the caller's.
    unsafe {
        let root = exp(x.mul(V::splat(0.5)));
        root.mul(root)
    }
}

/// `tanh` of each lane to a few units in the last place.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub unsafe fn tanh<V: Lanes>(x: V) -> V {
    // SAFETY: the caller's.
    unsafe {
        // With y = exp(2 x) - 1, taken without the cancellation, y / (y + 2); beyond 10 it is 1.
        let (limit, minus) = (V::splat(-20.0), V::splat(-1.0));
        let x = limit.max(limit.max(x.mul(V::splat(2.0))).mul(minus)).mul(minus);
        let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
        let r = n.mul_add(V::splat(-0.693_359_4), x);
        let r = n.mul_add(V::splat(2.121_944_4e-4), r);
        let mut sum = V::splat(1.0 / 5040.0);
        for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
            sum = sum.mul_add(r, V::splat(term));
        }
        let (one, power) = (V::splat(1.0), V::splat(1.0).times_power(n));
        let y = power.mul_add(sum.mul(r), power.mul_add(one, minus));
        y.div(y.mul_add(one, V::splat(2.0)))
    }
}

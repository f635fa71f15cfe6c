//! One source for every instruction set: kernels are generic over [`Lanes`] and compiled once per [`Isa`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod functions;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub use functions::{exp, exp_or_zero, tanh};

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with FMA and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// What the compiler makes of plain arrays.
    Portable,
}

impl Isa {
    /// Those that this processor has, the widest first.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let own = [avx512::is_available().then_some(Self::Avx512), avx2::is_available().then_some(Self::Avx2)];
        #[cfg(target_arch = "aarch64")]
        let own = [Some(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let own: [Option<Self>; 0] = [];
        own.into_iter().flatten().chain([Self::Portable]).collect()
    }

    /// Floats in a vector.
    pub fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 16,
            _ => portable::Array::LEN,
        }
    }

    /// The widest that this processor has.
    pub fn best() -> Self {
        static BEST: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| Self::available()[0])
    }
}

/// A vector of `f32`, its pointers unaligned.
///
/// Every method must inline into a function that enables its instruction set, and be called only where the processor has it.
pub trait Lanes: Copy {
    /// Elements in a vector.
    const LEN: usize;
    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self;
    /// `LEN` elements.
    unsafe fn load(at: *const f32) -> Self;
    /// The first `n <= LEN` elements, then zeros; reads nothing beyond them.
    unsafe fn load_first(at: *const f32, n: usize) -> Self;
    /// `LEN` elements of IEEE half precision, widened.
    unsafe fn load_f16(at: *const u16) -> Self;
    /// As [`Lanes::load_first`], widened.
    unsafe fn load_f16_first(at: *const u16, n: usize) -> Self;
    /// `LEN` elements of bfloat16, the upper halves of `f32`, widened.
    unsafe fn load_bf16(at: *const u16) -> Self;
    /// As [`Lanes::load_first`], widened.
    unsafe fn load_bf16_first(at: *const u16, n: usize) -> Self;
    /// `LEN` elements.
    unsafe fn store(self, at: *mut f32);
    /// The first `n <= LEN` elements.
    unsafe fn store_first(self, at: *mut f32, n: usize);
    /// `self * x + sum`.
    unsafe fn mul_add(self, x: Self, sum: Self) -> Self;
    /// `self * x`.
    unsafe fn mul(self, x: Self) -> Self;
    /// `self / x`.
    unsafe fn div(self, x: Self) -> Self;
    /// The sum of the lanes.
    unsafe fn sum(self) -> f32;
    /// The larger of each lane; that of `x` where either is no number.
    unsafe fn max(self, x: Self) -> Self;
    /// The nearest integers, of numbers within 2^22.
    unsafe fn round(self) -> Self;
    /// `self * 2^n` for integers `n`, where that is a normal number.
    unsafe fn times_power(self, n: Self) -> Self;

    /// As many 32-bit words.
    type Words: Copy;
    /// `LEN` words.
    unsafe fn words(at: *const u32) -> Self::Words;
    /// The first `n <= LEN` words, then zeros; reads nothing beyond them.
    unsafe fn words_first(at: *const u32, n: usize) -> Self::Words;
    /// The `BITS` bits of every word from bit `shift` on, as numbers.
    unsafe fn codes<const BITS: usize>(words: Self::Words, shift: usize) -> Self;
    /// The four bits of every word from bit `shift` on, as floats of the kind E2M1.
    unsafe fn float4(words: Self::Words, shift: usize) -> Self;
    /// The eight bits of every word from bit `shift <= 24` on, as floats of the kind E4M3.
    unsafe fn float8(words: Self::Words, shift: usize) -> Self;
    /// From codes of 3, 5 or 6 bits, one after the other across words, to words that hold [`per_word`] of them from bit 0 on.
    unsafe fn spread<const BITS: usize>(words: Self::Words) -> Self::Words;
    /// Lane `i` of the result is lane `index[i]`.
    unsafe fn pick(self, index: Self::Words) -> Self;

    /// Lane `i` of vector `j` for lane `j` of vector `i`, of the first `LEN` vectors.
    unsafe fn transpose(square: &mut [Self; 16]);
}

/// Asks for the cache line at `at`, which may lie anywhere.
#[inline(always)]
pub fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    avx2::prefetch(at.cast());
    #[cfg(target_arch = "aarch64")]
    neon::prefetch(at.cast());
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}

/// Codes of `bits` bits that a lane of words holds: those that fill it, else half or all of those that fill whole bytes.
pub const fn per_word(bits: usize) -> usize {
    match bits {
        3 => 8,
        5 | 6 => 4,
        _ => 32 / bits,
    }
}

/// The numbers that the codes of E2M1 stand for.
const FLOAT4: [f32; 16] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];

/// The difference of the exponents of f32 and E4M3, as a factor.
const FLOAT8: f32 = f32::from_bits((127 + 120) << 23);

/// The bits of an f32 that a code of E4M3 fills, once its sign is repeated above it.
const FLOAT8_BITS: u32 = 0x87f0_0000;

/// Those of its size; all of them set stand for no number.
const FLOAT8_SIZE: u32 = 0x07f0_0000;

/// A number of the kind E4M3.
#[inline(always)]
pub fn float8(code: u8) -> f32 {
    let bits = ((i32::from(code as i8) << 20) as u32) & FLOAT8_BITS;
    // The exponent comes out too small by a constant, also that of subnormal numbers.
    if bits & FLOAT8_SIZE == FLOAT8_SIZE { f32::NAN } else { f32::from_bits(bits) * FLOAT8 }
}

/// A computation written once for all instruction sets.
pub trait Kernel {
    /// Computes with vectors `V`; must be `#[inline(always)]`.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`, and what the implementation asks for holds.
    unsafe fn run<V: Lanes>(self);
}

/// Runs `kernel` compiled for `isa`.
///
/// # Safety
/// `isa` is one of [`Isa::available`], and what the kernel asks for holds.
pub unsafe fn run(isa: Isa, kernel: impl Kernel) {
    // SAFETY: the caller's.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::run(kernel),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => kernel.run::<neon::Pair>(),
            Isa::Portable => kernel.run::<portable::Array>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlx_core::{bf16, f16};

    /// Widens sixteen elements whole, then the first five.
    struct Widen<'a> {
        bits: &'a [u16; 16],
        f16: &'a mut [f32; 32],
        bf16: &'a mut [f32; 32],
    }

    impl Kernel for Widen<'_> {
        #[inline(always)]
        unsafe fn run<V: Lanes>(self) {
            let Self { bits, f16, bf16 } = self;
            // SAFETY: sixteen elements are whole vectors, and two more fit behind them.
            unsafe {
                for at in (0..16).step_by(V::LEN) {
                    V::load_f16(bits.as_ptr().add(at)).store(f16.as_mut_ptr().add(at));
                    V::load_bf16(bits.as_ptr().add(at)).store(bf16.as_mut_ptr().add(at));
                }
                V::load_f16_first(bits.as_ptr(), 5).store(f16.as_mut_ptr().add(16));
                V::load_bf16_first(bits.as_ptr(), 5).store(bf16.as_mut_ptr().add(16));
            }
        }
    }

    /// The larger of sixteen pairs.
    struct Larger<'a>([&'a [f32; 16]; 2], &'a mut [f32; 16]);

    impl Kernel for Larger<'_> {
        #[inline(always)]
        unsafe fn run<V: Lanes>(self) {
            let Self([x, y], larger) = self;
            // SAFETY: sixteen elements are whole vectors.
            unsafe {
                for at in (0..16).step_by(V::LEN) {
                    V::load(x.as_ptr().add(at)).max(V::load(y.as_ptr().add(at))).store(larger.as_mut_ptr().add(at));
                }
            }
        }
    }

    #[test]
    fn the_larger_is_the_second_where_either_is_no_number() {
        let pairs = [(1.0, 2.0, 2.0), (2.0, 1.0, 2.0), (f32::NAN, 1.0, 1.0), (1.0, f32::NAN, f32::NAN)];
        let every = |of: fn((f32, f32, f32)) -> f32| std::array::from_fn(|i| of(pairs[i % 4]));
        let (x, y, want) = (every(|pair| pair.0), every(|pair| pair.1), every(|pair| pair.2));
        for isa in Isa::available() {
            let mut larger = [0.0; 16];
            // SAFETY: the instruction set is available.
            unsafe { run(isa, Larger([&x, &y], &mut larger)) };
            for (i, (larger, want)) in larger.iter().zip(want).enumerate() {
                assert!(*larger == want || (larger.is_nan() && want.is_nan()), "{isa:?} {i}: {larger} {want}");
            }
        }
    }

    #[track_caller]
    fn same(isa: Isa, bits: u16, ours: f32, want: f32) {
        assert!(
            ours.to_bits() == want.to_bits() || (ours.is_nan() && want.is_nan()),
            "{isa:?} {bits:x}: {ours} {want}"
        );
    }

    #[test]
    fn every_16_bit_float_widens_as_it_should() {
        for isa in Isa::available() {
            for start in (0..=u16::MAX).step_by(16) {
                let bits: [u16; 16] = std::array::from_fn(|i| start + i as u16);
                let (mut halves, mut brains) = ([f32::MAX; 32], [f32::MAX; 32]);
                // SAFETY: the instruction set is available.
                unsafe { run(isa, Widen { bits: &bits, f16: &mut halves, bf16: &mut brains }) };
                for (i, &bits) in bits.iter().enumerate() {
                    same(isa, bits, halves[i], f16::from_bits(bits).to_f32());
                    same(isa, bits, brains[i], bf16::from_bits(bits).to_f32());
                }
                for i in 0..isa.lanes() {
                    let bits = if i < 5 { bits[i] } else { 0 };
                    same(isa, bits, halves[16 + i], f16::from_bits(bits).to_f32());
                    same(isa, bits, brains[16 + i], bf16::from_bits(bits).to_f32());
                }
            }
        }
    }
}

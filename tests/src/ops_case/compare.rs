//! How far results may lie apart: the one place that says so.

use mlx_ops::{Dtype, bf16, f16};

/// The relative and the absolute tolerance of a class of ops for a dtype. Integers and booleans are compared exactly.
///
/// - `same`: the same C++ code runs on both sides. 16-bit values may differ by their last bit.
/// - `product`: sums of products, which our `cblas_sgemm` adds up in another order.
/// - `kernel`: ops that our CPU kernels compute. They add in f32 and round once, and 16-bit results are compared with
///   Python's for f32 inputs.
/// - `packed`: the same over packed matrices, in sums of 128 products whose magnitudes add up to 400: MLX's own results lie
///   up to 4e-5 from sums in f64.
/// - `linalg`: factorizations and Fourier transforms, where cancellation leaves the size of the inputs as the measure.
fn tolerance(class: &str, dtype: Dtype) -> (f64, f64) {
    let relative = match dtype {
        Dtype::F16 => 1e-3,
        Dtype::Bf16 => 8e-3,
        Dtype::F64 => 1e-12,
        _ => 1e-5,
    };
    let absolute = match class {
        "product" | "kernel" => 1e-5,
        "linalg" => 2e-5,
        "packed" => 1e-4,
        _ => 1e-6,
    };
    (relative, absolute)
}

/// The largest difference relative to the value (or to 1 where that is smaller), or what is too far apart.
pub fn compare(class: &str, dtype: Dtype, ours: &[u8], expected: &[u8]) -> Result<f64, String> {
    if ours.len() != expected.len() {
        return Err(format!("{} bytes, not {}", ours.len(), expected.len()));
    }
    let (Some(a), Some(b)) = (floats(dtype, ours), floats(dtype, expected)) else {
        let size = dtype.size();
        let differing = ours.chunks(size).zip(expected.chunks(size)).position(|(a, b)| a != b);
        return differing.map_or(Ok(0.0), |at| {
            let place = at * size..(at + 1) * size;
            Err(format!("element {at} is {:?}, not {:?} (bytes)", &ours[place.clone()], &expected[place]))
        });
    };
    let (relative, absolute) = tolerance(class, dtype);
    let mut largest = 0f64;
    for (at, (&a, &b)) in a.iter().zip(&b).enumerate() {
        if a == b || (a.is_nan() && b.is_nan()) {
            continue;
        }
        let difference = (a - b).abs();
        // NaN on one side only is no number to compare with.
        if difference.is_nan() || difference > absolute + relative * b.abs() {
            return Err(format!("element {at} is {a:e}, not {b:e}"));
        }
        largest = largest.max(difference / b.abs().max(1.0));
    }
    Ok(largest)
}

/// The values of a floating dtype, real and imaginary parts in turn.
fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)).collect()
    }
    Some(match dtype {
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).into()),
        Dtype::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).into()),
        Dtype::F32 | Dtype::Complex64 => each(bytes, |b| f32::from_le_bytes(b).into()),
        Dtype::F64 => each(bytes, f64::from_le_bytes),
        _ => return None,
    })
}

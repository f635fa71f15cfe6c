//! Vectors in fewer bits. Follows sentence_transformers.util.quantize_embeddings.

use crate::Embeddings;
use mlx_nn::{Error, Result};

/// What the numbers of a vector become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Levels of each dimension's range, from -128.
    Int8,
    /// Levels of each dimension's range, from 0.
    Uint8,
    /// A bit for each number, whether it is above zero; eight in a byte, the first the highest, less 128.
    Binary,
    /// The same without taking 128 away.
    Ubinary,
}

/// The least and the largest number of each dimension, which 8 bits are to span.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    least: Vec<f32>,
    most: Vec<f32>,
}

/// Vectors in fewer bits, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantized {
    /// Of [`Precision::Int8`] and [`Precision::Binary`].
    Signed(Vec<i8>),
    /// Of [`Precision::Uint8`] and [`Precision::Ubinary`].
    Unsigned(Vec<u8>),
}

impl Ranges {
    /// The ranges of these vectors, two at least.
    pub fn of(vectors: &Embeddings) -> Result<Self> {
        if vectors.len() < 2 {
            let count = vectors.len();
            return Err(Error::msg(format!("{count} vectors have no ranges: 8 bits need those of two or more.")));
        }
        let fold = |f: fn(f32, f32) -> f32| {
            let mut rows = vectors.rows().map(<[f32]>::to_vec);
            let first = rows.next().unwrap_or_default();
            rows.fold(first, |a, b| a.into_iter().zip(b).map(|(a, b)| f(a, b)).collect())
        };
        Ok(Self { least: fold(f32::min), most: fold(f32::max) })
    }
}

impl Embeddings {
    /// The vectors in fewer bits. `ranges` are those of representative vectors; `None`: of these. Bits need none.
    pub fn quantize(&self, precision: Precision, ranges: Option<&Ranges>) -> Result<Quantized> {
        let signed =
            |bytes: Vec<u8>| Quantized::Signed(bytes.into_iter().map(|b| (i16::from(b) - 128) as i8).collect());
        Ok(match precision {
            Precision::Uint8 => Quantized::Unsigned(self.levels(ranges)?),
            Precision::Int8 => signed(self.levels(ranges)?),
            Precision::Ubinary => Quantized::Unsigned(self.bits()),
            Precision::Binary => signed(self.bits()),
        })
    }

    fn levels(&self, ranges: Option<&Ranges>) -> Result<Vec<u8>> {
        let own = match ranges {
            Some(_) => None,
            None if self.is_empty() => return Ok(Vec::new()),
            None => Some(Ranges::of(self)?),
        };
        let Some(ranges) = ranges.or(own.as_ref()) else { return Ok(Vec::new()) };
        if ranges.least.len() != self.dims() {
            let (there, dims) = (ranges.least.len(), self.dims());
            return Err(Error::msg(format!("The ranges are of {there} dimensions, the vectors of {dims}.")));
        }
        let steps: Vec<f32> =
            ranges.least.iter().zip(&ranges.most).map(|(least, most)| (most - least) / 255.0).collect();
        let level = |((x, least), step): ((&f32, &f32), &f32)| {
            let step = if *step == 0.0 { 1.0 } else { *step };
            ((x - least) / step).floor().clamp(0.0, 255.0) as u8
        };
        Ok(self.rows().flat_map(|row| row.iter().zip(&ranges.least).zip(&steps).map(level)).collect())
    }

    fn bits(&self) -> Vec<u8> {
        let byte = |bits: &[f32]| bits.iter().enumerate().fold(0, |byte, (i, x)| byte | u8::from(*x > 0.0) << (7 - i));
        self.rows().flat_map(|row| row.chunks(8).map(byte)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(values: &[f32], dims: usize) -> Embeddings {
        Embeddings::new(values.to_vec(), dims).unwrap()
    }

    #[test]
    fn eight_bits_span_the_ranges() {
        let v = vectors(&[0.0, -1.0, 5.0, 0.5, 0.0, 5.0, 1.0, 1.0, 5.0], 3);
        let Quantized::Unsigned(levels) = v.quantize(Precision::Uint8, None).unwrap() else { panic!("unsigned") };
        assert_eq!(levels, [0, 0, 0, 127, 127, 0, 254, 254, 0]);
        let Quantized::Signed(levels) = v.quantize(Precision::Int8, None).unwrap() else { panic!("signed") };
        assert_eq!(levels, [-128, -128, -128, -1, -1, -128, 126, 126, -128]);
        let ranges = Ranges::of(&v).unwrap();
        let far = vectors(&[-9.0, 9.0, 9.0], 3).quantize(Precision::Uint8, Some(&ranges)).unwrap();
        assert_eq!(far, Quantized::Unsigned(vec![0, 255, 4]));
    }

    #[test]
    fn bits_are_packed_from_the_highest() {
        let v = vectors(&[1.0, -1.0, 0.0, 2.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0], 10);
        assert_eq!(v.quantize(Precision::Ubinary, None).unwrap(), Quantized::Unsigned(vec![0b1001_1111, 0b0100_0000]));
        assert_eq!(v.quantize(Precision::Binary, None).unwrap(), Quantized::Signed(vec![31, -64]));
    }

    #[test]
    fn one_vector_has_no_ranges() {
        let error = vectors(&[1.0, 2.0], 2).quantize(Precision::Int8, None).unwrap_err();
        assert!(error.to_string().contains("two or more"), "{error}");
        let ranges = Ranges::of(&vectors(&[1.0, 2.0], 1)).unwrap();
        assert!(vectors(&[1.0, 2.0], 2).quantize(Precision::Int8, Some(&ranges)).is_err());
    }
}

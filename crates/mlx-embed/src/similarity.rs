//! How alike vectors are. Follows sentence_transformers.util.similarity.

use crate::Embeddings;
use mlx_nn::{Error, Result};

/// How alike two vectors are; larger is more alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Similarity {
    /// The cosine of the angle; 0 for a vector of zeros.
    #[default]
    Cosine,
    /// The product.
    Dot,
    /// Less the distance.
    Euclidean,
    /// Less the sum of the distances of each dimension.
    Manhattan,
}

impl Similarity {
    /// The function of this name in config_sentence_transformers.json.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cosine" => Self::Cosine,
            "dot" | "dot_product" => Self::Dot,
            "euclidean" => Self::Euclidean,
            "manhattan" => Self::Manhattan,
            _ => return None,
        })
    }

    /// Each row of `a` to each of `b`: a row of `b.len()` numbers for each of `a`.
    pub fn between(self, a: &Embeddings, b: &Embeddings) -> Result<Vec<f32>> {
        if a.dims() != b.dims() {
            return Err(Error::msg(format!("Vectors of {} and of {} numbers are not alike.", a.dims(), b.dims())));
        }
        if a.is_empty() || b.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Dot => product(a, b)?,
            Self::Cosine => {
                let (of_a, of_b) = (lengths(a), lengths(b));
                let mut dots = product(a, b)?;
                for (row, a) in dots.chunks_exact_mut(b.len()).zip(of_a) {
                    row.iter_mut().zip(&of_b).for_each(|(dot, b)| *dot /= a * b);
                }
                dots
            }
            Self::Euclidean | Self::Manhattan => a.rows().flat_map(|a| b.rows().map(move |b| self.of(a, b))).collect(),
        })
    }

    /// Two vectors of one length.
    pub fn of(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::Cosine => dot(a, b) / (length(a) * length(b)),
            Self::Dot => dot(a, b),
            Self::Euclidean => -a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt(),
            Self::Manhattan => -a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>(),
        }
    }
}

fn product(a: &Embeddings, b: &Embeddings) -> Result<Vec<f32>> {
    Ok(a.tensor()?.matmul(&b.tensor()?.t()?)?.to_vec()?)
}

fn lengths(vectors: &Embeddings) -> Vec<f32> {
    vectors.rows().map(length).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Never 0, by which it is divided.
fn length(a: &[f32]) -> f32 {
    dot(a, a).sqrt().max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(similarity: Similarity, expected: [f32; 4]) {
        let vectors = |values: [f32; 4]| Embeddings::new(values.to_vec(), 2).unwrap();
        let found = similarity.between(&vectors([1.0, 0.0, 0.0, 2.0]), &vectors([0.0, 0.0, 0.0, 1.0])).unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{similarity:?}: {found:?}");
        let one = similarity.of(&[0.0, 2.0], &[0.0, 1.0]);
        assert!((one - expected[3]).abs() < 1e-6, "{similarity:?}: {one}");
    }

    #[test]
    fn larger_is_more_alike() {
        check(Similarity::Cosine, [0.0, 0.0, 0.0, 1.0]);
        check(Similarity::Dot, [0.0, 0.0, 0.0, 2.0]);
        check(Similarity::Euclidean, [-1.0, -std::f32::consts::SQRT_2, -2.0, -1.0]);
        check(Similarity::Manhattan, [-1.0, -2.0, -2.0, -1.0]);
        let wide = Embeddings::new(vec![1.0; 3], 3).unwrap();
        let narrow = Embeddings::new(vec![1.0; 2], 2).unwrap();
        assert!(Similarity::Dot.between(&wide, &narrow).is_err());
    }
}

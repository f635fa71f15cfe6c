//! Vectors of which most numbers are 0.

/// The weights of the words that count for a text; those of all others are 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    /// The words' token ids, in rising order.
    pub indices: Vec<u32>,
    /// Their weights.
    pub weights: Vec<f32>,
}

impl SparseVector {
    /// The numbers of a dense vector that are not 0, the `most` largest of them by size. Of equal ones the first stay.
    pub fn new(dense: &[f32], most: Option<usize>) -> Self {
        let mut kept: Vec<(u32, f32)> = (0..).zip(dense.iter().copied()).filter(|&(_, x)| x != 0.0).collect();
        if let Some(most) = most.filter(|&most| most < kept.len()) {
            kept.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            kept.truncate(most);
            kept.sort_by_key(|&(i, _)| i);
        }
        let (indices, weights) = kept.into_iter().unzip();
        Self { indices, weights }
    }

    /// The sum of the products of the weights of common words.
    pub fn dot(&self, other: &Self) -> f32 {
        let mut others = other.indices.iter().zip(&other.weights).peekable();
        let mut sum = 0.0;
        for (i, weight) in self.indices.iter().zip(&self.weights) {
            while others.next_if(|(j, _)| *j < i).is_some() {}
            if let Some((_, b)) = others.next_if(|(j, _)| *j == i) {
                sum += weight * b;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_numbers_stay_in_place() {
        let dense = [0.0, 1.0, 0.5, 0.0, 2.0, 1.0];
        let all = SparseVector::new(&dense, None);
        assert_eq!((&all.indices[..], &all.weights[..]), (&[1, 2, 4, 5][..], &[1.0, 0.5, 2.0, 1.0][..]));
        let two = SparseVector::new(&dense, Some(2));
        assert_eq!((&two.indices[..], &two.weights[..]), (&[1, 4][..], &[1.0, 2.0][..]));
        assert_eq!(SparseVector::new(&dense, Some(9)), all);
    }

    #[test]
    fn products_are_those_of_common_words() {
        let vector = |dense: &[f32]| SparseVector::new(dense, None);
        let a = vector(&[0.0, 1.0, 2.0, 0.0, 3.0]);
        assert_eq!(a.dot(&vector(&[5.0, 0.0, 7.0, 1.0, 2.0])), 20.0);
        assert_eq!(a.dot(&a), 14.0);
        assert_eq!(a.dot(&SparseVector::default()), 0.0);
    }
}

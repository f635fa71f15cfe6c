//! Which texts go through the model together.

/// The texts in order of length, cut where a bin would hold more than `budget` tokens. A longer text is a bin of its own.
pub fn bins(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Long ones first: what runs short of memory does so at once.
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut free = 0;
    for i in order {
        match bins.last_mut() {
            Some(bin) if lengths[i] <= free => bin.push(i),
            _ => {
                bins.push(vec![i]);
                free = budget;
            }
        }
        free = free.saturating_sub(lengths[i]);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::bins;

    #[test]
    fn bins_keep_to_the_budget() {
        assert_eq!(bins(&[3, 9, 5, 2, 3], 8), [vec![1], vec![2, 0], vec![4, 3]]);
        assert_eq!(bins(&[4, 4], 8), [vec![0, 1]]);
        assert!(bins(&[], 8).is_empty());
    }
}

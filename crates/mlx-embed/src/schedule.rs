//! Which texts go through the model together.

use std::cmp::Reverse;

/// The texts in order of length, in bins of a like size of which none holds more than `budget` tokens; as many bins as a
/// multiple of `aside` where that goes. A longer text is a bin of its own.
pub fn bins(lengths: &[usize], budget: usize, aside: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Long ones first: what runs short of memory does so at once.
    order.sort_by_key(|&i| Reverse(lengths[i]));
    let total = lengths.iter().sum::<usize>().max(1);
    let count = total.div_ceil(budget.max(1) * aside) * aside;
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let (mut held, mut before, mut share) = (0, 0, 0);
    for i in order {
        let length = lengths[i];
        // The share of the whole that the middle of the text lies in.
        let here = (2 * before + length) * count / (2 * total);
        match bins.last_mut() {
            Some(bin) if here == share && held + length <= budget => bin.push(i),
            _ => {
                bins.push(vec![i]);
                (held, share) = (0, here);
            }
        }
        (held, before) = (held + length, before + length);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::bins;

    #[test]
    fn bins_keep_to_the_budget() {
        assert_eq!(bins(&[3, 9, 5, 2, 3], 8, 1), [vec![1], vec![2], vec![0, 4, 3]]);
        assert_eq!(bins(&[4, 4], 8, 1), [vec![0, 1]]);
        assert!(bins(&[], 8, 2).is_empty());
        let lengths: Vec<usize> = (0..500).map(|i| 1 + i * 7919 % 97).collect();
        for budget in [97, 300, 1000, 100_000] {
            for aside in [1, 2, 5] {
                let bins = bins(&lengths, budget, aside);
                assert!(bins.iter().all(|bin| bin.iter().map(|&i| lengths[i]).sum::<usize>() <= budget));
                let mut all = bins.concat();
                all.sort();
                assert_eq!(all, (0..500).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn bins_are_of_a_like_size_and_as_many_as_run_together() {
        assert_eq!(bins(&[3, 3, 3, 3], 100, 2), [vec![0, 1], vec![2, 3]]);
        assert_eq!(bins(&[5, 4, 3], 100, 2), [vec![0], vec![1, 2]]);
        assert_eq!(bins(&[1, 1, 1, 1, 1, 1], 2, 2).len(), 4);
    }
}

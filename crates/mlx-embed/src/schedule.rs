//! Which texts go through the model together.

use std::cmp::Reverse;

/// The texts in order of length, in as few bins as hold no more than `budget` tokens each, or as the next multiple of `aside`,
/// of which the largest is as small as can be: bins that run side by side take the same time. A longer text is a bin of
/// its own.
pub fn bins(lengths: &[usize], budget: usize, aside: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Long ones first: what runs short of memory does so at once.
    order.sort_by_key(|&i| Reverse(lengths[i]));
    let count = filled(lengths, &order, budget).len().next_multiple_of(aside);
    let (mut least, mut most) = (0, budget);
    while least < most {
        let middle = (least + most) / 2;
        match filled(lengths, &order, middle).len() <= count {
            true => most = middle,
            false => least = middle + 1,
        }
    }
    let mut bins = filled(lengths, &order, most);
    // Texts of one length may leave fewer: the last bin is shared out then.
    while !bins.len().is_multiple_of(aside)
        && let Some(last) = bins.last_mut()
        && last.len() > 1
    {
        let half = last.split_off(last.len().div_ceil(2));
        bins.push(half);
    }
    bins
}

/// One text after the other, in a new bin where the last one would hold more than `most` tokens.
fn filled(lengths: &[usize], order: &[usize], most: usize) -> Vec<Vec<usize>> {
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut held = 0;
    for &i in order {
        match bins.last_mut() {
            Some(bin) if held + lengths[i] <= most => bin.push(i),
            _ => {
                bins.push(vec![i]);
                held = 0;
            }
        }
        held += lengths[i];
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::bins;

    #[test]
    fn bins_keep_to_the_budget() {
        assert_eq!(bins(&[3, 9, 5, 2, 3], 8, 1), [vec![1], vec![2, 0], vec![4, 3]]);
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
        assert_eq!(bins(&[7], 100, 2), [vec![0]]);
        // Bins that are nearly full leave no text over for one of its own.
        let lengths: Vec<usize> = (0..1000).map(|i| 20 + i * 31 % 17).collect();
        let sums: Vec<usize> =
            bins(&lengths, 384, 2).iter().map(|bin| bin.iter().map(|&i| lengths[i]).sum::<usize>()).collect();
        let but_the_last = &sums[..sums.len() - 1];
        assert!(sums.len().is_multiple_of(2) && but_the_last.iter().all(|&sum| (340..=384).contains(&sum)), "{sums:?}");
        assert_eq!(bins(&[1, 1, 1, 1, 1, 1], 2, 2).len(), 4);
    }
}

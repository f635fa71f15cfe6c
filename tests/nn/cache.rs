//! Caches: what queries see, how buffers grow and slide, and forgetting.

use mlx_nn::cache::{KvCache, Visible};
use mlx_ops::{Dtype, Tensor, arange};

/// Keys whose only feature is their position.
fn positions(from: i32, count: i32) -> Tensor {
    arange(f64::from(from), f64::from(from + count), 1.0, Dtype::F32).unwrap().reshape([1, 1, count, 1]).unwrap()
}

/// Feeds `chunks` and checks that each query sees exactly the keys that a mask over all positions would show.
#[track_caller]
fn check(window: Option<i32>, chunks: &[i32]) {
    let mut cache = window.map_or_else(KvCache::full, KvCache::windowed);
    for &count in chunks {
        let offset = cache.offset();
        let visible = cache.visible(count).unwrap();
        let (keys, values) = cache.update(positions(offset, count), positions(offset, count)).unwrap();
        let keys = keys.to_vec::<f32>().unwrap();
        assert_eq!(keys, values.to_vec::<f32>().unwrap());
        for query in 0..count {
            let seen = seen(&visible, &keys, query, count);
            let position = offset + query;
            let oldest = window.map_or(0, |window| (position - window + 1).max(0));
            let expected: Vec<f32> = (oldest..=position).map(|p| p as f32).collect();
            assert_eq!(seen, expected, "window {window:?}, chunks {chunks:?}, position {position}");
        }
    }
}

fn seen(visible: &Visible, keys: &[f32], query: i32, count: i32) -> Vec<f32> {
    let (total, query) = (keys.len(), query as usize);
    match visible {
        Visible::All => keys.to_vec(),
        Visible::Causal => keys[..=total - count as usize + query].to_vec(),
        Visible::Masked(mask) => {
            assert_eq!(mask.shape(), [count, total as i32]);
            let row = &mask.to_vec::<bool>().unwrap()[query * total..(query + 1) * total];
            keys.iter().zip(row).filter(|(_, shown)| **shown).map(|(key, _)| *key).collect()
        }
    }
}

#[test]
fn queries_see_their_window() {
    for window in [None, Some(1), Some(3), Some(8), Some(300)] {
        check(window, &[1; 20]);
        check(window, &[5, 1, 1, 7, 1, 1, 1]);
        check(window, &[24, 1, 1]);
        check(window, &[2, 2, 2, 2, 2, 2, 2, 2, 1]);
        check(window, &[255, 1, 1, 1]);
        check(window, &[600, 1, 300, 1]);
        let steps = [&[3][..], &[1; 700]].concat();
        check(window, &steps);
    }
}

#[test]
fn reserved_buffers_do_not_grow() {
    let mut cache = KvCache::full();
    cache.reserve(1000);
    let mut sizes = Vec::new();
    for count in [256, 256, 256, 200, 32, 25] {
        let _ = cache.update(positions(cache.offset(), count), positions(cache.offset(), count)).unwrap();
        sizes.push(cache.nbytes());
    }
    // 1,024 positions of keys and values with one feature, and then an eighth more than are needed.
    assert_eq!(sizes, [8192, 8192, 8192, 8192, 8192, 2 * 4 * 1280]);
}

#[test]
fn forgetting() {
    let mut cache = KvCache::full();
    cache.update(positions(0, 10), positions(0, 10)).unwrap();
    assert!(cache.can_trim(10) && !cache.can_trim(11));
    cache.trim(4);
    assert_eq!(cache.offset(), 6);
    let (keys, _) = cache.update(positions(6, 2), positions(6, 2)).unwrap();
    assert_eq!(keys.to_vec::<f32>().unwrap(), (0..8).map(|p| p as f32).collect::<Vec<_>>());

    let mut cache = KvCache::windowed(4);
    for position in 0..600 {
        cache.update(positions(position, 1), positions(position, 1)).unwrap();
    }
    assert!(cache.can_trim(1));
    assert!(!cache.can_trim(590), "what position 10 sees was dropped");
    cache.trim(2);
    let (keys, _) = cache.update(positions(598, 1), positions(598, 1)).unwrap();
    assert_eq!(keys.to_vec::<f32>().unwrap(), [595.0, 596.0, 597.0, 598.0]);
}

#[test]
fn a_window_bounds_the_memory() {
    let mut cache = KvCache::windowed(16);
    for position in 0..2000 {
        cache.update(positions(position, 1), positions(position, 1)).unwrap();
    }
    assert!(cache.nbytes() <= 2 * 4 * 512, "{} bytes", cache.nbytes());
}

/// Inputs of a convolution whose only channel is their place, the first being 1.
fn inputs(from: i32, count: i32) -> Tensor {
    positions(from + 1, count).reshape([1, count, 1]).unwrap()
}

/// What a convolution of `length` needs for `count` inputs behind `from`: zeros stand in front of the first.
fn needed(length: i32, from: i32, count: i32) -> Vec<f32> {
    (from + 2 - length..=from + count).map(|place| place.max(0) as f32).collect()
}

#[test]
fn convolutions_get_their_last_inputs() {
    for (length, chunks) in [(1, &[3, 1][..]), (3, &[1, 1, 1, 1]), (3, &[24, 1, 7]), (4, &[2, 30, 1, 1]), (5, &[1; 40])]
    {
        let mut cache = KvCache::windowed(length);
        for &count in chunks {
            let from = cache.offset();
            let seen = cache.append(&inputs(from, count)).unwrap().to_vec::<f32>().unwrap();
            assert_eq!(seen, needed(length, from, count), "length {length}, chunks {chunks:?}, position {from}");
        }
        assert!(cache.nbytes() <= 4 * 20, "{} bytes", cache.nbytes());
    }
}

#[test]
fn convolutions_forget_a_few_inputs() {
    let mut cache = KvCache::windowed(3);
    cache.append(&inputs(0, 5)).unwrap();
    assert!(cache.can_trim(5) && !cache.can_trim(6));
    cache.trim(4);
    assert_eq!(cache.append(&inputs(1, 2)).unwrap().to_vec::<f32>().unwrap(), needed(3, 1, 2));
    cache.append(&inputs(3, 100)).unwrap();
    assert!(cache.can_trim(16) && !cache.can_trim(17), "older inputs were dropped");
    cache.trim(16);
    assert_eq!(cache.append(&inputs(87, 1)).unwrap().to_vec::<f32>().unwrap(), needed(3, 87, 1));
    assert_eq!(cache.offset(), 88);
}

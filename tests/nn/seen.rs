//! Tokens that see without being seen.

use mlx_nn::encoder::{Encoder, presets};
use mlx_nn::weights::Checkpoint;
use mlx_ops::Dtype;
use mlx_tests::{fixtures, max_difference};

fn encoder(case: &str) -> Encoder {
    let checkpoint = Checkpoint::folder(&fixtures().join("embed").join(case)).unwrap();
    let config = presets::find(checkpoint.config.text("model_type").unwrap()).unwrap()(&checkpoint.config).unwrap();
    let weights = checkpoint.weights(Some(Dtype::F32));
    let encoder = Encoder::new(config, &weights).unwrap();
    weights.finish(|_, _| {}).unwrap();
    encoder
}

/// A sequence that others were appended to unseen is what it is alone, within windows and scores of distances too.
#[test]
fn what_is_not_seen_changes_nothing() {
    for case in ["bert-bare", "modernbert-cls", "mpnet-mean"] {
        let encoder = encoder(case);
        let short: Vec<Vec<u32>> = vec![vec![5, 9, 30], vec![7], (10..30).collect()];
        let filled: Vec<Vec<u32>> = short.iter().map(|ids| [&ids[..], &[4; 9]].concat()).collect();
        let states = |all: &[Vec<u32>], seen: Option<&[usize]>| -> Vec<f32> {
            let mut batch = encoder.batch(&all.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            if let Some(seen) = seen {
                batch = batch.seen(seen).unwrap();
            }
            encoder.forward(&batch).unwrap().to_vec().unwrap()
        };
        let dims = encoder.config().hidden_size as usize;
        let seen: Vec<usize> = short.iter().map(Vec::len).collect();
        let (alone, hidden, all) = (states(&short, None), states(&filled, Some(&seen)), states(&filled, None));
        let (mut from, mut at) = (0, 0);
        for (ids, seen) in short.iter().zip(&seen) {
            let count = seen * dims;
            let of = |states: &[f32]| max_difference(&alone[from..from + count], &states[at..at + count]);
            assert!(of(&hidden) < 1e-5, "{case}: {:e} for {ids:?}", of(&hidden));
            assert!(of(&all) > 1e-3, "{case}: appended tokens that are seen change {ids:?}");
            from += count;
            at += (seen + 9) * dims;
        }
        assert!(hidden.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn numbers_of_seen_tokens_fit_the_sequences() {
    let encoder = encoder("bert-bare");
    for seen in [&[1usize][..], &[0, 1], &[1, 3], &[1, 1, 1]] {
        let error = encoder.batch(&[&[5, 6], &[7, 8]]).unwrap().seen(seen).err().expect("an error").to_string();
        assert!(error.contains("number of seen tokens"), "{error}");
    }
}

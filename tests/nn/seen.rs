//! Tokens that see without being seen.

use mlx_nn::decoder::{Backbone, text_presets};
use mlx_nn::encoder::{Encoder, presets};
use mlx_nn::packed::Batch;
use mlx_nn::weights::Checkpoint;
use mlx_nn::{Config, Weights};
use mlx_ops::{Dtype, Tensor};
use mlx_tests::{fixtures, max_difference};

fn load<T>(case: &str, build: impl Fn(&Config, &str, &Weights) -> T) -> T {
    let checkpoint = Checkpoint::folder(&fixtures().join("embed").join(case)).unwrap();
    let config = checkpoint.config.clone();
    let weights = checkpoint.weights(Some(Dtype::F32));
    let model = build(&config, config.text("model_type").unwrap(), &weights);
    weights.finish(|_, _| {}).unwrap();
    model
}

fn encoder(case: &str) -> Encoder {
    load(case, |c, kind, w| Encoder::new(presets::find(kind).unwrap()(c).unwrap(), w).unwrap())
}

fn decoder(case: &str) -> Backbone {
    load(case, |c, kind, w| Backbone::new(text_presets::find(kind).unwrap()(c).unwrap(), w).unwrap())
}

/// A sequence that others were appended to unseen is what it is alone, within windows and scores of distances too. Where
/// tokens see `ahead`, others that are seen change it.
#[track_caller]
fn check(
    case: &str,
    dims: i32,
    ahead: bool,
    batch: impl Fn(&[&[u32]]) -> mlx_nn::Result<Batch>,
    forward: impl Fn(&Batch) -> mlx_nn::Result<Tensor>,
) {
    let short: Vec<Vec<u32>> = vec![vec![5, 9, 30], vec![7], (10..30).collect()];
    let filled: Vec<Vec<u32>> = short.iter().map(|ids| [&ids[..], &[4; 9]].concat()).collect();
    let states = |all: &[Vec<u32>], seen: Option<&[usize]>| -> Vec<f32> {
        let mut batch = batch(&all.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        if let Some(seen) = seen {
            batch = batch.seen(seen).unwrap();
        }
        forward(&batch).unwrap().to_vec().unwrap()
    };
    let (dims, seen) = (dims as usize, short.iter().map(Vec::len).collect::<Vec<_>>());
    let (alone, hidden, all) = (states(&short, None), states(&filled, Some(&seen)), states(&filled, None));
    let (mut from, mut at) = (0, 0);
    for (ids, seen) in short.iter().zip(&seen) {
        let count = seen * dims;
        let of = |states: &[f32]| max_difference(&alone[from..from + count], &states[at..at + count]);
        assert!(of(&hidden) < 1e-5, "{case}: {:e} for {ids:?}", of(&hidden));
        assert!(!ahead || of(&all) > 1e-3, "{case}: appended tokens that are seen change {ids:?}");
        from += count;
        at += (seen + 9) * dims;
    }
    assert!(hidden.iter().all(|x| x.is_finite()), "{case}");
    assert!(max_difference(&hidden, &all) > 1e-3, "{case}: appended tokens see each other");
}

#[test]
fn what_is_not_seen_changes_nothing() {
    for case in ["bert-bare", "modernbert-cls", "mpnet-mean"] {
        let model = encoder(case);
        check(case, model.config().hidden_size, true, |ids| model.batch(ids), |batch| model.forward(batch));
    }
    // LFM2 in both directions is not among them: its convolutions see all tokens, as its authors have it for ColBERT.
    for (case, ahead) in [("qwen3-last", false), ("gemma3-both-ways", true)] {
        let model = decoder(case);
        check(case, model.config().hidden_size, ahead, |ids| model.batch(ids), |batch| model.encode(batch));
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

//! How sequences become a batch of an encoder.

use mlx_nn::encoder::{Encoder, presets};
use mlx_nn::weights::Checkpoint;
use mlx_tests::{fixtures, max_difference};

fn encoder(case: &str) -> Encoder {
    let checkpoint = Checkpoint::folder(&fixtures().join("embed").join(case)).unwrap();
    let preset = presets::find(checkpoint.config.text("model_type").unwrap()).unwrap();
    let config = preset(&checkpoint.config).unwrap();
    let weights = checkpoint.weights(None);
    let encoder = Encoder::new(config, &weights).unwrap();
    weights.finish(|_, _| {}).unwrap();
    encoder
}

fn hidden(encoder: &Encoder, sequences: &[&[u32]], types: &[&[u32]]) -> Vec<f32> {
    encoder.forward(&encoder.batch_pairs(sequences, types).unwrap()).unwrap().to_vec().unwrap()
}

#[test]
fn a_sequence_without_types_is_one_text() {
    let encoder = encoder("rerank-bert");
    let sequences: [&[u32]; 3] = [&[1, 6, 2, 5, 2], &[1, 6, 2, 5, 2], &[1, 2]];
    let plain = hidden(&encoder, &sequences, &[]);
    assert_eq!(plain, hidden(&encoder, &sequences, &[&[0; 5], &[], &[0; 2]]));
    let second = hidden(&encoder, &sequences, &[&[], &[0, 0, 0, 1, 1]]);
    let (row, rows) = (5 * 16, 10 * 16);
    assert!(
        max_difference(&plain[..row], &second[..row]) < 1e-6 && max_difference(&plain[rows..], &second[rows..]) < 1e-6
    );
    assert!(max_difference(&plain[row..rows], &second[row..rows]) > 0.1);
    let xlm_roberta = self::encoder("rerank-xlm-roberta");
    // RoBERTa has one type, and ignores what it does not know.
    assert!(xlm_roberta.batch_pairs(&sequences, &[&[], &[9; 5]]).is_ok());
}

#[track_caller]
fn check_error(types: &[u32], parts: &[&str]) {
    let error = encoder("rerank-bert").batch_pairs(&[&[1, 6, 2], &[1, 2]], &[&[], types]).err().unwrap().to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn types_that_do_not_fit_are_named() {
    check_error(&[0, 1, 1], &["Sequence 1", "2 tokens", "types of 3"]);
    check_error(&[0, 2], &["Sequence 1", "type 2", "knows 2"]);
}

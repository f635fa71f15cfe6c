//! Sampling against `mlx_lm.sample_utils`.

use mlx_nn::generate::sample::{keep_min_p, keep_top_k, keep_top_p, log_probabilities, penalize};
use mlx_nn::generate::{Sampler, Sampling};
use mlx_ops::{Tensor, random};
use mlx_tests::{json, max_difference};
use serde_json::Value;

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().map_or(f32::NEG_INFINITY, |v| v as f32)).collect()
}

fn row(values: &[f32]) -> Tensor {
    Tensor::from_slice(values, [1, values.len() as i32]).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

#[test]
fn filters_keep_what_the_reference_keeps() {
    let goldens = json("lm/sampling.json");
    let mut checked = 0;
    for case in goldens["filters"].as_array().unwrap() {
        let input = log_probabilities(&row(&floats(&goldens["inputs"][case["input"].as_str().unwrap()]))).unwrap();
        let value = case["value"].as_f64().unwrap();
        let found = match case["filter"].as_str().unwrap() {
            "top_p" => keep_top_p(&input, value as f32),
            "min_p" if case.get("min_tokens_to_keep").is_none_or(|n| n == 1) => keep_min_p(&input, value as f32),
            "top_k" => keep_top_k(&input, value as i32),
            _ => continue,
        };
        let found = found.unwrap().to_vec::<f32>().unwrap();
        match case.get("logprobs") {
            Some(expected) => assert!(max_difference(&found, &floats(expected)) < 1e-6, "{case}: {found:?}"),
            None => {
                let kept: Vec<u32> = (0..).zip(&found).filter(|(_, v)| v.is_finite()).map(|(i, _)| i).collect();
                assert_eq!(kept, ids(&case["kept"]), "{} {value}", case["filter"]);
            }
        }
        checked += 1;
    }
    assert!(checked >= 20, "only {checked} filters were checked");
}

#[test]
fn the_repetition_penalty_equals_the_references() {
    let goldens = json("lm/sampling.json");
    let penalties = &goldens["penalties"];
    let mut checked = 0;
    for case in penalties["cases"].as_array().unwrap() {
        let settings = case["settings"].as_object().unwrap();
        let Some(penalty) = settings.get("repetition_penalty").and_then(Value::as_f64) else { continue };
        let only = settings.keys().all(|key| key.starts_with("repetition_"));
        let mut tokens = ids(&case["tokens"]);
        if !only || tokens.is_empty() {
            continue;
        }
        let context = settings.get("repetition_context_size").and_then(Value::as_u64).unwrap_or(20) as usize;
        tokens.drain(..tokens.len().saturating_sub(context));
        let tokens = Tensor::from_slice(&tokens, [1, tokens.len() as i32]).unwrap();
        let found = penalize(&row(&floats(&penalties["input"])), &tokens, penalty as f32).unwrap();
        assert!(max_difference(&found.to_vec().unwrap(), &floats(&case["logits"])) < 1e-6, "{case}");
        checked += 1;
    }
    assert!(checked >= 4, "only {checked} penalties were checked");
}

#[test]
fn keys_split_as_the_references() {
    for case in json("lm/sampling.json")["keys"].as_array().unwrap() {
        let key = random::key(case["seed"].as_u64().unwrap()).unwrap();
        assert_eq!(key.to_vec::<u32>().unwrap(), ids(&case["key"]));
        let (a, b) = random::split(&key).unwrap();
        assert_eq!(a.to_vec::<u32>().unwrap(), ids(&case["split"][0]));
        assert_eq!(b.to_vec::<u32>().unwrap(), ids(&case["split"][1]));
    }
}

#[test]
fn seeded_draws_equal_the_references() {
    let goldens = json("lm/sampling.json");
    let mut checked = 0;
    for case in goldens["sequences"].as_array().unwrap() {
        let settings = &case["settings"];
        let number = |key: &str| settings[key].as_f64().unwrap_or(0.0) as f32;
        let options = Sampling {
            temperature: number("temp"),
            top_p: number("top_p"),
            min_p: number("min_p"),
            top_k: settings["top_k"].as_u64().unwrap_or(0) as usize,
            seed: case["seed"].as_u64(),
            ..Sampling::default()
        };
        let logits = row(&floats(&goldens["inputs"][case["input"].as_str().unwrap()]));
        let mut sampler = Sampler::new(&options, &[]).unwrap();
        let expected = ids(&case["draws"]);
        let draw = |_: &u32| sampler.sample(&logits).unwrap().item::<u32>().unwrap();
        assert_eq!(expected.iter().map(draw).collect::<Vec<_>>(), expected, "{settings}");
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} sequences were checked");
}

#[track_caller]
fn refused(change: impl Fn(&mut Sampling), text: &str) {
    let mut options = Sampling::default();
    change(&mut options);
    let error = Sampler::new(&options, &[]).err().expect("an error was expected").to_string();
    assert!(error.contains(text), "{error}");
}

#[test]
fn options_out_of_range_are_named() {
    refused(|o| o.temperature = -1.0, "`temperature` should be 0 or more, not -1");
    refused(|o| o.top_p = 1.5, "`top_p` should be between 0 and 1");
    refused(|o| o.min_p = f32::NAN, "`min_p`");
    refused(|o| o.repetition_penalty = 0.0, "`repetition_penalty` should be more than 0");
}

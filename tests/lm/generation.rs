//! The generation loop on tiny checkpoints.

use mlx_lm::{Language, LoadOptions, Options, Processor, Sampling, load_language};
use mlx_nn::generate::Generation;
use mlx_ops::{Dtype, Tensor};
use mlx_tests::{fixtures, tensors};
use std::ops::ControlFlow;

struct Case {
    model: Box<dyn Language>,
    prompt: Vec<u32>,
    decode: Vec<u32>,
}

#[track_caller]
fn case(name: &str) -> Case {
    let dir = fixtures().join("lm").join(name);
    let model = load_language(&dir, LoadOptions { dtype: Some(Dtype::F32), ..LoadOptions::default() }).unwrap();
    let expected = tensors(&dir.join("expect.safetensors"));
    let ids = |name: &str| expected[name].astype(Dtype::U32).unwrap().to_vec::<u32>().unwrap();
    Case { model, prompt: ids("prompt"), decode: ids("decode") }
}

#[track_caller]
fn generate(case: &Case, options: Options) -> Vec<u32> {
    let generation = Generation::new(&*case.model, case.model.caches(), &case.prompt, options).unwrap();
    generation.collect::<Result<_, _>>().unwrap()
}

fn greedy(max_tokens: usize) -> Options {
    Options { max_tokens, ..Options::default() }
}

#[test]
fn greedy_tokens_equal_the_references() {
    for name in
        ["llama-dense-single", "llama-q4-single", "gemma2-q4-single", "gemma3_text-dense-single", "phi3-q4-single"]
    {
        let case = case(name);
        for prefill_step in [1, 5, 2048] {
            let options = Options { prefill_step, ..greedy(case.decode.len()) };
            assert_eq!(generate(&case, options), case.decode, "{name} in steps of {prefill_step}");
        }
    }
}

#[test]
fn the_number_of_tokens_is_exact() {
    let case = case("llama-dense-single");
    for count in [0, 1, 2, 7] {
        assert_eq!(generate(&case, greedy(count)), case.decode[..count]);
    }
}

#[test]
fn processors_see_all_tokens_and_change_the_choice() {
    let case = case("llama-dense-single");
    let banned = case.decode[0];
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let record = seen.clone();
    let ban: Processor = Box::new(move |tokens, logits| {
        record.borrow_mut().push(tokens.to_vec());
        let at = Tensor::from_slice(&[banned], [1, 1])?;
        Ok(logits.put_along_axis(&at, &Tensor::from_slice(&[f32::NEG_INFINITY], [1, 1])?, -1)?)
    });
    let tokens = generate(&case, Options { processors: vec![ban], ..greedy(6) });
    assert_eq!(tokens.len(), 6);
    assert!(!tokens.contains(&banned));
    let expected: Vec<Vec<u32>> = (0..6).map(|n| [&case.prompt[..], &tokens[..n]].concat()).collect();
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn seeds_repeat_and_differ() {
    let case = case("qwen3-dense-single");
    let draw = |seed| {
        let sampling = Sampling { temperature: 1.5, seed: Some(seed), ..Sampling::default() };
        generate(&case, Options { sampling, ..greedy(16) })
    };
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}

#[test]
fn progress_is_told_and_can_end_the_generation() {
    let case = case("llama-dense-single");
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let record = told.clone();
    let progress = Box::new(move |done, total| {
        record.borrow_mut().push((done, total));
        ControlFlow::Continue(())
    });
    generate(&case, Options { prefill_step: 10, progress: Some(progress), ..greedy(1) });
    assert_eq!(*told.borrow(), [(0, 24), (10, 24), (20, 24), (24, 24)]);

    let progress = Box::new(|done, _| if done >= 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
    assert!(generate(&case, Options { prefill_step: 10, progress: Some(progress), ..greedy(5) }).is_empty());
}

#[track_caller]
fn refused(prompt: &[u32], text: &str) {
    let case = case("llama-dense-single");
    let error = Generation::new(&*case.model, case.model.caches(), prompt, greedy(4)).err().unwrap().to_string();
    assert!(error.contains(text), "{error}");
}

#[test]
fn wrong_prompts_are_refused() {
    refused(&[], "The prompt is empty");
    refused(&[1, 2, 64], "Token 2 of the prompt has id 64, and the model knows ids below 64");
    refused(&[1; 100_000], "more than the");
}

#[test]
fn generation_ends_with_the_context() {
    let case = case("llama-dense-single");
    let context = case.model.context().unwrap();
    let prompt = vec![1; context - 2];
    let options = greedy(50);
    let generation = Generation::new(&*case.model, case.model.caches(), &prompt, options).unwrap();
    // The last token produced needs no place of its own.
    assert_eq!(generation.count(), 3);
}

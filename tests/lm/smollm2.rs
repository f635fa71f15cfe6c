//! A real model from its GGUF file: logits, greedy text, tokens, chat and memory.

use mlx_lm::{Model, Options, load};
use mlx_nn::chat::{Message, Prompt};
use mlx_nn::decoder::{Input, Logits, Step};
use mlx_ops::{Tensor, memory};
use mlx_tests::{fixtures, json, max_difference, real, tensors};
use serde_json::Value;

const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const TOLERANCE: f32 = 1e-2;
/// Below this margin between the two best logits, either is a right choice.
const TIE: f64 = 1e-3;

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

fn last_logits(model: &Model, ids: &[u32]) -> Vec<f32> {
    let language = model.language();
    let ids = Tensor::from_slice(ids, [1, ids.len() as i32]).unwrap();
    let step = Step { input: Input::Tokens(&ids), logits: Logits::Last };
    language.forward(&step, &mut language.caches()).unwrap().unwrap().to_vec().unwrap()
}

#[track_caller]
fn same_text(name: &str, found: &[u32], prompt: &Value) {
    let expected = ids(&prompt["tokens"]);
    let Some(at) = found.iter().zip(&expected).position(|(a, b)| a != b) else { return };
    let margin = prompt["margins"][at].as_f64().unwrap();
    assert!(margin < TIE, "{name}: token {at} is {} and not {}, margin {margin:e}", found[at], expected[at]);
}

#[test]
fn the_gguf_model_equals_the_reference() {
    let Some(path) = real(FILE) else { return };
    let goldens = json("lm/smollm2.json");
    let expected = tensors(&fixtures().join("lm/smollm2.safetensors"));
    let model = load(path.to_str().unwrap()).unwrap();
    let every_16 = expected["logits_every_16"].to_vec::<f32>().unwrap();
    let (top, top_ids) =
        (expected["top_logits"].to_vec::<f32>().unwrap(), expected["top_ids"].to_vec::<i32>().unwrap());
    for (i, prompt) in goldens["prompts"].as_array().unwrap().iter().enumerate() {
        let name = prompt["name"].as_str().unwrap();
        let prompt_ids = model.tokenizer().encode(prompt["prompt"].as_str().unwrap(), true).unwrap();
        assert_eq!(prompt_ids, ids(&prompt["ids"]), "{name}");
        let logits = last_logits(&model, &prompt_ids);
        let sampled: Vec<f32> = logits.iter().copied().step_by(16).collect();
        let best: Vec<f32> = top_ids[i * 64..(i + 1) * 64].iter().map(|&id| logits[id as usize]).collect();
        let n = sampled.len();
        let difference = max_difference(&sampled, &every_16[i * n..(i + 1) * n])
            .max(max_difference(&best, &top[i * 64..(i + 1) * 64]));
        assert!(difference <= TOLERANCE, "{name}: logits differ by {difference:e}");

        let options = Options { max_tokens: 64, ..Options::default() };
        let language = model.language();
        let generation = mlx_nn::generate::Generation::new(language, language.caches(), &prompt_ids, options).unwrap();
        let tokens: Vec<u32> = generation.collect::<Result<_, _>>().unwrap();
        assert_eq!(tokens.len(), 64);
        same_text(name, &tokens, prompt);
    }
}

#[test]
fn packed_weights_stay_packed() {
    let Some(path) = real(FILE) else { return };
    if !mlx_tests::alone("lm::smollm2::packed_weights_stay_packed") {
        return;
    }
    let model = load(path.to_str().unwrap()).unwrap();
    model.generate("One, two, three,", Options { max_tokens: 4, ..Options::default() }).unwrap();
    // 135 million weights take 538 MB in f32; packed, with f32 scales, about 115 MB.
    let peak = memory::peak_memory().unwrap();
    assert!(peak < 150_000_000, "{peak} bytes were in use");
}

#[test]
fn tokens_and_chat_equal_the_reference() {
    let Some(path) = real(FILE) else { return };
    let header = mlx_nn::gguf::Header::read(&path).unwrap();
    let tokenizer = mlx_lm::Tokenizer::from_gguf(&header).unwrap();
    let goldens = json("lm/smollm2.json");
    for case in goldens["texts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        assert_eq!(tokenizer.encode(text, true).unwrap(), ids(&case["ids"]), "{text:?}");
    }
    for case in goldens["chat"].as_array().unwrap() {
        let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
        let add_generation_prompt = case["add_generation_prompt"].as_bool().unwrap();
        let prompt = Prompt { messages, add_generation_prompt, ..Prompt::default() };
        let text = tokenizer.chat_template().unwrap().unwrap().render(&prompt).unwrap();
        assert_eq!(text, case["rendered"].as_str().unwrap());
        assert_eq!(tokenizer.encode(&text, false).unwrap(), ids(&case["ids"]));
    }
}

/// A conversation that reuses its caches says what one that starts afresh each turn says.
#[test]
fn a_conversation_reuses_what_it_computed() {
    let Some(path) = real(FILE) else { return };
    let model = load(path.to_str().unwrap()).unwrap();
    let options = || Options { max_tokens: 12, ..Options::default() };
    let mut chat = model.chat().system("You answer in one word.");
    let mut computed = Vec::new();
    for question in ["What is the capital of Italy?", "And of Spain?", "Thank you."] {
        let messages: Vec<Message> = [chat.messages(), &[Message::user(question)]].concat();
        let mut answer = chat.ask(question, options()).unwrap();
        let text: String = (&mut answer).collect::<Result<_, _>>().unwrap();
        computed.push(answer.statistics().prompt_tokens);
        drop(answer);
        let prompt = Prompt { messages, add_generation_prompt: true, ..Prompt::default() };
        let prompt = model.tokenizer().chat_template().unwrap().unwrap().render(&prompt).unwrap();
        let ids = model.tokenizer().encode(&prompt, false).unwrap();
        let fresh: String = model.stream_ids(&ids, options()).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(text, fresh, "{question}");
        assert_eq!(chat.messages().last().unwrap().content.as_str(), Some(fresh.as_str()));
    }
    let all: usize = computed.iter().sum();
    assert!(computed[1] < 40 && computed[2] < 40, "{computed:?} of {all} prompt tokens were computed");
}

//! Rotary embeddings against `mlx_lm.models.rope_utils.initialize_rope`.

use mlx_nn::Config;
use mlx_nn::rope::{Rope, RopeConfig};
use mlx_tests::{fixtures, json, max_difference, tensors};
use serde_json::{Map, Value, json};

/// Kinds that no preset uses yet.
const LATER: [&str; 3] = ["dynamic", "proportional", "mrope"];

#[test]
fn rotations_equal_the_references() {
    let (list, expected) = (json("nn/rope.json"), tensors(&fixtures().join("nn/rope.safetensors")));
    let mut checked = 0;
    for rope in list["ropes"].as_array().unwrap() {
        let name = rope["name"].as_str().unwrap();
        let scaling = &rope["scaling_config"];
        let kind = scaling["type"].as_str().or(scaling["rope_type"].as_str()).unwrap_or("default");
        if LATER.contains(&kind) {
            continue;
        }
        let mut values = Map::new();
        values.insert("rope_theta".into(), rope["base"].clone());
        values.insert("rope_traditional".into(), rope["traditional"].clone());
        values.insert("rope_scaling".into(), scaling.clone());
        values.insert("max_position_embeddings".into(), rope["max_position_embeddings"].clone());
        let config = RopeConfig::read(&Config::new(values, name), rope["dims"].as_i64().unwrap() as i32, None).unwrap();
        let built = Rope::new(&config).unwrap();
        for offset in list["offsets"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap()) {
            let found = built.forward(&expected["x"], offset as i32).unwrap().to_vec::<f32>().unwrap();
            let wanted = expected[&format!("{name}.{offset}")].to_vec::<f32>().unwrap();
            // Angles of position 1,000 differ in the last bit of an f32 table.
            let tolerance = if offset >= 1000 { 5e-4 } else { 1e-5 };
            let difference = max_difference(&found, &wanted);
            assert!(difference <= tolerance, "{name} at {offset}: {difference:e}");
        }
        checked += 1;
    }
    assert!(checked >= 18, "only {checked} ropes were checked");
}

#[track_caller]
fn fails(values: Value, text: &str) {
    let Value::Object(values) = values else { panic!("an object was expected") };
    let error = RopeConfig::read(&Config::new(values, "config.json"), 16, None).and_then(|c| Rope::new(&c).map(|_| c));
    let error = error.expect_err("an error was expected").to_string();
    assert!(error.contains(text), "{error}");
}

#[test]
fn wrong_settings_name_the_key() {
    fails(json!({}), "the key `rope_theta` is missing");
    fails(json!({"rope_theta": "x"}), "`rope_theta` should be a number");
    fails(json!({"rope_theta": 1e4, "rope_scaling": {"type": "spiral"}}), "not spiral");
    fails(json!({"rope_theta": 1e4, "rope_scaling": {"type": "linear"}}), "the key `factor` is missing");
    fails(json!({"rope_theta": 1e4, "rope_scaling": {"type": "longrope"}}), "long_factor");
    fails(json!({"rope_theta": 1e4, "rope_scaling": {"type": "longrope", "long_factor": [1, 2]}}), "has 2 entries");
}

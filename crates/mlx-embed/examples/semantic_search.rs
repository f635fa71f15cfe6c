//! Texts by meaning: `cargo run --release --example semantic_search -- FOLDER FILE QUERY`, where the file has a text in each
//! line.

use mlx_embed::{EncodeOptions, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, model, file, query] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: semantic_search FOLDER FILE QUERY".into());
    };
    let model = load(model)?;
    let text = std::fs::read_to_string(file)?;
    let texts: Vec<&str> = text.lines().collect();
    let options = EncodeOptions::default();
    // Some models have prompts of their own for questions and for what is to be found.
    let documents = model.encode_document(&texts, &options)?;
    let query = model.encode_query(&[query], &options)?;

    let scores = model.similarity().between(&query, &documents)?;
    let mut ranked: Vec<(f32, &str)> = scores.into_iter().zip(texts).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (score, text) in ranked.iter().take(5) {
        println!("{score:.4}  {text}");
    }
    Ok(())
}

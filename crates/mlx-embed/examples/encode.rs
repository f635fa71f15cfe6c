//! The vectors of texts: `cargo run --release --example encode -- FOLDER TEXT...`.

use mlx_embed::{EncodeOptions, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, model, texts @ ..] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: encode FOLDER TEXT...".into());
    };
    let model = load(model)?;
    let options = EncodeOptions { normalize: true, ..EncodeOptions::default() };
    for (text, vector) in texts.iter().zip(model.encode(texts, &options)?.rows()) {
        println!("{text}: {} numbers, {:?}...", vector.len(), &vector[..4.min(vector.len())]);
    }
    Ok(())
}

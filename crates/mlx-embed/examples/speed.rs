//! Texts a second, all at once, and the time of one text alone:
//! `cargo run --release --example speed -- FOLDER FILE`, where the file has a text in each line.

use mlx_embed::{EncodeOptions, load};
use std::time::Instant;

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, model, file] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: speed FOLDER FILE".into());
    };
    let model = load(model)?;
    let text = std::fs::read_to_string(file)?;
    let texts: Vec<&str> = text.lines().collect();
    let options = EncodeOptions::default();
    model.encode(&texts[..texts.len().min(64)], &options)?;

    let mut rates = Vec::new();
    let mut latencies = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        model.encode(&texts, &options)?;
        rates.push(texts.len() as f64 / start.elapsed().as_secs_f64());
        for text in texts.iter().take(40) {
            let start = Instant::now();
            model.encode(&[text], &options)?;
            latencies.push(1e3 * start.elapsed().as_secs_f64());
        }
    }
    println!("{:.0} texts/s, {:.2} ms for one alone (medians)", median(&mut rates), median(&mut latencies));
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

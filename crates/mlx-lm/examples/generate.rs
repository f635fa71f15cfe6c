//! Continues a sentence: `cargo run --example generate -- MODEL "A sentence"`.

use mlx_lm::{Options, load};
use std::io::Write;

fn main() -> mlx_lm::Result<()> {
    let mut args = std::env::args().skip(1);
    let source = args.next().unwrap_or_else(|| "mlx-community/SmolLM2-135M-Instruct".into());
    let prompt = args.next().unwrap_or_else(|| "Photosynthesis is the process by which".into());
    let model = load(source)?;
    let mut answer = model.stream(&prompt, Options { max_tokens: 64, ..Options::default() })?;
    print!("{prompt}");
    for piece in &mut answer {
        print!("{}", piece?);
        std::io::stdout().flush().ok();
    }
    println!("\n{:.1} tokens/s", answer.statistics().generation_tps());
    Ok(())
}

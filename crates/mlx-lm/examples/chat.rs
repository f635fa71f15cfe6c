//! Asks two questions in one conversation: `cargo run --example chat -- MODEL`.

use mlx_lm::{Options, Sampling, load};

fn main() -> mlx_lm::Result<()> {
    let source = std::env::args().nth(1).unwrap_or_else(|| "mlx-community/SmolLM2-135M-Instruct".into());
    let model = load(source)?;
    let mut chat = model.chat().system("You answer in one sentence.");
    for question in ["What do plants need to grow?", "And what do they give back?"] {
        let sampling = Sampling { temperature: 0.7, top_p: 0.9, seed: Some(1), ..Sampling::default() };
        let mut answer = chat.ask(question, Options { max_tokens: 64, sampling, ..Options::default() })?;
        println!("> {question}");
        for piece in &mut answer {
            print!("{}", piece?);
        }
        println!("\n({} prompt tokens were new)", answer.statistics().prompt_tokens);
    }
    Ok(())
}

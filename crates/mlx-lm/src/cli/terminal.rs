//! What the commands share of the terminal: progress, interruption, text as it comes, and figures.

use indicatif::{ProgressBar, ProgressStyle};
use mlx_lm::{Error, Progress, Result, Statistics};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static ANSWERING: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C end the answer that is being given, and the process while none is.
pub fn catch_interrupts() -> Result<()> {
    let handler = || {
        if !ANSWERING.load(Ordering::SeqCst) || INTERRUPTED.swap(true, Ordering::SeqCst) {
            eprintln!();
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| Error::msg(format!("Ctrl-C cannot be handled: {e}.")))
}

/// Says whether an answer is being given.
pub fn answering(yes: bool) {
    INTERRUPTED.store(false, Ordering::SeqCst);
    ANSWERING.store(yes, Ordering::SeqCst);
}

/// Whether Ctrl-C was pressed since the answer began.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn bar(template: &str, quiet: bool) -> Option<ProgressBar> {
    if quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    Some(ProgressBar::new(0).with_style(style))
}

/// A bar of the bytes loaded.
pub fn loading(quiet: bool) -> Option<Box<dyn FnMut(usize, usize)>> {
    let bar = bar("Loading {bar:40} {bytes}/{total_bytes}", quiet)?;
    Some(Box::new(move |done, total| show(&bar, done, total)))
}

/// A bar of the prompt tokens computed; ends the generation on Ctrl-C.
pub fn prefilling(quiet: bool) -> Progress {
    let bar = bar("Prompt {bar:40} {pos}/{len} tokens", quiet);
    Box::new(move |done, total| {
        // A prompt of a single pass is over before a bar could be read.
        if let Some(bar) = bar.as_ref().filter(|_| total > 64) {
            show(bar, done, total);
        }
        if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

fn show(bar: &ProgressBar, done: usize, total: usize) {
    bar.set_length(total as u64);
    bar.set_position(done as u64);
    if done >= total {
        bar.finish_and_clear();
    }
}

/// Prints a piece at once; false where nobody reads any more.
pub fn print_piece(piece: &str) -> bool {
    let mut out = std::io::stdout();
    out.write_all(piece.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// The figures of an answer, for people.
pub fn print_statistics(s: &Statistics) {
    eprintln!(
        "Prompt: {} tokens, {:.1} tokens/s. Generation: {} tokens, {:.1} tokens/s. Peak memory: {:.3} GB.",
        s.prompt_tokens,
        s.prompt_tps(),
        s.generation_tokens,
        s.generation_tps(),
        s.peak_memory as f64 / 1e9
    );
}

/// An answer and its figures, for programs.
pub fn answer_json(text: &str, s: &Statistics) -> Value {
    json!({
        "text": text,
        "finish_reason": s.finish.name(),
        "prompt_tokens": s.prompt_tokens,
        "prompt_tps": s.prompt_tps(),
        "generation_tokens": s.generation_tokens,
        "generation_tps": s.generation_tps(),
        "peak_memory": s.peak_memory,
    })
}

//! `cargo xtask bench lm`: ours and the Python reference, dense and packed.

use super::{ROUNDS, answer, median};
use crate::{Result, fetch, flags, project, python};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xshell::{Cmd, Shell, cmd};

const PROMPT_TOKENS: usize = 128;
const GEN_TOKENS: usize = 32;

/// What a ratio to the reference must reach: packed weights, and dense f32 ones.
const LEAST_4BIT: f64 = 1.0;
const LEAST_F32: f64 = 5.0;

/// One set of weights, as each side reads them.
struct Weights {
    name: &'static str,
    ours: PathBuf,
    theirs: PathBuf,
    least: f64,
}

/// Medians of one side over the rounds.
#[derive(Clone, Copy)]
struct Rates {
    /// Tokens of the prompt a second.
    prefill: f64,
    /// Generated tokens a second.
    decode: f64,
    /// Bytes.
    peak_memory: f64,
    /// Seconds.
    load: f64,
}

/// Measures every set of weights and compares the ratios with what the project promises.
pub fn run(flags: &flags::Bench) -> Result {
    if flags.quick {
        return Err("`--quick` belongs to `bench cpu`.".into());
    }
    let sh = project::shell()?;
    let gguf = fetch::inputs()?.join(fetch::DEFAULT_MODEL);
    let python = python::reference(&sh)?;
    let exported = project::results(&sh, "bench/smollm2")?;
    cmd!(sh, "{python} xtask/py/lm_real.py {gguf} --export {exported}").run()?;
    cmd!(sh, "cargo build --quiet --release -p mlx-lm").run()?;

    let f32 = exported.join("f32");
    let all = [
        Weights { name: "4bit", ours: gguf, theirs: exported.join("q4"), least: LEAST_4BIT },
        Weights { name: "f32", ours: f32.clone(), theirs: f32, least: LEAST_F32 },
    ];
    let rounds = flags.rounds.unwrap_or(ROUNDS).max(1);
    let mut table = Vec::new();
    for weights in &all {
        let (ours, theirs) = take_turns(&sh, &python, weights, flags, rounds)?;
        table.push((weights, ours, theirs));
    }

    if flags.json {
        println!("{}", as_json(&table));
    } else {
        print!("{}", as_table(&table));
    }
    println!("{}", summary(&table));
    let met = table.iter().all(|(weights, ours, theirs)| {
        ours.prefill / theirs.prefill >= weights.least && ours.decode / theirs.decode >= weights.least
    });
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Row<'a> = (&'a Weights, Rates, Rates);

/// Runs ours and theirs alternately, so that a machine whose speed drifts slows both down.
fn take_turns(
    sh: &Shell,
    python: &Path,
    weights: &Weights,
    flags: &flags::Bench,
    rounds: usize,
) -> Result<(Rates, Rates)> {
    let prompt = flags.prompt_tokens.unwrap_or(PROMPT_TOKENS).to_string();
    let generated = flags.gen_tokens.unwrap_or(GEN_TOKENS).to_string();
    let Weights { name, ours, theirs, .. } = weights;
    let size = ["--prompt-tokens", &prompt, "--gen-tokens", &generated, "--repeats", "1", "--json"];
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("{name}: round {round} of {rounds}");
        // `cargo run` finds the library; the build is done, so it only starts the program.
        us.push(measured(cmd!(sh, "cargo run --quiet --release -p mlx-lm -- bench --model {ours} {size...}"))?);
        them.push(measured(cmd!(sh, "{python} xtask/py/bench_lm.py --model {theirs} {size...}"))?);
    }
    Ok((medians(&us), medians(&them)))
}

/// Runs one side once and reads the JSON object that it prints last.
fn measured(command: Cmd) -> Result<Rates> {
    let shown = command.to_string();
    let read = answer(command)?;
    let number = |key: &str| read[key].as_f64().ok_or_else(|| format!("`{shown}` printed no number `{key}`: {read}"));
    Ok(Rates {
        prefill: number("prompt_tps")?,
        decode: number("generation_tps")?,
        peak_memory: number("peak_memory")?,
        load: number("load_seconds")?,
    })
}

fn medians(rounds: &[Rates]) -> Rates {
    let of = |field: fn(&Rates) -> f64| median(rounds.iter().map(field).collect());
    Rates {
        prefill: of(|rates| rates.prefill),
        decode: of(|rates| rates.decode),
        peak_memory: of(|rates| rates.peak_memory),
        load: of(|rates| rates.load),
    }
}

fn as_table(table: &[Row]) -> String {
    let mut text = format!(
        "{:8} {:8} {:>16} {:>16} {:>16} {:>10}\n",
        "weights", "", "prefill tokens/s", "decode tokens/s", "peak memory MiB", "load s"
    );
    for (weights, ours, theirs) in table {
        for (side, rates) in [("ours", ours), ("mlx-lm", theirs)] {
            text += &format!(
                "{:8} {side:8} {:16.1} {:16.1} {:16.0} {:10.2}\n",
                weights.name,
                rates.prefill,
                rates.decode,
                rates.peak_memory / f64::from(1 << 20),
                rates.load
            );
        }
        let (prefill, decode) = (ours.prefill / theirs.prefill, ours.decode / theirs.decode);
        text += &format!(
            "{:8} {:8} {prefill:15.2}x {decode:15.2}x  (at least {:.1}x)\n",
            weights.name, "ratio", weights.least
        );
    }
    text
}

fn as_json(table: &[Row]) -> Value {
    let side = |rates: &Rates| {
        json!({
            "prompt_tps": rates.prefill,
            "generation_tps": rates.decode,
            "peak_memory": rates.peak_memory,
            "load_seconds": rates.load,
        })
    };
    let rows = table.iter().map(|(weights, ours, theirs)| {
        json!({ "weights": weights.name, "ours": side(ours), "mlx_lm": side(theirs), "least_ratio": weights.least })
    });
    Value::Array(rows.collect())
}

fn summary(table: &[Row]) -> String {
    let mut text = "summary:".to_owned();
    for (weights, ours, theirs) in table {
        let (prefill, decode) = (ours.prefill / theirs.prefill, ours.decode / theirs.decode);
        text += &format!(" prefill_ratio_{0}={prefill:.3} decode_ratio_{0}={decode:.3}", weights.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_both_ratios_of_each_set_of_weights() {
        let weights = Weights { name: "4bit", ours: PathBuf::new(), theirs: PathBuf::new(), least: 1.0 };
        let rates = |prefill, decode| Rates { prefill, decode, peak_memory: 0.0, load: 0.0 };
        let line = summary(&[(&weights, rates(30.0, 8.0), rates(10.0, 4.0))]);
        assert_eq!(line, "summary: prefill_ratio_4bit=3.000 decode_ratio_4bit=2.000");
    }
}

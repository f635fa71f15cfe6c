//! `cargo xtask bench cpu`: ours, mlx-lm and llama.cpp on one model and this CPU, and every CPU kernel alone.

use super::figures::{self, Bound, Check, Column, Figures, Limit};
use super::load::Ticks;
use super::{ROUNDS, answer, kernels};
use crate::{Result, fetch, flags, project, python};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xshell::{Shell, cmd};

/// What is measured.
struct Sizes {
    rounds: usize,
    prompts: &'static [usize],
    contexts: &'static [usize],
    sequences: &'static [usize],
    generated: usize,
}

const FULL: Sizes = Sizes {
    rounds: ROUNDS,
    prompts: &[32, 128, 512, 2048],
    contexts: &[128, 2000],
    sequences: &[1, 4, 8],
    generated: 64,
};

const QUICK: Sizes = Sizes { rounds: 2, prompts: &[128], contexts: &[128], sequences: &[1], generated: 32 };

/// mlx-lm is some fifty times slower, so it gets short prompts and few tokens.
const MLX_LM_LONGEST: usize = 128;
const MLX_LM_GENERATED: usize = 16;

/// What the project promises.
const LIMITS: [Limit; 6] = [
    Limit { peer: "native_q4_1", group: "decode", sizes: &[128, 2000], least: 1.5 },
    Limit { peer: "native_q4_1", group: "prefill", sizes: &[128, 512, 2048], least: 2.5 },
    Limit { peer: "native_q4_0", group: "decode", sizes: &[128, 2000], least: 1.0 },
    Limit { peer: "native_q4_0", group: "prefill", sizes: &[128, 512, 2048], least: 0.75 },
    Limit { peer: "mlx_lm", group: "prefill", sizes: &[32, 128], least: 20.0 },
    Limit { peer: "mlx_lm", group: "decode", sizes: &[128], least: 20.0 },
];

/// The most memory that ours may take, as a multiple of the file and the largest cache.
const MOST_MEMORY: f64 = 1.3;

/// Above this share of the CPU in other hands, a run decides nothing: llama.cpp's threads spin while they wait for each
/// other, so that a busy machine slows it far more than it slows ours.
const BUSY: f64 = 0.1;

/// One side: a program that prints its figures as JSON.
struct Program {
    title: &'static str,
    key: &'static str,
    command: Vec<String>,
}

/// The files and interpreters that the programs need.
struct Inputs {
    gguf: PathBuf,
    q4_0: PathBuf,
    /// What the conversion to Q4_0 said about the embedding.
    outer: String,
    mlx_lm: PathBuf,
    mlx_lm_python: PathBuf,
    llama_python: PathBuf,
}

/// Measures all programs in turns and the kernels, prints, and checks the limits.
pub fn run(flags: &flags::Bench) -> Result {
    if flags.prompt_tokens.is_some() {
        return Err("`bench cpu` has a list of prompt lengths: leave `--prompt-tokens` out.".into());
    }
    let sizes = if flags.quick { &QUICK } else { &FULL };
    let generated = flags.gen_tokens.unwrap_or(sizes.generated).max(1);
    let sizes = Sizes { rounds: flags.rounds.unwrap_or(sizes.rounds).max(1), generated, ..*sizes };
    let sh = project::shell()?;
    let inputs = inputs(&sh)?;
    cmd!(sh, "cargo build --quiet --release -p mlx-lm").run()?;
    let kernels = kernels::measure(&sh)?;
    let (mut columns, busy) = take_turns(&sh, &programs(&inputs, &sizes), sizes.rounds)?;
    let ours = columns.remove(0);

    let file = std::fs::metadata(&inputs.gguf)?.len() as f64;
    let mut checks = figures::checks(&LIMITS, &ours, &columns);
    checks.extend(memory(&ours.figures, file));
    let roofline: Vec<Roofline> = sizes.contexts.iter().filter_map(|&c| Roofline::of(&ours.figures, c, file)).collect();
    if flags.json {
        let mut all = figures::as_json(&ours, &columns, &checks);
        all["rounds"] = json!(sizes.rounds);
        all["others_used_cpu"] = json!(busy);
        let one = |k: &kernels::Kernel| json!({ "name": k.name, "seconds": k.time, "rate": k.rate, "unit": k.unit });
        all["kernels"] = Value::Array(kernels.iter().map(one).collect());
        println!("{all}");
    } else {
        println!("{}\n{}", kernels::table(&kernels), figures::table(&rows(&sizes), &ours, &columns));
        println!("{}\n{}{}", notes(&sizes, &inputs, busy), Roofline::text(&roofline), figures::verdicts(&checks));
    }
    let mut others: Vec<_> = roofline.iter().map(|r| (format!("roofline_{}", r.context), r.share())).collect();
    others.push(("others_used_cpu".to_owned(), busy));
    others.extend(checks.iter().filter(|check| !check.name.contains("_vs_")).map(|c| (c.name.clone(), c.value)));
    println!("{}", figures::summary(&ours, &columns, &others));
    Ok(if busy <= BUSY && checks.iter().all(Check::met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn inputs(sh: &Shell) -> Result<Inputs> {
    let gguf = fetch::inputs()?.join(fetch::DEFAULT_MODEL);
    let mlx_lm_python = python::reference(sh)?;
    let llama_python = python::llama(sh)?;
    let exported = project::results(sh, "bench/smollm2")?;
    cmd!(sh, "{mlx_lm_python} xtask/py/lm_real.py {gguf} --export {exported}").run()?;

    let q4_0 = exported.join(fetch::DEFAULT_MODEL.replace("Q4_1", "Q4_0"));
    let said = q4_0.with_extension("json");
    if !said.is_file() {
        let convert = cmd!(sh, "{llama_python} xtask/py/bench_llama.py --model {gguf} --quantize Q4_0 --to {q4_0}");
        sh.write_file(&said, answer(convert)?.to_string())?;
    }
    let said: Value = serde_json::from_str(&sh.read_file(&said)?)?;
    let outer = said["outer"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
    Ok(Inputs { gguf, q4_0, outer, mlx_lm: exported.join("q4"), mlx_lm_python, llama_python })
}

fn list(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// The programs, ours first.
fn programs(inputs: &Inputs, sizes: &Sizes) -> Vec<Program> {
    let Sizes { prompts, contexts, sequences, generated, .. } = sizes;
    let command = |start: &[&str], model: &Path, prompts: &[usize], generated: usize| {
        let mut words: Vec<String> = start.iter().map(|&word| word.to_owned()).collect();
        words.extend(["--model".to_owned(), model.display().to_string()]);
        words.extend(["--prompt-tokens".to_owned(), list(prompts), "--gen-tokens".to_owned(), generated.to_string()]);
        words.extend(["--repeats", "1"].map(str::to_owned));
        words
    };
    let more = ["--context".to_owned(), list(contexts), "--sequences".to_owned(), list(sequences)];
    // `cargo run` finds the library; the build is done, so it only starts the program.
    let start = ["cargo", "run", "--quiet", "--release", "-p", "mlx-lm", "--", "bench", "--json", "--bandwidth"];
    let mut ours = command(&start, &inputs.gguf, prompts, *generated);
    ours.extend(more.clone());
    let mut programs = vec![Program { title: "ours", key: "ours", command: ours }];

    let python = inputs.mlx_lm_python.display().to_string();
    let short: Vec<usize> = prompts.iter().copied().filter(|&length| length <= MLX_LM_LONGEST).collect();
    let start = [&python, "xtask/py/bench_lm.py", "--json"];
    let mlx_lm = command(&start, &inputs.mlx_lm, &short, MLX_LM_GENERATED);
    programs.push(Program { title: "mlx-lm f32", key: "mlx_lm", command: mlx_lm });

    let python = inputs.llama_python.display().to_string();
    for (title, key, script, file) in [
        ("wheel Q4_1", "wheel_q4_1", "xtask/py/bench_xllamacpp.py", &inputs.gguf),
        ("native Q4_1", "native_q4_1", "xtask/py/bench_llama.py", &inputs.gguf),
        ("native Q4_0", "native_q4_0", "xtask/py/bench_llama.py", &inputs.q4_0),
    ] {
        let mut llama = command(&[&python, script], file, prompts, *generated);
        llama.extend(more.clone());
        programs.push(Program { title, key, command: llama });
    }
    programs
}

/// Runs the programs one after the other in every round, so that a machine whose speed drifts slows all down; returns
/// the medians, and the share of the CPU that others used during the program that they disturbed most.
fn take_turns(sh: &Shell, programs: &[Program], rounds: usize) -> Result<(Vec<Column>, f64)> {
    let mut found = vec![Vec::new(); programs.len()];
    let mut busy = 0f64;
    for round in 1..=rounds {
        for (program, figures) in programs.iter().zip(&mut found) {
            eprintln!("round {round} of {rounds}: {}", program.title);
            let [first, rest @ ..] = &program.command[..] else { continue };
            let before = Ticks::now();
            let mut found = figures::read(&answer(sh.cmd(first).args(rest))?);
            if let (Some(before), Some(after)) = (before, Ticks::now()) {
                let others = after.others_since(&before);
                busy = busy.max(others);
                found.insert("others_cpu".to_owned(), others);
            }
            figures.push(found);
        }
    }
    let columns = programs.iter().zip(&found);
    let columns = columns.map(|(p, rounds)| Column { title: p.title, key: p.key, figures: figures::medians(rounds) });
    Ok((columns.collect(), busy))
}

/// The table's rows.
fn rows(sizes: &Sizes) -> Vec<String> {
    let groups = [("prefill", sizes.prompts), ("decode", sizes.contexts), ("sequences", sizes.sequences)];
    let rates = groups.iter().flat_map(|(group, sizes)| sizes.iter().map(move |size| format!("{group}_{size}")));
    rates.chain(["peak_resident", "load_seconds", "others_cpu"].map(str::to_owned)).collect()
}

fn notes(sizes: &Sizes, inputs: &Inputs, busy: f64) -> String {
    let Sizes { generated, contexts, .. } = sizes;
    let mut text = format!(
        "Greedy, {generated} tokens a measurement; sequences start at context {}. A `-` was not run.\n\
         mlx-lm is some 50 times slower: prompts up to {MLX_LM_LONGEST} and {MLX_LM_GENERATED} tokens only.\n\
         The wheel and the native builds are llama.cpp. The wheel has no C API, so its rates are its server's own timings. The native build is measured through \
         llama_decode.\nQ4_0 is made from the Q4_1 file: {}\n",
        contexts.first().unwrap_or(&0),
        inputs.outer
    );
    let _ = writeln!(text, "While a program ran, others used at most {:.0} % of the CPU.", busy * 100.0);
    if busy > BUSY {
        let _ = writeln!(text, "NOT A QUIET MACHINE: this run counts as failed, whatever the limits below say.");
    }
    text
}

/// What a decoded token reads, beside what the machine can read.
struct Roofline {
    context: usize,
    /// Bytes a token: the file and the keys and values.
    bytes: f64,
    rate: f64,
    /// Bytes a second that all cores together read.
    bandwidth: f64,
}

impl Roofline {
    fn of(figures: &Figures, context: usize, file: f64) -> Option<Self> {
        let bytes = file + figures.get(&format!("cache_bytes_{context}"))?;
        let rate = *figures.get(&format!("decode_{context}"))?;
        Some(Self { context, bytes, rate, bandwidth: *figures.get("read_bandwidth")? })
    }

    fn share(&self) -> f64 {
        self.bytes * self.rate / self.bandwidth
    }

    fn text(all: &[Self]) -> String {
        let line = |r: &Self| {
            format!(
                "Roofline at context {}: {:.0} MB a token at {:.1} tokens/s are {:.1} GB/s, {:.0} % of the {:.1} GB/s that \
                 all cores read.\n",
                r.context,
                r.bytes / 1e6,
                r.rate,
                r.bytes * r.rate / 1e9,
                100.0 * r.share(),
                r.bandwidth / 1e9
            )
        };
        all.iter().map(line).collect()
    }
}

/// Peak memory as a multiple of what cannot be done without.
fn memory(figures: &Figures, file: f64) -> Option<Check> {
    let value = figures.get("peak_resident")? / (file + figures.get("largest_cache")?);
    Some(Check { name: "memory_to_file_and_cache".to_owned(), value, bound: Bound::Most(MOST_MEMORY) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(pairs: &[(&str, f64)]) -> Figures {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn a_token_reads_the_file_and_the_cache() {
        let found = figures(&[("cache_bytes_128", 6e6), ("decode_128", 100.0), ("read_bandwidth", 40e9)]);
        let roofline = Roofline::of(&found, 128, 94e6).unwrap();
        assert_eq!((roofline.bytes, roofline.share()), (100e6, 0.25));
        assert!(Roofline::of(&found, 2000, 94e6).is_none(), "what was not measured has no share");
    }

    #[test]
    fn memory_is_compared_with_file_and_cache() {
        for (peak, met) in [(130.0, true), (131.0, false)] {
            let found = figures(&[("peak_resident", peak), ("largest_cache", 20.0)]);
            assert_eq!(memory(&found, 80.0).unwrap().met(), met, "{peak}");
        }
        assert!(memory(&figures(&[]), 80.0).is_none());
    }

    #[test]
    fn every_limit_is_among_what_is_measured() {
        let rows = rows(&FULL);
        for limit in &LIMITS {
            for size in limit.sizes {
                assert!(rows.contains(&format!("{}_{size}", limit.group)), "{} {size}", limit.group);
            }
        }
    }
}

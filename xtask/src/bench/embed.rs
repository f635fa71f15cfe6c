//! `cargo xtask bench embed`: texts to vectors, ours and what else people run on the same machine.

use super::figures::{self, Bound, Check, Column, Figures};
use super::load::Ticks;
use super::{ROUNDS, answer, output};
use crate::{Result, fetch, flags, project, python};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use xshell::{Cmd, Shell, cmd};

/// Texts, of about 28 tokens on average.
const TEXTS: usize = 1000;

/// Texts that are encoded alone, and those that the slowest peer gets.
const ALONE: usize = 200;
const FEW: usize = 16;

/// The batch size that is best for ONNX Runtime; the others take the same or are faster with more.
const ONNX_BATCH: usize = 16;

/// The programs: title, key, and whether it is one of ours.
const PROGRAMS: [(&str, &str); 5] = [
    ("ours f32", "ours"),
    ("ours bf16", "bf16"),
    ("ONNX Runtime", "onnxruntime"),
    ("sentence-tr.", "sentence_transformers"),
    ("mlx-embeddings", "mlx_embeddings"),
];

/// The rows of the table: figure, label, and what one of its unit is.
const ROWS: [(&str, &str, f64); 4] = [
    ("texts_per_second", "texts a second", 1.0),
    ("latency_ms", "one text alone, ms", 1.0),
    ("peak_resident", "peak memory, MiB", 1_048_576.0),
    ("load_seconds", "load, s", 1.0),
];

/// Where the programs find what they need.
struct Places {
    model: String,
    texts: String,
    onnx: String,
    /// The interpreters of sentence-transformers and of the other peers.
    oracle: std::path::PathBuf,
    peers: std::path::PathBuf,
}

/// Runs all programs in turns and compares the medians.
pub fn run(flags: &flags::Bench) -> Result {
    if flags.prompt_tokens.is_some() || flags.gen_tokens.is_some() {
        return Err("`bench embed` takes `--rounds`, `--quick` and `--json` alone.".into());
    }
    let sh = project::shell()?;
    let places = prepare(&sh)?;
    let mut rounds: [Vec<Figures>; PROGRAMS.len()] = Default::default();
    let before = Ticks::now();
    for round in 1..=flags.rounds.unwrap_or(ROUNDS).max(1) {
        for (i, (title, key)) in PROGRAMS.iter().enumerate() {
            if flags.quick && i > 2 {
                continue;
            }
            eprintln!("round {round}: {title}");
            rounds[i].push(figures::read(&answer(program(&sh, key, &places))?));
        }
    }
    let others = before.zip(Ticks::now()).map_or(0.0, |(before, now)| now.others_since(&before));
    let columns: Vec<Column> = PROGRAMS
        .iter()
        .zip(&rounds)
        .filter(|(_, rounds)| !rounds.is_empty())
        .map(|(&(title, key), rounds)| Column { title, key, figures: figures::medians(rounds) })
        .collect();
    let checks = checks(&columns, cosines(&sh, &places)?)?;
    match flags.json {
        true => println!("{}", figures::as_json(&columns[0], &columns[1..], &checks)),
        false => print!(
            "{}\nOthers used {:.0} % of the CPU.\n\n{}",
            table(&columns),
            others * 100.0,
            figures::verdicts(&checks)
        ),
    }
    let named = checks.iter().map(|check| format!("{}={:.4}", check.name, check.value));
    println!("summary: {} others_used_cpu={others:.3}", named.collect::<Vec<_>>().join(" "));
    Ok(if checks.iter().all(Check::met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds ours, and makes the texts and the graph of the peers.
fn prepare(sh: &Shell) -> Result<Places> {
    let model = fetch::inputs()?.join(fetch::EMBEDDER);
    let (oracle, peers) = (python::embed(sh)?, python::embed_peers(sh)?);
    let folder = project::results(sh, "bench/embed")?;
    let (texts, onnx) = (folder.join("texts.txt"), folder.join("onnx"));
    sh.write_file(&texts, sentences(TEXTS))?;
    let packages = cmd!(sh, "{oracle}").args(["-c", "import site; print(site.getsitepackages()[0])"]).quiet().read()?;
    output(cmd!(sh, "{peers} xtask/py/embed_onnx.py {model} {onnx}").env("PYTHONPATH", packages))?;
    cmd!(sh, "cargo build --quiet --release -p mlx-embed").run()?;
    let text = |path: &Path| path.display().to_string();
    Ok(Places { model: text(&model), texts: text(&texts), onnx: text(&onnx), oracle, peers })
}

fn program<'a>(sh: &'a Shell, key: &str, places: &Places) -> Cmd<'a> {
    let Places { model, texts, onnx, oracle, peers } = places;
    let (alone, few, batch) = (ALONE.to_string(), FEW.to_string(), ONNX_BATCH.to_string());
    let ours = |dtype: &str| {
        let run = ["--normalize", "--json", "--repeats", "3", "--alone", &alone, "--dtype", dtype];
        cmd!(sh, "cargo run --quiet --release -p mlx-embed -- bench --device cpu --model {model} {texts}").args(run)
    };
    match key {
        "ours" => ours("f32"),
        "bf16" => ours("bf16"),
        "onnxruntime" => {
            let run = ["--onnx", onnx, "--batch", &batch, "--alone", &alone];
            cmd!(sh, "{peers} xtask/py/bench_embed.py onnxruntime {model} {texts}").args(run)
        }
        "sentence_transformers" => {
            let run = ["--batch", "32", "--alone", "50", "--repeats", "1"];
            cmd!(sh, "{oracle} xtask/py/bench_embed.py sentence-transformers {model} {texts}").args(run)
        }
        _ => {
            let run = ["--first", &few, "--alone", "3", "--repeats", "1"];
            cmd!(sh, "{peers} xtask/py/bench_embed.py mlx-embeddings {model} {texts}").args(run)
        }
    }
}

/// The least cosine of a text's vectors: ours in f32 to ONNX Runtime's, and ours in bf16 to those in f32.
fn cosines(sh: &Shell, places: &Places) -> Result<[f64; 2]> {
    let Places { model, texts, onnx, peers, .. } = places;
    let folder = project::results(sh, "bench/embed")?;
    let files = ["ours", "bf16", "onnx"].map(|name| folder.join(format!("{name}.npy")));
    for (dtype, file) in ["f32", "bf16"].iter().zip(&files) {
        let run = ["--normalize", "--device", "cpu", "--dtype", dtype];
        output(
            cmd!(sh, "cargo run --quiet --release -p mlx-embed -- encode --model {model} -o {file} {texts}").args(run),
        )?;
    }
    let vectors = &files[2];
    let run = ["--alone", "0", "--repeats", "1"];
    output(
        cmd!(sh, "{peers} xtask/py/bench_embed.py onnxruntime {model} {texts} --onnx {onnx} --vectors {vectors}")
            .args(run),
    )?;
    let [ours, bf16, onnx] = files.map(|file| rows(&sh.read_binary_file(file)?));
    let (ours, bf16, onnx) = (ours?, bf16?, onnx?);
    let least = |a: &[Vec<f32>], b: &[Vec<f32>]| a.iter().zip(b).map(|(a, b)| cosine(a, b)).fold(1.0, f64::min);
    Ok([least(&ours, &onnx), least(&bf16, &ours)])
}

/// The rows of a .npy file of f32.
fn rows(npy: &[u8]) -> Result<Vec<Vec<f32>>> {
    let wrong = "A file of vectors is not .npy of f32.";
    let length = npy.get(8..10).map(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))).ok_or(wrong)?;
    let header = std::str::from_utf8(npy.get(10..10 + length).ok_or(wrong)?).map_err(|_| wrong)?;
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).ok_or(wrong)?.0;
    let dims: Vec<usize> = shape.split(',').filter_map(|word| word.trim().parse().ok()).collect();
    let (&[count, width], true) = (&dims[..], header.contains("'<f4'")) else { return Err(wrong.into()) };
    let values: Vec<f32> =
        npy[10 + length..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    match values.len() == count * width && width > 0 {
        true => Ok(values.chunks_exact(width).map(<[f32]>::to_vec).collect()),
        false => Err(wrong.into()),
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// What issue and README promise.
fn checks(columns: &[Column], [same, rounded]: [f64; 2]) -> Result<Vec<Check>> {
    let of = |key: &str, figure: &str| {
        let column = columns.iter().find(|column| column.key == key);
        let value = column.and_then(|column| column.figures.get(figure)).copied();
        value.ok_or_else(|| format!("`{key}` printed no `{figure}`."))
    };
    let onnx = of("onnxruntime", "texts_per_second")?;
    let mut checks = vec![
        ("f32_vs_onnxruntime", of("ours", "texts_per_second")? / onnx, Bound::Least(1.1)),
        ("bf16_vs_onnxruntime", of("bf16", "texts_per_second")? / onnx, Bound::Least(1.6)),
        ("latency_vs_onnxruntime", of("ours", "latency_ms")? / of("onnxruntime", "latency_ms")?, Bound::Most(1.0)),
        ("cosine_to_onnxruntime", same, Bound::Least(0.99999)),
        ("cosine_of_bf16", rounded, Bound::Least(0.999)),
    ];
    let peers = columns.iter().skip(2).filter_map(|column| column.figures.get("peak_resident"));
    let least = peers.fold(f64::INFINITY, |least, &bytes| least.min(bytes));
    checks.push(("memory_to_least_of_peers", of("ours", "peak_resident")? / least, Bound::Most(1.0)));
    Ok(checks.into_iter().map(|(name, value, bound)| Check { name: name.into(), value, bound }).collect())
}

fn table(columns: &[Column]) -> String {
    let mut text = format!("{:22}", "medians");
    for column in columns {
        let _ = write!(text, "{:>16}", column.title);
    }
    for (figure, label, unit) in ROWS {
        let _ = write!(text, "\n{label:22}");
        for column in columns {
            let shown = column.figures.get(figure).map_or("-".to_owned(), |value| format!("{:.2}", value / unit));
            let _ = write!(text, "{shown:>16}");
        }
    }
    text + "\n"
}

/// Common words in sentences of 3 to 120, drawn by a generator that gives the same ones everywhere.
fn sentences(count: usize) -> String {
    const WORDS: &str = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they \
        which one you were all her she there would their we him been has when who will no more if out so what up said about \
        time into than only some could new other then do may these two first like any over such our man me even most made \
        after also did many before must through years much where your way well down should because long each just those \
        people too little state good very make world still see own work men day get here old life both between being under";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize * below) >> 31
    };
    let mut text = String::new();
    for _ in 0..count {
        // The product of three draws is long seldom.
        let length = 3 + (next(8) + 1) * (next(6) + 1) * (next(4) + 1) * 9 / 16;
        let sentence: Vec<&str> = (0..length.min(120)).map(|_| words[next(words.len())]).collect();
        text += &sentence.join(" ");
        text += ".\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_mixed_and_the_same_every_time() {
        let text = sentences(TEXTS);
        assert_eq!(text, sentences(TEXTS));
        let lengths: Vec<usize> = text.lines().map(|line| line.split(' ').count()).collect();
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        // Two tokens stand around a text, and one is its full stop.
        assert!((24.0..27.0).contains(&mean) && lengths.iter().max() > Some(&90), "{mean}");
    }

    #[test]
    fn rows_of_a_file() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
        let start = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        let file = [&start[..], &1f32.to_le_bytes(), &2f32.to_le_bytes()].concat();
        assert_eq!(rows(&file).unwrap(), [[1.0], [2.0]]);
        assert!(rows(&file[..file.len() - 1]).is_err() && rows(&file[..9]).is_err());
        assert!((cosine(&[1.0, 1.0], &[1.0, 0.0]) - 0.5f64.sqrt()).abs() < 1e-12);
    }
}

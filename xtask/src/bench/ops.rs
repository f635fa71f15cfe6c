//! `cargo xtask bench ops`: what it costs to build a lazy op, ours and Python's MLX.

use super::{ROUNDS, answer, median};
use crate::{Result, flags, project, python};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use xshell::cmd;

/// The most that ours may take of Python's time for `x + y`.
const MOST: f64 = 0.6;
const JUDGED: &str = "add";

/// Nanoseconds an op: ours and Python's.
struct Row {
    name: String,
    ours: f64,
    python: f64,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.ours / self.python
    }
}

/// Runs both sides in turns and compares the medians.
pub fn run(flags: &flags::Bench) -> Result {
    if flags.quick || flags.prompt_tokens.is_some() || flags.gen_tokens.is_some() {
        return Err("`bench ops` takes `--rounds` and `--json` alone.".into());
    }
    let sh = project::shell()?;
    let python = python::reference(&sh)?;
    cmd!(sh, "cargo build --quiet --release -p mlx-tests --bin overhead").run()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..flags.rounds.unwrap_or(ROUNDS).max(1) {
        // `cargo run` finds the library; the build is done, so it only starts the program.
        ours.push(answer(cmd!(sh, "cargo run --quiet --release -p mlx-tests --bin overhead"))?);
        theirs.push(answer(cmd!(sh, "{python} xtask/py/bench_ops.py"))?);
    }
    let rows = rows(&ours, &theirs)?;
    match flags.json {
        true => println!("{}", as_json(&rows)),
        false => print!("{}", as_table(&rows)),
    }
    let judged = rows.iter().find(|row| row.name == JUDGED).ok_or("The programs measured no addition.")?;
    println!(
        "summary: {}",
        rows.iter().map(|row| format!("{}={:.2}", row.name, row.ratio())).collect::<Vec<_>>().join(" ")
    );
    Ok(if judged.ratio() <= MOST { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rows(ours: &[Value], theirs: &[Value]) -> Result<Vec<Row>> {
    let of = |runs: &[Value], name: &str| -> Result<f64> {
        let times: Option<Vec<f64>> = runs.iter().map(|run| run[name].as_f64()).collect();
        Ok(median(times.ok_or_else(|| format!("A program printed no time of `{name}`."))?))
    };
    let names = ours.first().and_then(Value::as_object).ok_or("Nothing was measured.")?.keys();
    names.map(|name| Ok(Row { name: name.clone(), ours: of(ours, name)?, python: of(theirs, name)? })).collect()
}

fn as_table(rows: &[Row]) -> String {
    let mut text = format!("{:12} {:>8} {:>8} {:>6}\n", "ns an op", "ours", "Python", "ratio");
    for row in rows {
        text += &format!("{:12} {:>8.0} {:>8.0} {:>6.2}\n", row.name, row.ours, row.python, row.ratio());
    }
    text
}

fn as_json(rows: &[Row]) -> Value {
    let row = |row: &Row| (row.name.clone(), json!({ "ours": row.ours, "python": row.python, "ratio": row.ratio() }));
    Value::Object(rows.iter().map(row).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_compared_op_by_op() {
        let runs = |times: &[f64]| times.iter().map(|t| json!({ "add": t, "matmul": 1.0 })).collect::<Vec<_>>();
        let rows = rows(&runs(&[50.0, 90.0, 60.0]), &runs(&[100.0, 120.0, 500.0])).unwrap();
        assert_eq!((rows[0].name.as_str(), rows[0].ratio()), ("add", 0.5));
        assert_eq!(as_table(&rows).lines().nth(1), Some("add                60      120   0.50"));
        assert!(super::rows(&runs(&[1.0]), &[json!({})]).is_err());
    }
}

//! Random sequences of ops, of which none may end the process.

mod dice;
mod layers;
mod ops;

use dice::Dice;
use mlx_core::Array;
use mlx_core::export::print_graph;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Ops of one episode.
const STEPS: usize = 150;

/// What was done.
#[derive(Default)]
pub struct Report {
    pub episodes: u64,
    pub steps: u64,
    /// Ops that gave an error.
    pub errors: u64,
    pub panics: Vec<String>,
    /// How often each op succeeded.
    pub succeeded: BTreeMap<&'static str, u64>,
}

/// Runs episodes from `seed` on for so long; `start` is told each one's seed before it starts.
pub fn run(seed: u64, time: Duration, mut start: impl FnMut(u64)) -> Report {
    let (begin, mut report) = (Instant::now(), Report::default());
    for seed in seed.. {
        if begin.elapsed() >= time {
            break;
        }
        start(seed);
        episode(seed, &mut report, &mut |_| {});
    }
    report
}

/// Runs one episode; `trace` is told every step before it is evaluated.
pub fn episode(seed: u64, report: &mut Report, trace: &mut dyn FnMut(&str)) {
    let mut dice = Dice::new(seed);
    report.episodes += 1;
    if let Err(e) = mlx_ops::seed(seed) {
        report.panics.push(e.to_string());
    }
    for _ in 0..6 {
        if let Ok(tensor) = dice.fresh() {
            dice.keep(tensor);
        }
    }
    for _ in 0..STEPS {
        let table = ops::TABLES[dice.below(ops::TABLES.len())];
        let (name, op) = table[dice.below(table.len())];
        trace(name);
        dice.drawn.borrow_mut().clear();
        report.steps += 1;
        match catch_unwind(AssertUnwindSafe(|| op(&mut dice))) {
            Ok(Ok(results)) => {
                trace(&format!("  {} -> {results:?}", dice.drawn.borrow().join(", ")));
                let arrays: Vec<Array> = results.iter().map(|tensor| tensor.as_array().clone()).collect();
                trace(&print_graph(&arrays, &BTreeMap::new()).unwrap_or_default());
                settle(&mut dice, results, name, report);
            }
            Ok(Err(e)) => {
                trace(&format!("  {} -> {e}", dice.drawn.borrow().join(", ")));
                report.errors += 1;
            }
            Err(_) => report.panics.push(format!("episode {seed}: {name} {}", dice.drawn.borrow().join(", "))),
        }
    }
}

/// Keeps the results, evaluated or not; one whose evaluation fails is forgotten.
fn settle(dice: &mut Dice, results: Vec<mlx_ops::Tensor>, name: &'static str, report: &mut Report) {
    let evaluate = dice.once_in(2);
    for tensor in results {
        if evaluate && Dice::is_small(&tensor) && tensor.eval().is_err() {
            report.errors += 1;
            continue;
        }
        *report.succeeded.entry(name).or_default() += 1;
        dice.keep(tensor);
    }
}

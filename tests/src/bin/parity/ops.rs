//! Ops against Python's MLX.

use mlx_tests::ops_case::{Cases, Found};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

/// What a complete run has to reach.
const GRADS: usize = 60;
const VMAPS: usize = 40;

/// The counts of a family or of all.
#[derive(Default)]
struct Count<'a> {
    ops: BTreeSet<&'a str>,
    cases: usize,
    refused: usize,
    mismatches: usize,
    largest: f64,
}

impl<'a> Count<'a> {
    fn add(&mut self, op: &'a str, found: &Found) {
        self.ops.insert(op);
        self.cases += 1;
        match found {
            Found::Same(difference) => self.largest = self.largest.max(*difference),
            Found::Refused => self.refused += 1,
            Found::Mismatch(_) => self.mismatches += 1,
        }
    }

    fn print(&self, name: &str) {
        let Self { ops, cases, refused, mismatches, largest } = self;
        let ops = ops.len();
        println!("{name:<14} {ops:>6} {cases:>8} {refused:>8} {mismatches:>11} {largest:>12.1e}");
    }
}

/// Checks every case of `dir` and prints a line for each family, each mismatch, and what is not covered.
pub fn run(dir: &Path) -> ExitCode {
    let cases = match Cases::open(dir) {
        Ok(cases) => cases,
        Err(e) => {
            eprintln!("error: {} cannot be read: {e}.", dir.display());
            return ExitCode::from(2);
        }
    };
    // A panic is a mismatch with a line of its own.
    std::panic::set_hook(Box::new(|_| {}));
    let all: Vec<_> = cases.iter().collect();
    let (mut families, mut kinds, mut total) =
        (BTreeMap::<_, Count>::new(), BTreeMap::<_, Count>::new(), Count::default());
    for case in &all {
        let found = case.check();
        if let Found::Mismatch(text) = &found {
            println!("MISMATCH {}: {text}", case.name());
        }
        families.entry(case.family()).or_default().add(case.op(), &found);
        total.add(case.op(), &found);
        // A transform that both sides refuse shows nothing of the transform.
        if !matches!(found, Found::Refused) {
            kinds.entry(case.kind()).or_default().add(case.op(), &found);
        }
    }
    println!("{:<14} {:>6} {:>8} {:>8} {:>11} {:>12}", "family", "ops", "cases", "errors", "mismatches", "largest");
    families.iter().for_each(|(name, count)| count.print(name));
    print_left_out(&cases);
    let uncovered = cases.uncovered();
    uncovered.iter().for_each(|name| println!("NOT COVERED {name}"));
    let ops = |kind| kinds.get(kind).map_or(0, |count| count.ops.len());
    let (grads, vmaps, compiled) = (ops("grad"), ops("vmap"), ops("compile"));
    let Count { ops, cases: count, mismatches, .. } = &total;
    print!("summary: ops={} names={} cases={count} mismatches={mismatches} ", ops.len(), cases.covered());
    println!("uncovered={} grads={grads} vmaps={vmaps} compiled={compiled}", uncovered.len());
    // A filtered run covers no names, and need not reach the numbers of a whole one.
    let whole = cases.covered() > 0;
    let enough = !whole || (uncovered.is_empty() && grads >= GRADS && vmaps >= VMAPS);
    if *mismatches == 0 && enough && *count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_left_out(cases: &Cases) {
    println!("\nPython's public names without cases:");
    for (reason, names) in cases.excluded() {
        println!("  {reason}: {}", names.join(" "));
    }
    println!("cases left out for what MLX does with them:");
    cases.defects().for_each(|(what, why)| println!("  {what}: {why}"));
}

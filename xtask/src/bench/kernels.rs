//! The CPU kernels of mlx-ops, as `cargo bench -p mlx-ops` measures them.

use super::output;
use crate::{Result, project};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use xshell::{Shell, cmd};

/// The measurements that the others are compared with.
const PEAK: &str = "machine/fma all threads";
const READS: &str = "machine/read all threads";

/// One kernel's time, and what it does a second: operations or bytes.
pub struct Kernel {
    pub name: String,
    /// Seconds, the median.
    pub time: f64,
    /// Billions a second.
    pub rate: f64,
    pub unit: &'static str,
}

/// Runs the benches and reads criterion's estimates.
pub fn measure(sh: &Shell) -> Result<Vec<Kernel>> {
    let folder = project::results(sh, "bench/kernels")?;
    // What an earlier version of the benches left there would be listed too.
    sh.remove_path(&folder)?;
    eprintln!("kernels: cargo bench -p mlx-ops --bench cpu");
    output(cmd!(sh, "cargo bench --quiet -p mlx-ops --bench cpu").env("CRITERION_HOME", &folder))?;
    let mut kernels = Vec::new();
    collect(&folder, &mut kernels)?;
    if kernels.is_empty() {
        return Err(format!("The benches left no estimates in {}.", folder.display()).into());
    }
    kernels.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(kernels)
}

/// Reads the newest estimate of every bench below `folder`.
fn collect(folder: &Path, kernels: &mut Vec<Kernel>) -> Result<()> {
    if folder.ends_with("new") {
        let json = |name| -> Result<Value> { Ok(serde_json::from_str(&fs::read_to_string(folder.join(name))?)?) };
        kernels.extend(kernel(&json("benchmark.json")?, &json("estimates.json")?));
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, kernels)?;
        }
    }
    Ok(())
}

fn kernel(benchmark: &Value, estimates: &Value) -> Option<Kernel> {
    let nanoseconds = estimates["median"]["point_estimate"].as_f64()?;
    let throughput = &benchmark["throughput"];
    let (amount, unit) = match (throughput["Elements"].as_f64(), throughput["Bytes"].as_f64()) {
        (Some(operations), _) => (operations, "GFLOP/s"),
        (_, Some(bytes)) => (bytes, "GB/s"),
        _ => return None,
    };
    let name = benchmark["full_id"].as_str()?.to_owned();
    Some(Kernel { name, time: nanoseconds / 1e9, rate: amount / nanoseconds, unit })
}

/// A line a kernel, with its share of what the machine can do.
pub fn table(kernels: &[Kernel]) -> String {
    let of = |name: &str| kernels.iter().find(|kernel| kernel.name == name).map(|kernel| kernel.rate);
    let mut text = format!("{:44} {:>12} {:>16} {:>10}\n", "kernel", "time, us", "rate", "of peak");
    for kernel in kernels {
        let most = of(if kernel.unit == "GB/s" { READS } else { PEAK });
        let share = most.map_or("-".to_owned(), |most| format!("{:.0} %", 100.0 * kernel.rate / most));
        let rate = format!("{:.1} {}", kernel.rate, kernel.unit);
        let _ = writeln!(text, "{:44} {:12.1} {rate:>16} {share:>10}", kernel.name, kernel.time * 1e6);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(throughput: Value, expected: Option<(f64, &str)>) {
        let benchmark = json!({ "full_id": "a/b", "throughput": throughput });
        let found = kernel(&benchmark, &json!({ "median": { "point_estimate": 500.0 } }));
        assert_eq!(found.as_ref().map(|kernel| (kernel.rate, kernel.unit)), expected);
        assert!(found.is_none_or(|kernel| kernel.name == "a/b" && kernel.time == 5e-7));
    }

    #[test]
    fn a_throughput_is_operations_or_bytes() {
        check(json!({ "Elements": 1000 }), Some((2.0, "GFLOP/s")));
        check(json!({ "Bytes": 2000 }), Some((4.0, "GB/s")));
        check(Value::Null, None);
    }

    #[test]
    fn estimates_are_found_below_new_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (bench, state) in [("a", "new"), ("a", "base"), ("b", "new")] {
            let place = folder.path().join("group").join(bench).join(state);
            fs::create_dir_all(&place).unwrap();
            let benchmark = json!({ "full_id": format!("group/{bench}"), "throughput": { "Bytes": 1 } });
            fs::write(place.join("benchmark.json"), benchmark.to_string()).unwrap();
            fs::write(place.join("estimates.json"), r#"{ "median": { "point_estimate": 1.0 } }"#).unwrap();
        }
        let mut kernels = Vec::new();
        collect(folder.path(), &mut kernels).unwrap();
        let mut names: Vec<_> = kernels.iter().map(|kernel| kernel.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["group/a", "group/b"]);
    }

    #[test]
    fn shares_are_of_the_peak_with_the_same_unit() {
        let kernel = |name: &str, rate, unit| Kernel { name: name.into(), time: 1e-6, rate, unit };
        let text = table(&[kernel(PEAK, 400.0, "GFLOP/s"), kernel(READS, 40.0, "GB/s"), kernel("x", 10.0, "GB/s")]);
        assert!(text.ends_with("10.0 GB/s       25 %\n"), "{text}");
    }
}

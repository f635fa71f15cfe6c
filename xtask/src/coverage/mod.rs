//! `cargo xtask coverage`: which of MLX's public functions the binding has, by header.

mod exclusions;
mod header;
mod names;

use crate::{Result, flags, project, wheel};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The headers and where their functions live below `mlx::core`.
const HEADERS: [(&str, &str); 16] = [
    ("ops.h", ""),
    ("fast.h", "fast::"),
    ("fft.h", "fft::"),
    ("linalg.h", "linalg::"),
    ("random.h", "random::"),
    ("einsum.h", ""),
    ("transforms.h", ""),
    ("compile.h", ""),
    ("export.h", ""),
    ("graph_utils.h", ""),
    ("io.h", ""),
    ("memory.h", ""),
    ("device.h", ""),
    ("stream.h", ""),
    ("distributed/distributed.h", "distributed::"),
    ("distributed/ops.h", "distributed::"),
];

/// Overloads that mean something else than the function of their name, and the shim's function for each.
const VARIANTS: [(&str, &str, &str); 16] = [
    ("ops.h", "slice (dynamic start)", " slice_dynamic("),
    ("ops.h", "slice_update (dynamic start)", " slice_update_dynamic("),
    ("ops.h", "split (equal parts)", " split_equal("),
    ("ops.h", "take (one index)", " take_at("),
    ("ops.h", "tensordot (number of axes)", " tensordot_count("),
    ("ops.h", "squeeze (all axes)", " squeeze_all("),
    ("ops.h", "transpose (reversed)", " reverse_axes("),
    ("fast.h", "rope (offsets in an array)", " rope_at("),
    ("linalg.h", "norm (number)", " norm_ord("),
    ("linalg.h", "norm (name)", " norm_named("),
    ("random.h", "categorical (number of draws)", " categorical_num("),
    ("random.h", "categorical (shape)", " categorical_shape("),
    ("random.h", "permutation (of numbers)", " permutation_of("),
    ("io.h", "load (from memory)", " load_bytes("),
    ("io.h", "load_safetensors (from memory)", " load_safetensors_bytes("),
    ("io.h", "save_safetensors (to memory)", " save_safetensors_bytes("),
];

/// What one header comes to.
#[derive(Debug, Default, PartialEq)]
struct Row {
    bound: usize,
    excluded: usize,
    missing: Vec<String>,
}

/// Prints a row per header, or writes the page of names.
pub fn run(flags: &flags::Coverage) -> Result {
    if flags.names {
        return names::write();
    }
    let folder = headers()?;
    let shim = shim()?;
    let mut sum = Row::default();
    println!("{:<26} {:>5} {:>6}  missing", "header", "bound", "total");
    for (file, namespace) in HEADERS {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let row = row(file, namespace, &header::functions(&text), &shim);
        let total = row.bound + row.missing.len();
        println!("{:<26} {:>5} {:>6}  {}", file, row.bound, total, row.missing.join(", "));
        sum.bound += row.bound;
        sum.excluded += row.excluded;
        sum.missing.extend(row.missing);
    }
    let (bound, excluded, missing) = (sum.bound, sum.excluded, sum.missing.len());
    println!("summary: bound={bound} total={} excluded={excluded} missing={missing}", bound + excluded + missing);
    Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(file: &str, namespace: &str, functions: &BTreeSet<String>, shim: &str) -> Row {
    let mut row = Row::default();
    for name in functions {
        if shim.contains(&format!("mx::{namespace}{name}(")) {
            row.bound += 1;
        } else if exclusions::reason(file, name).is_some() {
            row.excluded += 1;
        } else {
            row.missing.push(name.clone());
        }
    }
    for (_, what, mark) in VARIANTS.iter().filter(|(of, ..)| *of == file) {
        match shim.contains(mark) {
            true => row.bound += 1,
            false => row.missing.push((*what).to_owned()),
        }
    }
    row
}

/// The headers of MLX_DIR, else those of the prebuilt library that was unpacked last by name.
fn headers() -> Result<PathBuf> {
    let root = match std::env::var_os("MLX_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => {
            let cache = wheel::cache_dir()?;
            let mut found: Vec<PathBuf> = std::fs::read_dir(&cache)
                .map_err(|e| format!("{}: {e}", cache.display()))?
                .filter_map(|entry| entry.ok().map(|entry| entry.path().join("mlx")))
                .filter(|mlx| mlx.join("include/mlx/ops.h").is_file())
                .collect();
            found.sort();
            found.pop().ok_or("No MLX is in the cache: build mlx-core once, or set MLX_DIR.")?
        }
    };
    Ok(root.join("include/mlx"))
}

/// The C++ of the binding in one text.
fn shim() -> Result<String> {
    let folder: &Path = &project::root().join("crates/mlx-core/shim");
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry?.path();
        text.push_str(&std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_bound_excluded_or_missing() {
        let functions = ["fftn", "fft", "new_one"].map(str::to_owned).into();
        let found = row("fft.h", "fft::", &functions, "return mx::fft::fftn(a, s); mx::new_one(b)");
        assert_eq!(found, Row { bound: 1, excluded: 1, missing: vec!["new_one".to_owned()] });
    }
}

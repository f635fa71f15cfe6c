//! An op on random inputs with Python's result, as xtask/py/ops_cases.py writes them.

mod call;
mod compare;
mod elementwise;
mod fused;
mod indexing;
mod products;
mod randoms;
mod reduce;
mod shapes;
mod solve;
mod transform;
mod values;

use call::Op;
use mlx_ops::{Device, Precision, Result, Stream, Tensor, with_precision, with_stream};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use values::{Expected, Values};

/// The files of a folder.
pub struct Cases {
    values: Values,
    file: Value,
}

/// One case.
pub struct Case<'a> {
    values: &'a Values,
    line: &'a Value,
}

/// What a case was found to be.
pub enum Found {
    /// The same, with the largest difference relative to a value, or to 1 where values are smaller.
    Same(f64),
    /// An error on both sides.
    Refused,
    /// What is different.
    Mismatch(String),
}

impl Cases {
    /// Reads `cases.json` and `values.bin`; an error names the file.
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        let values = Values::read(&dir.join("values.bin"))?;
        let file = dir.join("cases.json");
        let text = std::fs::read_to_string(&file)?;
        let file =
            serde_json::from_str(&text).map_err(|e| std::io::Error::other(format!("{}: {e}", file.display())))?;
        Ok(Self { values, file })
    }

    /// Every case, in the order of the tables.
    pub fn iter(&self) -> impl Iterator<Item = Case<'_>> {
        let lines = self.file["cases"].as_array();
        lines.into_iter().flatten().map(|line| Case { values: &self.values, line })
    }

    /// Public names of Python that no case covers.
    pub fn uncovered(&self) -> Vec<&str> {
        self.file["uncovered"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// How many public names of Python the cases cover.
    pub fn covered(&self) -> usize {
        self.file["covered"].as_array().map_or(0, Vec::len)
    }

    /// Public names that are left out, by the reason.
    pub fn excluded(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut reasons = BTreeMap::<_, Vec<_>>::new();
        for (name, reason) in self.reasons("excluded") {
            reasons.entry(reason).or_default().push(name);
        }
        reasons
    }

    /// Cases that are left out, and why.
    pub fn defects(&self) -> impl Iterator<Item = (&str, &str)> {
        self.reasons("defects")
    }

    fn reasons(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let reasons = self.file[key].as_object();
        reasons.into_iter().flatten().map(|(name, reason)| (name.as_str(), reason.as_str().unwrap_or_default()))
    }
}

impl Case<'_> {
    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_default()
    }

    /// The case's name, which its random numbers depend on.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The op's name.
    pub fn op(&self) -> &str {
        self.text("op")
    }

    /// The family of ops.
    pub fn family(&self) -> &str {
        self.text("family")
    }

    /// `grad`, `vmap` or `compile`; empty for the op itself.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// Runs ours on the CPU, where Python ran, and compares. A panic is a mismatch.
    pub fn check(&self) -> Found {
        let Some(op) = find(self.op()) else { return Found::Mismatch("the op has no counterpart here".to_owned()) };
        let cpu = || Stream::default_of(Device::Cpu);
        let ours = || with_stream(cpu()?, || with_precision(Precision::Full, || self.outputs(op)));
        let expected = Expected { values: self.values, line: self.line };
        match catch_unwind(AssertUnwindSafe(ours)) {
            Ok(result) => expected.compare(result),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Found::Mismatch(format!("a panic: {}", text.unwrap_or("without a message")))
            }
        }
    }

    fn outputs(&self, op: Op) -> Result<Vec<(Tensor, Vec<u8>)>> {
        let mut inputs = BTreeMap::new();
        for (name, input) in self.line["inputs"].as_object().into_iter().flatten() {
            inputs.insert(name.clone(), self.values.input(input)?);
        }
        let outputs = match self.kind() {
            "" => op(&call::Call { inputs, args: &self.line["args"] }),
            _ => transform::run(op, self.line, inputs),
        };
        // Reading here, so that an error of the evaluation is one of the case.
        outputs?.into_iter().map(|output| Ok((output.clone(), values::bytes(&output)?))).collect()
    }
}

fn find(name: &str) -> Option<Op> {
    let tables = [
        elementwise::find,
        shapes::find,
        reduce::find,
        products::find,
        fused::find,
        solve::find,
        randoms::find,
        indexing::find,
    ];
    tables.iter().find_map(|find| find(name))
}

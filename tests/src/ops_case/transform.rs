//! Gradients, vmap and compile of an op.

use super::call::{Call, Op};
use mlx_ops::transforms::{MapAxes, compile, grad, vmap};
use mlx_ops::{Error, Result, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;

type Inputs = BTreeMap<String, Tensor>;

/// What the case's transform of `op` gives.
pub fn run(op: Op, line: &Value, inputs: Inputs) -> Result<Vec<Tensor>> {
    match line["kind"].as_str() {
        Some("grad") => gradients(op, line, inputs),
        Some("vmap") => mapped(op, line, inputs),
        _ => compiled(op, line, inputs),
    }
}

/// The number of the output that an input `w0`, `w1`, .. weighs.
fn weighs(name: &str) -> Option<usize> {
    name.strip_prefix('w')?.parse().ok()
}

/// The gradients of `sum(output * weight)` over all outputs that have a weight.
fn gradients(op: Op, line: &Value, mut inputs: Inputs) -> Result<Vec<Tensor>> {
    let weights: Vec<(usize, Tensor)> =
        inputs.iter().filter_map(|(name, weight)| Some((weighs(name)?, weight.clone()))).collect();
    inputs.retain(|name, _| weighs(name).is_none());
    let names: Vec<&str> = line["wrt"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let values: Vec<Tensor> = names.iter().filter_map(|name| inputs.get(*name)).cloned().collect();
    let loss = |values: &Vec<Tensor>| {
        let mut inputs = inputs.clone();
        inputs.extend(names.iter().map(|name| (*name).to_owned()).zip(values.iter().cloned()));
        let outputs = op(&Call { inputs, args: &line["args"] })?;
        let terms = weights.iter().map(|(number, weight)| (&outputs[*number] * weight)?.real()?.sum(.., false));
        terms.reduce(|sum, term| sum? + term?).unwrap_or_else(|| Err(Error::new("no output has a gradient")))
    };
    grad(loss)(&values)
}

fn mapped(op: Op, line: &Value, inputs: Inputs) -> Result<Vec<Tensor>> {
    let names: Vec<String> = inputs.keys().cloned().collect();
    let axes: Vec<Option<i32>> = names.iter().map(|name| line["axes"][name].as_i64().map(|axis| axis as i32)).collect();
    let out = line["out_axis"].as_i64().unwrap_or(0) as i32;
    let values: Vec<Tensor> = inputs.into_values().collect();
    let function = |values: &[Tensor]| {
        let inputs = names.iter().cloned().zip(values.iter().cloned()).collect();
        op(&Call { inputs, args: &line["args"] })
    };
    match values.len() {
        1 => each::<1>(function, &axes, out, values),
        2 => each::<2>(function, &axes, out, values),
        3 => each::<3>(function, &axes, out, values),
        n => Err(Error::new(format!("no case maps {n} inputs"))),
    }
}

/// vmap with an axis, or none, for each of `N` inputs.
fn each<const N: usize>(
    function: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    axes: &[Option<i32>],
    out: i32,
    values: Vec<Tensor>,
) -> Result<Vec<Tensor>>
where
    [Option<i32>; N]: MapAxes<[Tensor; N]>,
{
    let axes: [Option<i32>; N] = std::array::from_fn(|at| axes[at]);
    let values: [Tensor; N] = std::array::from_fn(|at| values[at].clone());
    vmap(|values: &[Tensor; N]| function(values), axes, out)(&values)
}

/// The second call of the compiled op, which replays the first.
fn compiled(op: Op, line: &Value, inputs: Inputs) -> Result<Vec<Tensor>> {
    let function = compile(|inputs: &Inputs| op(&Call { inputs: inputs.clone(), args: &line["args"] }));
    function.call(&inputs)?;
    function.call(&inputs)
}

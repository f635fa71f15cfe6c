//! Indexing, and the ops that take indices.

use super::call::{Call, Number, ops};
use mlx_ops::{Dtype, Index, Operand, Result, Tensor};
use serde_json::Value;

ops! {
    "getitem" => |a| a.x("x").i(&index(a)[..]);
    "take" => |a| a.x("x").take(a.x("i"), a.axis());
    "take_along_axis" => |a| a.x("x").take_along_axis(a.x("i"), a.int("axis"));
    "slice" => |a| a.x("x").slice_dynamic(a.x("start"), &a.list("axes"), a.list("sizes"));
    "setitem" => |a| a.x("x").at(&index(a)[..]).set(value(a));
    "at.add" => |a| a.x("x").at(&index(a)[..]).add(value(a));
    "at.subtract" => |a| a.x("x").at(&index(a)[..]).subtract(value(a));
    "at.multiply" => |a| a.x("x").at(&index(a)[..]).multiply(value(a));
    "at.divide" => |a| a.x("x").at(&index(a)[..]).divide(value(a));
    "at.maximum" => |a| a.x("x").at(&index(a)[..]).maximum(value(a));
    "at.minimum" => |a| a.x("x").at(&index(a)[..]).minimum(value(a));
    "put_along_axis" => |a| a.x("x").put_along_axis(a.x("i"), a.x("v"), a.int("axis"));
    "slice_update" => |a| a.x("x").slice_update_dynamic(a.x("v"), a.x("start"), &a.list("axes"));
}

/// The index of a case: numbers, `[start, stop, step]`, `"new"`, `"rest"`, and names of inputs.
fn index(a: &Call<'_>) -> Vec<Index> {
    let bound = |value: &Value| value.as_i64().map(|value| value as i32);
    let one = |entry: &Value| match (entry, entry.as_str()) {
        (Value::Array(slice), _) => match bound(&slice[2]) {
            Some(step) => Index::Step(bound(&slice[0]), bound(&slice[1]), step),
            None => Index::Span(bound(&slice[0]), bound(&slice[1])),
        },
        (_, Some("new")) => Index::New,
        (_, Some("rest")) => Index::Rest,
        (_, Some(name)) => Index::Take(a.x(name).clone()),
        _ => Index::At(bound(entry).unwrap_or_default()),
    };
    a.args["index"].as_array().into_iter().flatten().map(one).collect()
}

/// What is written: a tensor or a number.
enum Written {
    Tensor(Tensor),
    Number(Number),
}

impl Operand for Written {
    type Held = Tensor;

    #[track_caller]
    fn hold(self, dtype: Dtype) -> Result<Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor),
            Self::Number(number) => number.hold(dtype),
        }
    }
}

fn value(a: &Call<'_>) -> Written {
    a.maybe("v").map_or_else(|| Written::Number(a.number("value")), |tensor| Written::Tensor(tensor.clone()))
}
